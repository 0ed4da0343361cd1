// SPDX-License-Identifier: MIT
/* Running programs: what they inherit and what not, how failures come back, nothing left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/spawn.h"
#include "tests/unit/scratch.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct spawn_request request(const char *const *argv)
{
	return (struct spawn_request){
		.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};
}

static int run(const struct spawn_request *req)
{
	AUTO_CLOSE int pidfd = -EBADF;
	struct err e = { 0 };
	pid_t pid = spawn_start(req, &pidfd, &e);
	int r;

	if (pid < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	r = spawn_wait(pid, pidfd, &e);
	if (r < 0)
		fail_msg("%s", e.msg);
	return r;
}

/* What the program writes to its stdout, less than a pipe holds. */
static char *output_of(struct spawn_request req)
{
	char *text = NULL;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	req.stdout_fd = fds[1];
	assert_int_equal(run(&req), 0);
	close(fds[1]);
	assert_int_equal(fd_read_all(fds[0], 100000, &text, NULL), 0);
	close(fds[0]);
	return text;
}

static void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_exit_codes(void **state)
{
	struct spawn_request ok = request(ARGV("true"));
	struct spawn_request code = request(ARGV("sh", "-c", "exit 42"));
	struct spawn_request killed = request(ARGV("/bin/sh", "-c", "kill -TERM $$"));

	(void)state;
	assert_int_equal(run(&ok), 0);
	assert_int_equal(run(&code), 42);
	assert_int_equal(run(&killed), 128 + SIGTERM);
	assert_no_children();
}

static void test_argv_is_exact(void **state)
{
	AUTO_FREE char *text =
		output_of(request(ARGV("printf", "[%s]", "a b", "", "$HOME;*", "'\"")));

	(void)state;
	assert_string_equal(text, "[a b][][$HOME;*]['\"]");
}

static void test_environment(void **state)
{
	struct spawn_request req = request(ARGV("env"));
	AUTO_FREE char *text = NULL, *own = NULL;

	(void)state;
	req.env = ARGV("A=1", "B=x y");
	text = output_of(req);
	assert_string_equal(text, "A=1\nB=x y\n");
	assert_int_equal(setenv("RACKER_TEST_SPAWN", "here", 1), 0);
	req.env = NULL;
	own = output_of(req);
	assert_non_null(strstr(own, "RACKER_TEST_SPAWN=here\n"));
}

