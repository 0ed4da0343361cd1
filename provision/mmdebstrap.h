/* SPDX-License-Identifier: MIT */
/* A Debian root file system built by mmdebstrap(1), the source of images that needs only a distribution mirror (decisions 4). */
#ifndef PROVISION_MMDEBSTRAP_H
#define PROVISION_MMDEBSTRAP_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct mmdebstrap_request {
	const char *label; /* for messages and the name of the working directory */
	const char *suite; /* bookworm */
	char *const *packages; /* to install beside the essential ones; NULL: none */
	const char *work_dir; /* made if missing; trees of killed builds are removed from it */
	FILE *progress; /* a line a step; NULL: none */
	const volatile int *interrupted; /* may be NULL */
};

/**
 * mmdebstrap_lock() - take the lock of one label, waiting for another process that builds it
 * Return: fd (owned; closing it unlocks), -EINTR/ERR_INTERRUPTED, other -errno
 */
int mmdebstrap_lock(const struct mmdebstrap_request *req, struct err *err);

/**
 * mmdebstrap_build() - run it; the lock must be held
 * Return: fd of the tar file, at its beginning, which has no name (owned); -ENOENT/ERR_NOT_FOUND when mmdebstrap is not installed;
 * -EINTR/ERR_INTERRUPTED; -EIO with its last words
 */
int mmdebstrap_build(const struct mmdebstrap_request *req, struct err *err);

/** mmdebstrap_sweep() - remove what killed builds left in @work_dir; builds under way are not touched */
void mmdebstrap_sweep(const char *work_dir);

#endif
