// SPDX-License-Identifier: MIT
/* Detach keys (see detach.h). */
#include "runtime/detach.h"

#include <errno.h>
#include <string.h>

#include "base/quote.h"

#define CTRL_PREFIX "ctrl-"

/* One key of the notation, @len bytes. Return: its byte, or -EINVAL. */
static int parse_key(const char *text, size_t len)
{
	static const char symbols[] = "[\\]^_"; /* 0x1b.. in order */
	const size_t prefix = strlen(CTRL_PREFIX);
	const char *symbol;
	char c;

	if (len == 1)
		return (unsigned char)text[0];
	if (len != prefix + 1 || strncmp(text, CTRL_PREFIX, prefix) != 0)
		return -EINVAL;
	c = text[prefix];
	if (c == '@')
		return 0;
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 1;
	symbol = c ? strchr(symbols, c) : NULL;
	return symbol ? 0x1b + (int)(symbol - symbols) : -EINVAL;
}

int detach_keys_parse(const char *text, struct detach_keys *ret, struct err *err)
{
	struct detach_keys d = { 0 };
	const char *at = text;

	while (*at) {
		size_t len = strcspn(at, ",");
		int key = parse_key(at, len);

		/* A trailing comma would be an empty key. */
		if (key < 0 || d.n == DETACH_KEYS_MAX || (at[len] == ',' && !at[len + 1]))
			return err_set(
				err, ERR_USAGE, -EINVAL,
				"invalid detach keys (%s): unknown character: expected letters or ctrl-<key> separated by commas",
				QUOTE_PLAIN(text));
		d.keys[d.n++] = (unsigned char)key;
		at += len + (at[len] == ',');
	}
	*ret = d;
	return 0;
}

bool detach_keys_filter(struct detach_keys *d, const unsigned char *in, size_t len,
			unsigned char *out, size_t *ret_len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (d->n && in[i] == d->keys[d->matched]) {
			if (++d->matched == d->n) {
				d->matched = 0;
				*ret_len = n;
				return true;
			}
			continue;
		}
		/* Not it after all: what was held back belongs to the container. */
		memcpy(out + n, d->keys, d->matched);
		n += d->matched;
		d->matched = 0;
		if (d->n && in[i] == d->keys[0] && d->n > 1)
			d->matched = 1;
		else
			out[n++] = in[i];
	}
	*ret_len = n;
	return false;
}
