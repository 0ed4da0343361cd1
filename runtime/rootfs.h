/* SPDX-License-Identifier: MIT */
/* The container's root: an overlay of layers with a volatile upper on a private tmpfs, and the switch to it. */
#ifndef RUNTIME_ROOTFS_H
#define RUNTIME_ROOTFS_H

#include <stdbool.h>

#include "base/err.h"

/*
 * rootfs_private() - cut mount propagation to the host; first step in a new mount namespace.
 * Return: 0 or -errno
 */
int rootfs_private(struct err *err);

struct rootfs_request {
	const char *
		scratch_dir; /* an existing directory of the host that the container does not need */
	int scratch_dir_fd; /* the same, open (O_PATH) in this mount namespace; looked at when @scratch_dir is NULL */
	char *const *lower_dirs; /* absolute paths, top layer first */
	bool nodev; /* device nodes in the image do not work */
	int userns_fd; /* layers are shown with the ids that this one maps theirs to (userns_new()); -EBADF: as they are */
	int root_fd; /* a detached mount that is the root, from rootfs_detached(); -EBADF: none */
	int root_ns_fd; /* -EBADF: a fresh root; else a mount namespace whose root becomes ours, with what was written there (a machine's reboot) */
};

/**
 * rootfs_mount() - tmpfs on the scratch directory (in this mount namespace alone), upper in it, overlay on top
 * @ret_scratch, @ret_root: O_PATH fds, owned by the caller
 * Return: 0 or -errno
 * Source: Documentation/filesystems/overlayfs.rst
 */
int rootfs_mount(const struct rootfs_request *req, int *ret_scratch, int *ret_root,
		 struct err *err);

/**
 * rootfs_detached() - the same overlay, mounted by a process with the caller's rights in a mount namespace of its own, and attached nowhere
 * For a container in a user namespace, which itself could neither map ids of layers nor write attributes trusted.* of the overlay.
 * Return: mount fd or -errno
 */
int rootfs_detached(const struct rootfs_request *req, struct err *err);

/** rootfs_pivot() - make @root_fd the root of this mount namespace; nothing of the host stays mounted. Source: pivot_root(2) */
int rootfs_pivot(int root_fd, struct err *err);

#endif
