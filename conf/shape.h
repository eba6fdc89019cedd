/*
 * The shapes that texts of the configuration have: what is wrong with one, as a sentence that shows
 * nothing of it, or NULL. Some fill further fields of the struct that the text is kept in.
 */
#ifndef CONF_SHAPE_H
#define CONF_SHAPE_H

#include "proto/base.h"

const char *shape_plain(struct slice, void *) MUST;    /* no control characters */
const char *shape_word(struct slice, void *) MUST;     /* letters, digits, '_', '-' */
const char *shape_token(struct slice, void *) MUST;    /* visible ASCII */
const char *shape_username(struct slice, void *) MUST; /* no control characters, no colon */
const char *shape_header_name(struct slice, void *) MUST;  /* a token of HTTP */
const char *shape_header_value(struct slice, void *) MUST; /* visible ASCII and inner spaces */
const char *shape_public_url(struct slice, void *conf) MUST;
const char *shape_webhook_url(struct slice, void *webhook) MUST;
const char *shape_listener(struct slice, void *listener) MUST;

#endif
