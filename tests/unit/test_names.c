// SPDX-License-Identifier: MIT
/* Random identities, and docker's grammar of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "provision/names.h"

static void test_random(void **state)
{
	struct container_names a, b;

	(void)state;
	for (int i = 0; i < 500; i++) {
		assert_int_equal(container_names_random(&a, NULL), 0);
		assert_int_equal(strlen(a.id), CONTAINER_ID_LEN);
		assert_int_equal(strspn(a.id, "0123456789abcdef"), CONTAINER_ID_LEN);
		assert_non_null(strchr(a.name, '_'));
		assert_int_equal(strspn(a.name, "abcdefghijklmnopqrstuvwxyz_"), strlen(a.name));
		assert_int_equal(container_name_check(a.name, NULL), 0);
	}
	assert_int_equal(container_names_random(&b, NULL), 0);
	assert_string_not_equal(a.id, b.id);
}

static void test_grammar(void **state)
{
	static const char *const good[] = { "ab", "A1", "9x", "a_.-", "web-1.example_2" };
	static const char *const bad[] = { "",	  "a",	 "_a",	".a", "-a",
					   "a b", "a/b", "/ab", "a$", "\xc3\xa4" };
	char long_name[300];
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(container_name_check(good[i], NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(container_name_check(bad[i], &err), -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.msg, "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"));
	}
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(container_name_check(long_name, NULL), -EINVAL);
}

static void test_automatic(void **state)
{
	static const struct {
		const char *image;
		unsigned int n;
		const char *want;
	} cases[] = {
		{ "debian-bookworm", 1, "postroj-debian-bookworm" },
		{ "debian-bookworm", 2, "postroj-debian-bookworm-2" },
		{ "docker.io/library/debian:12-slim", 1, "postroj-debian-12-slim" },
		{ "reg:5000/a/b@sha256:0011", 7, "postroj-b-7" },
		{ "reg:5000/a/b_c:1.0@sha256:0011", 1, "postroj-b-c-1.0" },
		{ "oci:/some/dir:ref", 1, "postroj-dir-ref" },
	};
	char name[CONTAINER_NAME_MAX], long_image[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		container_name_automatic(cases[i].image, cases[i].n, name);
		assert_string_equal(name, cases[i].want);
		assert_int_equal(container_name_check(name, NULL), 0);
	}
	memset(long_image, 'a', sizeof(long_image) - 1);
	long_image[sizeof(long_image) - 1] = '\0';
	container_name_automatic(long_image, 12345, name);
	assert_int_equal(strlen(name), CONTAINER_NAME_MAX - 1);
	assert_string_equal(name + strlen(name) - 6, "-12345");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_automatic),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
