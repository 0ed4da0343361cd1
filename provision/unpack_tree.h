/* SPDX-License-Identifier: MIT */
/* The merged root file system of an image as an ordinary directory tree (`racker unpack`). */
#ifndef PROVISION_UNPACK_TREE_H
#define PROVISION_UNPACK_TREE_H

#include <stddef.h>

#include "oci/store.h"

/**
 * unpack_tree() - copy an image's layers, bottom first, into a directory; whiteouts and opaque directories take effect
 * Owner, mode, times, extended attributes, hardlinks and device nodes are those of the image.
 * @layers: as in the image's record; the caller holds the store's shared lock
 * @dest_fd: an empty directory that nobody else writes to; borrowed. On failure it may hold part of the tree.
 * @interrupted: may be NULL
 * Return: 0, -EINTR/ERR_INTERRUPTED, other -errno
 */
int unpack_tree(const struct store *s, const struct digest *layers, size_t n_layers, int dest_fd,
		const volatile int *interrupted, struct err *err);

#endif
