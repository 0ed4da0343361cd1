// SPDX-License-Identifier: MIT
/* Layers in overlay form become one tree: whiteouts, opaque directories, replaced types, links, attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "provision/unpack_tree.h"
#include "tests/unit/scratch.h"

#define LOWER "1111111111111111111111111111111111111111111111111111111111111111"
#define UPPER "2222222222222222222222222222222222222222222222222222222222222222"

struct fixture {
	void *scratch;
	struct store store;
	int lower, upper, dest;
};

static int dir_at(int fd, const char *path)
{
	assert_int_equal(mkdirat(fd, path, 0755), 0);
	return openat(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int layer_dir(const struct store *s, const char *hex)
{
	AUTO_CLOSE int layer = dir_at(s->layers_fd, hex);

	return dir_at(layer, "fs");
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[64];
	int fd;

	if (scratch_setup(&f->scratch) != 0)
		return -1;
	fd = SCRATCH_FD(&f->scratch);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/store", fd);
	if (store_open(path, true, &f->store, NULL) < 0)
		return -1;
	f->lower = layer_dir(&f->store, LOWER);
	f->upper = layer_dir(&f->store, UPPER);
	f->dest = dir_at(fd, "dest");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *scratch = f->scratch;

	(void)close(f->lower);
	(void)close(f->upper);
	(void)close(f->dest);
	store_done(&f->store);
	free(f);
	return scratch_teardown(&scratch);
}

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("skipped: needs root\n");
	skip();
}

static void put(int dir_fd, const char *path, const char *text)
{
	assert_int_equal(fd_write_file_at(dir_fd, path, 0644, text, strlen(text), NULL), 0);
}

static void assert_text(int dir_fd, const char *path, const char *want)
{
	AUTO_FREE char *got = NULL;

	assert_int_equal(fd_read_file_at(dir_fd, path, 1000, &got, NULL, NULL), 0);
	assert_string_equal(got, want);
}

static void assert_absent(int dir_fd, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(errno, ENOENT);
}

static int merge(const struct fixture *f, const volatile int *interrupted, struct err *err)
{
	struct digest layers[2];

	assert_int_equal(digest_from_hex(LOWER, &layers[0]), 0);
	assert_int_equal(digest_from_hex(UPPER, &layers[1]), 0);
	return unpack_tree(&f->store, layers, 2, f->dest, interrupted, err);
}

static void test_whiteouts(void **state)
{
	const struct fixture *f = *state;
	AUTO_CLOSE int low_dir = -EBADF, up_dir = -EBADF, opaque = -EBADF;

	need_root();
	put(f->lower, "gone", "x");
	put(f->lower, "kept", "low");
	low_dir = dir_at(f->lower, "dir");
	put(low_dir, "old", "x");
	AUTO_CLOSE int gone_dir = dir_at(f->lower, "gone_dir");

	put(gone_dir, "inner", "x");
	assert_int_equal(mknodat(f->upper, "gone", S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(mknodat(f->upper, "gone_dir", S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(mknodat(f->upper, "never_there", S_IFCHR, makedev(0, 0)), 0);
	opaque = dir_at(f->upper, "dir");
	put(opaque, "new", "y");
	assert_int_equal(fsetxattr(opaque, "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(merge(f, NULL, NULL), 0);
	assert_absent(f->dest, "gone");
	assert_absent(f->dest, "gone_dir");
	assert_absent(f->dest, "never_there");
	assert_absent(f->dest, "dir/old");
	assert_text(f->dest, "dir/new", "y");
	assert_text(f->dest, "kept", "low");
	up_dir = openat(f->dest, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fgetxattr(up_dir, "trusted.overlay.opaque", NULL, 0), -1);
}

static void test_replaced_types(void **state)
{
	const struct fixture *f = *state;
	AUTO_CLOSE int a = -EBADF, b = -EBADF, c = -EBADF, merged = -EBADF;
	char target[16] = { 0 };

	need_root();
	a = dir_at(f->lower, "dir_to_file");
	put(a, "inner", "x");
	put(f->lower, "file_to_dir", "x");
	assert_int_equal(symlinkat("/etc", f->lower, "link_to_dir"), 0);
	b = dir_at(f->lower, "merged");
	put(b, "low", "1");
	put(f->upper, "dir_to_file", "now a file");
	c = dir_at(f->upper, "file_to_dir");
	put(c, "inner", "2");
	AUTO_CLOSE int d = dir_at(f->upper, "link_to_dir");

	put(d, "inner", "not in /etc");
	merged = dir_at(f->upper, "merged");
	put(merged, "up", "3");
	assert_int_equal(symlinkat("nowhere", f->upper, "dangling"), 0);
	assert_int_equal(merge(f, NULL, NULL), 0);
	assert_text(f->dest, "dir_to_file", "now a file");
	assert_text(f->dest, "file_to_dir/inner", "2");
	assert_text(f->dest, "link_to_dir/inner", "not in /etc");
	assert_text(f->dest, "merged/low", "1");
	assert_text(f->dest, "merged/up", "3");
	assert_true(readlinkat(f->dest, "dangling", target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "nowhere");
}

static void test_attributes(void **state)
{
	const struct fixture *f = *state;
	const struct timespec times[2] = { { 1000, 5 }, { 1234567, 123456789 } };
	AUTO_CLOSE int dir = -EBADF;
	struct stat st, other;

	need_root();
	dir = dir_at(f->lower, "dir");
	put(dir, "suid", "x");
	assert_int_equal(fchownat(dir, "suid", 7, 8, 0), 0);
	assert_int_equal(fchmodat(dir, "suid", 06751, 0), 0);
	assert_int_equal(linkat(dir, "suid", f->lower, "linked", 0), 0);
	assert_int_equal(mknodat(f->lower, "null", S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_int_equal(mknodat(f->lower, "fifo", S_IFIFO | 0640, 0), 0);
	assert_int_equal(fsetxattr(dir, "trusted.test", "v", 1, 0), 0);
	assert_int_equal(utimensat(dir, "suid", times, 0), 0);
	assert_int_equal(futimens(dir, times), 0);
	assert_int_equal(fchmod(f->lower, 0710), 0);
	assert_int_equal(merge(f, NULL, NULL), 0);
	assert_int_equal(fstatat(f->dest, "dir/suid", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 06751);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_gid, 8);
	assert_int_equal(st.st_mtim.tv_sec, 1234567);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	assert_int_equal(fstatat(f->dest, "linked", &other, 0), 0);
	assert_int_equal(st.st_ino, other.st_ino);
	assert_int_equal(fstatat(f->dest, "null", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFCHR | 0600);
	assert_int_equal(st.st_rdev, makedev(1, 3));
	assert_int_equal(fstatat(f->dest, "fifo", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFIFO | 0640);
	assert_int_equal(fstatat(f->dest, "dir", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	AUTO_CLOSE int made = openat(f->dest, "dir", O_RDONLY | O_CLOEXEC);

	assert_int_equal(fgetxattr(made, "trusted.test", NULL, 0), 1);
	/* The upper layer's root has the last word. */
	assert_int_equal(fstat(f->dest, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
}

static void test_failures(void **state)
{
	const struct fixture *f = *state;
	const volatile int interrupted = 1;
	struct digest missing = { .hex = LOWER };
	struct err err = { 0 };

	need_root();
	put(f->lower, "file", "x");
	assert_int_equal(merge(f, &interrupted, &err), -EINTR);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	missing.hex[0] = '9';
	assert_true(unpack_tree(&f->store, &missing, 1, f->dest, NULL, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whiteouts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
	};

	return cmocka_run_group_tests_name("unpack_tree", tests, NULL, NULL);
}
