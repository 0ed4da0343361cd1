// SPDX-License-Identifier: MIT
/* The error object: codes, text of errno, prefixes, what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void test_set(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, ERR_USAGE, -EPERM, "open %s", "x"), -EPERM);
	assert_int_equal(e.code, -EPERM);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_string_equal(e.msg, "open x");
}

static void test_set_is_always_negative(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, ERR_SYSTEM, ENOENT, "x"), -ENOENT);
	assert_int_equal(e.code, -ENOENT);
	assert_int_equal(err_set(&e, ERR_SYSTEM, 0, "x"), -EINVAL);
	assert_int_equal(e.code, -EINVAL);
}

static void test_sys(void **state)
{
	struct err e = { 0 };

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, ERR_NOT_FOUND, "open %d", 7), -ENOENT);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_string_equal(e.msg, "open 7: No such file or directory");
	errno = 0;
	assert_int_equal(err_sys(&e, ERR_SYSTEM, "x"), -EIO);
	assert_string_equal(e.msg, "x: Input/output error");
}

static void test_prefix(void **state)
{
	struct err e = { 0 };

	(void)state;
	(void)err_set(&e, ERR_AUTH, -EACCES, "denied");
	assert_int_equal(err_prefix(&e, -EACCES, "pull %s", "a:1"), -EACCES);
	assert_string_equal(e.msg, "pull a:1: denied");
	assert_int_equal(e.code, -EACCES);
	assert_int_equal(e.kind, ERR_AUTH);
}

static void test_too_long_loses_its_tail(void **state)
{
	struct err e = { 0 };
	char text[2 * ERR_MSG_MAX];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&e, ERR_SYSTEM, -EIO, "%s", text);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	(void)err_prefix(&e, -EIO, "where");
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	assert_memory_equal(e.msg, "where: xxx", 10);
	errno = EIO;
	(void)err_sys(&e, ERR_SYSTEM, "%s", text);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	(void)err_prefix(&e, -EIO, "%s", text);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
}

static void test_null_err_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_SYSTEM, -EPERM, "x"), -EPERM);
	errno = EBUSY;
	assert_int_equal(err_sys(NULL, ERR_SYSTEM, "x"), -EBUSY);
	assert_int_equal(err_prefix(NULL, -EBUSY, "x"), -EBUSY);
	assert_int_equal(err_oom(NULL), -ENOMEM);
}

static void test_oom(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_oom(&e), -ENOMEM);
	assert_string_equal(e.msg, "out of memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_is_always_negative),
		cmocka_unit_test(test_sys),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_too_long_loses_its_tail),
		cmocka_unit_test(test_null_err_is_allowed),
		cmocka_unit_test(test_oom),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
