// SPDX-License-Identifier: MIT
/* Digests: the grammar (a parsed one is a safe file name), known answers, failure that never matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/dlib.h"
#include "base/fd.h"

#define H16 "0123456789abcdef"
#define H64 H16 H16 H16 H16
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void test_parse(void **state)
{
	struct digest d = { 0 };

	(void)state;
	assert_int_equal(digest_parse("sha256:" H64, &d, NULL), 0);
	assert_string_equal(d.hex, H64);
	assert_string_equal(DIGEST_STR(&d), "sha256:" H64);
	assert_true(digest_is_set(&d));
}

static void test_parse_refuses(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "", -EINVAL },
		{ H64, -EINVAL },
		{ ":", -EINVAL },
		{ "sha256", -EINVAL },
		{ "sha256:", -EINVAL },
		{ "sha256:" H64 "0", -EINVAL },
		{ "sha256:" H64 "\n", -EINVAL },
		{ " sha256:" H64, -EINVAL },
		{ "sha256:" H16 H16 H16 "0123456789abcde", -EINVAL },
		{ "sha256:" H16 H16 H16 "0123456789ABCDEF", -EINVAL },
		{ "sha256:" H16 H16 H16 "0123456789abcdeg", -EINVAL },
		{ "sha256:../../../../../../../../../../../../../../../../../../../../etc/pas",
		  -EINVAL },
		{ "SHA256:" H64, -EINVAL },
		{ "sha256:sha256:" H64, -EINVAL },
		{ ":" H64, -EINVAL },
		{ "/:" H64, -EINVAL },
		{ "+a:" H64, -EINVAL },
		{ "a+:" H64, -EINVAL },
		{ "a..b:" H64, -EINVAL },
		{ "md5:", -EINVAL },
		{ "md5:a/b", -EINVAL },
		{ "md5:a b", -EINVAL },
		{ "sha512:" H64, -EINVAL },
		{ "sha512:" H64 H64, -EOPNOTSUPP },
		{ "sha384:" H64 H16 H16, -EOPNOTSUPP },
		{ "sha2567:" H64, -EOPNOTSUPP },
		{ "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", -EOPNOTSUPP },
		{ "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", -EOPNOTSUPP },
		{ "md5.x_y-z:ABCxyz019=_-", -EOPNOTSUPP },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct digest d = { 0 };
		struct err e = { 0 };
		int r = digest_parse(cases[i].text, &d, &e);

		if (r != cases[i].r)
			fail_msg("%s: %d", cases[i].text, r);
		assert_int_equal(e.code, r);
		assert_int_equal(e.kind, r == -EINVAL ? ERR_CORRUPT : ERR_UNSUPPORTED);
		assert_false(digest_is_set(&d));
		assert_int_equal(digest_parse(cases[i].text, &d, NULL), r);
	}
}

static void test_from_hex(void **state)
{
	struct digest d = { 0 };

	(void)state;
	assert_int_equal(digest_from_hex(H64 "0", &d), -EINVAL);
	assert_int_equal(digest_from_hex(H16, &d), -EINVAL);
	assert_int_equal(digest_from_hex("", &d), -EINVAL);
	assert_false(digest_is_set(&d));
	assert_int_equal(digest_from_hex(H64, &d), 0);
	assert_string_equal(d.hex, H64);
}

static void test_equal(void **state)
{
	struct digest a = { 0 }, b = { 0 };

	(void)state;
	/* no digest equals nothing, itself neither */
	assert_false(digest_equal(&a, &b));
	assert_int_equal(digest_from_hex(H64, &a), 0);
	assert_false(digest_equal(&a, &b));
	assert_false(digest_equal(&b, &a));
	assert_int_equal(digest_from_hex(H64, &b), 0);
	assert_true(digest_equal(&a, &b));
	b.hex[63] = '0';
	assert_false(digest_equal(&a, &b));
}

static void test_known_answers(void **state)
{
	AUTO_FREE char *million = malloc(1000000);
	struct digest d;

	(void)state;
	assert_int_equal(digest_buffer("", 0, &d, NULL), 0);
	assert_string_equal(d.hex, EMPTY);
	assert_int_equal(digest_buffer("abc", 3, &d, NULL), 0);
	assert_string_equal(d.hex, ABC);
	memset(million, 'a', 1000000);
	assert_int_equal(digest_buffer(million, 1000000, &d, NULL), 0);
	assert_string_equal(d.hex, MILLION_A);
}

