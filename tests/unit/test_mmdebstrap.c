// SPDX-License-Identifier: MIT
/* Bootstraps with a stand-in for mmdebstrap: the tar, progress, last words, interruption, what killed builds leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "provision/mmdebstrap.h"
#include "tests/unit/scratch.h"

#define LABEL "debian-test"

struct fixture {
	void *scratch;
	char dir[PATH_MAX], work[PATH_MAX + 8], path[PATH_MAX + 64];
	char *progress;
	size_t progress_len;
	struct mmdebstrap_request req;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char link[64];
	ssize_t n;

	if (!f || scratch_setup(&f->scratch) != 0)
		return -1;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", SCRATCH_FD(&f->scratch));
	n = readlink(link, f->dir, sizeof(f->dir) - 1);
	if (n < 0)
		return -1;
	(void)snprintf(f->work, sizeof(f->work), "%s/work", f->dir);
	(void)snprintf(f->path, sizeof(f->path), "%s:/usr/bin:/bin", f->dir);
	setenv("PATH", f->path, 1);
	f->req = (struct mmdebstrap_request){ .label = LABEL,
					      .suite = "test",
					      .work_dir = f->work,
					      .progress = open_memstream(&f->progress,
									 &f->progress_len) };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	(void)fclose(f->req.progress);
	free(f->progress);
	r = scratch_teardown(&f->scratch);
	free(f);
	return r;
}

/* The builds run in namespaces of their own. */
static void need_namespaces(void)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS | CLONE_NEWPID) == 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status == 0)
		return;
	print_message("skipped: no mount and PID namespaces here\n");
	skip();
}

static void write_script(const struct fixture *f, const char *body)
{
	AUTO_FREE char *text = NULL;
	int len = asprintf(&text, "#!/bin/sh\n%s\n", body);

	assert_true(len > 0);
	assert_int_equal(fd_write_file_at(SCRATCH_FD(&f->scratch), "mmdebstrap", 0755, text,
					  (size_t)len, NULL),
			 0);
	assert_int_equal(fchmodat(SCRATCH_FD(&f->scratch), "mmdebstrap", 0755, 0), 0);
}

static size_t count_trees(const struct fixture *f)
{
	AUTO_CLOSEDIR DIR *dir = opendir(f->work);
	const struct dirent *e;
	size_t n = 0;

	while (dir && (e = readdir(dir)))
		n += e->d_name[0] != '.' && !strstr(e->d_name, ".lock");
	return n;
}

static void test_build(void **state)
{
	struct fixture *f = *state;
	AUTO_CLOSE int tar = -EBADF, lock = -EBADF;
	AUTO_FREE char *text = NULL;
	struct err err = { 0 };

	need_namespaces();
	write_script(f, "echo 'I: first step...' >&2; echo 'I: using /tmp/x as tempdir' >&2\n"
			"echo \"I: step with /path...\" >&2; umask >&2\n"
			"test -d \"$TMPDIR\" && touch \"$TMPDIR/left\"\n"
			"echo \"pid $$\"; for a; do echo \"$a\"; done");
	lock = mmdebstrap_lock(&f->req, &err);
	assert_true(lock >= 0);
	tar = mmdebstrap_build(&f->req, &err);
	assert_true(tar >= 0);
	assert_int_equal(fd_read_all(tar, 10000, &text, NULL), 0);
	assert_null(strstr(text, "--include"));
	assert_non_null(strstr(text, "pid 1\n--variant=minbase\n--format=tar\n"));
	assert_non_null(strstr(text, "\ntest\n-\ndeb "));
	assert_non_null(strstr(text, " test main\n"));
	(void)fflush(f->req.progress);
	assert_non_null(strstr(f->progress, LABEL ": Building test with mmdebstrap from http"));
	assert_non_null(strstr(f->progress, LABEL ": first step...\n"));
	assert_null(strstr(f->progress, "tempdir"));
	assert_null(strstr(f->progress, "/path"));
	assert_int_equal(count_trees(f), 0);
}

static void test_packages(void **state)
{
	static char first[] = "systemd-sysv", second[] = "dbus";
	char *packages[] = { first, second, NULL };
	struct fixture *f = *state;
	AUTO_CLOSE int tar = -EBADF;
	AUTO_FREE char *text = NULL;

	need_namespaces();
	write_script(f, "for a; do echo \"$a\"; done");
	f->req.packages = packages;
	tar = mmdebstrap_build(&f->req, NULL);
	assert_true(tar >= 0);
	assert_int_equal(fd_read_all(tar, 10000, &text, NULL), 0);
	assert_non_null(strstr(text, "\n--include=systemd-sysv,dbus\n"));
}

static void test_failure_has_last_words(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	need_namespaces();
	write_script(f, "for i in 1 2 3 4 5; do echo \"E: reason $i\" >&2; done\n"
			"printf 'I: done...\nE: no\033[31m newline' >&2; exit 25");
	assert_int_equal(mmdebstrap_build(&f->req, &err), -EIO);
	assert_non_null(strstr(err.msg, "status 25: E: reason 4; E: reason 5; E: no"));
	assert_null(strchr(err.msg, '\033'));
	assert_null(strstr(err.msg, "reason 3"));
	assert_int_equal(count_trees(f), 0);
}

static void test_not_installed(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	setenv("PATH", f->work, 1);
	assert_int_equal(mmdebstrap_build(&f->req, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_string_equal(err.msg, "not installed");
}

static void test_interrupted(void **state)
{
	struct fixture *f = *state;
	const volatile int flag = SIGTERM;
	struct err err = { 0 };

	need_namespaces();
	f->req.interrupted = &flag;
	write_script(f, "(trap '' TERM; sleep 100) & touch \"$TMPDIR/left\"; sleep 100");
	assert_int_equal(mmdebstrap_build(&f->req, &err), -EINTR);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	assert_int_equal(count_trees(f), 0);
}

static void test_sweep(void **state)
{
	struct fixture *f = *state;
	AUTO_CLOSE int held = -EBADF, dir = -EBADF;
	struct stat st;

	held = mmdebstrap_lock(&f->req, NULL);
	assert_true(held >= 0);
	dir = open(f->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(dir, LABEL ".17", 0755), 0);
	assert_int_equal(mkdirat(dir, "other.18", 0755), 0);
	assert_int_equal(mkdirat(dir, "other.18/inside", 0755), 0);
	assert_int_equal(mkdirat(dir, "unrelated", 0755), 0);
	assert_int_equal(mkdirat(dir, "other.x1", 0755), 0);
	mmdebstrap_sweep(f->work);
	assert_int_equal(fstatat(dir, LABEL ".17", &st, 0), 0);
	assert_int_equal(fstatat(dir, "other.18", &st, 0), -1);
	assert_int_equal(fstatat(dir, "unrelated", &st, 0), 0);
	assert_int_equal(fstatat(dir, "other.x1", &st, 0), 0);
	(void)close(MOVE_FD(held));
	mmdebstrap_sweep(f->work);
	assert_int_equal(fstatat(dir, LABEL ".17", &st, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_build, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure_has_last_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_installed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
	};

	return cmocka_run_group_tests_name("mmdebstrap", tests, NULL, NULL);
}
