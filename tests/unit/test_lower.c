// SPDX-License-Identifier: MIT
/* Needs of a layer settled from the layers below, as overlayfs would merge them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "oci/lower.h"
#include "oci/merged.h"
#include "tests/unit/scratch.h"

/* layer, then two below it: upper, bottom */
struct fixture {
	void *scratch;
	int fds[3];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	static const char *const names[] = { "layer", "upper", "bottom" };

	if (!f || scratch_setup(&f->scratch) < 0)
		return -1;
	(void)umask(022);
	for (size_t i = 0; i < 3; i++) {
		if (mkdirat(SCRATCH_FD(&f->scratch), names[i], 0755) < 0)
			return -1;
		f->fds[i] = openat(SCRATCH_FD(&f->scratch), names[i],
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	for (size_t i = 0; i < 3; i++)
		(void)close(f->fds[i]);
	r = scratch_teardown(&f->scratch);
	free(f);
	return r;
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: whiteouts and owners need root\n");
		skip();
	}
}

static void dir(int fd, const char *path, mode_t mode)
{
	assert_int_equal(mkdirat(fd, path, 0755), 0);
	assert_int_equal(fchmodat(fd, path, mode, 0), 0);
}

static void file(int fd, const char *path, const char *text)
{
	assert_int_equal(fd_write_file_at(fd, path, 0644, text, strlen(text), NULL), 0);
}

static void whiteout(int fd, const char *path)
{
	assert_int_equal(mknodat(fd, path, S_IFCHR, makedev(0, 0)), 0);
}

static void opaque(int fd, const char *path)
{
	AUTO_CLOSE int d = openat(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fsetxattr(d, "trusted.overlay.opaque", "y", 1, 0), 0);
}

static int settle(struct fixture *f, const char *implied, const char *target, const char *link,
		  struct err *err)
{
	char *dirs[] = { (char *)(uintptr_t)implied, NULL };
	char *links[] = { (char *)(uintptr_t)target, (char *)(uintptr_t)link, NULL };
	struct layer_needs needs = { .implied_dirs = implied ? dirs : NULL,
				     .lower_links = target ? links : NULL };

	return lower_settle(f->fds[0], f->fds + 1, 2, &needs, err);
}

static struct stat stat_of(struct fixture *f, const char *path)
{
	struct stat st = { 0 };

