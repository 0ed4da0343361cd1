// SPDX-License-Identifier: MIT
/* Decompression: members and frames of several tools, cuts at every byte, bombs, a source that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "base/decompress.h"

#define OUT_MAX ((size_t)4 * 1024 * 1024)

/* Gives its bytes in pieces of @piece. */
struct source {
	const unsigned char *bytes;
	size_t len, piece;
	int fails; /* instead of the end: -errno */
};

static ssize_t source_read(void *arg, void *buf, size_t len, struct err *err)
{
	struct source *s = arg;

	if (!s->len && s->fails)
		return err_set(err, ERR_NETWORK, s->fails, "source failed");
	if (len > s->piece)
		len = s->piece;
	if (len > s->len)
		len = s->len;
	memcpy(buf, s->bytes, len);
	s->bytes += len;
	s->len -= len;
	return (ssize_t)len;
}

/* Compressed bytes under construction. */
struct packed {
	unsigned char bytes[400000];
	size_t len;
};

static void pack_raw(struct packed *p, const void *bytes, size_t len)
{
	assert_true(p->len + len <= sizeof(p->bytes));
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

static void pack_gzip(struct packed *p, const void *bytes, size_t len)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)bytes,
		       .avail_in = (uInt)len,
		       .next_out = p->bytes + p->len,
		       .avail_out = (uInt)(sizeof(p->bytes) - p->len) };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	p->len += z.total_out;
	deflateEnd(&z);
}

static void pack_zstd(struct packed *p, const void *bytes, size_t len)
{
	size_t n = ZSTD_compress(p->bytes + p->len, sizeof(p->bytes) - p->len, bytes, len, 3);

	assert_false(ZSTD_isError(n));
	p->len += n;
}

struct result {
	int r; /* 0 or -errno */
	size_t len;
	struct err err;
	char *bytes; /* OUT_MAX and what sanitizers put behind */
};

static void result_done(struct result *res)
{
	free(res->bytes);
}

/* Reads to the end in pieces of @out, from a source in pieces of @in. */
static struct result unpack(enum compression kind, const struct packed *p, uint64_t max_out,
			    size_t in, size_t out)
{
	struct source s = { .bytes = p->bytes, .len = p->len, .piece = in };
	struct result res = { .bytes = malloc(OUT_MAX) };
	AUTO_PTR(decompress) d = NULL;
	ssize_t n;

	assert_non_null(res.bytes);
	assert_int_equal(decompress_open(kind, source_read, &s, max_out, &d, &res.err), 0);
	while ((n = decompress_read(d, res.bytes + res.len, out, &res.err)) > 0) {
		assert_true((size_t)n <= out);
		res.len += (size_t)n;
		assert_true(res.len + out <= OUT_MAX);
	}
	res.r = (int)n;
	/* the end and a failure both stay */
	if (n == 0)
		assert_int_equal(decompress_read(d, res.bytes, 1, NULL), 0);
	else
		assert_int_equal(decompress_read(d, res.bytes, 1, NULL), n);
	return res;
}

