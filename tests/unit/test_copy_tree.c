// SPDX-License-Identifier: MIT
/* The tree copier: what is kept, what is refused, and a source and a destination that change under its hands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "tests/unit/copy_fixture.h"

#define RACE_USEC (400 * USEC_PER_MSEC)

static size_t count_entries(int dir_fd)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_CLOEXEC));
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	return n - 2;
}

static void test_kinds_and_attributes(void **state)
{
	static const struct timespec times[] = { { 1000000000, 1 }, { 1000000001, 123456789 } };
	static const char *const paths[] = { "d/f", "d/link", "d/fifo", "d/e", "d" };
	struct fixture *f = *state;
	char target[16] = { 0 };

	assert_int_equal(mkdirat(f->from, "d", 0700), 0);
	assert_int_equal(mkdirat(f->from, "d/e", 01777), 0);
	write_at(f->from, "d/f", 0640, "text");
	assert_int_equal(symlinkat("/nowhere", f->from, "d/link"), 0);
	assert_int_equal(mkfifoat(f->from, "d/fifo", 0604), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_int_equal(utimensat(f->from, paths[i], times, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(copy_named(f, "d"), 0);
	is_text(f, "d/f", "text");
	assert_int_equal(readlinkat(f->to, "d/link", target, sizeof(target)), 8);
	assert_string_equal(target, "/nowhere");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct stat a = stat_of(f->from, paths[i]), b = stat_of(f->to, paths[i]);

		assert_int_equal(a.st_mode, b.st_mode);
		assert_int_equal(b.st_mtim.tv_sec, 1000000001);
		assert_int_equal(b.st_mtim.tv_nsec, 123456789);
	}
	assert_string_equal(f->notices, "");
}

static void test_holes(void **state)
{
	struct fixture *f = *state;
	AUTO_CLOSE int fd = openat(f->from, "s", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char byte = 0;
	struct stat st;

	assert_int_equal(ftruncate(fd, 64 << 20), 0);
	assert_int_equal(pwrite(fd, "x", 1, 32 << 20), 1);
	assert_int_equal(copy_named(f, "s"), 0);
	st = stat_of(f->to, "s");
	assert_int_equal(st.st_size, 64 << 20);
	assert_true(st.st_blocks <= stat_of(f->from, "s").st_blocks + 16);
	AUTO_CLOSE int copy = openat(f->to, "s", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(copy, &byte, 1, 32 << 20), 1);
	assert_int_equal(byte, 'x');
}

static void test_hard_links(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->from, "d", 0755), 0);
	assert_int_equal(mkdirat(f->from, "e", 0755), 0);
	write_at(f->from, "d/a", 0644, "one");
	assert_int_equal(linkat(f->from, "d/a", f->from, "e/b", 0), 0);
	assert_int_equal(linkat(f->from, "d/a", f->from, "c", 0), 0);
	copy_all(f);
	assert_int_equal(stat_of(f->to, "d/a").st_ino, stat_of(f->to, "c").st_ino);
	assert_int_equal(stat_of(f->to, "e/b").st_ino, stat_of(f->to, "c").st_ino);
	assert_int_equal(stat_of(f->to, "c").st_nlink, 3);
	/* Again, onto itself: nothing is left aside. */
	copy_all(f);
	assert_int_equal(stat_of(f->to, "c").st_nlink, 3);
	assert_int_equal(count_entries(f->to), 3);
}

static void test_merges_and_replaces(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->from, "d", 0755), 0);
	write_at(f->from, "d/f", 0644, "new");
	assert_int_equal(mkdirat(f->to, "d", 0700), 0);
	write_at(f->to, "d/g", 0644, "kept");
	/* The old one is another's, too: it must not be written to. */
	assert_int_equal(linkat(f->top, "outside/canary", f->to, "d/f", 0), 0);
	assert_int_equal(copy_named(f, "d"), 0);
	is_text(f, "d/f", "new");
	is_text(f, "d/g", "kept");
	assert_int_equal(stat_of(f->to, "d").st_mode & 0777, 0700);
	assert_int_equal(stat_of(f->top, "outside/canary").st_size, 6);
	assert_int_equal(stat_of(f->top, "outside/canary").st_nlink, 1);
}

