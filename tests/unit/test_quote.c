// SPDX-License-Identifier: MIT
/* Quoting: what a terminal must never see raw, and cuts at every size; the UTF-8 decoder below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/utf8.h"

static const struct {
	const char *text, *quoted;
} cases[] = {
	{ "", "\"\"" },
	{ "plain text", "\"plain text\"" },
	{ "a\"b\\c", "\"a\\x22b\\x5cc\"" },
	{ "\x1b[31m\n\t\r\x7f", "\"\\x1b[31m\\x0a\\x09\\x0d\\x7f\"" },
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3\"" },
	/* invalid: lone continuation, overlong, surrogate, cut, beyond U+10FFFF */
	{ "\x80", "\"\\x80\"" },
	{ "\xc0\xaf", "\"\\xc0\\xaf\"" },
	{ "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"" },
	{ "\xe2\x82", "\"\\xe2\\x82\"" },
	{ "\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"" },
	{ "\xff", "\"\\xff\"" },
	/* C1 controls (CSI), direction and line controls */
	{ "\xc2\x9b", "\"\\xc2\\x9b\"" },
	{ "\xe2\x80\xae", "\"\\xe2\\x80\\xae\"" },
	{ "\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\"" },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(QUOTE(cases[i].text), cases[i].quoted);
}

static void test_plain(void **state)
{
	(void)state;
	assert_string_equal(QUOTE_PLAIN("usr/bin"), "usr/bin");
	assert_string_equal(QUOTE_PLAIN("a\nb"), "a\\x0ab");
}

static void test_null(void **state)
{
	char buf[8];

	(void)state;
	assert_string_equal(QUOTE(NULL), "(null)");
	assert_string_equal(quote(buf, sizeof(buf), NULL), "(null)");
	assert_string_equal(QUOTE_PLAIN(NULL), "(null)");
}

static void test_cut(void **state)
{
	char buf[10];

	(void)state;
	assert_string_equal(quote(buf, 10, "1234567"), "\"1234567\"");
	assert_string_equal(quote(buf, 10, "12345678"), "\"1234\"...");
	assert_string_equal(quote_plain(buf, 10, "123456789"), "123456789");
	assert_string_equal(quote_plain(buf, 10, "1234567890"), "123456...");
	/* an escape is not cut in the middle */
	assert_string_equal(quote_plain(buf, 10, "1234\n56789"), "1234...");
	assert_string_equal(quote_plain(buf, 8, "\n\n"), "\\x0a...");
	assert_string_equal(quote(buf, 8, "\n\n"), "\"\"...");
}

/* Every size and every byte: never more than the buffer, never a control byte. */
static void test_never_overruns(void **state)
{
	char text[64];

	(void)state;
	for (unsigned byte = 1; byte < 256; byte++) {
		memset(text, (int)byte, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		for (size_t size = 8; size < 100; size++) {
			/* of exactly that size, so that the sanitizer sees the byte behind it */
			AUTO_FREE char *buf = malloc(size);

			assert_non_null(buf);
			quote(buf, size, text);
			assert_true(strlen(buf) < size);
			for (const char *p = buf; *p; p++)
				assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		}
	}
}

static void test_utf8_decode(void **state)
{
	uint32_t c = 0;

	(void)state;
	assert_int_equal(utf8_decode("", 0, &c), 0);
	assert_int_equal(utf8_decode("a", 1, &c), 1);
	assert_int_equal(c, 'a');
	assert_int_equal(utf8_decode("\0", 1, &c), 1);
	assert_int_equal(utf8_decode("\xf4\x8f\xbf\xbf", 4, &c), 4);
	assert_int_equal(c, 0x10ffff);
	assert_int_equal(utf8_decode("\xf4\x8f\xbf\xbf", 3, &c), 0);
	assert_int_equal(utf8_decode("\xe0\x9f\xbf", 3, NULL), 0);
	assert_int_equal(utf8_decode("\xe0\xa0\x80", 3, NULL), 3);
	assert_int_equal(utf8_decode("\xf8\x88\x80\x80\x80", 5, NULL), 0);
	assert_true(utf8_is_valid("a\xc3\xa9", 3));
	assert_false(utf8_is_valid("a\xc3\xa9", 2));
	assert_true(utf8_is_valid("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	       cmocka_unit_test(test_plain),
		cmocka_unit_test(test_null),	       cmocka_unit_test(test_cut),
		cmocka_unit_test(test_never_overruns), cmocka_unit_test(test_utf8_decode),
	};

	return cmocka_run_group_tests_name("quote", tests, NULL, NULL);
}
