/* SPDX-License-Identifier: MIT */
/* Files that are either wholly there or not at all: temporary name, fsync, rename, fsync of the directory. */
#ifndef BASE_ATOMIC_FILE_H
#define BASE_ATOMIC_FILE_H

#include <sys/types.h>

#include "base/err.h"

/**
 * atomic_file_write() - publish @len bytes as @name in @dir_fd, replacing what was there
 * @name: one path component
 * Return: 0 or -errno; on failure the old content stays and no temporary file is left
 * Source: rename(2), fsync(2)
 */
int atomic_file_write(int dir_fd, const char *name, mode_t mode, const void *buf, size_t len,
		      struct err *err);

/** ATOMIC_FILE_TMP_PREFIX - names of temporary files begin so; a sweeper may unlink them under the store lock */
#define ATOMIC_FILE_TMP_PREFIX ".tmp-"

#endif
