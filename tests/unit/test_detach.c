// SPDX-License-Identifier: MIT
/* Detach keys: notation and the filter, which must never swallow what is not the sequence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/detach.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		const char *keys;
		size_t n;
	} good[] = {
		{ "", "", 0 },
		{ "a", "a", 1 },
		{ "ctrl-p,ctrl-q", "\x10\x11", 2 },
		{ "ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", "\x00\x1b\x1c\x1d\x1e\x1f", 6 },
		{ "ctrl-],ctrl-],ctrl-]", "\x1d\x1d\x1d", 3 },
		{ "x,ctrl-a,Z", "x\x01Z", 3 },
	};
	static const char *const bad[] = { "ctrl-",
					   "ctrl-A",
					   "ctrl-ab",
					   "ab",
					   ",",
					   "a,",
					   ",a",
					   "ctrl-1",
					   "ctrl-p ",
					   "shift-a",
					   "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct detach_keys d;
		assert_int_equal(detach_keys_parse(good[i].text, &d, NULL), 0);
		assert_int_equal(d.n, good[i].n);
		assert_memory_equal(d.keys, good[i].keys, d.n);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct detach_keys d;
		struct err err = { 0 };
		assert_int_equal(detach_keys_parse(bad[i], &d, &err), -22);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.msg, "invalid detach keys"));
	}
}

/* Types @in in pieces of @step bytes; what got through is in @out. Return: whether the sequence was met */
static bool type(struct detach_keys *d, const char *in, size_t len, size_t step, char *out,
		 size_t *n)
{
	*n = 0;
	for (size_t at = 0; at < len; at += step) {
		unsigned char piece[256];
		size_t got, take = len - at < step ? len - at : step;
		bool hit = detach_keys_filter(d, (const unsigned char *)in + at, take, piece, &got);

		memcpy(out + *n, piece, got);
		*n += got;
		if (hit)
			return true;
	}
	return false;
}

static void test_filter(void **state)
{
	static const struct {
		const char *in, *through;
		bool hit;
	} cases[] = {
		{ "hello", "hello", false },
		{ "ab\x10\x11", "ab", true },
		{ "\x10\x10\x11", "\x10", true },
		{ "\x10x\x11", "\x10x\x11", false },
		{ "\x10\x10x", "\x10\x10x", false },
		{ "\x11\x10", "\x11", false }, /* the last key is held back */
	};

	(void)state;
	for (size_t step = 1; step <= 8; step++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			struct detach_keys d;
			char out[64];
			size_t n;

			assert_int_equal(detach_keys_parse("ctrl-p,ctrl-q", &d, NULL), 0);
			assert_int_equal(type(&d, cases[i].in, strlen(cases[i].in), step, out, &n),
					 cases[i].hit);
			assert_int_equal(n, strlen(cases[i].through));
			assert_memory_equal(out, cases[i].through, n);
		}
	}
}

static void test_disabled_and_single_key(void **state)
{
	struct detach_keys d;
	char out[64];
	size_t n;

	(void)state;
	assert_int_equal(detach_keys_parse("", &d, NULL), 0);
	assert_false(type(&d, "\x10\x11\0x", 4, 2, out, &n));
	assert_int_equal(n, 4);
	assert_int_equal(detach_keys_parse("ctrl-]", &d, NULL), 0);
	assert_true(type(&d, "ab\x1d", 3, 3, out, &n));
	assert_int_equal(n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_disabled_and_single_key),
	};

	return cmocka_run_group_tests_name("detach", tests, NULL, NULL);
}
