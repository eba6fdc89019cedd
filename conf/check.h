/* What options mean together. The first five look at one object after its options were read. */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "proto/json_read.h"

struct conf;
struct conf_user;
struct reader;

void check_listener(struct reader *, void *listener, const struct json *node);
void check_service(struct reader *, void *service, const struct json *node);
void check_window(struct reader *, void *window, const struct json *node);
void check_integration(struct reader *, void *integration, const struct json *node);
void check_auth(struct reader *, void *webhook, const struct json *node);
void check_webhook(struct reader *, void *webhook, const struct json *node);

/* The user of that name; NULL if there is none. Users must have been read. */
const struct conf_user *check_user(const struct conf *, struct slice username) MUST NONNULL;

/* The whole file; root is an object. */
void check_file(struct reader *, const struct json *root) NONNULL;

#endif
