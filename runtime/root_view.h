/* SPDX-License-Identifier: MIT */
/* A running container's file system and ids, as seen from outside. */
#ifndef RUNTIME_ROOT_VIEW_H
#define RUNTIME_ROOT_VIEW_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/id_map.h"

struct root_view {
	int root_fd; /* owned: O_PATH of the root directory of its PID 1, in its mount namespace */
	bool mapped; /* it has a user namespace of its own; else the maps are empty and ids are the same on both sides */
	struct id_map uids, gids;
};
void root_view_done(struct root_view *v);

/**
 * root_view_open() - look into the container of a process
 * Everything is read through one fd of /proc/PID, and the pidfd tells afterwards that this was the process meant.
 * @pidfd: of @pid, of a container whose command runs (before that its root may still be the host's, which is refused)
 * Return: 0, -ESRCH/ERR_NOT_FOUND (it has ended), -EXDEV/ERR_CONFLICT (its root is ours), other -errno
 */
int root_view_open(int pidfd, pid_t pid, struct root_view *ret, struct err *err);

#endif