static void assert_unpacks(enum compression kind, const struct packed *p, const char *want)
{
	static const size_t pieces[] = { 1, 7, 100000 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		for (size_t o = 0; o < ARRAY_SIZE(pieces); o++) {
			AUTO(result) res = unpack(kind, p, OUT_MAX, pieces[i], pieces[o]);

			if (res.r)
				fail_msg("in %zu out %zu: %s", pieces[i], pieces[o], res.err.msg);
			assert_int_equal(res.len, strlen(want));
			assert_memory_equal(res.bytes, want, res.len);
		}
}

static void assert_corrupt(enum compression kind, const struct packed *p, const char *message)
{
	static const size_t pieces[] = { 1, 100000 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		AUTO(result) res = unpack(kind, p, OUT_MAX, pieces[i], 1000);

		assert_int_equal(res.r, -EBADMSG);
		assert_int_equal(res.err.kind, ERR_CORRUPT);
		if (message)
			assert_string_equal(res.err.msg, message);
	}
}

static void test_detect(void **state)
{
	(void)state;
	assert_int_equal(compression_detect("\x1f\x8b", 2), COMPRESSION_GZIP);
	assert_int_equal(compression_detect("\x1f", 1), COMPRESSION_NONE);
	assert_int_equal(compression_detect("\x28\xb5\x2f\xfd", 4), COMPRESSION_ZSTD);
	assert_int_equal(compression_detect("\x28\xb5\x2f", 3), COMPRESSION_NONE);
	assert_int_equal(compression_detect("\x50\x2a\x4d\x18", 4), COMPRESSION_ZSTD);
	assert_int_equal(compression_detect("\x5f\x2a\x4d\x18", 4), COMPRESSION_ZSTD);
	assert_int_equal(compression_detect("\x60\x2a\x4d\x18", 4), COMPRESSION_NONE);
	assert_int_equal(compression_detect("etc/passwd", 10), COMPRESSION_NONE);
	assert_int_equal(compression_detect("", 0), COMPRESSION_NONE);
}

static void test_plain(void **state)
{
	struct packed p = { 0 }, empty = { 0 };

	(void)state;
	pack_raw(&p, "hello world", 11);
	assert_unpacks(COMPRESSION_NONE, &p, "hello world");
	assert_unpacks(COMPRESSION_NONE, &empty, "");
}

static void test_gzip_members(void **state)
{
	struct packed p = { 0 };

	(void)state;
	pack_gzip(&p, "hello ", 6);
	assert_unpacks(COMPRESSION_GZIP, &p, "hello ");
	pack_gzip(&p, "", 0);
	pack_gzip(&p, "wide ", 5);
	pack_gzip(&p, "world", 5);
	assert_unpacks(COMPRESSION_GZIP, &p, "hello wide world");
	/* as tar pads to its record size */
	pack_raw(&p, "\0\0\0\0\0\0\0", 7);
	assert_unpacks(COMPRESSION_GZIP, &p, "hello wide world");
}

static void test_gzip_garbage(void **state)
{
	struct packed whole = { 0 }, p;

	(void)state;
	pack_gzip(&whole, "hello", 5);
	p = whole;
	pack_raw(&p, "x", 1);
	assert_corrupt(COMPRESSION_GZIP, &p, "gzip: trailing garbage");
	p = whole;
	pack_raw(&p, "\x1f", 1);
	assert_corrupt(COMPRESSION_GZIP, &p, "gzip: truncated");
	p = whole;
	pack_raw(&p, "\x1f\x8c", 2);
	assert_corrupt(COMPRESSION_GZIP, &p, NULL);
	p = whole;
	pack_raw(&p, "\0\0x", 3);
	assert_corrupt(COMPRESSION_GZIP, &p, "gzip: trailing garbage");
	/* a member behind padding is one more reader's opinion */
	p = whole;
	pack_raw(&p, "\0", 1);
	pack_gzip(&p, "more", 4);
	assert_corrupt(COMPRESSION_GZIP, &p, "gzip: trailing garbage");
	p = (struct packed){ 0 };
	pack_raw(&p, "\x28\xb5\x2f\xfd", 4);
	assert_corrupt(COMPRESSION_GZIP, &p, NULL);
	/* its checksum */
	p = whole;
	p.bytes[p.len - 5] ^= 1;
	assert_corrupt(COMPRESSION_GZIP, &p, "gzip: incorrect data check");
	p = whole;
	p.bytes[p.len - 1] ^= 1;
	assert_corrupt(COMPRESSION_GZIP, &p, "gzip: incorrect length check");
}

static void test_zstd_frames(void **state)
{
	/* a skippable frame of 3 bytes */
	static const unsigned char skip[] = { 0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z' };
	struct packed p = { 0 }, only_skip = { 0 };

	(void)state;
	pack_raw(&p, skip, sizeof(skip));
	pack_zstd(&p, "hello ", 6);
	pack_zstd(&p, "", 0);
	pack_raw(&p, skip, sizeof(skip));
	pack_zstd(&p, "world", 5);
	assert_unpacks(COMPRESSION_ZSTD, &p, "hello world");
	pack_raw(&p, skip, sizeof(skip));
	assert_unpacks(COMPRESSION_ZSTD, &p, "hello world");
	pack_raw(&only_skip, skip, sizeof(skip));
	assert_unpacks(COMPRESSION_ZSTD, &only_skip, "");
	pack_raw(&p, "x", 1);
	assert_corrupt(COMPRESSION_ZSTD, &p, NULL);
}

static void test_zstd_window(void **state)
{
	/* Magic, header: no single segment, no checksum; window of 2^(10+exponent) bytes; an empty last raw block. */
	unsigned char frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00 };
	struct packed fits = { 0 }, over = { 0 };

	(void)state;
	pack_raw(&fits, frame, sizeof(frame));
	assert_unpacks(COMPRESSION_ZSTD, &fits, "");
	frame[5] = 18 << 3;
	pack_raw(&over, frame, sizeof(frame));
	assert_corrupt(COMPRESSION_ZSTD, &over,
		       "zstd: Frame requires too much memory for decoding");
}

/* A stream cut anywhere, between its members or frames excepted, is an error and never a shorter stream. */
static void test_every_cut(void **state)
{
	static char text[3000];
	struct packed gzip = { 0 }, zstd = { 0 };
	size_t gzip_first, zstd_first;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + (i * i / 7) % 26);
	pack_gzip(&gzip, text, sizeof(text));
	gzip_first = gzip.len;
	pack_gzip(&gzip, text, 100);
	pack_zstd(&zstd, text, sizeof(text));
	zstd_first = zstd.len;
	pack_zstd(&zstd, text, 100);
	for (size_t len = 0; len < gzip.len; len++) {
		struct packed cut = gzip;

		cut.len = len;
		if (len != gzip_first)
			assert_corrupt(COMPRESSION_GZIP, &cut, "gzip: truncated");
	}
	for (size_t len = 0; len < zstd.len; len++) {
		struct packed cut = zstd;

		cut.len = len;
		if (len != zstd_first)
			assert_corrupt(COMPRESSION_ZSTD, &cut, "zstd: truncated");
	}
}

