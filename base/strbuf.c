// SPDX-License-Identifier: MIT
/* A growing string with a mandatory maximum (see strbuf.h). */
#include "base/strbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/* Room for @extra more bytes and the NUL. */
static int reserve(struct strbuf *b, size_t extra)
{
	size_t want, cap;
	char *grown;

	if (extra > b->max || b->len > b->max - extra)
		return -E2BIG;
	want = b->len + extra + 1;
	if (want <= b->cap)
		return 0;
	cap = b->cap ? b->cap : 64;
	while (cap < want)
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	grown = realloc(b->text, cap);
	if (!grown)
		return -ENOMEM;
	b->text = grown;
	b->cap = cap;
	return 0;
}

int strbuf_add(struct strbuf *b, const void *bytes, size_t len)
{
	int r = reserve(b, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(b->text + b->len, bytes, len);
	b->len += len;
	b->text[b->len] = '\0';
	return 0;
}

int strbuf_adds(struct strbuf *b, const char *s)
{
	return strbuf_add(b, s, strlen(s));
}

int strbuf_addc(struct strbuf *b, char c)
{
	return strbuf_add(b, &c, 1);
}

int strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -EINVAL;
	r = reserve(b, (size_t)n);
	if (r < 0)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf(b->text + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

const char *strbuf_str(const struct strbuf *b)
{
	return b->text ? b->text : "";
}

char *strbuf_steal(struct strbuf *b)
{
	char *text = b->text;

	if (!text)
		return strdup("");
	b->text = NULL;
	b->len = b->cap = 0;
	return text;
}

void strbuf_reset(struct strbuf *b)
{
	b->len = 0;
	if (b->text)
		b->text[0] = '\0';
}

void strbuf_done(struct strbuf *b)
{
	free(b->text);
	b->text = NULL;
	b->len = b->cap = 0;
}
