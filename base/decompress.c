// SPDX-License-Identifier: MIT
/* Decompression of streams (see decompress.h) through zlib and libzstd. */
#include "base/decompress.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#define INPUT_SIZE ((size_t)256 * 1024)
/* What a frame may ask for: `zstd --ultra -22 --long=27`, the most that decoders take without being told. */
#define ZSTD_WINDOW_LOG_MAX 27
/* windowBits for the largest window, plus 16: gzip framing alone. */
#define GZIP_WINDOW_BITS (MAX_WBITS + 16)

enum gzip_state {
	GZIP_MEMBER, /* a member begins or goes on */
	GZIP_BETWEEN, /* a member has ended: another may follow, or zeros */
	GZIP_PADDING, /* zeros have been seen: nothing else may follow */
};

struct decompress {
	decompress_read_fn read;
	void *arg;
	ssize_t (*produce)(struct decompress *d, void *buf, size_t len, struct err *err);
	uint64_t left; /* bytes that may still come out */
	int failed; /* -errno given already: it stays */
	unsigned char *in;
	size_t in_pos, in_len;
	bool in_end; /* the source has ended */
	z_stream gzip;
	bool gzip_ready; /* inflateInit2() has succeeded */
	enum gzip_state gzip_state;
	ZSTD_DStream *zstd;
	bool zstd_open; /* inside a frame, or before the first */
};

