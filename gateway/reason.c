/* The table of reasons, and what an answer's status says. */
#include "gateway/reason.h"

#define REASON_WORD(name, number, word, text) [number] = (word),
#define REASON_TEXT(name, number, word, text) [number] = (text),

static const char *const words[] = {REASONS(REASON_WORD)};
static const char *const texts[] = {REASONS(REASON_TEXT)};

const char *
reason_word(unsigned reason)
{
	return reason < COUNT_OF(words) ? words[reason] : "";
}

const char *
reason_text(unsigned reason)
{
	return reason < COUNT_OF(texts) ? texts[reason] : "";
}

enum reason
reason_of_status(int status)
{
	if (status >= 200 && status < 300)
		return REASON_OK;
	if (status >= 500)
		return REASON_HTTP_5XX;
	if (status == 410)
		return REASON_HTTP_410;
	if (status == 429)
		return REASON_HTTP_429;
	return status >= 400 ? REASON_HTTP_4XX : REASON_HTTP_3XX;
}
