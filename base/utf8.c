// SPDX-License-Identifier: MIT
/* The UTF-8 decoder (see utf8.h). */
#include "base/utf8.h"

size_t utf8_decode(const char *text, size_t len, uint32_t *ret)
{
	/* By length of the sequence: the smallest character that needs it. */
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c;
	size_t n;

	if (!len)
		return 0;
	if (p[0] < 0x80)
		n = 1, c = p[0];
	else if ((p[0] & 0xe0) == 0xc0)
		n = 2, c = p[0] & 0x1f;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3, c = p[0] & 0x0f;
	else if ((p[0] & 0xf8) == 0xf0)
		n = 4, c = p[0] & 0x07;
	else
		return 0;
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	if (ret)
		*ret = c;
	return n;
}

bool utf8_is_valid(const char *text, size_t len)
{
	while (len) {
		size_t n = utf8_decode(text, len, NULL);

		if (!n)
			return false;
		text += n;
		len -= n;
	}
	return true;
}
