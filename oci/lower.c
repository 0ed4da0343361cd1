// SPDX-License-Identifier: MIT
/*
 * What a layer needs from the layers below (see lower.h).
 *
 * First what stands under a symlink of the layers below moves to where that leads (lower_follow.c): all else then finds real paths.
 * Links next, directories last: linking and copying touch the times of directories. The layer itself takes part in the lookup of a
 * link's target, so what it has hidden cannot be linked to. Its tree was made by the worker from hostile data, so every path of it is
 * opened beneath its root, never through a symlink.
 */
#include "oci/lower.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path_at.h"
#include "base/quote.h"
#include "base/strv.h"
#include "oci/entry_path.h"
#include "oci/lower_state.h"
#include "oci/merged.h"
#include "oci/unpack_inode.h"
#include "oci/unpack_meta.h"
#include "oci/whiteout.h"

#define COPY_BYTES ((size_t)1 << 20)
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static void settle_done(struct settle *s)
{
	free(s->stack);
	path_set_done(&s->made);
}

static int copy_data(int from, int to, struct err *err)
{
	AUTO_FREE char *buf = NULL;
	ssize_t n;

	do
		n = copy_file_range(from, NULL, to, NULL, COPY_BYTES, 0);
	while (n > 0);
	if (n == 0)
		return 0;
	/* other file systems, old kernels: offsets stand where the last piece ended */
	buf = malloc(COPY_BYTES);
	if (!buf)
		return err_oom(err);
	while ((n = read(from, buf, COPY_BYTES)) > 0) {
		for (ssize_t done = 0, w; done < n; done += w) {
			w = write(to, buf + done, (size_t)(n - done));
			if (w < 0)
				return err_sys(err, ERR_SYSTEM, "write");
		}
	}
	return n < 0 ? err_sys(err, ERR_SYSTEM, "read") : 0;
}

static int copy_file(const struct merged_entry *from, int dir_fd, const char *name, struct err *err)
{
	AUTO_CLOSE int in =
		openat(from->dir_fd, from->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO_CLOSE int out = -EBADF;
	int r;

	if (in < 0)
		return err_sys(err, ERR_SYSTEM, "open");
	out = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(err, ERR_SYSTEM, "create");
	r = copy_data(in, out, err);
	return r < 0 ? r : meta_copy(in, out, err);
}

static int copy_symlink(const struct merged_entry *from, int dir_fd, const char *name,
			struct err *err)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from->dir_fd, from->name, target, sizeof(target) - 1);

	if (len < 0)
		return err_sys(err, ERR_SYSTEM, "read symlink");
	target[len] = '\0';
	if (symlinkat(target, dir_fd, name) < 0 ||
	    fchownat(dir_fd, name, from->st.st_uid, from->st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(dir_fd, name, (struct timespec[]){ from->st.st_mtim, from->st.st_mtim },
		      AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, ERR_SYSTEM, "make symlink");
	return 0;
}

int settle_open_dir(struct settle *s, const char *parent, struct err *err)
{
	AUTO_CLOSE int fd = openat(s->layer_fd, ".", OPEN_DIR);
	char path[PATH_MAX];
	char *p = path;

	memcpy(path, parent, strlen(parent) + 1);
	while (fd >= 0 && *p) {
		size_t n = strcspn(p, "/");
		char after = p[n];
		int child;

		p[n] = '\0';
		child = openat(fd, p, OPEN_DIR);
		if (child < 0 && errno == ENOENT) {
			struct stat st;

			if (fstat(fd, &st) < 0 || mkdirat(fd, p, 0755) < 0)
				return err_sys(err, ERR_SYSTEM, "make directory %s", QUOTE(path));
			(void)futimens(fd, (struct timespec[]){ st.st_mtim, st.st_mtim });
			if (path_set_add(&s->made, path) < 0)
				return err_oom(err);
			child = openat(fd, p, OPEN_DIR);
		}
		if (child < 0)
			return err_sys(err, ERR_SYSTEM, "open directory %s", QUOTE(path));
		(void)close(fd);
		fd = child;
		p[n] = after;
		p += n + (after == '/');
	}
	return fd < 0 ? err_sys(err, ERR_SYSTEM, "open the layer") : MOVE_FD(fd);
}

/* Bring the target into the layer, under its own real name. *ret_dir_fd: owned */
static int copy_up(struct settle *s, const char *target, char real[static PATH_MAX],
		   int *ret_dir_fd, struct err *err)
{
	AUTO(merged_entry) found = { .dir_fd = -EBADF };
	AUTO_CLOSE int dir_fd = -EBADF;
	const char *parent, *name;
	struct stat st;
	int r = merged_find(s->stack, s->n_stack, target, &found, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "no layer has the target");
	memcpy(real, found.path, strlen(found.path) + 1);
	entry_path_split(real, &parent, &name);
	dir_fd = settle_open_dir(s, parent, err);
	if (dir_fd < 0)
		return dir_fd;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		struct stat dir_st;

		if (fstat(dir_fd, &dir_st) < 0)
			return err_sys(err, ERR_SYSTEM, "stat directory");
		if (S_ISREG(found.st.st_mode))
			r = copy_file(&found, dir_fd, name, err);
		else if (S_ISLNK(found.st.st_mode))
			r = copy_symlink(&found, dir_fd, name, err);
		else
			r = err_set(err, ERR_CORRUPT, -EBADMSG, "the target is not a file");
		if (r < 0)
			return r;
		(void)futimens(dir_fd, (struct timespec[]){ dir_st.st_mtim, dir_st.st_mtim });
	}
	/* entry_path_split() cut real at the slash */
	if (*parent)
		real[strlen(parent)] = '/';
	*ret_dir_fd = MOVE_FD(dir_fd);
	return 0;
}

