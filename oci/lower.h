/* SPDX-License-Identifier: MIT */
/* What a layer leaves open, settled from the layers below, seen merged as overlayfs would show them. */
#ifndef OCI_LOWER_H
#define OCI_LOWER_H

#include "oci/unpack.h"

/**
 * lower_settle() - give a layer what it needs
 * Directories that only stand as somebody's parent get the attributes of the lower directory, if there is one. Hardlinks to lower
 * files: the file is copied up to its own name, as overlayfs would, then linked.
 * @layer_fd: fs/ of the layer; @lower_fds: fs/ of the layers below, uppermost first, O_PATH will do; all borrowed
 * Return: 0, -EBADMSG/ERR_CORRUPT naming a link whose target no layer has, other -errno
 */
int lower_settle(int layer_fd, const int *lower_fds, size_t n_lower,
		 const struct layer_needs *needs, struct err *err);

#endif
