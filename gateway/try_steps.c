/*
 * What mapping and rules tell, as JSON. Tests come before the block or the rule whose condition
 * they are, values behind it:
 *
 *     test test BLOCK value value   test RULE value   RULE ...
 *      └─ tests ─┘└─ "set" ────┘
 */
#include "gateway/try_parts.h"

void
try_steps_init(struct try_steps *steps, struct arena *arena)
{
	*steps = (struct try_steps){.open = NULL};
	buf_init_arena(&steps->tests, arena);
	buf_init_arena(&steps->blocks, arena);
	buf_init_arena(&steps->rules, arena);
	steps->test.buf = &steps->tests;
	steps->block.buf = &steps->blocks;
	steps->rule.buf = &steps->rules;
}

static void
put_text(struct json_writer *w, const char *key, struct slice text)
{
	json_key(w, key);
	json_string(w, text);
}

static void
see_test(struct try_steps *steps, const struct observation *seen)
{
	struct json_writer *w = &steps->test;

	json_open(w, '{');
	put_text(w, "path", seen->name);
	put_text(w, "op", seen->op);
	json_key(w, "wanted");
	json_raw(w, seen->wanted.n > 0 ? seen->wanted : SLICE("null"));
	json_key(w, "found");
	if (seen->exists)
		json_string(w, seen->found);
	else
		json_null(w);
	json_key(w, "held");
	json_bool(w, seen->held);
	json_close(w, '}');
}

static void
close_step(struct try_steps *steps)
{
	if (steps->open == NULL)
		return;
	json_close(steps->open, ']');
	json_close(steps->open, '}');
	steps->open = NULL;
}

/* Opens an element that takes the values that follow. */
static void
see_step(struct try_steps *steps, struct json_writer *w, const struct observation *seen)
{
	bool rule = seen->kind == OBSERVED_RULE;

	json_open(w, '{');
	json_key(w, rule ? "rule" : "block");
	json_uint(w, seen->number);
	if (rule)
		put_text(w, "description", seen->name);
	json_key(w, "held");
	json_bool(w, seen->held);
	json_key(w, "tests");
	json_open(w, '[');
	if (steps->tests.n > 0)
		json_raw(w, buf_slice(&steps->tests));
	json_close(w, ']');
	json_key(w, rule ? "actions" : "set");
	json_open(w, '[');
	steps->open = w;
	buf_clear(&steps->tests);
	steps->test.more = false;
}

static void
see_value(struct try_steps *steps, const struct observation *seen)
{
	struct json_writer *w = steps->open;

	if (w == NULL)
		return;
	json_open(w, '{');
	put_text(w, w == &steps->rule ? "action" : "field", seen->name);
	put_text(w, "before", seen->before);
	put_text(w, "value", seen->found);
	json_close(w, '}');
}

void
try_steps_see(void *arg, const struct observation *seen)
{
	struct try_steps *steps = arg;

	if (seen->kind == OBSERVED_VALUE) {
		see_value(steps, seen);
		return;
	}
	close_step(steps);
	if (seen->kind == OBSERVED_TEST)
		see_test(steps, seen);
	else
		see_step(steps, seen->kind == OBSERVED_RULE ? &steps->rule : &steps->block, seen);
}

static void
write_list(struct json_writer *w, const char *key, const struct buf *list)
{
	json_key(w, key);
	json_open(w, '[');
	if (list->n > 0)
		json_raw(w, buf_slice(list));
	json_close(w, ']');
	w->buf->failed = w->buf->failed || list->failed;
}

void
try_steps_write(struct try_steps *steps, struct json_writer *w)
{
	close_step(steps);
	write_list(w, "mapping", &steps->blocks);
	write_list(w, "rules", &steps->rules);
}
