// SPDX-License-Identifier: MIT
/* The bounded string: growth, the maximum to the byte, stealing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"

static void test_empty(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(10);
	AUTO_FREE char *text = NULL;

	(void)state;
	assert_string_equal(strbuf_str(&b), "");
	strbuf_reset(&b);
	assert_int_equal(strbuf_add(&b, NULL, 0), 0);
	assert_string_equal(strbuf_str(&b), "");
	strbuf_done(&b);
	text = strbuf_steal(&b);
	assert_string_equal(text, "");
}

static void test_adds(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(1000);

	(void)state;
	assert_int_equal(strbuf_adds(&b, "ab"), 0);
	assert_int_equal(strbuf_addc(&b, 'c'), 0);
	assert_int_equal(strbuf_addf(&b, "%d-%s", 42, "x"), 0);
	assert_int_equal(strbuf_add(&b, "\0y", 2), 0);
	assert_int_equal(b.len, 9);
	assert_memory_equal(strbuf_str(&b), "abc42-x\0y", 10);
	strbuf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(strbuf_str(&b), "");
}

static void test_grows(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(100000);

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(strbuf_addc(&b, (char)('a' + i % 26)), 0);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(b.text[i], 'a' + i % 26);
	assert_int_equal(strbuf_addc(&b, 'x'), -E2BIG);
	assert_int_equal(strlen(b.text), 100000);
}

static void test_maximum_adds_all_or_nothing(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(4);

	(void)state;
	assert_int_equal(strbuf_adds(&b, "abc"), 0);
	assert_int_equal(strbuf_adds(&b, "de"), -E2BIG);
	assert_int_equal(strbuf_addf(&b, "%s", "de"), -E2BIG);
	assert_int_equal(strbuf_add(&b, "", SIZE_MAX), -E2BIG);
	assert_string_equal(strbuf_str(&b), "abc");
	assert_int_equal(strbuf_adds(&b, "d"), 0);
	assert_int_equal(strbuf_adds(&b, ""), 0);
	assert_int_equal(strbuf_addc(&b, 'e'), -E2BIG);
	assert_string_equal(strbuf_str(&b), "abcd");
}

static void test_steal(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(100);
	AUTO_FREE char *text = NULL;

	(void)state;
	assert_int_equal(strbuf_adds(&b, "abc"), 0);
	text = strbuf_steal(&b);
	assert_string_equal(text, "abc");
	assert_string_equal(strbuf_str(&b), "");
	assert_int_equal(strbuf_adds(&b, "d"), 0);
	assert_string_equal(strbuf_str(&b), "d");
	assert_string_equal(text, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty), cmocka_unit_test(test_adds),
		cmocka_unit_test(test_grows), cmocka_unit_test(test_maximum_adds_all_or_nothing),
		cmocka_unit_test(test_steal),
	};

	return cmocka_run_group_tests_name("strbuf", tests, NULL, NULL);
}
