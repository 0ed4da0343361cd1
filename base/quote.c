// SPDX-License-Identifier: MIT
/* Escaping of untrusted text (see quote.h). */
#include "base/quote.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define ELLIPSIS "..."

/* Control characters, and those that reorder or break the line they stand in. */
static bool is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x061c ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* One character of @text (or one byte, if it is no character) as it may be printed. Return: bytes of @text used up. */
static size_t escape(const char *text, size_t len, char piece[static 20], size_t *piece_len)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t c = 0;
	size_t n = utf8_decode(text, len, &c);

	if (n && !is_harmful(c) && c != '"' && c != '\\') {
		memcpy(piece, text, n);
		*piece_len = n;
		return n;
	}
	if (!n)
		n = 1;
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)text[i];
		const char escaped[4] = { '\\', 'x', hex[byte >> 4], hex[byte & 0xf] };

		memcpy(piece + 4 * i, escaped, sizeof(escaped));
	}
	*piece_len = 4 * n;
	return n;
}

static const char *quote_with(char *buf, size_t size, const char *text, const char *mark)
{
	size_t mark_len = strlen(mark), len, pos, cut;
	/* What must follow the text, without and with an ellipsis. */
	size_t tail = mark_len + 1, cut_tail = tail + strlen(ELLIPSIS);
	const char *end = "";

	if (!text)
		text = "(null)", mark = "", mark_len = 0;
	memcpy(buf, mark, mark_len);
	pos = cut = mark_len;
	for (len = strlen(text); len;) {
		char piece[20];
		size_t piece_len, used = escape(text, len, piece, &piece_len);

		if (pos + cut_tail <= size)
			cut = pos;
		if (pos + piece_len + tail > size) {
			pos = cut;
			end = ELLIPSIS;
			break;
		}
		memcpy(buf + pos, piece, piece_len);
		pos += piece_len;
		text += used;
		len -= used;
	}
	memcpy(buf + pos, mark, mark_len);
	pos += mark_len;
	memcpy(buf + pos, end, strlen(end) + 1);
	return buf;
}

const char *quote(char *buf, size_t size, const char *text)
{
	return quote_with(buf, size, text, "\"");
}

const char *quote_plain(char *buf, size_t size, const char *text)
{
	return quote_with(buf, size, text, "");
}
