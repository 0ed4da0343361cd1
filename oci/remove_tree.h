/* SPDX-License-Identifier: MIT */
/* Removal of trees made from hostile archives: by fd, never through a symlink, any depth with two fds. */
#ifndef OCI_REMOVE_TREE_H
#define OCI_REMOVE_TREE_H

/**
 * remove_tree_at() - remove @name in @dir_fd, and what is below if it is a directory
 * Nobody else may move directories below @name meanwhile (the store's directories are 0700).
 * Return: 0 (also if it was not there), or -errno
 */
int remove_tree_at(int dir_fd, const char *name);

#endif
