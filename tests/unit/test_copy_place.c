// SPDX-License-Identifier: MIT
/* Source and destination of a copy: docker's rules, inside a root that is full of links that lead out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/copy_place.h"
#include "base/fd.h"
#include "tests/unit/scratch.h"

/* The scratch directory holds the root "r" and beside it "outside". */
struct fixture {
	void *scratch;
	int root;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int top;

	*state = f;
	if (!f || scratch_setup(&f->scratch))
		return -1;
	top = SCRATCH_FD(&f->scratch);
	if (mkdirat(top, "r", 0755) || mkdirat(top, "outside", 0755) || mkdirat(top, "r/d", 0755) ||
	    mkdirat(top, "r/d/e", 0755) || fd_write_file_at(top, "r/d/f", 0644, "x", 1, NULL) ||
	    symlinkat("d", top, "r/ld") || symlinkat("d/f", top, "r/lf") ||
	    symlinkat("../../../../new", top, "r/d/up") || symlinkat("loop", top, "r/loop") ||
	    symlinkat("../outside", top, "r/out") || mkfifoat(top, "r/fifo", 0600))
		return -1;
	f->root = openat(top, "r", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return f->root < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	(void)close(f->root);
	r = scratch_teardown(&f->scratch);
	free(f);
	return r;
}

static ino_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

static ino_t inode_at(const struct fixture *f, const char *path)
{
	struct stat st;

	return fstatat(f->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_ino;
}

static void test_source(void **state)
{
	static const struct {
		const char *path, *is, *name;
		bool follow, is_dir;
	} rows[] = {
		{ "d", "d", "d", false, true },
		{ "/d/", "d", "d", false, true },
		{ "//d//", "d", "d", false, true },
		{ "d/.", "d", "", false, true },
		{ "d/..", ".", "", false, true },
		{ "/", ".", "", false, true },
		{ "../../d/f", "d/f", "f", false, false },
		{ "lf", "lf", "lf", false, false },
		{ "lf", "d/f", "lf", true, false },
		{ "ld", "ld", "ld", false, false },
		{ "ld/", "d", "ld", false, true },
		{ "ld/f", "d/f", "f", false, false },
		{ "fifo", "fifo", "fifo", false, false },
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(copy_source) s = { .fd = -EBADF };

		if (copy_source_open(f->root, rows[i].path, rows[i].follow, &s, NULL) < 0)
			fail_msg("refused: %s", rows[i].path);
		if (inode_of(s.fd) != inode_at(f, rows[i].is) || strcmp(s.name, rows[i].name) ||
		    s.is_dir != rows[i].is_dir)
			fail_msg("another file: %s (%s)", rows[i].path, s.name);
	}
}

static void test_source_refused(void **state)
{
	static const struct {
		const char *path;
		int r;
	} rows[] = {
		{ "", -ENOENT },	   { "no", -ENOENT },	 { "d/f/", -ENOTDIR },
		{ "lf/", -ENOTDIR },	   { "out/x", -ENOENT }, { "loop/", -ELOOP },
		{ "/proc/self", -ENOENT },
	};
	const struct fixture *f = *state;
	AUTO(copy_source) s = { .fd = -EBADF };
	char name[NAME_MAX + 2] = { 0 };
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (copy_source_open(f->root, rows[i].path, false, &s, &err) != rows[i].r)
			fail_msg("%s: %s", rows[i].path, err.msg);
	assert_int_equal(copy_source_open(f->root, "loop", true, &s, NULL), -ELOOP);
	assert_int_equal(copy_source_open(f->root, "out", true, &s, NULL), -ENOENT);
	memset(name, 'a', sizeof(name) - 1);
	assert_int_equal(copy_source_open(f->root, name, false, &s, NULL), -ENAMETOOLONG);
}

static void test_place(void **state)
{
	static const struct {
		const char *path;
		bool dir; /* what is copied */
		const char *in, *name;
	} rows[] = {
		{ "d", false, "d", "src" },	 { "/d/e/", true, "d/e", "src" },
		{ "ld", true, "d", "src" },	 { "d/new", false, "d", "new" },
		{ "/new", true, ".", "new" },	 { "new/", true, ".", "new" },
		{ "ld/new", false, "d", "new" }, { "d/f", false, "d", "f" },
		{ "lf", false, "d", "f" },	 { "d/up", false, ".", "new" },
		{ "/", false, ".", "src" },	 { "..", true, ".", "src" },
		{ "d/f", true, "d", "f" },	 { "fifo", false, ".", "fifo" },
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct copy_source s = { .fd = -EBADF, .is_dir = rows[i].dir, .name = "src" };
		AUTO(copy_place) p = { .dir_fd = -EBADF };
		struct err err;

		if (copy_place_open(f->root, rows[i].path, &s, false, &p, &err) < 0)
			fail_msg("%s: %s", rows[i].path, err.msg);
		if (inode_of(p.dir_fd) != inode_at(f, rows[i].in) || strcmp(p.name, rows[i].name))
			fail_msg("another place: %s (%s)", rows[i].path, p.name);
	}
}

static void test_place_contents_and_exact(void **state)
{
	const struct fixture *f = *state;
	const struct copy_source contents = { .fd = -EBADF, .is_dir = true };
	const struct copy_source dir = { .fd = -EBADF, .is_dir = true, .name = "d" };
	const struct copy_source file = { .fd = -EBADF, .name = "f" };
	AUTO(copy_place) p = { .dir_fd = -EBADF };
	struct err err;

	assert_int_equal(copy_place_open(f->root, "d", &contents, false, &p, NULL), 0);
	assert_string_equal(p.name, "");
	assert_int_equal(inode_of(p.dir_fd), inode_at(f, "d"));
	copy_place_done(&p);
	assert_int_equal(copy_place_open(f->root, "new", &contents, false, &p, NULL), 0);
	assert_string_equal(p.name, "new");
	copy_place_done(&p);
	assert_int_equal(copy_place_open(f->root, "d", &dir, true, &p, NULL), 0);
	assert_string_equal(p.name, "");
	copy_place_done(&p);
	assert_int_equal(copy_place_open(f->root, "d/f", &file, true, &p, NULL), 0);
	assert_string_equal(p.name, "f");
	copy_place_done(&p);
	assert_int_equal(copy_place_open(f->root, "d", &file, true, &p, &err), -EISDIR);
	assert_int_equal(err.kind, ERR_CONFLICT);
}

static void test_place_refused(void **state)
{
	static const struct {
		const char *path;
		bool dir;
		int r;
	} rows[] = {
		{ "", false, -ENOENT },	      { "no/such", false, -ENOENT },
		{ "new/", false, -ENOENT },   { "d/f/", false, -ENOTDIR },
		{ "d/f/", true, -ENOTDIR },   { "d/f/x", false, -ENOTDIR },
		{ "loop", false, -ELOOP },    { "out/x", false, -ENOENT },
		{ "out", false, 0 },	      { "no/.", true, -ENOENT },
		{ "fifo/", false, -ENOTDIR },
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct copy_source s = { .fd = -EBADF, .is_dir = rows[i].dir, .name = "src" };
		AUTO(copy_place) p = { .dir_fd = -EBADF };
		struct err err = { 0 };

		if (copy_place_open(f->root, rows[i].path, &s, false, &p, &err) != rows[i].r)
			fail_msg("%s: %s", rows[i].path, err.msg);
		/* A link to nowhere names a place in the root. */
		if (rows[i].r == 0)
			assert_int_equal(inode_of(p.dir_fd), inode_at(f, "."));
	}
}

static void test_host_side(void **state)
{
	const struct fixture *f = *state;
	AUTO(copy_source) s = { .fd = -EBADF };
	AUTO(copy_place) p = { .dir_fd = -EBADF };
	AUTO_CLOSE int before = open(".", O_PATH | O_CLOEXEC);

	assert_int_equal(fchdir(SCRATCH_FD(&f->scratch)), 0);
	assert_int_equal(copy_source_open(COPY_SIDE_HOST, "r/../r/d/f", false, &s, NULL), 0);
	assert_int_equal(inode_of(s.fd), inode_at(f, "d/f"));
	assert_int_equal(copy_place_open(COPY_SIDE_HOST, "r/out/new", &s, false, &p, NULL), 0);
	assert_string_equal(p.name, "new");
	assert_int_equal(fchdir(before), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_source),	  TEST(test_source_refused),
		TEST(test_place),	  TEST(test_place_contents_and_exact),
		TEST(test_place_refused), TEST(test_host_side),
	};

	umask(022);
	return cmocka_run_group_tests_name("copy_place", tests, NULL, NULL);
}
