// SPDX-License-Identifier: MIT
/* Fuzzer of the decompressors: however the input is cut into pieces, the same comes out, and never more than the cap. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/decompress.h"

#define OUT_MAX ((size_t)256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
	const uint8_t *data;
	size_t size, piece;
};

static ssize_t source_read(void *arg, void *buf, size_t len, struct err *err)
{
	struct source *s = arg;

	(void)err;
	if (len > s->piece)
		len = s->piece;
	if (len > s->size)
		len = s->size;
	if (len)
		memcpy(buf, s->data, len);
	s->data += len;
	s->size -= len;
	return (ssize_t)len;
}

/* Return: 0 or -errno; *ret_len bytes are in @out. */
static ssize_t unpack(enum compression kind, struct source s, size_t piece, uint8_t *out,
		      size_t *ret_len)
{
	AUTO_PTR(decompress) d = NULL;
	struct err err = { 0 };
	ssize_t n;

	*ret_len = 0;
	if (decompress_open(kind, source_read, &s, OUT_MAX, &d, &err) < 0)
		abort();
	while ((n = decompress_read(d, out + *ret_len, piece, &err)) > 0) {
		*ret_len += (size_t)n;
		if (*ret_len > OUT_MAX)
			abort();
	}
	if (n < 0 && err.code != n)
		abort();
	return n;
}

/* The first byte chooses the kind unless the magic number does, and the size of the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t whole[2 * OUT_MAX], pieces[2 * OUT_MAX];
	enum compression kind;
	size_t whole_len, pieces_len;
	ssize_t whole_r, pieces_r;

	if (!size)
		return 0;
	kind = compression_detect(data + 1, size - 1);
	if (kind == COMPRESSION_NONE)
		kind = data[0] & 0x80 ? COMPRESSION_GZIP : COMPRESSION_ZSTD;
	whole_r = unpack(kind, (struct source){ data + 1, size - 1, SIZE_MAX }, OUT_MAX, whole,
			 &whole_len);
	pieces_r = unpack(kind, (struct source){ data + 1, size - 1, 1 + (data[0] & 7) },
			  1 + (size_t)(data[0] >> 3 & 7) * 999, pieces, &pieces_len);
	if ((whole_r < 0) != (pieces_r < 0)) {
		/* libzstd compares a frame's content size only when it decodes it in one go; what counts is the diffID behind it. */
		if (kind == COMPRESSION_ZSTD)
			return 0;
		abort();
	}
	/* What a failing stream gives before it is found to fail depends on the pieces. */
	if (whole_r == 0 && (whole_len != pieces_len || memcmp(whole, pieces, whole_len) != 0))
		abort();
	return 0;
}
