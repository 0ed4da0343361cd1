// SPDX-License-Identifier: MIT
/* What people read: sizes, ages, tables, names of images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/human.h"
#include "cmd/image_title.h"
#include "cmd/table.h"

static void test_sizes(void **state)
{
	char buf[HUMAN_MAX];

	(void)state;
	assert_string_equal(human_size(buf, 0, 4), "0B");
	assert_string_equal(human_size(buf, 999, 3), "999B");
	assert_string_equal(human_size(buf, 1000, 3), "1kB");
	assert_string_equal(human_size(buf, 117234567, 3), "117MB");
	assert_string_equal(human_size(buf, 1234567890, 4), "1.235GB");
	assert_string_equal(human_size(buf, INT64_MAX, 3), "9.22EB");
}

static void test_durations(void **state)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} cases[] = {
		{ -5, "Less than a second" },
		{ 0, "Less than a second" },
		{ 1, "1 second" },
		{ 59, "59 seconds" },
		{ 60, "About a minute" },
		{ 120, "2 minutes" },
		{ 3599, "59 minutes" },
		{ 3600, "About an hour" },
		{ 7200, "2 hours" },
		{ 47 * 3600, "47 hours" },
		{ 48 * 3600, "2 days" },
		{ 14 * 86400, "2 weeks" },
		{ 60 * 86400, "2 months" },
		{ 730 * 86400, "2 years" },
	};
	char buf[HUMAN_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(human_duration(buf, cases[i].seconds), cases[i].want);
	assert_string_equal(human_ago(buf, 100, 220), "2 minutes ago");
	assert_string_equal(human_ago(buf, 0, 220), "N/A");
}

static void test_times(void **state)
{
	(void)state;
	assert_int_equal(human_parse_time("1970-01-02T00:00:00Z"), 86400);
	assert_int_equal(human_parse_time("2024-02-29T12:00:00.123456789Z"), 1709208000);
	assert_int_equal(human_parse_time("1970-01-02T02:00:00+02:00"), 86400);
	assert_int_equal(human_parse_time("1970-01-01T19:00:00-05:00"), 86400);
	assert_int_equal(human_parse_time(NULL), 0);
	assert_int_equal(human_parse_time("yesterday"), 0);
}

static void test_table(void **state)
{
	static const char *const cells[] = {
		"A", "LONGER HEAD", "Z", "\xc3\xa4\xc3\xa4", "b", "end"
	};
	AUTO(table) t = { .n_columns = 3 };
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		assert_int_equal(table_add(&t, cells[i]), 0);
	table_print(&t, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "A         LONGER HEAD   Z\n"
				  "\xc3\xa4\xc3\xa4        b             end\n");
}

static void test_titles(void **state)
{
	static const struct {
		const char *record, *full, *repository, *tag;
	} cases[] = {
		{ "docker.io/library/debian:12", "debian:12", "debian", "12" },
		{ "docker.io/me/app:latest", "me/app:latest", "me/app", "latest" },
		{ "localhost:5000/a:1", "localhost:5000/a:1", "localhost:5000/a", "1" },
		{ "debian-bookworm", "debian-bookworm", "debian-bookworm", NULL },
		{ "oci:/d:t", "oci:/d:t", "oci:/d:t", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(image_title) t = { 0 };

		assert_int_equal(image_title_of(cases[i].record, &t, NULL), 0);
		assert_string_equal(t.full, cases[i].full);
		assert_string_equal(t.repository, cases[i].repository);
		if (cases[i].tag)
			assert_string_equal(t.tag, cases[i].tag);
		else
			assert_null(t.tag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),  cmocka_unit_test(test_durations),
		cmocka_unit_test(test_times),  cmocka_unit_test(test_table),
		cmocka_unit_test(test_titles),
	};

	return cmocka_run_group_tests_name("human", tests, NULL, NULL);
}