	assert_int_equal(fstatat(f->fds[0], path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static void assert_content(struct fixture *f, const char *path, const char *text)
{
	AUTO_FREE char *buf = NULL;

	assert_int_equal(fd_read_file_at(f->fds[0], path, 4096, &buf, NULL, NULL), 0);
	assert_string_equal(buf, text);
}

static void test_directory_attributes(void **state)
{
	struct fixture *f = *state;
	struct timespec times[2] = { { .tv_sec = 7 }, { .tv_sec = 7, .tv_nsec = 9 } };
	AUTO_CLOSE int to = -EBADF;
	char value[8] = { 0 };

	need_root();
	dir(f->fds[0], "d", 0755);
	dir(f->fds[1], "d", 02751);
	dir(f->fds[2], "d", 0700);
	opaque(f->fds[1], "d");
	to = openat(f->fds[1], "d", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fsetxattr(to, "user.note", "hi", 2, 0), 0);
	assert_int_equal(fchownat(f->fds[1], "d", 11, 12, 0), 0);
	assert_int_equal(utimensat(f->fds[1], "d", times, 0), 0);
	assert_int_equal(settle(f, "d", NULL, NULL, NULL), 0);
	assert_int_equal(stat_of(f, "d").st_mode, S_IFDIR | 02751);
	assert_int_equal(stat_of(f, "d").st_uid, 11);
	assert_int_equal(stat_of(f, "d").st_gid, 12);
	assert_int_equal(stat_of(f, "d").st_mtim.tv_sec, 7);
	assert_int_equal(stat_of(f, "d").st_mtim.tv_nsec, 9);
	(void)close(to);
	to = openat(f->fds[0], "d", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(to, "user.note", value, sizeof(value)), 2);
	assert_true(fgetxattr(to, "trusted.overlay.opaque", value, sizeof(value)) < 0);
}

static void test_directory_that_no_layer_has(void **state)
{
	struct fixture *f = *state;

	dir(f->fds[0], "d", 0755);
	file(f->fds[2], "d", "a file below");
	assert_int_equal(settle(f, "d", NULL, NULL, NULL), 0);
	assert_int_equal(stat_of(f, "d").st_mode, S_IFDIR | 0755);
}

static void test_link(void **state)
{
	struct fixture *f = *state;
	struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };

	need_root();
	dir(f->fds[2], "usr", 0711);
	dir(f->fds[2], "usr/bin", 0755);
	file(f->fds[2], "usr/bin/tool", "content");
	assert_int_equal(fchownat(f->fds[2], "usr/bin/tool", 1, 2, 0), 0);
	assert_int_equal(fchmodat(f->fds[2], "usr/bin/tool", 06755, 0), 0);
	assert_int_equal(utimensat(f->fds[2], "usr/bin/tool", times, 0), 0);
	dir(f->fds[0], "opt", 0755);
	assert_int_equal(utimensat(f->fds[0], "opt", times, 0), 0);
	assert_int_equal(settle(f, NULL, "usr/bin/tool", "opt/alias", NULL), 0);
	assert_content(f, "opt/alias", "content");
	assert_int_equal(stat_of(f, "opt/alias").st_ino, stat_of(f, "usr/bin/tool").st_ino);
	assert_int_equal(stat_of(f, "usr/bin/tool").st_mode, S_IFREG | 06755);
	assert_int_equal(stat_of(f, "usr/bin/tool").st_uid, 1);
	assert_int_equal(stat_of(f, "usr/bin/tool").st_mtim.tv_sec, 5);
	assert_int_equal(stat_of(f, "opt").st_mtim.tv_sec, 5);
	assert_int_equal(stat_of(f, "usr").st_mode, S_IFDIR | 0711);
}

static void test_link_to_itself(void **state)
{
	struct fixture *f = *state;

	file(f->fds[2], "a", "content");
	if (geteuid() != 0)
		skip();
	assert_int_equal(settle(f, NULL, "a", "a", NULL), 0);
	assert_content(f, "a", "content");
}

static void test_link_through_lower_symlink(void **state)
{
	struct fixture *f = *state;

	need_root();
	assert_int_equal(symlinkat("/usr/../usr/./lib", f->fds[2], "lib"), 0);
	dir(f->fds[2], "usr", 0755);
	dir(f->fds[1], "usr", 0755);
	dir(f->fds[1], "usr/lib", 0755);
	file(f->fds[1], "usr/lib/so", "so");
	assert_int_equal(settle(f, NULL, "lib/so", "alias", NULL), 0);
	assert_content(f, "alias", "so");
	assert_int_equal(stat_of(f, "alias").st_ino, stat_of(f, "usr/lib/so").st_ino);
}

static void test_link_to_lower_symlink(void **state)
{
	struct fixture *f = *state;

	need_root();
	assert_int_equal(symlinkat("/etc/passwd", f->fds[2], "l"), 0);
	assert_int_equal(settle(f, NULL, "l", "alias", NULL), 0);
	assert_true(S_ISLNK(stat_of(f, "alias").st_mode));
	assert_int_equal(stat_of(f, "alias").st_nlink, 2);
}

static void refused(struct fixture *f, const char *target)
{
	struct err err = { 0 };

	assert_int_equal(settle(f, NULL, target, "alias", &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_non_null(strstr(err.msg, "\"alias\""));
	assert_non_null(strstr(err.msg, target));
}

static void test_hidden_targets(void **state)
{
	struct fixture *f = *state;

	need_root();
	refused(f, "nowhere");
	file(f->fds[2], "whited", "x");
	whiteout(f->fds[1], "whited");
	refused(f, "whited");
	dir(f->fds[2], "d", 0755);
	file(f->fds[2], "d/x", "x");
	dir(f->fds[1], "d", 0755);
	opaque(f->fds[1], "d");
	refused(f, "d/x");
	dir(f->fds[2], "e", 0755);
	file(f->fds[2], "e/x", "x");
	file(f->fds[1], "e", "a file hides the directory");
	refused(f, "e/x");
	file(f->fds[2], "own", "x");
	whiteout(f->fds[0], "own");
	refused(f, "own");
	dir(f->fds[2], "od", 0755);
	file(f->fds[2], "od/x", "x");
	dir(f->fds[0], "od", 0755);
	opaque(f->fds[0], "od");
	refused(f, "od/x");
	refused(f, "d");
	assert_int_equal(mkfifoat(f->fds[2], "fifo", 0600), 0);
	refused(f, "fifo");
	assert_int_equal(symlinkat("loop", f->fds[2], "loop"), 0);
	refused(f, "loop/x");
}

/* A layer whose tree changed under us must not lead out. */
static void test_hostile_layer(void **state)
{
	struct fixture *f = *state;
	struct err err;

	need_root();
	dir(f->fds[2], "usr", 0755);
	file(f->fds[2], "usr/x", "x");
	assert_int_equal(symlinkat("/tmp", f->fds[0], "out"), 0);
	assert_true(settle(f, "out", NULL, NULL, &err) <= 0);
	assert_true(settle(f, NULL, "usr/x", "out/racker-escaped", &err) < 0);
	assert_int_equal(access("/tmp/racker-escaped", F_OK), -1);
	assert_true(S_ISLNK(stat_of(f, "out").st_mode));
}

static void test_merged_walk(void **state)
{
	struct fixture *f = *state;
	AUTO(merged_entry) e = { .dir_fd = -EBADF };

	need_root();
	dir(f->fds[2], "a", 0755);
	dir(f->fds[2], "a/b", 0755);
	file(f->fds[2], "a/b/c", "bottom");
	dir(f->fds[1], "a", 0755);
	dir(f->fds[1], "a/b", 0700);
	assert_int_equal(symlinkat("../a/b", f->fds[1], "a/s"), 0);
	assert_int_equal(merged_find(f->fds + 1, 2, "a/s/c", &e, NULL), 1);
	assert_string_equal(e.path, "a/b/c");
	assert_string_equal(e.name, "c");
	assert_int_equal(e.st.st_size, 6);
	merged_entry_done(&e);
	assert_int_equal(merged_find(f->fds + 1, 2, "a/b", &e, NULL), 1);
	assert_int_equal(e.st.st_mode, S_IFDIR | 0700);
	merged_entry_done(&e);
	assert_int_equal(merged_find(f->fds + 1, 2, "a/b/c/d", &e, NULL), 0);
	assert_int_equal(merged_find(f->fds + 1, 2, "", &e, NULL), 0);
	assert_int_equal(merged_find(f->fds, 0, "a", &e, NULL), 0);
}

/* a lower usr/lib/a.so behind lib -> target, and the layer's directory lib, which stands over it */
static void usrmerge(struct fixture *f, const char *target)
{
	need_root();
	dir(f->fds[2], "usr", 0711);
	dir(f->fds[2], "usr/lib", 0750);
	file(f->fds[2], "usr/lib/a.so", "a");
	assert_int_equal(symlinkat(target, f->fds[2], "lib"), 0);
	dir(f->fds[0], "lib", 0755);
}

static int follow(struct fixture *f, char **dirs)
{
	struct layer_needs needs = { .implied_dirs = dirs };

	return lower_settle(f->fds[0], f->fds + 1, 2, &needs, NULL);
}

#define FOLLOW(f, ...) assert_int_equal(follow(f, (char *[]){ __VA_ARGS__, NULL }), 0)

static void absent(struct fixture *f, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(f->fds[0], path, &st, AT_SYMLINK_NOFOLLOW), -1);
}

static bool is_opaque(struct fixture *f, const char *path)
{
	AUTO_CLOSE int fd = openat(f->fds[0], path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char c = 0;

	return fgetxattr(fd, "trusted.overlay.opaque", &c, 1) == 1 && c == 'y';
}

static void test_follow(void **state)
{
	struct fixture *f = *state;

	usrmerge(f, "usr/lib");
	file(f->fds[0], "lib/b.so", "b");
	FOLLOW(f, "lib");
	absent(f, "lib");
	absent(f, ".wh..wh.moving");
	assert_content(f, "usr/lib/b.so", "b");
	assert_int_equal(stat_of(f, "usr").st_mode, S_IFDIR | 0711);
	assert_int_equal(stat_of(f, "usr/lib").st_mode, S_IFDIR | 0750);
}

static void test_follow_absolute(void **state)
{
	struct fixture *f = *state;

	usrmerge(f, "/../usr/./lib/");
	file(f->fds[0], "lib/b.so", "b");
	FOLLOW(f, "lib");
	absent(f, "lib");
	assert_content(f, "usr/lib/b.so", "b");
}

static void test_follow_whiteouts(void **state)
{
	struct fixture *f = *state;

	usrmerge(f, "usr/lib");
	whiteout(f->fds[0], "lib/a.so");
	whiteout(f->fds[0], "lib/both");
	whiteout(f->fds[0], "lib/d");
	dir(f->fds[0], "lib/e", 0755);
	opaque(f->fds[0], "lib");
	dir(f->fds[0], "usr", 0700);
	dir(f->fds[0], "usr/lib", 0700);
	file(f->fds[0], "usr/lib/both", "added");
	dir(f->fds[0], "usr/lib/d", 0755);
	whiteout(f->fds[0], "usr/lib/e");
	FOLLOW(f, "lib");
	absent(f, "lib");
	assert_int_equal(stat_of(f, "usr/lib/a.so").st_mode & S_IFMT, S_IFCHR);
	assert_int_equal(stat_of(f, "usr/lib/a.so").st_rdev, makedev(0, 0));
	assert_content(f, "usr/lib/both", "added");
	assert_true(is_opaque(f, "usr/lib"));
	assert_true(is_opaque(f, "usr/lib/d"));
	assert_true(is_opaque(f, "usr/lib/e"));
	assert_int_equal(stat_of(f, "usr/lib").st_mode, S_IFDIR | 0700);
}

/* lib/m stands over another symlink, usr/lib/m -> ../m */
static void test_follow_nested(void **state)
{
	struct fixture *f = *state;

	usrmerge(f, "usr/lib");
	dir(f->fds[2], "usr/lib/n", 0701);
	dir(f->fds[1], "usr", 0711);
	dir(f->fds[1], "usr/lib", 0750);
	dir(f->fds[1], "usr/m", 0705);
	assert_int_equal(symlinkat("../m", f->fds[1], "usr/lib/m"), 0);
	dir(f->fds[0], "lib/m", 0755);
	file(f->fds[0], "lib/m/x", "x");
	dir(f->fds[0], "lib/n", 0755);
	dir(f->fds[0], "lib/n/o", 0755);
	file(f->fds[0], "lib/n/o/x", "x");
	FOLLOW(f, "lib", "lib/m", "lib/n", "lib/n/o");
	absent(f, "lib");
	absent(f, "usr/lib/m");
	assert_content(f, "usr/m/x", "x");
	assert_int_equal(stat_of(f, "usr/m").st_mode, S_IFDIR | 0705);
	assert_content(f, "usr/lib/n/o/x", "x");
	assert_int_equal(stat_of(f, "usr/lib/n").st_mode, S_IFDIR | 0701);
	assert_int_equal(stat_of(f, "usr/lib/n/o").st_mode, S_IFDIR | 0755);
}

/* Directories merge: an entry's attributes win over an implied directory's, files that are there stay. */
static void test_follow_merges(void **state)
{
	struct fixture *f = *state;

	usrmerge(f, "usr/lib");
	dir(f->fds[0], "usr", 0755);
	dir(f->fds[0], "usr/lib", 0755);
	dir(f->fds[0], "usr/lib/d", 0755);
	file(f->fds[0], "usr/lib/d/x", "there");
	dir(f->fds[2], "usr/lib/d", 0750);
	dir(f->fds[0], "lib/d", 0711);
	file(f->fds[0], "lib/d/x", "moved");
	file(f->fds[0], "lib/d/y", "moved");
	FOLLOW(f, "lib", "usr", "usr/lib", "usr/lib/d");
	absent(f, "lib");
	assert_content(f, "usr/lib/d/x", "there");
	assert_content(f, "usr/lib/d/y", "moved");
	assert_int_equal(stat_of(f, "usr/lib/d").st_mode, S_IFDIR | 0711);
	assert_int_equal(stat_of(f, "usr/lib").st_mode, S_IFDIR | 0750);
}

/* bin/X11 -> . is real: the target is the directory's own parent. */
static void test_follow_to_parent(void **state)
{
	struct fixture *f = *state;

	need_root();
	dir(f->fds[2], "bin", 0755);
	assert_int_equal(symlinkat(".", f->fds[2], "bin/X11"), 0);
	dir(f->fds[0], "bin", 0755);
	dir(f->fds[0], "bin/X11", 0755);
	dir(f->fds[0], "bin/X11/X11", 0755);
	file(f->fds[0], "bin/X11/X11/tool", "t");
	FOLLOW(f, "bin", "bin/X11", "bin/X11/X11");
	absent(f, "bin/X11");
	assert_content(f, "bin/tool", "t");
}

static void stays(struct fixture *f)
{
	FOLLOW(f, "lib");
	assert_content(f, "lib/b.so", "b");
	assert_int_equal(stat_of(f, "lib").st_mode, S_IFDIR | 0755);
}

static void test_follow_nowhere(void **state)
{
	struct fixture *f = *state;

	usrmerge(f, "usr/missing");
	file(f->fds[0], "lib/b.so", "b");
	stays(f);
	absent(f, "usr");
	/* a file is no directory */
	assert_int_equal(symlinkat("usr/lib/a.so", f->fds[1], "lib"), 0);
	stays(f);
	/* the layer itself hides the target */
	assert_int_equal(unlinkat(f->fds[1], "lib", 0), 0);
	assert_int_equal(symlinkat("usr/lib", f->fds[1], "lib"), 0);
	whiteout(f->fds[0], "usr");
	stays(f);
}

static void test_follow_hidden_symlink(void **state)
{
	struct fixture *f = *state;

	usrmerge(f, "usr/lib");
	file(f->fds[0], "lib/b.so", "b");
	whiteout(f->fds[1], "lib");
	stays(f);
	/* an opaque parent hides it just so */
	assert_int_equal(symlinkat("../usr/lib", f->fds[2], "usr/l"), 0);
	dir(f->fds[0], "usr", 0755);
	opaque(f->fds[0], "usr");
	dir(f->fds[0], "usr/l", 0755);
	FOLLOW(f, "usr/l");
	assert_true(S_ISDIR(stat_of(f, "usr/l").st_mode));
}

static void test_follow_loops(void **state)
{
	struct fixture *f = *state;

	usrmerge(f, "lib");
	file(f->fds[0], "lib/b.so", "b");
	stays(f);
	assert_int_equal(symlinkat("lib/sub", f->fds[1], "lib"), 0);
	dir(f->fds[0], "lib/sub", 0755);
	stays(f);
	assert_int_equal(symlinkat("pong", f->fds[2], "ping"), 0);
	assert_int_equal(symlinkat("ping", f->fds[2], "pong"), 0);
	dir(f->fds[0], "ping", 0755);
	file(f->fds[0], "ping/x", "x");
	FOLLOW(f, "ping");
	assert_content(f, "ping/x", "x");
	/* both: they become one, which the other name shows */
	dir(f->fds[0], "pong", 0755);
	FOLLOW(f, "ping", "pong");
	absent(f, "ping");
	assert_content(f, "pong/x", "x");
}

static void test_follow_then_link(void **state)
{
	struct fixture *f = *state;

	usrmerge(f, "usr/lib");
	assert_int_equal(settle(f, "lib", "lib/a.so", "lib/alias", NULL), 0);
	absent(f, "lib");
	assert_content(f, "usr/lib/alias", "a");
	assert_int_equal(stat_of(f, "usr/lib/alias").st_ino, stat_of(f, "usr/lib/a.so").st_ino);
	assert_int_equal(stat_of(f, "usr/lib").st_mode, S_IFDIR | 0750);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_directory_attributes),
		T(test_directory_that_no_layer_has),
		T(test_link),
		T(test_link_to_itself),
		T(test_link_through_lower_symlink),
		T(test_link_to_lower_symlink),
		T(test_hidden_targets),
		T(test_hostile_layer),
		T(test_merged_walk),
		T(test_follow),
		T(test_follow_absolute),
		T(test_follow_whiteouts),
		T(test_follow_nested),
		T(test_follow_merges),
		T(test_follow_to_parent),
		T(test_follow_nowhere),
		T(test_follow_hidden_symlink),
		T(test_follow_loops),
		T(test_follow_then_link),
	};

	return cmocka_run_group_tests_name("lower", tests, NULL, NULL);
}
