/* SPDX-License-Identifier: MIT */
/* What the tests of the unpacker share: a layer's directory, an archive to fill, and a look at what came out. */
#ifndef TESTS_UNIT_UNPACK_FIXTURE_H
#define TESTS_UNIT_UNPACK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/strv.h"
#include "oci/unpack.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tar_builder.h"

/* The layer's directory is a child of the scratch directory, beside it lies a canary. */
struct fixture {
	int out_fd, fd;
	struct tar *tar;
	struct unpack_result result;
	struct err err;
	size_t step;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *scratch = NULL;

	if (!f || scratch_setup(&scratch) < 0)
		return -1;
	f->out_fd = SCRATCH_FD(&scratch);
	if (mkdirat(f->out_fd, "layer", 0755) < 0)
		return -1;
	f->fd = openat(f->out_fd, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd_write_file_at(f->out_fd, "canary", 0600, "alive", 5, NULL) < 0)
		return -1;
	f->tar = tar_new();
	*state = malloc(2 * sizeof(void *));
	((void **)*state)[0] = f;
	((void **)*state)[1] = scratch;
	return 0;
}

static inline int teardown(void **state)
{
	void **both = *state;
	struct fixture *f = both[0];
	char canary[6] = { 0 };
	int fd = openat(f->out_fd, "canary", O_RDONLY | O_CLOEXEC), r;

	/* whatever a test did, nothing outside changed */
	r = fd >= 0 && read(fd, canary, 6) == 5 && strcmp(canary, "alive") == 0 ? 0 : -1;
	(void)close(fd);
	(void)close(f->fd);
	tar_free(f->tar);
	unpack_result_done(&f->result);
	free(f);
	if (scratch_teardown(&both[1]) < 0)
		r = -1;
	free(both);
	return r;
}

static inline struct fixture *fixture(void **state)
{
	return ((void **)*state)[0];
}

static inline void need_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: making devices, owners and trusted.* needs root\n");
		skip();
	}
}

static inline int unpack_bytes(struct fixture *f)
{
	struct memory m = { .bytes = f->tar->bytes, .len = f->tar->len, .step = f->step };
	AUTO_PTR(decompress) stream = NULL;

	need_root(); /* entries without an owner are root's */
	assert_int_equal(decompress_open(COMPRESSION_NONE, memory_read, &m, LAYER_BYTES_MAX,
					 &stream, NULL),
			 0);
	return unpack_layer(stream, f->fd, &f->result, &f->err);
}

static inline void unpack_ok(struct fixture *f)
{
	int r;

	tar_end(f->tar);
	r = unpack_bytes(f);
	if (r < 0)
		print_error("%s\n", f->err.msg);
	assert_int_equal(r, 0);
}

static inline void unpack_refused(struct fixture *f, const char *words)
{
	tar_end(f->tar);
	assert_int_equal(unpack_bytes(f), -EBADMSG);
	assert_int_equal(f->err.kind, ERR_CORRUPT);
	if (!strstr(f->err.msg, words))
		print_error("%s\n", f->err.msg);
	assert_non_null(strstr(f->err.msg, words));
}

static inline struct stat stat_of(struct fixture *f, const char *path)
{
	struct stat st = { 0 };

	if (fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		print_error("stat %s: %s\n", path, strerror(errno));
		fail();
	}
	return st;
}

static inline void assert_absent(struct fixture *f, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(errno, ENOENT);
}

static inline void assert_content(struct fixture *f, const char *path, const char *text)
{
	AUTO_FREE char *buf = NULL;

	assert_int_equal(fd_read_file_at(f->fd, path, 1 << 20, &buf, NULL, NULL), 0);
	assert_string_equal(buf, text);
}

static inline void assert_whiteout(struct fixture *f, const char *path)
{
	struct stat st = stat_of(f, path);

	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(st.st_rdev, makedev(0, 0));
}

static inline bool is_opaque(struct fixture *f, const char *path)
{
	AUTO_CLOSE int fd = openat(f->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char c = 0;

	assert_true(fd >= 0);
	return fgetxattr(fd, "trusted.overlay.opaque", &c, 1) == 1 && c == 'y';
}

#endif
