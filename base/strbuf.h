/* SPDX-License-Identifier: MIT */
/* A growing string with a mandatory maximum: exceeding it is an ordinary error, so nothing fed from outside is unbounded. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stddef.h>

#include "base/cleanup.h"

struct strbuf {
	char *text; /* always NUL-terminated once something was added; NULL before */
	size_t len; /* bytes without the NUL */
	size_t cap;
	size_t max;
};

#define STRBUF_INIT(maximum) ((struct strbuf){ .max = (maximum) })

/* strbuf_add() and kin return 0, -ENOMEM, or -E2BIG when @max would be exceeded (nothing is added then). */
MUST_CHECK int strbuf_add(struct strbuf *b, const void *bytes, size_t len);
MUST_CHECK int strbuf_adds(struct strbuf *b, const char *s);
MUST_CHECK int strbuf_addc(struct strbuf *b, char c);
MUST_CHECK __attribute__((format(printf, 2, 3))) int strbuf_addf(struct strbuf *b, const char *fmt,
								 ...);
/** strbuf_str() - the text; "" for an empty buffer. Borrowed, valid until the next add. */
const char *strbuf_str(const struct strbuf *b);
/** strbuf_steal() - hand the text to the caller (to free()); the buffer is empty then. NULL only when out of memory. */
char *strbuf_steal(struct strbuf *b);
void strbuf_reset(struct strbuf *b);
void strbuf_done(struct strbuf *b);

#endif
