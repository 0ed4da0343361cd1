// SPDX-License-Identifier: MIT
/* What a command that joins a container is given, and which containers are not joined. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strv.h"
#include "runtime/exec.h"
#include "runtime/exec_join.h"

static char *const container_env[] = { "PATH=/bin", "TERM=vt100", "A=1", NULL };
static char id[] = "0123456789abcdef";

static struct container_state container_of(pid_t pid)
{
	struct container_state c = { .id = id,
				     .running = true,
				     .caps = UINT64_C(1) << 7,
				     .seccomp = (char *)(uintptr_t) "",
				     .env = (char **)(uintptr_t)container_env };

	state_set_pid(&c, pid);
	return c;
}

static void test_env(void **state)
{
	static char *const changes[] = { "A=2", "B=3", NULL };
	static char *const term[] = { "TERM=linux", NULL };
	const struct container_state c = container_of(getpid());
	char **env;

	(void)state;
	assert_int_equal(exec_env(&c, changes, false, &env), 0);
	assert_int_equal(strv_len(env), 4);
	assert_string_equal(strv_env_get(env, "A"), "2");
	assert_string_equal(strv_env_get(env, "B"), "3");
	assert_string_equal(strv_env_get(env, "TERM"), "vt100");
	strv_free(env);
	/* The container's own terminal is another one. */
	assert_int_equal(exec_env(&c, NULL, true, &env), 0);
	assert_string_equal(strv_env_get(env, "TERM"), "xterm");
	strv_free(env);
	assert_int_equal(exec_env(&c, term, true, &env), 0);
	assert_string_equal(strv_env_get(env, "TERM"), "linux");
	strv_free(env);
}

static int prepare(const struct container_state *c, struct exec_join *join, struct err *err)
{
	const struct exec_request req = { .container = c };

	return exec_join_prepare(&req, join, err);
}

static void check_refused(const struct container_state *c, int code, const char *text)
{
	AUTO(exec_join) join = EXEC_JOIN_NONE;
	struct err err = { 0 };

	assert_int_equal(prepare(c, &join, &err), code);
	assert_non_null(strstr(err.msg, text));
}

static void test_refused(void **state)
{
	struct container_state c = container_of(getpid());
	pid_t gone = fork();

	(void)state;
	if (gone == 0)
		_exit(0);
	c.running = false;
	check_refused(&c, -ESRCH, "container 0123456789abcdef is not running");
	c.running = true;
	c.seccomp = (char *)(uintptr_t) "newer";
	check_refused(&c, -EOPNOTSUPP, "another version of racker");
	assert_int_equal(waitid(P_PID, (id_t)gone, NULL, WEXITED | WNOWAIT), 0);
	c = container_of(gone);
	check_refused(&c, -ESRCH, "is not running");
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	check_refused(&c, -ESRCH, "is not running");
}

static void test_join(void **state)
{
	AUTO(exec_join) join = EXEC_JOIN_NONE;
	struct container_state c = { 0 };
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	c = container_of(pid);
	assert_int_equal(prepare(&c, &join, NULL), 0);
	/* It has no namespace that is not ours, and no more than what it was given and we have. */
	assert_int_equal(join.namespaces, 0);
	assert_true((join.caps.bounding & ~c.caps) == 0);
	assert_true(join.caps.inheritable == 0 && join.caps.ambient == 0);
	assert_null(join.filters.image);
	assert_false(exec_join_ended(&join, 0));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(exec_join_ended(&join, 5000));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
