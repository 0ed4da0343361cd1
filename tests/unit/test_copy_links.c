// SPDX-License-Identifier: MIT
/* The table of hard links: many inodes, chosen to look alike, and its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/copy_links.h"

static void test_many(void **state)
{
	AUTO(copy_links) l = { 0 };
	char path[32];

	(void)state;
	assert_null(copy_links_find(&l, 1, 1));
	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(path, sizeof(path), "d/%u", i);
		assert_int_equal(copy_links_add(&l, i % 3, (ino_t)(i / 3) << 32, path), 0);
	}
	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(path, sizeof(path), "d/%u", i);
		assert_string_equal(copy_links_find(&l, i % 3, (ino_t)(i / 3) << 32), path);
	}
	assert_null(copy_links_find(&l, 3, 0));
	assert_null(copy_links_find(&l, 0, 1));
}

static void test_bounded(void **state)
{
	AUTO(copy_links) l = { 0 };
	size_t len = 64 << 10;
	AUTO_FREE char *path = malloc(len + 1);
	ino_t i = 0;
	int r;

	(void)state;
	memset(path, 'a', len);
	path[len] = '\0';
	/* Paths as long as can be: the bytes end first. */
	while ((r = copy_links_add(&l, 1, ++i, path)) == 0)
		assert_true(i * len <= COPY_LINKS_BYTES_MAX);
	assert_int_equal(r, -E2BIG);
	assert_string_equal(copy_links_find(&l, 1, i - 1), path);
	assert_null(copy_links_find(&l, 1, i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests_name("copy_links", tests, NULL, NULL);
}