static void test_refuses_other_types(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->from, "d", 0755), 0);
	write_at(f->from, "d/f", 0644, "new");
	assert_int_equal(symlinkat("../outside", f->to, "d"), 0);
	assert_int_equal(copy_named(f, "d"), -ENOTDIR);
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	assert_int_equal(unlinkat(f->to, "d", 0), 0);
	assert_int_equal(mkdirat(f->to, "d", 0755), 0);
	assert_int_equal(mkdirat(f->to, "d/f", 0755), 0);
	assert_int_equal(copy_named(f, "d"), -EISDIR);
	assert_non_null(strstr(f->err.msg, "\"f\": "));
	AUTO_CLOSE int d = openat(f->to, "d", O_RDONLY | O_CLOEXEC);
	assert_int_equal(count_entries(d), 1);
	assert_false(exists(f->top, "outside/f"));
}

static void test_left_out(void **state)
{
	struct fixture *f = *state;

	need_root();
	if (mknodat(f->from, "null", S_IFCHR | 0666, 0x103) < 0) {
		print_message("skipped: no device nodes here\n");
		skip();
	}
	assert_int_equal(mknodat(f->from, "sock", S_IFSOCK | 0666, 0), 0);
	copy_all(f);
	assert_int_equal(count_entries(f->to), 0);
	assert_non_null(strstr(f->notices, "null: a device, not copied\n"));
	assert_non_null(strstr(f->notices, "sock: a socket, not copied\n"));
}

