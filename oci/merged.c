// SPDX-License-Identifier: MIT
/*
 * Lookups in a stack of layers (see merged.h).
 *
 * The walk holds, for the merged directory it stands in, the fd of that directory in each layer that takes part, uppermost first. A
 * symlink on the way rewrites the path, which is then walked again from the root; the part before it is known to be real by then.
 */
#include "oci/merged.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "oci/whiteout.h"

#define SYMLINKS_MAX 40

struct merged_dir {
	int *fds; /* O_PATH, owned */
	size_t n;
};

static void merged_dir_done(struct merged_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		(void)close(d->fds[i]);
	free(d->fds);
	*d = (struct merged_dir){ 0 };
}

void merged_entry_done(struct merged_entry *e)
{
	if (e->dir_fd >= 0)
		(void)close(e->dir_fd);
	e->dir_fd = -EBADF;
}

static int merged_root(const int *layers, size_t n, struct merged_dir *ret, struct err *err)
{
	AUTO(merged_dir) d = { .fds = calloc(n ? n : 1, sizeof(int)) };

	if (!d.fds)
		return err_oom(err);
	for (size_t i = 0; i < n; i++) {
		int fd = openat(layers[i], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return err_sys(err, ERR_SYSTEM, "open layer");
		d.fds[d.n++] = fd;
	}
	*ret = d;
	d = (struct merged_dir){ 0 };
	return 0;
}

static bool dir_is_opaque(int parent_fd, const char *name)
{
	AUTO_CLOSE int fd =
		openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && whiteout_is_opaque(fd);
}

/*
 * The topmost thing named so, of the parts from @first on.
 * Return: 1 with *ret_layer and *ret_st, 0 nothing there or whited out, -errno
 */
static int dir_find(const struct merged_dir *d, size_t first, const char *name, size_t *ret_layer,
		    struct stat *ret_st, struct err *err)
{
	for (size_t i = first; i < d->n; i++) {
		if (fstatat(d->fds[i], name, ret_st, AT_SYMLINK_NOFOLLOW) == 0) {
			*ret_layer = i;
			return !whiteout_is(ret_st);
		}
		if (errno != ENOENT)
			return err_sys(err, ERR_SYSTEM, "stat %s", QUOTE(name));
	}
	return 0;
}

/* Go down into a directory whose uppermost part is in layer @from. */
static int dir_descend(const struct merged_dir *d, const char *name, size_t from,
		       struct merged_dir *ret, struct err *err)
{
	AUTO(merged_dir) below = { .fds = calloc(d->n, sizeof(int)) };

	if (!below.fds)
		return err_oom(err);
	for (size_t i = from; i < d->n; i++) {
		int fd = openat(d->fds[i], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
			break;
		if (fd < 0)
			return err_sys(err, ERR_SYSTEM, "open directory %s", QUOTE(name));
		below.fds[below.n++] = fd;
		if (dir_is_opaque(d->fds[i], name))
			break;
	}
	*ret = below;
	below = (struct merged_dir){ 0 };
	return 0;
}

/*
 * The path with the symlink resolved: what comes before it is real, so ".." in the target may be taken off textually.
 * @before: length of the real part, without the link's own name; @after: what follows the link, "" or "/..."
 */
static int resolve_link(char path[static PATH_MAX], size_t before, const char *target,
			const char *after, struct err *err)
{
	char todo[2 * PATH_MAX], real[PATH_MAX];
	size_t len = *target == '/' ? 0 : before;
	const char *p = todo;

	memcpy(real, path, len);
	(void)snprintf(todo, sizeof(todo), "%s%s", target, after);
	for (;;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 0)
			break;
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			while (len > 0 && real[len - 1] != '/')
				len--;
			len -= len > 0;
		} else if (n != 1 || p[0] != '.') {
			if (len + 1 + n >= PATH_MAX || n > NAME_MAX)
				return err_set(err, ERR_CORRUPT, -EBADMSG, "path is too long");
			if (len > 0)
				real[len++] = '/';
			memcpy(real + len, p, n);
			len += n;
		}
		p += n;
	}
	memcpy(path, real, len);
	path[len] = '\0';
	return 0;
}

/* @path: the symlink's name stands at @at, all before is real; @dir_fd: the directory that holds it */
static int follow_link(int dir_fd, char path[static PATH_MAX], size_t at, struct err *err)
{
	char name[NAME_MAX + 1], target[PATH_MAX], after[PATH_MAX];
	size_t n = strcspn(path + at, "/");
	ssize_t len;

	memcpy(name, path + at, n);
	name[n] = '\0';
	len = readlinkat(dir_fd, name, target, sizeof(target) - 1);
	if (len < 0)
		return err_sys(err, ERR_SYSTEM, "read symlink %s", QUOTE(name));
	target[len] = '\0';
	memcpy(after, path + at + n, strlen(path + at + n) + 1);
	return resolve_link(path, at > 0 ? at - 1 : 0, target, after, err);
}

