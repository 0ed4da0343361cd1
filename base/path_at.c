// SPDX-License-Identifier: MIT
/*
 * The resolver for untrusted paths (see path_at.h).
 *
 * The kernel resolves every path, with the root fd as its root: no string is checked first and used afterwards. What has to be
 * made is made by one *at() call below an O_PATH fd that such a resolution gave, with a name of one component that is not
 * followed. Whoever renames things in the tree meanwhile can make a call fail or choose another place in the root, never one
 * outside.
 */
#include "base/path_at.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

/* openat2(2) gives EAGAIN when a rename elsewhere raced with a ".."; whoever makes that last is not waited for. */
#define OPEN_TRIES_MAX 64
/* As the kernel's MAXSYMLINKS, for those that have to be followed here because their target is missing. */
#define DANGLING_MAX 40
/* How often somebody may remove or put something where a name is just being made. */
#define MAKE_TRIES_MAX 16

#define PATH_DIR (O_PATH | O_DIRECTORY)

bool path_is_safe(const char *path)
{
	const char *p = path;

	if (!*path || strlen(path) >= PATH_MAX)
		return false;
	if (!strcmp(path, "."))
		return true;
	if (!strncmp(p, "./", 2))
		p += 2;
	/* Behind "./" nothing need follow, and behind a directory's name one '/' may stand: so tar writes them. */
	while (*p) {
		size_t len = strcspn(p, "/");

		if (len == 0 || len > NAME_MAX)
			return false;
		if (p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.')))
			return false;
		p += len;
		if (*p == '/')
			p++;
	}
	return true;
}

static int resolve(int root_fd, const char *path, int flags, mode_t mode, uint64_t how_to)
{
	struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
				.resolve = how_to };

	/* Other than open(2), openat2(2) refuses a mode that it has no use for. */
	if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE)
		how.mode = mode & 07777;
	for (int i = 0; i < OPEN_TRIES_MAX;) {
		long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno == EAGAIN)
			i++;
		else if (errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int path_at_open(int root_fd, const char *path, int flags, mode_t mode)
{
	return resolve(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_at_open_beneath(int root_fd, const char *path, int flags, mode_t mode)
{
	return resolve(root_fd, path, flags, mode,
		       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

/*
 * A walk from the root down. @done is the path walked so far, as it was spelled, and @dir_fd the directory that it is; @rest is
 * still to be walked. Symlinks in @done stay in it: the kernel follows them anew at each step.
 */
struct walk {
	int root_fd;
	int dir_fd;
	unsigned dangling; /* links to nowhere, met so far */
	char done[PATH_MAX];
	char rest[PATH_MAX];
};

static void walk_done(struct walk *w)
{
	cleanup_close(&w->dir_fd);
}

static int walk_restart(struct walk *w)
{
	cleanup_close(&w->dir_fd);
	w->done[0] = '\0';
	w->dir_fd = path_at_open(w->root_fd, "/", PATH_DIR, 0);
	return w->dir_fd < 0 ? w->dir_fd : 0;
}

static int walk_begin(struct walk *w, const char *path)
{
	size_t len = strlen(path);

	if (len >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memcpy(w->rest, path, len + 1);
	return walk_restart(w);
}

/* Cuts the first component off @rest. Return: false when there is none left. */
static bool walk_next(struct walk *w, char name[static NAME_MAX + 2])
{
	const char *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/");

	if (!len)
		return false;
	/* A longer one is cut where the kernel still refuses it as too long. */
	(void)snprintf(name, NAME_MAX + 2, "%.*s", (int)(len > INT_MAX ? INT_MAX : len), p);
	memmove(w->rest, p + len, strlen(p + len) + 1);
	return true;
}

/* What a symlink to nowhere names is walked next, so that it comes into being, as open(2) with O_CREAT would make it. */
static int walk_follow(struct walk *w, const char *name)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len = readlinkat(w->dir_fd, name, target, sizeof(target));
	int n;

	if (len < 0)
		return -errno;
	if ((size_t)len >= sizeof(target))
		return -ENAMETOOLONG;
	target[len] = '\0';
	if (++w->dangling > DANGLING_MAX)
		return -ELOOP;
	/* What is left of a path begins with its '/'. */
	n = snprintf(rest, sizeof(rest), "%s%s", target, w->rest);
	if (n < 0 || (size_t)n >= sizeof(rest))
		return -ENAMETOOLONG;
	memcpy(w->rest, rest, (size_t)n + 1);
	return target[0] == '/' ? walk_restart(w) : 0;
}

/* Return: 0 if @name is in @dir_fd now, 1 if somebody interfered and the step must be tried again, -errno */
static int walk_make(struct walk *w, const char *name, mode_t mode)
{
	int fd;

	if (mkdirat(w->dir_fd, name, mode) < 0)
		return errno == EEXIST ? 1 : -errno;
	fd = openat(w->dir_fd, name, PATH_DIR | O_NOFOLLOW | O_CLOEXEC);
	/* Gone or replaced since the mkdirat. */
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 1 : -errno;
	(void)close(w->dir_fd);
	w->dir_fd = fd;
	return 0;
}

/* One component: into what is there, else make it. */
static int walk_step(struct walk *w, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", w->done, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	for (int i = 0; i < MAKE_TRIES_MAX; i++) {
		int r, fd = path_at_open(w->root_fd, path, PATH_DIR, 0);

		if (fd >= 0) {
			(void)close(w->dir_fd);
			w->dir_fd = fd;
		} else if (fd != -ENOENT) {
			return fd;
		} else {
			r = walk_make(w, name, mode);
			if (r == 1) {
				r = walk_follow(w, name);
				/* EINVAL: no symlink (a directory made meanwhile); ENOENT: removed meanwhile. */
				if (r == -EINVAL || r == -ENOENT)
					continue;
				return r;
			}
			if (r < 0)
				return r;
		}
		memcpy(w->done, path, (size_t)n + 1);
		return 0;
	}
	return -EAGAIN;
}

static int walk_all(int root_fd, const char *path, mode_t mode)
{
	AUTO(walk) w = { .root_fd = root_fd, .dir_fd = -EBADF };
	char name[NAME_MAX + 2];
	int r = walk_begin(&w, path);

	while (r >= 0 && walk_next(&w, name))
		r = walk_step(&w, name, mode);
	return r < 0 ? r : MOVE_FD(w.dir_fd);
}

int path_at_mkdir_p(int root_fd, const char *path, mode_t mode)
{
	/* Nearly always everything is there. */
	int fd = path_at_open(root_fd, path, PATH_DIR, 0);

	if (fd != -ENOENT || !*path)
		return fd;
	return walk_all(root_fd, path, mode);
}

/* The last component: a file if nothing is there. A link to nowhere is left to the next steps: they walk where it leads. */
static int walk_make_file(struct walk *w, const char *name, mode_t mode)
{
	for (int i = 0; i < MAKE_TRIES_MAX; i++) {
		int r, fd = openat(w->dir_fd, name,
				   O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

		if (fd >= 0)
			return close(fd) < 0 ? -errno : 0;
		if (errno != EEXIST)
			return -errno;
		r = walk_follow(w, name);
		/* No symlink: made by somebody else meanwhile, or one of "." and "..". */
		if (r == -EINVAL)
			return 0;
		/* Removed meanwhile. */
		if (r != -ENOENT)
			return r;
	}
	return -EAGAIN;
}

/* Makes what is missing of @path, and of what the links on the way name: directories, and a file at the end. */
static int make_missing(int root_fd, const char *path, mode_t mode)
{
	AUTO(walk) w = { .root_fd = root_fd, .dir_fd = -EBADF };
	char name[NAME_MAX + 2];
	int r = walk_begin(&w, path);

	while (r >= 0 && walk_next(&w, name)) {
		if (w.rest[strspn(w.rest, "/")] != '\0')
			r = walk_step(&w, name, 0755);
		else if (w.rest[0] == '/')
			/* As open(2) says of a file to be made whose name ends so. */
			r = -EISDIR;
		else
			r = walk_make_file(&w, name, mode);
	}
	return r;
}

int path_at_make_file(int root_fd, const char *path, mode_t mode)
{
	for (int i = 0; i < MAKE_TRIES_MAX; i++) {
		AUTO_CLOSE int fd = path_at_open(root_fd, path, O_PATH, 0);
		struct stat st;
		int r;

		if (fd >= 0) {
			if (fstat(fd, &st) < 0)
				return -errno;
			return S_ISDIR(st.st_mode) ? -EISDIR : MOVE_FD(fd);
		}
		if (fd != -ENOENT || !*path)
			return fd;
		r = make_missing(root_fd, path, mode);
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}

/* Only what is a regular file is opened for reading: opening a device may already do something. */
static int open_regular(int root_fd, const char *path)
{
	AUTO_CLOSE int fd = path_at_open(root_fd, path, O_PATH, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	(void)close(MOVE_FD(fd));
	fd = path_at_open(root_fd, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	/* It may be another one by now. */
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? MOVE_FD(fd) : -EINVAL;
}

int path_at_read(int root_fd, const char *path, size_t max, char **ret_buf, size_t *ret_len)
{
	AUTO_CLOSE int fd = open_regular(root_fd, path);

	return fd < 0 ? fd : fd_read_all(fd, max, ret_buf, ret_len);
}