static void test_into_itself(void **state)
{
	struct fixture *f = *state;
	AUTO_CLOSE int from = -EBADF;

	assert_int_equal(mkdirat(f->from, "d", 0755), 0);
	assert_int_equal(copy_tree(&f->how, f->from, f->to, "x", NULL), 0);
	from = openat(f->from, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(copy_tree(&f->how, f->from, from, "x", &f->err), -ELOOP);
	assert_non_null(strstr(f->err.msg, "into itself"));
	assert_int_equal(copy_tree(&f->how, f->from, from, NULL, &f->err), -ELOOP);
	AUTO_CLOSE int same = openat(f->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(copy_tree(&f->how, f->from, same, NULL, &f->err), -ELOOP);
	assert_non_null(strstr(f->err.msg, "to itself"));
}

static void stop_at_a_megabyte(void *arg, uint64_t bytes)
{
	struct fixture *f = arg;

	if (bytes >= 1 << 20)
		f->flag = SIGINT;
}

static void big_file(const struct fixture *f)
{
	AUTO_FREE char *zeros = calloc(1, 4 << 20);

	assert_int_equal(fd_write_file_at(f->from, "big", 0644, zeros, 4 << 20, NULL), 0);
}

static void test_interrupted(void **state)
{
	struct fixture *f = *state;

	big_file(f);
	write_at(f->to, "big", 0644, "old");
	f->how.interrupted = &f->flag;
	f->how.progress = stop_at_a_megabyte;
	assert_int_equal(copy_named(f, "big"), -EINTR);
	assert_int_equal(f->err.kind, ERR_INTERRUPTED);
	is_text(f, "big", "old");
	assert_int_equal(count_entries(f->to), 1);
}

static void resize_source(void *arg, uint64_t bytes)
{
	struct fixture *f = arg;
	AUTO_CLOSE int fd = openat(f->from, "big", O_WRONLY | O_CLOEXEC);

	(void)bytes;
	assert_int_equal(ftruncate(fd, f->new_size), 0);
}

static void test_source_changes(void **state)
{
	struct fixture *f = *state;

	big_file(f);
	f->how.progress = resize_source;
	f->new_size = 1 << 20;
	assert_int_equal(copy_named(f, "big"), 0);
	assert_int_equal(stat_of(f->to, "big").st_size, 1 << 20);
	assert_string_equal(f->notices, ": changed while it was copied\n");
	/* One that grows is copied as it was. */
	f->new_size = 64 << 20;
	assert_int_equal(copy_named(f, "big"), 0);
	assert_int_equal(stat_of(f->to, "big").st_size, 1 << 20);
}

static void test_depth(void **state)
{
	struct fixture *f = *state;
	AUTO_CLOSE int dir = openat(f->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int limit = 100;

	/* As deep as descriptors go; the limit itself is tested by copy.bats, which may raise theirs. */
	for (int i = 0; i < limit; i++) {
		int next;

		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(dir);
		dir = next;
	}
	copy_all(f);
	(void)close(dir);
	dir = openat(f->to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < limit; i++) {
		int next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		(void)close(dir);
		dir = next;
	}
	assert_true(dir >= 0);
}

static void test_files_of_the_kernel(void **state)
{
	struct fixture *f = *state;
	AUTO_CLOSE int proc = open("/proc/self/status", O_PATH | O_CLOEXEC);
	AUTO_CLOSE int zero = open("/dev/zero", O_PATH | O_CLOEXEC);

	assert_int_equal(copy_tree(&f->how, proc, f->to, "status", &f->err), 0);
	assert_true(stat_of(f->to, "status").st_size > 100);
	assert_int_equal(copy_tree(&f->how, zero, f->to, "zero", &f->err), 0);
	assert_false(exists(f->to, "zero"));
}

/* "d" is a directory, a link to ../outside, a file, for ever. */
__attribute__((noreturn)) static void swap_forever(int dir_fd)
{
	for (;;) {
		(void)renameat(dir_fd, "d", dir_fd, "aside");
		(void)symlinkat("../outside", dir_fd, "d");
		(void)unlinkat(dir_fd, "d", 0);
		(void)mknodat(dir_fd, "d", S_IFREG | 0600, 0);
		(void)unlinkat(dir_fd, "d", 0);
		(void)renameat(dir_fd, "aside", dir_fd, "d");
	}
}

static size_t copy_while_swapped(struct fixture *f, int swapped)
{
	usec_t end = now_usec() + RACE_USEC;
	bool led_out = false;
	size_t done = 0;
	pid_t pid = fork();

	if (pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
		swap_forever(swapped);
	while (now_usec() < end && !led_out) {
		AUTO_CLOSE int fd = openat(f->from, ".", O_PATH | O_CLOEXEC);

		done += copy_tree(&f->how, fd, f->to, NULL, NULL) == 0;
		f->notices[0] = '\0';
		/* What was copied is a directory, a link or an empty file: never what the link leads to. */
		AUTO_CLOSE int canary = openat(f->to, "d/canary", O_RDONLY | O_CLOEXEC);
		struct stat st = { 0 };
		if (canary >= 0 && fstat(canary, &st) == 0 && swapped != f->to &&
		    (fstatat(f->to, "d", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISLNK(st.st_mode)))
			led_out = true;
		if (swapped != f->to)
			(void)unlinkat(f->to, "d", 0);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(led_out);
	return done;
}

static void outside_is_untouched(const struct fixture *f)
{
	AUTO_CLOSE int outside = openat(f->top, "outside", O_RDONLY | O_CLOEXEC);

	assert_int_equal(count_entries(outside), 1);
	assert_int_equal(stat_of(outside, "canary").st_size, 6);
	assert_int_equal(stat_of(outside, "canary").st_mode & 0777, 0600);
	assert_int_equal(stat_of(f->top, "outside").st_mode & 0777, 0755);
}

static void test_race_of_source(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->from, "d", 0711), 0);
	write_at(f->from, "d/f", 0640, "in");
	assert_true(copy_while_swapped(f, f->from) > 0);
	outside_is_untouched(f);
}

static void test_race_of_destination(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->from, "d", 0711), 0);
	write_at(f->from, "d/f", 0640, "in");
	write_at(f->from, "d/canary", 0640, "in");
	assert_int_equal(mkdirat(f->to, "d", 0755), 0);
	assert_true(copy_while_swapped(f, f->to) > 0);
	outside_is_untouched(f);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_kinds_and_attributes), TEST(test_holes),
		TEST(test_hard_links),		 TEST(test_merges_and_replaces),
		TEST(test_refuses_other_types),	 TEST(test_left_out),
		TEST(test_into_itself),		 TEST(test_interrupted),
		TEST(test_source_changes),	 TEST(test_depth),
		TEST(test_files_of_the_kernel),	 TEST(test_race_of_source),
		TEST(test_race_of_destination),
	};

	return cmocka_run_group_tests_name("copy_tree", tests, NULL, NULL);
}
