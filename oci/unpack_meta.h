/* SPDX-License-Identifier: MIT */
/* Owner, mode, extended attributes and times of what a layer holds. The order matters: chown(2) clears set-id bits and capabilities. */
#ifndef OCI_UNPACK_META_H
#define OCI_UNPACK_META_H

#include <stdbool.h>

#include "oci/layer_reader.h"

#define XATTR_VALUE_MAX 65536 /* XATTR_SIZE_MAX of the kernel */

/** meta_xattr_wanted() - policy: user.*, security.capability and POSIX ACLs; never what steers overlayfs or belongs to the host's LSM */
bool meta_xattr_wanted(const char *name);
/** meta_set_xattrs() - of a regular file or directory; a file system without ACLs or user.* loses those alone */
int meta_set_xattrs(int fd, const struct tar_entry *entry, struct err *err);
/** meta_copy() - owner, mode, wanted xattrs and times from one inode to another of the same kind, both open and not O_PATH */
int meta_copy(int from_fd, int to_fd, struct err *err);

#endif
