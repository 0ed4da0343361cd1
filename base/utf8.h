/* SPDX-License-Identifier: MIT */
/* What is valid UTF-8: the one decoder for text that comes from outside. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * utf8_decode() - the character that @text begins with
 * @ret: may be NULL
 * Return: its bytes (1..4), or 0 if they are no UTF-8 (overlong forms, surrogates and cut sequences included) or @len is 0
 * Source: RFC 3629 section 4
 */
size_t utf8_decode(const char *text, size_t len, uint32_t *ret);
bool utf8_is_valid(const char *text, size_t len);

#endif
