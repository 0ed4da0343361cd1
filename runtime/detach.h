/* SPDX-License-Identifier: MIT */
/* Detach keys: a sequence such as ctrl-p,ctrl-q found in what the user types. */
#ifndef RUNTIME_DETACH_H
#define RUNTIME_DETACH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define DETACH_KEYS_MAX 16
#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q" /* docker's */

struct detach_keys {
	unsigned char keys[DETACH_KEYS_MAX];
	size_t n; /* 0: none */
	size_t matched; /* keys of the sequence typed so far, held back from the container */
};

/** detach_keys_parse() - docker's notation: letters, or ctrl-@ ctrl-a..z ctrl-[ ctrl-\ ctrl-] ctrl-^ ctrl-_ separated by commas; "" disables.
 *  Return: 0 or -EINVAL/ERR_USAGE */
int detach_keys_parse(const char *text, struct detach_keys *ret, struct err *err);

/**
 * detach_keys_filter() - pass typed bytes on, holding back what may be the beginning of the sequence
 * @out: room for @len + DETACH_KEYS_MAX bytes; *ret_len of them are to be sent
 * Return: true when the sequence is complete (what came before it is in @out)
 */
bool detach_keys_filter(struct detach_keys *d, const unsigned char *in, size_t len,
			unsigned char *out, size_t *ret_len);

#endif