static void test_stdio(void **state)
{
	AUTO_CLOSE int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
	AUTO_CLOSE int errors = memfd_create("err", MFD_CLOEXEC);
	struct spawn_request req = request(ARGV("sh", "-c", "cat; echo out; echo err >&2"));
	AUTO_FREE char *got_out = NULL, *got_err = NULL;

	(void)state;
	assert_int_equal(fd_write_full(in, "in\n", 3), 0);
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	req.stdin_fd = in;
	req.stdout_fd = out;
	req.stderr_fd = errors;
	assert_int_equal(run(&req), 0);
	assert_int_equal(lseek(out, 0, SEEK_SET), 0);
	assert_int_equal(lseek(errors, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(out, 100, &got_out, NULL), 0);
	assert_int_equal(fd_read_all(errors, 100, &got_err, NULL), 0);
	assert_string_equal(got_out, "in\nout\n");
	assert_string_equal(got_err, "err\n");
}

/* In a process of its own, whose stdio is what the test needs. Return: its exit code */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int start_and_wait(const struct spawn_request *req)
{
	int pidfd = -EBADF;
	pid_t pid = spawn_start(req, &pidfd, NULL);

	return pid < 0 ? 99 : spawn_wait(pid, pidfd, NULL);
}

/* stdout and stderr exchanged: neither may be overwritten before it is moved. */
static int swapped_stdio(void)
{
	struct spawn_request req = request(ARGV("sh", "-c", "echo out; echo err >&2"));
	int a = memfd_create("a", 0), b = memfd_create("b", 0);
	char text[8] = { 0 };

	if (dup2(a, 1) < 0 || dup2(b, 2) < 0)
		return 1;
	req.stdout_fd = 2;
	req.stderr_fd = 1;
	if (start_and_wait(&req) != 0)
		return 2;
	if (pread(a, text, 7, 0) != 4 || strcmp(text, "err\n") != 0)
		return 3;
	return pread(b, text, 7, 0) == 4 && !strcmp(text, "out\n") ? 0 : 4;
}

static int closed_stdio(void)
{
	struct spawn_request req = request(
		ARGV("sh", "-c", "for i in 0 1 2; do test -e /proc/self/fd/$i || exit 5; done"));
	struct spawn_request none = request(ARGV("/nonexistent"));

	for (int i = 0; i < 3; i++)
		(void)close(i);
	if (spawn_start(&none, &(int){ 0 }, NULL) != -ENOENT)
		return 6;
	return start_and_wait(&req);
}

static void test_awkward_stdio(void **state)
{
	(void)state;
	assert_int_equal(in_child(swapped_stdio), 0);
	assert_int_equal(in_child(closed_stdio), 0);
}

static void test_no_fds_are_inherited(void **state)
{
	AUTO_CLOSE int low = fcntl(0, F_DUPFD, 3), high = fcntl(0, F_DUPFD, 150);
	AUTO_FREE char *text = output_of(request(ARGV("sh", "-c", "cd /proc/self/fd && echo *")));

	(void)state;
	assert_true(low >= 3 && high >= 150);
	/* 3 is the shell's own, for reading the directory */
	if (strcmp(text, "0 1 2 3\n") != 0 && strcmp(text, "0 1 2\n") != 0)
		fail_msg("%s", text);
}

static void test_signals_are_reset(void **state)
{
	sigset_t all, old;
	AUTO_FREE char *text = NULL;

	(void)state;
	sigfillset(&all);
	assert_int_equal(sigprocmask(SIG_SETMASK, &all, &old), 0);
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	assert_true(signal(SIGTERM, SIG_IGN) != SIG_ERR);
	text = output_of(request(ARGV("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")));
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	assert_string_equal(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void test_not_found(void **state)
{
	static const char *const names[] = { "racker-no-such-program", "/no/such/program", "",
					     "." };
	struct err e = { 0 };
	int pidfd = -77;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct spawn_request req = request(ARGV(names[i]));

		assert_int_equal(spawn_start(&req, &pidfd, &e), -ENOENT);
		assert_int_equal(e.kind, ERR_NOT_FOUND);
		assert_int_equal(spawn_start(&req, &pidfd, NULL), -ENOENT);
	}
	assert_int_equal(pidfd, -77);
	assert_no_children();
}

static void write_script(int dir, const char *name, const char *text, mode_t mode)
{
	assert_int_equal(fd_write_file_at(dir, name, 0755, text, strlen(text), NULL), 0);
	assert_int_equal(fchmodat(dir, name, mode, 0), 0);
}

static void scratch_path(int dir, const char *name, char path[static PATH_MAX])
{
	char link[40], at[PATH_MAX];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, at, sizeof(at) - 1);
	assert_true(n > 0);
	at[n] = '\0';
	(void)snprintf(path, PATH_MAX, "%.2000s/%s", at, name);
}

static void test_exec_fails(void **state)
{
	int dir = SCRATCH_FD(state), pidfd = -77;
	struct err e = { 0 };
	char path[PATH_MAX];
	struct spawn_request req = request(ARGV(path));

	/* the kernel's errors, not a shell that tries */
	write_script(dir, "denied", "#!/bin/sh\n", 0644);
	scratch_path(dir, "denied", path);
	assert_int_equal(spawn_start(&req, &pidfd, &e), -EACCES);
	assert_non_null(strstr(e.msg, "/denied: Permission denied"));
	write_script(dir, "text", "echo no interpreter\n", 0755);
	scratch_path(dir, "text", path);
	assert_int_equal(spawn_start(&req, &pidfd, &e), -ENOEXEC);
	write_script(dir, "orphan", "#!/no/such/interpreter\n", 0755);
	scratch_path(dir, "orphan", path);
	assert_int_equal(spawn_start(&req, &pidfd, &e), -ENOENT);
	assert_int_equal(pidfd, -77);
	assert_no_children();
}

static void test_path_lookup(void **state)
{
	int dir = SCRATCH_FD(state);
	AUTO_FREE char *old = strdup(getenv("PATH"));
	char path[PATH_MAX];

	assert_true(spawn_in_path("sh"));
	assert_true(spawn_in_path("/bin/sh"));
	assert_false(spawn_in_path("racker-no-such-program"));
	assert_false(spawn_in_path(""));
	write_script(dir, "only-here", "#!/bin/sh\nexit 3\n", 0755);
	write_script(dir, "not-executable", "#!/bin/sh\n", 0644);
	assert_int_equal(mkdirat(dir, "a-directory", 0755), 0);
	assert_int_equal(fchdir(dir), 0);
	scratch_path(dir, "", path);
	assert_int_equal(setenv("PATH", path, 1), 0);
	assert_true(spawn_in_path("only-here"));
	assert_false(spawn_in_path("not-executable"));
	assert_false(spawn_in_path("a-directory"));
	assert_false(spawn_in_path("sh"));
	/* the working directory is searched neither by name nor by emptiness */
	assert_int_equal(setenv("PATH", ".::/usr/bin:", 1), 0);
	assert_false(spawn_in_path("only-here"));
	assert_true(spawn_in_path("env"));
	assert_int_equal(unsetenv("PATH"), 0);
	assert_true(spawn_in_path("sh"));
	assert_int_equal(setenv("PATH", old, 1), 0);
	assert_int_equal(chdir("/"), 0);
}

/* Killed, it takes what it started with it; the test process inherits and reaps that. */
static void test_dies_with_parent(void **state)
{
	struct spawn_request req = request(ARGV("sleep", "1000"));
	int fds[2], status;
	pid_t parent, orphan = -1;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0) {
		int pidfd;
		pid_t pid;

		req.die_with_parent = true;
		pid = spawn_start(&req, &pidfd, NULL);
		(void)fd_write_full(fds[1], &pid, sizeof(pid));
		for (;;)
			pause();
	}
	assert_int_equal(fd_read_full(fds[0], &orphan, sizeof(orphan)), sizeof(orphan));
	assert_true(orphan > 0);
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(waitpid(orphan, &status, 0), orphan);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	close(fds[0]);
	close(fds[1]);
}

static void test_start_does_not_wait(void **state)
{
	struct spawn_request req = request(ARGV("sleep", "1000"));
	AUTO_CLOSE int pidfd = -EBADF;
	struct pollfd p = { .events = POLLIN };
	pid_t pid = spawn_start(&req, &pidfd, NULL);

	(void)state;
	assert_true(pid > 0);
	p.fd = pidfd;
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(fd_pidfd_signal(pidfd, SIGKILL), 0);
	assert_int_equal(spawn_wait(pid, pidfd, NULL), 128 + SIGKILL);
	assert_int_equal(spawn_wait(pid, pidfd, NULL), -ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_argv_is_exact),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_stdio),
		cmocka_unit_test(test_awkward_stdio),
		cmocka_unit_test(test_no_fds_are_inherited),
		cmocka_unit_test(test_signals_are_reset),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test_setup_teardown(test_exec_fails, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_path_lookup, scratch_setup, scratch_teardown),
		cmocka_unit_test(test_dies_with_parent),
		cmocka_unit_test(test_start_does_not_wait),
	};

	return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
