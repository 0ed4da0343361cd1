/* SPDX-License-Identifier: MIT */
/* gzip (all members), zstd (all frames) and plain streams, with a cap on what comes out. */
#ifndef BASE_DECOMPRESS_H
#define BASE_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/** compression_detect() - by magic number (gzip 1f 8b, zstd 28 b5 2f fd and its skippable frames); else NONE */
enum compression compression_detect(const void *head, size_t len);

/* Where compressed bytes come from. Return: bytes put in @buf (1..@len), 0 at the end, -errno (err filled). */
typedef ssize_t (*decompress_read_fn)(void *arg, void *buf, size_t len, struct err *err);

struct decompress;
/**
 * decompress_open() - a reader of the decompressed bytes
 * @max_out: most bytes it will give; one more is -EFBIG/ERR_CORRUPT ("decompression bomb")
 * @ret: owned: decompress_free()
 */
int decompress_open(enum compression kind, decompress_read_fn read, void *arg, uint64_t max_out,
		    struct decompress **ret, struct err *err);
/**
 * decompress_read() - next piece
 * Return: bytes (at most @len), 0 at the end of the last member or frame, -EBADMSG (corrupt, truncated, trailing garbage after a
 * gzip member), -EFBIG, or what the source returned
 */
ssize_t decompress_read(struct decompress *d, void *buf, size_t len, struct err *err);
void decompress_free(struct decompress *d);
DEFINE_AUTO_PTR(decompress)

#endif