static void assert_limit(enum compression kind, const struct packed *p, size_t len, size_t out)
{
	AUTO(result) fits = unpack(kind, p, len, 100000, out);
	AUTO(result) over = unpack(kind, p, len - 1, 100000, out);

	assert_int_equal(fits.r, 0);
	assert_int_equal(fits.len, len);
	assert_int_equal(over.r, -EFBIG);
	assert_int_equal(over.err.kind, ERR_CORRUPT);
	assert_int_equal(over.len, len - 1);
}

static void test_limit(void **state)
{
	struct packed plain = { 0 }, gzip = { 0 }, zstd = { 0 };
	AUTO_FREE char *zeros = calloc(1, 1000000);

	(void)state;
	pack_raw(&plain, zeros, 3000);
	pack_gzip(&gzip, zeros, 1000000);
	pack_gzip(&gzip, zeros, 1);
	pack_zstd(&zstd, zeros, 1000000);
	pack_zstd(&zstd, zeros, 1);
	for (size_t out = 1000; out <= 1000000; out *= 10) {
		assert_limit(COMPRESSION_NONE, &plain, 3000, out);
		assert_limit(COMPRESSION_GZIP, &gzip, 1000001, out);
		assert_limit(COMPRESSION_ZSTD, &zstd, 1000001, out);
	}
}

static void test_limit_of_nothing(void **state)
{
	struct packed empty = { 0 };

	(void)state;
	pack_gzip(&empty, "", 0);
	AUTO(result) res = unpack(COMPRESSION_GZIP, &empty, 0, 10, 10);
	assert_int_equal(res.r, 0);
}

/* At the limit the rest is still read: a cut or a wrong checksum behind the last byte is seen. */
static void test_limit_checks_the_end(void **state)
{
	struct packed p = { 0 };

	(void)state;
	pack_gzip(&p, "hello", 5);
	p.bytes[p.len - 5] ^= 1;
	AUTO(result) res = unpack(COMPRESSION_GZIP, &p, 5, 1, 5);
	assert_int_equal(res.r, -EBADMSG);
}

static void test_source_fails(void **state)
{
	static const enum compression kinds[] = { COMPRESSION_NONE, COMPRESSION_GZIP,
						  COMPRESSION_ZSTD };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct source s = { .piece = 10, .fails = -ECONNRESET };
		AUTO_PTR(decompress) d = NULL;
		struct err e = { 0 };
		char buf[10];

		assert_int_equal(decompress_open(kinds[i], source_read, &s, 100, &d, &e), 0);
		assert_int_equal(decompress_read(d, buf, sizeof(buf), &e), -ECONNRESET);
		assert_int_equal(e.kind, ERR_NETWORK);
		assert_string_equal(e.msg, "source failed");
	}
	decompress_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_detect),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_gzip_members),
		cmocka_unit_test(test_gzip_garbage),
		cmocka_unit_test(test_zstd_frames),
		cmocka_unit_test(test_zstd_window),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_of_nothing),
		cmocka_unit_test(test_limit_checks_the_end),
		cmocka_unit_test(test_source_fails),
	};

	return cmocka_run_group_tests_name("decompress", tests, NULL, NULL);
}
