// SPDX-License-Identifier: MIT
/* Source and destination of a copy (see copy_place.h). */
#include "base/copy_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path_at.h"

#define LINKS_MAX 40 /* as the kernel's MAXSYMLINKS */

void copy_source_done(struct copy_source *s)
{
	cleanup_close(&s->fd);
	s->fd = -EBADF;
}

void copy_place_done(struct copy_place *p)
{
	cleanup_close(&p->dir_fd);
	p->dir_fd = -EBADF;
}

/* Return: fd or -errno */
static int side_open(int root_fd, const char *path, int flags)
{
	int fd;

	if (root_fd != COPY_SIDE_HOST)
		return path_at_open(root_fd, path, flags, 0);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int fail(struct err *err, int r, const char *what)
{
	enum err_kind kind = r == -ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;

	return err_set(err, kind, r, "%s%s%s", what, *what ? ": " : "", strerror(-r));
}

/* The last component, without the slashes at its end; *ret_slash: there are some. Return: where it begins */
static const char *last_component(const char *path, size_t *ret_len, bool *ret_slash)
{
	size_t end = strlen(path), begin;

	*ret_slash = end > 0 && path[end - 1] == '/';
	while (end > 0 && path[end - 1] == '/')
		end--;
	begin = end;
	while (begin > 0 && path[begin - 1] != '/')
		begin--;
	*ret_len = end - begin;
	return path + begin;
}

static bool is_dots(const char *name, size_t len)
{
	return (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
}

int copy_source_open(int root_fd, const char *path, bool follow, struct copy_source *ret,
		     struct err *err)
{
	AUTO(copy_source) s = { .fd = -EBADF };
	struct stat st;
	size_t len;
	bool slash;
	const char *name = last_component(path, &len, &slash);

	if (!*path)
		return fail(err, -ENOENT, "");
	if (len > NAME_MAX)
		return fail(err, -ENAMETOOLONG, "");
	if (is_dots(name, len))
		len = 0;
	memcpy(s.name, name, len);
	/* The kernel follows a link before a '/', and refuses a file there. */
	s.fd = side_open(root_fd, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
	if (s.fd < 0)
		return fail(err, s.fd, "");
	if (fstat(s.fd, &st) < 0)
		return fail(err, -errno, "stat");
	s.is_dir = S_ISDIR(st.st_mode);
	*ret = s;
	s.fd = -EBADF;
	return 0;
}

/* Cuts @path into a parent ("." or "/" if it names none) and a name. Return: the name, in @path */
static char *split(char *path, const char **ret_parent)
{
	char *slash = strrchr(path, '/');

	if (!slash) {
		*ret_parent = ".";
		return path;
	}
	*slash = '\0';
	*ret_parent = slash == path ? "/" : path;
	return slash + 1;
}

/* What the symlink @target in @parent names, as a path from the root. */
static int path_of_link(const char *parent, const char *target, char path[static PATH_MAX])
{
	char joined[PATH_MAX];
	int n = target[0] == '/' ? snprintf(joined, sizeof(joined), "%s", target) :
				   snprintf(joined, sizeof(joined), "%s/%s", parent, target);

	if (n < 0 || (size_t)n >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(path, joined, (size_t)n + 1);
	return 0;
}

/*
 * The parent and the name that @path has in it once no symlink is left at its end. Only for what is no directory: that one is opened as a
 * whole.
 */
static int open_parent(int root_fd, char path[static PATH_MAX], struct copy_place *ret,
		       struct err *err)
{
	for (int i = 0; i < LINKS_MAX; i++) {
		char target[PATH_MAX], *name;
		AUTO_CLOSE int dir = -EBADF;
		const char *parent;
		ssize_t n;
		int r;

		for (size_t len = strlen(path); len > 1 && path[len - 1] == '/';)
			path[--len] = '\0';
		name = split(path, &parent);
		if (strlen(name) > NAME_MAX)
			return fail(err, -ENAMETOOLONG, "");
		dir = side_open(root_fd, parent, O_RDONLY | O_DIRECTORY);
		if (dir < 0)
			return fail(err, dir, "its parent directory");
		/* Of what is missing or another thing than a directory; a race away from that is no place to copy to. */
		if (!*name || is_dots(name, strlen(name)))
			return fail(err, -ENOENT, "");
		n = readlinkat(dir, name, target, sizeof(target) - 1);
		if (n < 0 && errno != EINVAL && errno != ENOENT)
			return fail(err, -errno, "");
		if (n < 0) {
			memcpy(ret->name, name, strlen(name) + 1);
			ret->dir_fd = MOVE_FD(dir);
			return 0;
		}
		target[n] = '\0';
		r = path_of_link(parent, target, path);
		if (r < 0)
			return fail(err, r, "");
	}
	return fail(err, -ELOOP, "");
}

/* @dir_fd is a directory that is there, and is consumed. */
static int place_in(int dir_fd, const struct copy_source *source, bool exact,
		    struct copy_place *ret, struct err *err)
{
	AUTO_CLOSE int fd = dir_fd;

	if (exact && !source->is_dir)
		return err_set(err, ERR_CONFLICT, -EISDIR,
			       "cannot overwrite a directory with what is none");
	memcpy(ret->name, exact ? "" : source->name, exact ? sizeof("") : strlen(source->name) + 1);
	ret->dir_fd = MOVE_FD(fd);
	return 0;
}

int copy_place_open(int root_fd, const char *path, const struct copy_source *source, bool exact,
		    struct copy_place *ret, struct err *err)
{
	char walked[PATH_MAX];
	size_t len = strlen(path);
	int fd;

	if (len == 0)
		return fail(err, -ENOENT, "");
	if (len >= sizeof(walked))
		return fail(err, -ENAMETOOLONG, "");
	fd = side_open(root_fd, path, O_RDONLY | O_DIRECTORY);
	if (fd >= 0)
		return place_in(fd, source, exact, ret, err);
	if (fd != -ENOENT && fd != -ENOTDIR)
		return fail(err, fd, "");
	if (path[len - 1] == '/' && !(source->is_dir && fd == -ENOENT))
		return err_set(err, fd == -ENOENT ? ERR_NOT_FOUND : ERR_CONFLICT, fd,
			       fd == -ENOENT ? "no such directory" : "not a directory");
	memcpy(walked, path, len + 1);
	return open_parent(root_fd, walked, ret, err);
}