/*
 * Walk a path whose real part grows with every symlink resolved.
 * @skip: parts of the last directory that are not looked at
 * Return: 1 with *ret, 0 nothing there, -EAGAIN: a symlink was resolved in ret->path, walk again; other -errno
 */
static int walk_once(const int *layers, size_t n, size_t skip, struct merged_entry *ret,
		     struct err *err)
{
	AUTO(merged_dir) d = { 0 };
	char *p = ret->path;
	int r = merged_root(layers, n, &d, err);

	while (r >= 0) {
		char *slash = strchr(p, '/');
		struct merged_dir below = { 0 };
		size_t layer = 0;

		if (slash)
			*slash = '\0';
		r = *p ? dir_find(&d, slash ? 0 : skip, p, &layer, &ret->st, err) : 0;
		if (r > 0 && slash && S_ISDIR(ret->st.st_mode)) {
			r = dir_descend(&d, p, layer, &below, err);
			if (r == 0) {
				merged_dir_done(&d);
				d = below;
			}
			*slash = '/';
			p = slash + 1;
			continue;
		}
		if (slash)
			*slash = '/';
		if (r <= 0)
			return r;
		if (slash && S_ISLNK(ret->st.st_mode)) {
			r = follow_link(d.fds[layer], ret->path, (size_t)(p - ret->path), err);
			return r < 0 ? r : -EAGAIN;
		}
		/* what was found is in one of fds; the analyzer cannot see that */
		if (slash || !d.fds)
			return 0;
		ret->name = p;
		ret->dir_fd = openat(d.fds[layer], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return ret->dir_fd < 0 ? err_sys(err, ERR_SYSTEM, "open directory") : 1;
	}
	return r;
}

static int find(const int *layers, size_t n, size_t skip, const char *path,
		struct merged_entry *ret, struct err *err)
{
	size_t len = strlen(path);
	int r = -EAGAIN;

	if (len >= PATH_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "path is too long");
	ret->dir_fd = -EBADF;
	memcpy(ret->path, path, len + 1);
	for (int links = 0; r == -EAGAIN; links++) {
		if (links > SYMLINKS_MAX)
			return err_set(err, ERR_CORRUPT, -EBADMSG, "too many symlinks");
		r = walk_once(layers, n, skip, ret, err);
	}
	return r;
}

int merged_find(const int *layers, size_t n, const char *path, struct merged_entry *ret,
		struct err *err)
{
	return find(layers, n, 0, path, ret, err);
}

/* A link that goes in circles or spells too long a path leads nowhere, which is no failure here. */
static int nowhere_if_corrupt(int r, const struct err *why, struct err *err)
{
	if (r == -EBADMSG)
		return 0;
	if (r < 0 && err)
		*err = *why;
	return r;
}

/* As find(), the last component followed. Return: 1 with its real path, 0 (also for symlinks without an end), -errno */
static int find_dir(const int *layers, size_t n, char path[static PATH_MAX], struct err *err)
{
	struct err why = { 0 };

	for (int links = 0; links <= SYMLINKS_MAX && *path; links++) {
		AUTO(merged_entry) e = { .dir_fd = -EBADF };
		int r = find(layers, n, 0, path, &e, &why);

		if (r < 0)
			return nowhere_if_corrupt(r, &why, err);
		if (r == 0 || (!S_ISDIR(e.st.st_mode) && !S_ISLNK(e.st.st_mode)))
			return 0;
		memcpy(path, e.path, strlen(e.path) + 1);
		if (S_ISDIR(e.st.st_mode))
			return 1;
		r = follow_link(e.dir_fd, path, (size_t)(e.name - e.path), &why);
		if (r < 0)
			return nowhere_if_corrupt(r, &why, err);
	}
	return *path == '\0';
}

int merged_find_dir(const int *layers, size_t n, const char *path, char ret[static PATH_MAX],
		    struct err *err)
{
	size_t len = strlen(path);

	if (len >= PATH_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "path is too long");
	memcpy(ret, path, len + 1);
	return find_dir(layers, n, ret, err);
}

int merged_follow_below(const int *layers, size_t n, const char *path, char ret[static PATH_MAX],
			struct err *err)
{
	AUTO(merged_entry) e = { .dir_fd = -EBADF };
	struct err why = { 0 };
	int r = find(layers, n, 1, path, &e, err);

	if (r <= 0 || !S_ISLNK(e.st.st_mode) || strcmp(e.path, path) != 0)
		return r < 0 ? r : 0;
	memcpy(ret, e.path, strlen(e.path) + 1);
	r = follow_link(e.dir_fd, ret, (size_t)(e.name - e.path), &why);
	if (r < 0)
		return nowhere_if_corrupt(r, &why, err);
	return find_dir(layers, n, ret, err);
}
