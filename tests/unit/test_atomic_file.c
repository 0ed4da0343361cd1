// SPDX-License-Identifier: MIT
/* Publishing a file: content and mode, nothing left behind by failures, no reader ever sees a half. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "tests/unit/scratch.h"

static size_t count_entries(int dir_fd)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_CLOEXEC));
	const struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	return n;
}

static void assert_content(int dir_fd, const char *name, const char *want)
{
	AUTO_FREE char *got = NULL;

	assert_int_equal(fd_read_file_at(dir_fd, name, 100, &got, NULL, NULL), 0);
	assert_string_equal(got, want);
}

static void test_creates_and_replaces(void **state)
{
	int dir = SCRATCH_FD(state);
	struct stat st;

	assert_int_equal(atomic_file_write(dir, "f", 0644, "one", 3, NULL), 0);
	assert_content(dir, "f", "one");
	assert_int_equal(atomic_file_write(dir, "f", 0600, "", 0, NULL), 0);
	assert_content(dir, "f", "");
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count_entries(dir), 1);
}

static void test_mode_is_exact(void **state)
{
	int dir = SCRATCH_FD(state);
	mode_t old = umask(077);
	struct stat st;

	assert_int_equal(atomic_file_write(dir, "f", 0664, "one", 3, NULL), 0);
	umask(old);
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
}

static void test_path_only_fd(void **state)
{
	AUTO_CLOSE int dir = openat(SCRATCH_FD(state), ".", O_PATH | O_CLOEXEC);

	assert_int_equal(atomic_file_write(dir, "f", 0644, "one", 3, NULL), 0);
	assert_content(dir, "f", "one");
}

/* A link of that name is replaced, not followed. */
static void test_replaces_a_link(void **state)
{
	int dir = SCRATCH_FD(state);
	struct stat st;

	assert_int_equal(fd_write_file_at(dir, "target", 0600, "old", 3, NULL), 0);
	assert_int_equal(symlinkat("target", dir, "f"), 0);
	assert_int_equal(atomic_file_write(dir, "f", 0644, "new", 3, NULL), 0);
	assert_content(dir, "target", "old");
	assert_int_equal(fstatat(dir, "f", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void test_refuses_names(void **state)
{
	static const char *const names[] = { "", ".", "..", "a/b", "/a", "../a" };
	int dir = SCRATCH_FD(state);
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(atomic_file_write(dir, names[i], 0644, "x", 1, &e), -EINVAL);
	assert_string_equal(e.msg, "write \"../a\": not a file name");
	assert_int_equal(count_entries(dir), 0);
}

static void test_failure_leaves_nothing(void **state)
{
	int dir = SCRATCH_FD(state);
	struct err e = { 0 };
	char name[NAME_MAX + 2];

	/* found at the rename */
	assert_int_equal(mkdirat(dir, "d", 0755), 0);
	assert_int_equal(atomic_file_write(dir, "d", 0644, "x", 1, &e), -EISDIR);
	assert_non_null(strstr(e.msg, "write d: rename .tmp-"));
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(atomic_file_write(dir, name, 0644, "x", 1, &e), -ENAMETOOLONG);
	assert_int_equal(count_entries(dir), 1);
	assert_int_equal(atomic_file_write(-EBADF, "f", 0644, "x", 1, &e), -EBADF);
}

/* The write itself fails: the old content stays. */
static void test_failed_write_keeps_the_old(void **state)
{
	static char big[200000];
	int dir = SCRATCH_FD(state), status;
	pid_t pid;

	assert_int_equal(atomic_file_write(dir, "f", 0644, "old", 3, NULL), 0);
	pid = fork();
	if (pid == 0) {
		const struct rlimit limit = { 100000, 100000 };
		int r;

		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &limit);
		r = atomic_file_write(dir, "f", 0644, big, sizeof(big), NULL);
		_exit(r == -EFBIG ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_content(dir, "f", "old");
	assert_int_equal(count_entries(dir), 1);
}

/* A reader beside a writer sees one content or the other. */
static void test_readers_see_no_half(void **state)
{
	static char a[50000], b[60000];
	int dir = SCRATCH_FD(state), status;
	pid_t pid;

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	assert_int_equal(atomic_file_write(dir, "f", 0644, a, sizeof(a), NULL), 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 100; i++) {
			(void)atomic_file_write(dir, "f", 0644, b, sizeof(b), NULL);
			(void)atomic_file_write(dir, "f", 0644, a, sizeof(a), NULL);
		}
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		AUTO_FREE char *got = NULL;
		size_t len;

		assert_int_equal(fd_read_file_at(dir, "f", 100000, &got, &len, NULL), 0);
		assert_true(len == sizeof(a) || len == sizeof(b));
		assert_memory_equal(got, len == sizeof(a) ? a : b, len);
	}
	assert_int_equal(status, 0);
}

int main(void)
{
#define DIR_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		DIR_TEST(test_creates_and_replaces),
		DIR_TEST(test_mode_is_exact),
		DIR_TEST(test_path_only_fd),
		DIR_TEST(test_replaces_a_link),
		DIR_TEST(test_refuses_names),
		DIR_TEST(test_failure_leaves_nothing),
		DIR_TEST(test_failed_write_keeps_the_old),
		DIR_TEST(test_readers_see_no_half),
	};

	return cmocka_run_group_tests_name("atomic_file", tests, NULL, NULL);
}
