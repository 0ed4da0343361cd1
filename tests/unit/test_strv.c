// SPDX-License-Identifier: MIT
/* Vectors of strings: NULL as the empty vector, environments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/strv.h"

static void test_null_is_empty(void **state)
{
	AUTO_STRV copy = NULL;

	(void)state;
	assert_int_equal(strv_len(NULL), 0);
	assert_false(strv_contains(NULL, "a"));
	assert_null(strv_env_get(NULL, "A"));
	assert_int_equal(strv_copy(NULL, &copy), 0);
	assert_null(copy);
	strv_env_unset(NULL, "A");
	strv_free(NULL);
}

static void test_add_and_copy(void **state)
{
	AUTO_STRV v = NULL;
	AUTO_STRV copy = NULL;

	(void)state;
	assert_int_equal(strv_add(&v, "a"), 0);
	assert_int_equal(strv_add(&v, ""), 0);
	assert_int_equal(strv_take(&v, strdup("c")), 0);
	assert_int_equal(strv_take(&v, NULL), -ENOMEM);
	assert_int_equal(strv_len(v), 3);
	assert_true(strv_contains(v, ""));
	assert_false(strv_contains(v, "b"));
	assert_int_equal(strv_copy(v, &copy), 0);
	assert_ptr_not_equal(copy[0], v[0]);
	assert_string_equal(copy[0], "a");
	assert_string_equal(copy[1], "");
	assert_string_equal(copy[2], "c");
	assert_null(copy[3]);
}

static void test_env_set_keeps_the_place(void **state)
{
	AUTO_STRV env = NULL;

	(void)state;
	assert_int_equal(strv_env_set(&env, "A=1"), 0);
	assert_int_equal(strv_env_set(&env, "B=2"), 0);
	assert_int_equal(strv_env_set(&env, "A=x=y"), 0);
	assert_int_equal(strv_len(env), 2);
	assert_string_equal(env[0], "A=x=y");
	assert_string_equal(strv_env_get(env, "A"), "x=y");
}

static void test_env_names_are_whole(void **state)
{
	AUTO_STRV env = NULL;

	(void)state;
	assert_int_equal(strv_env_set(&env, "PATHS=1"), 0);
	assert_int_equal(strv_env_set(&env, "PATH=2"), 0);
	assert_int_equal(strv_len(env), 2);
	assert_string_equal(strv_env_get(env, "PATH"), "2");
	assert_null(strv_env_get(env, "PAT"));
	strv_env_unset(env, "PAT");
	assert_int_equal(strv_len(env), 2);
}

static void test_env_unset_drops_every_one(void **state)
{
	AUTO_STRV env = NULL;

	(void)state;
	assert_int_equal(strv_add(&env, "A=1"), 0);
	assert_int_equal(strv_add(&env, "B=1"), 0);
	assert_int_equal(strv_add(&env, "A=2"), 0);
	assert_int_equal(strv_add(&env, "A"), 0);
	strv_env_unset(env, "A");
	assert_int_equal(strv_len(env), 2);
	assert_string_equal(env[0], "B=1");
	assert_string_equal(env[1], "A");
}

/* docker's -e */
static void test_env_apply(void **state)
{
	AUTO_STRV env = NULL;

	(void)state;
	assert_int_equal(setenv("RACKER_TEST_OURS", "o=1", 1), 0);
	assert_int_equal(unsetenv("RACKER_TEST_NOBODYS"), 0);
	assert_int_equal(strv_env_apply(&env, "RACKER_TEST_NOBODYS"), 0);
	assert_int_equal(strv_len(env), 0);
	assert_int_equal(strv_env_apply(&env, "A=1"), 0);
	assert_int_equal(strv_env_apply(&env, "RACKER_TEST_NOBODYS=2"), 0);
	assert_int_equal(strv_env_apply(&env, "RACKER_TEST_OURS"), 0);
	assert_int_equal(strv_env_apply(&env, "A="), 0);
	assert_int_equal(strv_env_apply(&env, "RACKER_TEST_NOBODYS"), 0);
	assert_int_equal(strv_len(env), 2);
	assert_string_equal(env[0], "A=");
	assert_string_equal(env[1], "RACKER_TEST_OURS=o=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_null_is_empty),
		cmocka_unit_test(test_add_and_copy),
		cmocka_unit_test(test_env_set_keeps_the_place),
		cmocka_unit_test(test_env_names_are_whole),
		cmocka_unit_test(test_env_unset_drops_every_one),
		cmocka_unit_test(test_env_apply),
	};

	return cmocka_run_group_tests_name("strv", tests, NULL, NULL);
}
