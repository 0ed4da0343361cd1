/* SPDX-License-Identifier: MIT */
/* A cgroup inside a container's, for one command that joins it: beside what the container's own init keeps there. */
#ifndef RUNTIME_CGROUP_LEAF_H
#define RUNTIME_CGROUP_LEAF_H

#define CGROUP_LEAF_NAME_MAX 40

struct cgroup_leaf {
	int parent_fd; /* the container's; -EBADF where it has none */
	int fd; /* to be cloned into; -EBADF where there is none */
	char name[CGROUP_LEAF_NAME_MAX]; /* below the container's; "": it is that one itself */
};
#define CGROUP_LEAF_NONE ((struct cgroup_leaf){ .parent_fd = -EBADF, .fd = -EBADF })

/**
 * cgroup_leaf_make() - a new one
 * Where none can be made (the container has set itself a limit, or the hierarchy is read-only here) the container's own is taken.
 * @path: of the container's cgroup; NULL: it has none, and neither will the command
 * Return: 0, -errno
 */
int cgroup_leaf_make(const char *path, struct cgroup_leaf *ret);

/** cgroup_leaf_use_parent() - the container's own after all. Return: 0, or -ENOENT if it is that already */
int cgroup_leaf_use_parent(struct cgroup_leaf *leaf);

/** cgroup_leaf_kill() - end all that is in it; nothing is done to the container's own */
void cgroup_leaf_kill(const struct cgroup_leaf *leaf);

/**
 * cgroup_leaf_done() - remove it, unless the command has left processes behind; and those that others left (racker was killed, or the last
 * such process has ended since). What remains goes with the container.
 */
void cgroup_leaf_done(struct cgroup_leaf *leaf);

#endif
