// SPDX-License-Identifier: MIT
/* The control socket: messages, an fd along with one, end of file, a peer that sends garbage. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/child.h"
#include "runtime/ctl.h"

static void test_round_trip(void **state)
{
	struct ctl_msg out = { .type = CTL_ERROR, .stage = 3 }, in;
	int s[2], fd;

	(void)state;
	(void)err_set(&out.err, ERR_EXEC_DENIED, -13, "exec: \"x\": permission denied");
	assert_int_equal(ctl_pair(s, NULL), 0);
	assert_int_equal(ctl_send(s[0], &out, -1), 0);
	assert_int_equal(ctl_recv(s[1], &in, &fd), 1);
	assert_int_equal(fd, -9);
	assert_int_equal(in.type, CTL_ERROR);
	assert_int_equal(in.stage, 3);
	assert_int_equal(in.err.code, -13);
	assert_int_equal(in.err.kind, ERR_EXEC_DENIED);
	assert_string_equal(in.err.msg, "exec: \"x\": permission denied");
	(void)close(s[0]);
	assert_int_equal(ctl_recv(s[1], &in, &fd), 0);
	(void)close(s[1]);
}

static void test_fd_travels(void **state)
{
	struct ctl_msg out = { .type = CTL_PTY }, in;
	int s[2], fd, null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct stat a, b;

	(void)state;
	assert_int_equal(ctl_pair(s, NULL), 0);
	assert_int_equal(ctl_send(s[0], &out, null_fd), 0);
	assert_int_equal(ctl_recv(s[1], &in, &fd), 1);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstat(null_fd, &b), 0);
	assert_int_equal(a.st_rdev, b.st_rdev);
	(void)close(fd);
	(void)close(null_fd);
	(void)close(s[0]);
	(void)close(s[1]);
}

static void test_garbage(void **state)
{
	struct ctl_msg in, unterminated = { .type = CTL_ERROR };
	int s[2], fd;

	(void)state;
	assert_int_equal(ctl_pair(s, NULL), 0);
	assert_int_equal(send(s[0], "abc", 3, 0), 3);
	assert_int_equal(ctl_recv(s[1], &in, &fd), -74);
	memset(unterminated.err.msg, 'x', sizeof(unterminated.err.msg));
	assert_int_equal(ctl_send(s[0], &unterminated, -1), 0);
	assert_int_equal(ctl_recv(s[1], &in, &fd), 1);
	assert_int_equal(strlen(in.err.msg), ERR_MSG_MAX - 1);
	(void)close(s[0]);
	(void)close(s[1]);
}

static void test_stage_names(void **state)
{
	(void)state;
	assert_string_equal(child_stage_name(0), "parent-death");
	assert_string_equal(child_stage_name(child_stage_count() - 1), "exec");
	assert_string_equal(child_stage_name(child_stage_count()), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_fd_travels),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_stage_names),
	};

	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
