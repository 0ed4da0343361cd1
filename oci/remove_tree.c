// SPDX-License-Identifier: MIT
/*
 * Removal of trees (see remove_tree.h).
 *
 * A directory that is not empty is entered, and the one it is in is read again from its start afterwards, found through "..". All that
 * could go is gone by then, so no entry is looked at more than twice for each directory entered, and no stack is needed.
 */
#include "oci/remove_tree.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static int remove_entry(int dir_fd, const struct dirent *e)
{
	if (e->d_type != DT_DIR) {
		if (unlinkat(dir_fd, e->d_name, 0) == 0)
			return 0;
		if (errno != EISDIR)
			return -errno;
	}
	return unlinkat(dir_fd, e->d_name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

/* Without DAC_OVERRIDE a directory of mode 0555 cannot be emptied; a failure shows in the unlink. */
static int open_to_empty(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (geteuid() != 0)
		(void)fchmod(fd, 0700);
	return fd;
}

/*
 * Empties @fd, which is consumed. At a directory with something in it, that one is opened instead.
 * Return: 1 with *ret_child, 0 when empty, -errno
 */
static int empty_or_descend(int fd, int *ret_child)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(fd);
	struct dirent *e;
	int r;

	if (!dir) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	while ((errno = 0, e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = remove_entry(dirfd(dir), e);
		if (r == -ENOTEMPTY || r == -EEXIST) {
			r = open_to_empty(dirfd(dir), e->d_name);
			if (r < 0)
				return r;
			*ret_child = r;
			return 1;
		}
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return -errno;
}

static int empty_tree(int top_fd)
{
	AUTO_CLOSE int fd = top_fd;
	size_t depth = 0;

	for (;;) {
		int child = -EBADF, r;
		int scan = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (scan < 0)
			return -errno;
		r = empty_or_descend(scan, &child);
		if (r < 0)
			return r;
		if (r == 0) {
			if (depth == 0)
				return 0;
			depth--;
			child = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (child < 0)
				return -errno;
		} else {
			depth++;
		}
		(void)close(fd);
		fd = child;
	}
}

int remove_tree_at(int dir_fd, const char *name)
{
	int r;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	r = open_to_empty(dir_fd, name);
	if (r < 0)
		return r;
	r = empty_tree(r);
	if (r < 0)
		return r;
	return unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}
