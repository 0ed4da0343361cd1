/* SPDX-License-Identifier: MIT */
/* Two directories and a notice book, for tests of copies. Included once by each test program, after cmocka's headers. */
#ifndef TESTS_UNIT_COPY_FIXTURE_H
#define TESTS_UNIT_COPY_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/copy_tree.h"
#include "base/fd.h"
#include "tests/unit/scratch.h"

/* "from" is copied to "to" in the scratch directory; "outside" is for nobody. */
struct fixture {
	void *scratch;
	int top, from, to;
	char notices[4096];
	struct copy_options how;
	struct err err;
	volatile int flag; /* test_interrupted */
	off_t new_size; /* test_source_changes */
};

static inline void add_notice(void *arg, const char *path, const char *what)
{
	struct fixture *f = arg;
	size_t len = strlen(f->notices);

	(void)snprintf(f->notices + len, sizeof(f->notices) - len, "%s: %s\n", path, what);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f || scratch_setup(&f->scratch))
		return -1;
	f->top = SCRATCH_FD(&f->scratch);
	if (mkdirat(f->top, "from", 0755) || mkdirat(f->top, "to", 0755) ||
	    mkdirat(f->top, "outside", 0755) ||
	    fd_write_file_at(f->top, "outside/canary", 0600, "canary", 6, NULL))
		return -1;
	f->from = openat(f->top, "from", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->to = openat(f->top, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->how = (struct copy_options){ .keep_privileges = true, .notice = add_notice, .arg = f };
	(void)umask(0);
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	(void)close(f->from);
	(void)close(f->to);
	r = scratch_teardown(&f->scratch);
	free(f);
	return r;
}

static inline void need_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: owners need root\n");
		skip();
	}
}

static inline int copy_named(struct fixture *f, const char *name)
{
	AUTO_CLOSE int fd = openat(f->from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	assert_true(fd >= 0);
	return copy_tree(&f->how, fd, f->to, name, &f->err);
}

static inline void copy_all(struct fixture *f)
{
	if (copy_tree(&f->how, f->from, f->to, NULL, &f->err) < 0)
		fail_msg("%s", f->err.msg);
}

static inline void write_at(int dir_fd, const char *path, mode_t mode, const char *text)
{
	assert_int_equal(fd_write_file_at(dir_fd, path, mode, text, strlen(text), NULL), 0);
}

static inline void is_text(const struct fixture *f, const char *path, const char *want)
{
	AUTO_FREE char *text = NULL;

	assert_int_equal(fd_read_file_at(f->to, path, 4096, &text, NULL, NULL), 0);
	assert_string_equal(text, want);
}

static inline struct stat stat_of(int dir_fd, const char *path)
{
	struct stat st;

	if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return st;
}

static inline bool exists(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

#endif
