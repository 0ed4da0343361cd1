/* SPDX-License-Identifier: MIT */
/* The fd-based mount calls (Linux 5.12 and newer), with the kernel's own reason in the error: mounts are made detached and then attached to
 * an fd that was resolved inside the container, so that no path is looked up twice. */
#ifndef RUNTIME_MOUNT_API_H
#define RUNTIME_MOUNT_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/**
 * mount_new() - a detached instance of a file system
 * @options: "key=value,flag", NULL for none; @attrs: MOUNT_ATTR_*
 * Return: mount fd, or -errno with the kernel's message
 * Source: fsopen(2), fsconfig(2), fsmount(2)
 */
int mount_new(const char *fstype, const char *options, uint64_t attrs, struct err *err);

/**
 * mount_clone() - a detached copy of the mount at @path (relative to @dir_fd; "" for @dir_fd itself), with the mounts below it if @recursive
 * Return: mount fd or -errno (no message)
 * Source: open_tree(2)
 */
int mount_clone(int dir_fd, const char *path, bool recursive);

/** mount_set_private() - what others mount or unmount in the original later is no business of this copy. Return: 0 or -errno */
int mount_set_private(int mount_fd);

/**
 * mount_set_idmap() - let the files of a detached mount belong to the ids that a user namespace maps theirs to
 * @userns_fd: see userns_new(). Return: 0, -EINVAL (the file system cannot), other -errno. Source: mount_setattr(2) "ID-mapped mounts"
 */
int mount_set_idmap(int mount_fd, int userns_fd);

/** mount_attach() - put a detached mount on the inode @target_fd. Return: 0 or -errno. Source: move_mount(2) */
int mount_attach(int mount_fd, int target_fd);

/** mount_set_attrs() - add MOUNT_ATTR_* to a mount, to all below it if @recursive. Return: 0 or -errno. Source: mount_setattr(2) */
int mount_set_attrs(int mount_fd, uint64_t attrs, bool recursive);

/** mount_make_writable() - undo a remount that made a mount and its file system read-only. Return: 0 or -errno. Source: fspick(2) */
int mount_make_writable(int mount_fd);

#endif
