// SPDX-License-Identifier: MIT
/* Finding the command: PATH lookup and the errors that become exit codes 126 and 127. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/command.h"

static char dir[64], path_env[160];
static char *env[] = { path_env, NULL };

static void make(const char *name, const char *text, mode_t mode)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static int setup(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/racker-test-command-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path_env, sizeof(path_env), "PATH=/nonexistent:%s/sub:%s", dir, dir);
	(void)snprintf(path, sizeof(path), "%s/sub", dir);
	(void)mkdir(path, 0755);
	make("tool", "#!/bin/sh\nexit 3\n", 0755);
	make("plain", "text", 0644);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "tool", "plain" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/sub", dir);
	(void)rmdir(path);
	return rmdir(dir);
}

static void expect(const char *name, enum err_kind kind, const char *text)
{
	struct err err = { 0 };
	char *found = NULL;
	int r = command_find(name, env, &found, &err);

	assert_true(r < 0);
	assert_null(found);
	assert_int_equal(err.kind, kind);
	assert_non_null(strstr(err.msg, text));
}

static void test_find(void **state)
{
	AUTO_FREE char *found = NULL;
	char want[128];

	(void)state;
	assert_int_equal(command_find("tool", env, &found, NULL), 0);
	(void)snprintf(want, sizeof(want), "%s/tool", dir);
	assert_string_equal(found, want);
	expect("nosuch", ERR_EXEC_NOT_FOUND,
	       "exec: \"nosuch\": executable file not found in $PATH");
	/* A directory of that name in PATH is no program. */
	expect("sub", ERR_EXEC_NOT_FOUND, "not found in $PATH");
	expect("/nosuch", ERR_EXEC_NOT_FOUND,
	       "exec: \"/nosuch\": stat /nosuch: no such file or directory");
	expect(dir, ERR_EXEC_DENIED, "permission denied");
}

static void test_not_executable(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/plain", dir);
	expect(path, ERR_EXEC_DENIED, "permission denied");
	expect("plain", ERR_EXEC_DENIED, "permission denied");
	(void)snprintf(path, sizeof(path), "%s/plain/x", dir);
	expect(path, ERR_EXEC_NOT_FOUND, "no such file or directory");
}

static void test_empty_path(void **state)
{
	char *no_path[] = { NULL };
	struct err err = { 0 };
	char *found = NULL;

	(void)state;
	assert_int_equal(command_find("tool", no_path, &found, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_EXEC_NOT_FOUND);
}

static void test_exec_failures(void **state)
{
	static const struct {
		int errnum;
		enum err_kind kind;
		const char *text;
	} cases[] = {
		{ ENOENT, ERR_EXEC_NOT_FOUND,
		  "exec \"/x\": no such file or directory (its interpreter" },
		{ ENOEXEC, ERR_EXEC_DENIED,
		  "exec format error (is it a program for another architecture" },
		{ EACCES, ERR_EXEC_DENIED, "exec \"/x\": permission denied" },
		{ E2BIG, ERR_EXEC_DENIED, "Argument list too long" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { 0 };

		assert_int_equal(command_exec_error("/x", cases[i].errnum, &err), -cases[i].errnum);
		assert_int_equal(err.kind, cases[i].kind);
		assert_non_null(strstr(err.msg, cases[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_not_executable),
		cmocka_unit_test(test_empty_path),
		cmocka_unit_test(test_exec_failures),
	};

	return cmocka_run_group_tests_name("command", tests, setup, teardown);
}
