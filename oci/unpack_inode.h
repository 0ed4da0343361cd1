/* SPDX-License-Identifier: MIT */
/* Everything but directories, made under a parent's fd: regular files, symlinks, devices, FIFOs, hardlinks. */
#ifndef OCI_UNPACK_INODE_H
#define OCI_UNPACK_INODE_H

#include <stdbool.h>

#include "oci/layer_reader.h"

/* Where an inode is made, and whom it belongs to if nothing is done. */
struct inode_place {
	int dir_fd;
	const char *name;
	uid_t uid;
	gid_t gid;
	bool inherits; /* the directory hands down its group, so the gid above does not hold */
};

/*
 * What stands at the place is replaced. Owner first, then mode, extended attributes and, last, times.
 * Return: 0 or -errno
 */
int inode_make_file(const struct inode_place *at, const struct tar_entry *entry,
		    struct layer_reader *reader, struct err *err);
int inode_make_symlink(const struct inode_place *at, const struct tar_entry *entry,
		       struct err *err);
/** inode_make_special() - character and block devices, FIFOs; a character device 0:0, which is overlay's whiteout, is left out */
int inode_make_special(const struct inode_place *at, const struct tar_entry *entry,
		       struct err *err);
/**
 * inode_make_hardlink() - @target_dir_fd, @target: what to link; a symlink is linked itself
 * Return: 0, -ENOENT (no such target, err untouched, nothing changed), -EBADMSG (a directory, something whited out)
 */
int inode_make_hardlink(const struct inode_place *at, int target_dir_fd, const char *target,
			struct err *err);

/** inode_clear() - remove what stands at a place. *ret_whiteout (may be NULL): it was one */
int inode_clear(int dir_fd, const char *name, bool *ret_whiteout, struct err *err);

#endif
