// SPDX-License-Identifier: MIT
/*
 * A cgroup inside a container's (see cgroup_leaf.h). The container may see, empty and remove it: it is told apart by its name alone, and nothing
 * is expected of it but that processes of the container are in it.
 */
#include "runtime/cgroup_leaf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define LEAF_PREFIX "racker-exec-"
#define SWEEP_MAX 4096 /* names looked at; the container makes as many as it likes */

int cgroup_leaf_make(const char *path, struct cgroup_leaf *ret)
{
	AUTO_CLOSE int parent = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) :
				       -EBADF;
	struct cgroup_leaf leaf = CGROUP_LEAF_NONE;
	uint64_t random;

	*ret = leaf;
	if (!path)
		return 0;
	if (parent < 0)
		return -errno;
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	(void)snprintf(leaf.name, sizeof(leaf.name), LEAF_PREFIX "%016" PRIx64, random);
	if (mkdirat(parent, leaf.name, 0755) == 0)
		leaf.fd =
			openat(parent, leaf.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	leaf.parent_fd = MOVE_FD(parent);
	*ret = leaf;
	return leaf.fd >= 0 ? 0 : cgroup_leaf_use_parent(ret);
}

int cgroup_leaf_use_parent(struct cgroup_leaf *leaf)
{
	if (!leaf->name[0] || leaf->parent_fd < 0)
		return -ENOENT;
	(void)unlinkat(leaf->parent_fd, leaf->name, AT_REMOVEDIR);
	leaf->name[0] = '\0';
	cleanup_close(&leaf->fd);
	leaf->fd = fcntl(leaf->parent_fd, F_DUPFD_CLOEXEC, 0);
	return leaf->fd < 0 ? -errno : 0;
}

void cgroup_leaf_kill(const struct cgroup_leaf *leaf)
{
	AUTO_CLOSE int fd = leaf->name[0] && leaf->fd >= 0 ?
				    openat(leaf->fd, "cgroup.kill", O_WRONLY | O_CLOEXEC) :
				    -EBADF;

	if (fd >= 0)
		(void)!write(fd, "1", 1);
}

/* An empty one may be another racker's that is about to be used: that one finds out, and makes itself another. */
static void sweep(int parent_fd)
{
	int fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (fd >= 0 && !dir)
		(void)close(fd);
	for (int i = 0; dir && i < SWEEP_MAX && (e = readdir(dir)); i++)
		if (!strncmp(e->d_name, LEAF_PREFIX, strlen(LEAF_PREFIX)) &&
		    unlinkat(parent_fd, e->d_name, AT_REMOVEDIR) == 0)
			log_debug("removed cgroup %s", e->d_name);
}

void cgroup_leaf_done(struct cgroup_leaf *leaf)
{
	if (leaf->parent_fd >= 0)
		sweep(leaf->parent_fd);
	cleanup_close(&leaf->fd);
	cleanup_close(&leaf->parent_fd);
	*leaf = CGROUP_LEAF_NONE;
}
