/* SPDX-License-Identifier: MIT */
/* Untrusted text made safe for a terminal and for messages. */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

#include <stddef.h>

#define QUOTE_MAX 200

/**
 * quote() - "text" with control bytes, quotes, backslashes and invalid UTF-8 escaped as \xNN, cut with "..." at @size
 * @buf: caller's buffer of @size >= 8 bytes
 * Return: @buf; "(null)" for a NULL @text
 */
const char *quote(char *buf, size_t size, const char *text);

/* QUOTE(text) lives until the end of the enclosing block: for printf arguments. */
#define QUOTE(text) quote((char[QUOTE_MAX]){ 0 }, QUOTE_MAX, (text))

/** quote_plain() - as quote(), without the surrounding quotation marks (for tables and names) */
const char *quote_plain(char *buf, size_t size, const char *text);
#define QUOTE_PLAIN(text) quote_plain((char[QUOTE_MAX]){ 0 }, QUOTE_MAX, (text))

#endif
