/* SPDX-License-Identifier: MIT */
/* What the files of the tree copier share (copy_tree.h is its face): the copy under way, one inode, its attributes. */
#ifndef BASE_COPY_STATE_H
#define BASE_COPY_STATE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/copy_links.h"
#include "base/copy_tree.h"

/* A directory that is being copied. */
struct copy_level {
	DIR *from; /* owned */
	int to; /* owned; not O_PATH */
	size_t path_len; /* of copy.path up to this directory */
	struct stat st; /* of the source */
	bool made; /* by us: gets the source's attributes when it is left */
	bool hands_down_acl; /* new files in it get an ACL that they must not keep */
};

struct copy {
	const struct copy_options *options; /* borrowed */
	struct copy_level *levels; /* owned */
	size_t n, cap;
	struct copy_links links;
	dev_t made_dev; /* the topmost directory that we made: it must not be copied into itself */
	ino_t made_ino;
	uint64_t bytes;
	char *path; /* owned, COPY_PATH_MAX: of the entry at hand, relative to the top */
	char *data, *names,
		*value; /* owned buffers: file contents, names and values of extended attributes */
};

#define COPY_PATH_MAX ((size_t)(COPY_DEPTH_MAX + 1) * (NAME_MAX + 1))
#define COPY_DATA_MAX ((size_t)256 << 10)
#define COPY_XATTR_MAX ((size_t)65536) /* XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel */

/** copy_notice() - tell the caller about the entry at hand */
__attribute__((format(printf, 2, 3))) void copy_notice(const struct copy *c, const char *fmt, ...);
/** copy_check_interrupt() - Return: 0 or -EINTR/ERR_INTERRUPTED */
int copy_check_interrupt(const struct copy *c, struct err *err);

/* Where a copy goes. */
struct copy_target {
	int dir_fd; /* borrowed */
	const char *name;
	bool acl; /* new files get an ACL from the directory */
};

/**
 * copy_inode() - copy anything but a directory; one of several names becomes a link if the others were copied
 * @fd: O_PATH of the source; @st: of it
 */
int copy_inode(struct copy *c, int fd, const struct stat *st, const struct copy_target *to,
	       struct err *err);
/** copy_reopen() - the very inode behind an O_PATH fd. Return: fd or -errno */
int copy_reopen(int fd, int flags);

/** copy_owner() - the ids that a copy of @st gets */
void copy_owner(const struct copy *c, const struct stat *st, uid_t *ret_uid, gid_t *ret_gid);
/** copy_mode() - the permission bits that it gets, with a notice if some are dropped */
mode_t copy_mode(const struct copy *c, const struct stat *st);
/**
 * copy_attributes() - owner, extended attributes, mode and times of an open file or directory
 * @from: open for reading; @to: open, made by us; @acl: it may have got an ACL from its directory
 */
int copy_attributes(struct copy *c, int from, int to, const struct stat *st, bool acl,
		    struct err *err);

#endif
