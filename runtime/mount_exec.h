/* SPDX-License-Identifier: MIT */
/* Carries out a mount plan below a root directory fd, one small function a kind. Runs in the container's own mount namespace. */
#ifndef RUNTIME_MOUNT_EXEC_H
#define RUNTIME_MOUNT_EXEC_H

#include "base/err.h"
#include "runtime/mount_plan.h"

struct mount_exec {
	const struct mount_plan *plan;
	int root_fd; /* the new root; borrowed */
	int scratch_fd; /* private tmpfs for the texts of MOUNT_FILE; borrowed */
	int *source_fds; /* detached copies of MOUNT_BIND sources, by index of the operation; -EBADF elsewhere */
	int dev_fd; /* the container's /dev; -EBADF until a device or link is made in it */
	int empty_fd; /* an empty read-only directory, mounted on the first masked one; -EBADF until then */
	int null_fd; /* the container's /dev/null, proven to be 1:3, for masks; -EBADF until made */
	int pty_master, pty_slave; /* -EBADF until MOUNT_CONSOLE */
};

/**
 * mount_exec_begin() - open the sources of all binds, before anything is mounted over them
 * Return: 0, -ENOENT "bind source path does not exist: X", other -errno. Its fds are close-on-exec and go with the process.
 */
int mount_exec_begin(const struct mount_plan *plan, struct mount_exec *ret, struct err *err);
/** mount_exec_done() - close the sources. Only for a parent that began for its child; the child's go with the process. */
void mount_exec_done(struct mount_exec *x);
/** mount_exec_run() - all operations in order. Return: 0 or -errno naming the target */
int mount_exec_run(struct mount_exec *x, struct err *err);

#endif
