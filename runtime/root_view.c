// SPDX-License-Identifier: MIT
/* Looking into a container (see root_view.h). */
#include "runtime/root_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define MAP_BYTES_MAX ((size_t)64 << 10) /* ID_RANGES_MAX lines */

void root_view_done(struct root_view *v)
{
	cleanup_close(&v->root_fd);
	v->root_fd = -EBADF;
	id_map_done(&v->uids);
	id_map_done(&v->gids);
}

static int read_map(int proc_fd, const char *name, struct id_map *ret, struct err *err)
{
	AUTO_FREE char *text = NULL;
	int r = fd_read_file_at(proc_fd, name, MAP_BYTES_MAX, &text, NULL, err);

	if (r < 0)
		return r;
	r = id_map_parse(text, ret);
	return r < 0 ? err_set(err, ERR_SYSTEM, r, "read %s: %s", name, strerror(-r)) : 0;
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int open_root(int proc_fd, struct root_view *v, struct err *err)
{
	struct stat ours, theirs;

	v->root_fd = openat(proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (v->root_fd < 0 || fstat(v->root_fd, &theirs) < 0 || stat("/", &ours) < 0)
		return err_sys(err, ERR_SYSTEM, "open the container's root");
	if (same_inode(&ours, &theirs))
		return err_set(err, ERR_CONFLICT, -EXDEV, "the container's root is the host's");
	return 0;
}

/* In one namespace the map tells ids of the parent namespace, which are nobody's business here. */
static int read_maps(int proc_fd, struct root_view *v, struct err *err)
{
	struct stat ours, theirs;
	int r;

	if (stat("/proc/self/ns/user", &ours) < 0 || fstatat(proc_fd, "ns/user", &theirs, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "look at the container's user namespace");
	v->mapped = !same_inode(&ours, &theirs);
	if (!v->mapped)
		return 0;
	r = read_map(proc_fd, "uid_map", &v->uids, err);
	return r < 0 ? r : read_map(proc_fd, "gid_map", &v->gids, err);
}

int root_view_open(int pidfd, pid_t pid, struct root_view *ret, struct err *err)
{
	AUTO(root_view) v = { .root_fd = -EBADF };
	AUTO_CLOSE int proc_fd = -EBADF;
	char path[40];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d", pid);
	proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = proc_fd < 0 ? err_sys(err, ERR_SYSTEM, "open %s", path) : open_root(proc_fd, &v, err);
	if (r == 0)
		r = read_maps(proc_fd, &v, err);
	/* What was read is of the process meant only if that one is there still; and why it failed does not matter otherwise. */
	if (fd_pidfd_signal(pidfd, 0) == -ESRCH)
		return err_set(err, ERR_NOT_FOUND, -ESRCH, "the container has ended");
	if (r < 0)
		return r;
	*ret = v;
	v = (struct root_view){ .root_fd = -EBADF };
	return 0;
}