enum compression compression_detect(const void *head, size_t len)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	const unsigned char *p = head;

	if (len >= sizeof(gzip) && !memcmp(p, gzip, sizeof(gzip)))
		return COMPRESSION_GZIP;
	if (len < sizeof(zstd))
		return COMPRESSION_NONE;
	/* Skippable frames begin with 50..5f 2a 4d 18. */
	if (!memcmp(p, zstd, sizeof(zstd)) ||
	    ((p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18))
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

/* Reads on when all input is used up. Return: 1 if there is input, 0 at its end, -errno */
static int fill(struct decompress *d, struct err *err)
{
	ssize_t n;

	if (d->in_pos < d->in_len)
		return 1;
	if (d->in_end)
		return 0;
	n = d->read(d->arg, d->in, INPUT_SIZE, err);
	if (n < 0)
		return (int)n;
	d->in_pos = 0;
	d->in_len = (size_t)n;
	d->in_end = n == 0;
	return n > 0;
}

static int corrupt(struct err *err, const char *what, const char *why)
{
	return err_set(err, ERR_CORRUPT, -EBADMSG, "%s: %s", what, why);
}

static ssize_t produce_plain(struct decompress *d, void *buf, size_t len, struct err *err)
{
	return d->read(d->arg, buf, len, err);
}

/* Return: 1 if another member begins, 0 at the end of the stream, -errno */
static int gzip_next_member(struct decompress *d, struct err *err)
{
	int r;

	while ((r = fill(d, err)) > 0) {
		if (d->in[d->in_pos] == 0) {
			d->gzip_state = GZIP_PADDING;
			d->in_pos++;
			continue;
		}
		/* Its second byte and the rest of the header are inflate()'s to check. */
		if (d->gzip_state == GZIP_PADDING || d->in[d->in_pos] != 0x1f)
			return corrupt(err, "gzip", "trailing garbage");
		d->gzip_state = GZIP_MEMBER;
		return inflateReset(&d->gzip) == Z_OK ? 1 : corrupt(err, "gzip", "cannot reset");
	}
	return r;
}

/* Return: bytes put in @buf, 0 if the member gave none this time, -errno */
static ssize_t gzip_inflate(struct decompress *d, void *buf, size_t len, struct err *err)
{
	size_t had = d->in_len - d->in_pos;
	int r;

	d->gzip.next_in = d->in + d->in_pos;
	d->gzip.avail_in = (uInt)had;
	d->gzip.next_out = buf;
	d->gzip.avail_out = (uInt)len;
	r = inflate(&d->gzip, Z_NO_FLUSH);
	d->in_pos = d->in_len - d->gzip.avail_in;
	if (r == Z_STREAM_END)
		d->gzip_state = GZIP_BETWEEN;
	else if (r == Z_MEM_ERROR)
		return err_oom(err);
	else if (r == Z_BUF_ERROR && d->in_end)
		return corrupt(err, "gzip", "truncated");
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return corrupt(err, "gzip", d->gzip.msg ? d->gzip.msg : "corrupt data");
	return (ssize_t)(len - d->gzip.avail_out);
}

static ssize_t produce_gzip(struct decompress *d, void *buf, size_t len, struct err *err)
{
	for (;;) {
		ssize_t n;
		int r;

		if (d->gzip_state != GZIP_MEMBER) {
			r = gzip_next_member(d, err);
			if (r <= 0)
				return r;
		}
		r = fill(d, err);
		if (r < 0)
			return r;
		n = gzip_inflate(d, buf, len, err);
		if (n != 0)
			return n;
	}
}

static ssize_t produce_zstd(struct decompress *d, void *buf, size_t len, struct err *err)
{
	for (;;) {
		ZSTD_outBuffer out = { .dst = buf, .size = len };
		ZSTD_inBuffer in;
		size_t hint;
		int r = fill(d, err);

		if (r < 0)
			return r;
		if (r == 0 && !d->zstd_open)
			return 0;
		in = (ZSTD_inBuffer){ .src = d->in, .size = d->in_len, .pos = d->in_pos };
		hint = ZSTD_decompressStream(d->zstd, &out, &in);
		if (ZSTD_isError(hint))
			return corrupt(err, "zstd", ZSTD_getErrorName(hint));
		d->in_pos = in.pos;
		/* 0: a frame is complete and all of it has been given. */
		d->zstd_open = hint != 0;
		if (out.pos)
			return (ssize_t)out.pos;
		if (r == 0 && d->zstd_open)
			return corrupt(err, "zstd", "truncated");
	}
}

static int open_gzip(struct decompress *d, struct err *err)
{
	if (inflateInit2(&d->gzip, GZIP_WINDOW_BITS) != Z_OK)
		return err_oom(err);
	d->gzip_ready = true;
	d->produce = produce_gzip;
	return 0;
}

static int open_zstd(struct decompress *d, struct err *err)
{
	d->zstd = ZSTD_createDStream();
	if (!d->zstd)
		return err_oom(err);
	if (ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
		return err_set(err, ERR_SYSTEM, -EINVAL, "zstd: cannot set the window limit");
	d->zstd_open = true;
	d->produce = produce_zstd;
	return 0;
}

int decompress_open(enum compression kind, decompress_read_fn read, void *arg, uint64_t max_out,
		    struct decompress **ret, struct err *err)
{
	AUTO_PTR(decompress) d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return err_oom(err);
	d->read = read;
	d->arg = arg;
	d->left = max_out;
	d->produce = produce_plain;
	if (kind != COMPRESSION_NONE) {
		d->in = malloc(INPUT_SIZE);
		if (!d->in)
			return err_oom(err);
		r = kind == COMPRESSION_GZIP ? open_gzip(d, err) : open_zstd(d, err);
		if (r < 0)
			return r;
	}
	*ret = MOVE_PTR(d);
	return 0;
}

/* All that may come out has come out: is there more? */
static ssize_t at_limit(struct decompress *d, struct err *err)
{
	char one;
	ssize_t n = d->produce(d, &one, sizeof(one), err);

	if (n > 0)
		return err_set(err, ERR_CORRUPT, -EFBIG,
			       "decompressed data exceeds its limit (decompression bomb?)");
	return n;
}

ssize_t decompress_read(struct decompress *d, void *buf, size_t len, struct err *err)
{
	ssize_t n;

	assert(len > 0);
	if (d->failed)
		return err_set(err, ERR_CORRUPT, d->failed, "read after a failed decompression");
	/* zlib counts in unsigned int. */
	if (len > INT_MAX)
		len = INT_MAX;
	if (len > d->left)
		len = (size_t)d->left;
	n = len ? d->produce(d, buf, len, err) : at_limit(d, err);
	if (n < 0)
		d->failed = (int)n;
	else
		d->left -= (uint64_t)n;
	return n;
}

void decompress_free(struct decompress *d)
{
	if (!d)
		return;
	if (d->gzip_ready)
		(void)inflateEnd(&d->gzip);
	/* NULL is allowed. */
	(void)ZSTD_freeDStream(d->zstd);
	free(d->in);
	free(d);
}