static int settle_link(struct settle *s, const char *target, const char *link, struct err *err)
{
	AUTO_CLOSE int target_fd = -EBADF;
	AUTO_CLOSE int dir_fd = -EBADF;
	char real[PATH_MAX], place[PATH_MAX], in[PATH_MAX];
	struct inode_place at = { 0 };
	const char *parent, *slash;
	struct stat st;
	int r = copy_up(s, target, real, &target_fd, err);

	if (r < 0)
		return r;
	if (strlen(link) >= sizeof(place))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "path is too long");
	memcpy(place, link, strlen(link) + 1);
	entry_path_split(place, &parent, &at.name);
	/* its directory may have moved */
	r = merged_find_dir(s->stack, s->n_stack, parent, in, err);
	if (r < 0)
		return r;
	dir_fd = settle_open_dir(s, r > 0 ? in : parent, err);
	if (dir_fd < 0)
		return dir_fd;
	if (fstat(dir_fd, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat directory");
	at.dir_fd = dir_fd;
	slash = strrchr(real, '/');
	r = inode_make_hardlink(&at, target_fd, slash ? slash + 1 : real, err);
	if (r == -ENOENT)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "the target is gone");
	if (r < 0)
		return r;
	(void)futimens(dir_fd, (struct timespec[]){ st.st_mtim, st.st_mtim });
	return 0;
}

/* No lower directory: the layer's stays as the unpacker made it. */
static int settle_dir(struct settle *s, const char *path, struct err *err)
{
	AUTO(merged_entry) found = { .dir_fd = -EBADF };
	AUTO_CLOSE int from = -EBADF;
	AUTO_CLOSE int to = -EBADF;
	int r = merged_find(s->stack + 1, s->n_stack - 1, path, &found, err);

	if (r < 0)
		return r;
	if (r == 0 || !S_ISDIR(found.st.st_mode))
		return 0;
	from = openat(found.dir_fd, found.name, OPEN_DIR);
	if (from < 0)
		return err_sys(err, ERR_SYSTEM, "open the directory of a layer below");
	to = path_at_open_beneath(s->layer_fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (to < 0) {
		errno = -to;
		return err_sys(err, ERR_SYSTEM, "open directory");
	}
	return meta_copy(from, to, err);
}

static int settle_dirs(struct settle *s, char *const *dirs, struct err *err)
{
	/* Deepest first: a parent without search permission would be in the way of its children. */
	for (size_t i = strv_len(dirs); i > 0; i--) {
		int r = settle_dir(s, dirs[i - 1], err);

		if (r < 0)
			return err_prefix(err, r, "directory %s", QUOTE(dirs[i - 1]));
	}
	return 0;
}

int lower_settle(int layer_fd, const int *lower_fds, size_t n_lower,
		 const struct layer_needs *needs, struct err *err)
{
	AUTO(settle)
	s = { .layer_fd = layer_fd,
	      .stack = calloc(n_lower + 1, sizeof(int)),
	      .n_stack = n_lower + 1 };
	AUTO_STRV made = NULL;
	AUTO_STRV implied = NULL;
	int r;

	if (!s.stack)
		return err_oom(err);
	s.stack[0] = layer_fd;
	for (size_t i = 0; i < n_lower; i++)
		s.stack[i + 1] = lower_fds[i];
	r = settle_follow(&s, needs->implied_dirs, &implied, err);
	if (r < 0)
		return r;
	for (char **l = needs->lower_links; l && l[0] && l[1]; l += 2) {
		r = settle_link(&s, l[0], l[1], err);
		if (r < 0)
			return err_prefix(err, r, "hardlink %s to %s", QUOTE(l[1]), QUOTE(l[0]));
	}
	made = path_set_steal(&s.made);
	r = settle_dirs(&s, made, err);
	return r < 0 ? r : settle_dirs(&s, implied, err);
}