static void test_streaming(void **state)
{
	AUTO_PTR(digest_ctx) ctx = NULL;
	char piece[125];
	struct digest d;

	(void)state;
	assert_int_equal(digest_begin(&ctx, NULL), 0);
	memset(piece, 'a', sizeof(piece));
	for (size_t i = 0; i < 1000000 / sizeof(piece); i++)
		digest_update(ctx, piece, sizeof(piece));
	digest_finish(ctx, &d);
	assert_string_equal(d.hex, MILLION_A);
}

static void test_ctx_free(void **state)
{
	struct digest_ctx *ctx = NULL;

	(void)state;
	digest_ctx_free(NULL);
	assert_int_equal(digest_begin(&ctx, NULL), 0);
	digest_update(ctx, "a", 1);
	digest_ctx_free(ctx);
}

static void test_fd(void **state)
{
	AUTO_CLOSE int fd = memfd_create("t", MFD_CLOEXEC);
	AUTO_FREE char *million = malloc(1000000);
	struct digest d, none = { 0 };
	struct err e = { 0 };
	int64_t size = -1;

	(void)state;
	memset(million, 'a', 1000000);
	assert_int_equal(fd_write_full(fd, "xyz", 3), 0);
	assert_int_equal(fd_write_full(fd, million, 1000000), 0);
	assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
	assert_int_equal(digest_fd(fd, &d, &size, &e), 0);
	assert_string_equal(d.hex, MILLION_A);
	assert_int_equal(size, 1000000);
	/* at the end: nothing is left */
	assert_int_equal(digest_fd(fd, &d, NULL, &e), 0);
	assert_string_equal(d.hex, EMPTY);
	size = -1;
	assert_int_equal(digest_fd(-EBADF, &none, &size, &e), -EBADF);
	assert_int_equal(size, -1);
	assert_false(digest_is_set(&none));
}

static struct {
	int (*EVP_DigestUpdate)(void);
	int (*no_such_function)(void);
} table;

static void test_dlib(void **state)
{
	static const struct dlib_symbol symbols[] = { DLIB_SYMBOL(table, EVP_DigestUpdate),
						      DLIB_SYMBOL(table, no_such_function) };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(dlib_load("libm.so.6", "counting", symbols, 0, &e), 0);
	assert_int_equal(dlib_load("libnothere.so.4", "counting", symbols, 2, &e), -ENOPKG);
	assert_string_equal(e.msg, "counting needs libnothere.so.4, which is not installed");
	/* neither is in it, and no half-filled table is left */
	assert_int_equal(dlib_load("libm.so.6", "counting", symbols, 2, &e), -ENOPKG);
	assert_string_equal(e.msg,
			    "counting needs EVP_DigestUpdate from libm.so.6, which lacks it");
	assert_null(table.EVP_DigestUpdate);
	assert_null(table.no_such_function);
	assert_int_equal(dlib_load("libnothere.so.4", "counting", symbols, 2, NULL), -ENOPKG);
}

static void test_dlib_clears_the_table(void **state)
{
	static struct {
		double (*cos)(double);
		double (*no_such_function)(double);
	} math;
	static const struct dlib_symbol symbols[] = { DLIB_SYMBOL(math, cos),
						      DLIB_SYMBOL(math, no_such_function) };

	(void)state;
	assert_int_equal(dlib_load("libm.so.6", "counting", symbols, 2, NULL), -ENOPKG);
	assert_null(math.cos);
	assert_int_equal(dlib_load("libm.so.6", "counting", symbols, 1, NULL), 0);
	assert_true(math.cos(0) > 0.99);
}

/* A file of that name that is no library: the loader's own words. */
static void test_dlib_broken(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(dlib_load("/etc/passwd", "counting", NULL, 0, &e), -ENOPKG);
	assert_non_null(strstr(e.msg, "counting needs /etc/passwd, which does not load: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	      cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_from_hex),      cmocka_unit_test(test_equal),
		cmocka_unit_test(test_known_answers), cmocka_unit_test(test_streaming),
		cmocka_unit_test(test_ctx_free),      cmocka_unit_test(test_fd),
		cmocka_unit_test(test_dlib),	      cmocka_unit_test(test_dlib_clears_the_table),
		cmocka_unit_test(test_dlib_broken),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
