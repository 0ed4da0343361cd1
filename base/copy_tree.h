/* SPDX-License-Identifier: MIT */
/*
 * Copies of files and trees by fds, where both sides may be in the hands of somebody hostile who changes them meanwhile. No path is
 * resolved: what is copied is the inode that was looked at, and what is written is new, under a name of its own until it is whole.
 */
#ifndef BASE_COPY_TREE_H
#define BASE_COPY_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id_map.h"

#define COPY_DEPTH_MAX 1024 /* directories below each other; two fds each */

struct copy_options {
	/* Those of the container, NULL where ids are the same on both sides. */
	const struct id_map *uids, *gids;
	/* Which way: an id that the container does not know becomes its root's on the way in, nobody's (65534) on the way out. */
	bool inward;
	bool keep_privileges; /* set-user-ID and set-group-ID bits of files, file capabilities; else dropped with a notice */
	const volatile int *interrupted; /* NULL: never */
	/* Something that was left out or altered. @path: relative to the source, "" is the source itself; NULL: say nothing */
	void (*notice)(void *arg, const char *path, const char *what);
	void (*progress)(void *arg,
			 uint64_t bytes); /* bytes written so far; called often; NULL: not wanted */
	void *arg;
};

/**
 * copy_tree() - copy what @from_fd is to @name in @to_dir_fd, as cp -a does
 * @from_fd:   O_PATH | O_NOFOLLOW fd of the source: a file, a symlink, a FIFO, or a directory, with all that is below it
 * @to_dir_fd: O_DIRECTORY fd, not O_PATH
 * @name:      one component; NULL: what is in the directory @from_fd goes into @to_dir_fd
 * Existing directories are copied into and keep their attributes; another file of the name is replaced when the new one is whole.
 * Kept: mode, owner, times, user.* and ACL attributes, holes, hard links among the files copied. Devices, sockets and the kernel's own
 * file systems (proc, sysfs...) below the source are left out, with a notice. The umask must be 0.
 * Return: 0; -ENOTDIR/ERR_CONFLICT or -EISDIR/ERR_CONFLICT where a directory is on one side alone, -EINTR/ERR_INTERRUPTED, -ELOOP for a
 * tree that is too deep or would be copied into itself, other -errno. What was copied until then stays; no file is half written.
 */
int copy_tree(const struct copy_options *options, int from_fd, int to_dir_fd, const char *name,
	      struct err *err);

#endif
