/* SPDX-License-Identifier: MIT */
/* A root file system tar as an image of one layer: config and manifest are made here. */
#ifndef OCI_ROOTFS_IMPORT_H
#define OCI_ROOTFS_IMPORT_H

#include "oci/install.h"

struct rootfs_import_request {
	struct store *store; /* shared lock held by the caller */
	const char *name; /* of the record: a curated label */
	const char *source; /* of the record, such as "mmdebstrap" */
	int tar_fd; /* regular file, gzip, zstd or plain; borrowed */
	const struct platform *platform;
	char *const *cmd; /* Cmd of the config, such as {"bash"} */
	char *const *env; /* Env of the config */
};

/** rootfs_import() - Return: 0 or -errno; the record is published on success */
int rootfs_import(const struct rootfs_import_request *req, struct err *err);

#endif
