/* SPDX-License-Identifier: MIT */
/* The only resolver for untrusted paths: everything stays below a directory fd (openat2 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS). */
#ifndef BASE_PATH_AT_H
#define BASE_PATH_AT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/**
 * path_is_safe() - the one validator for names from archives and documents; it refuses and never repairs
 * Relative or "./"-led, no empty or ".." component, "." only as the first, every component <= NAME_MAX, the whole < PATH_MAX.
 * One '/' may stand at the end, and "." and "./" are safe: so tar writes directories.
 */
bool path_is_safe(const char *path);

/**
 * path_at_open() - open @path as a process chrooted to @root_fd would (symlinks and ".." stay inside)
 * @flags: open(2) flags; O_CLOEXEC is added
 * @mode:  for O_CREAT, else 0
 * Return: fd or -errno
 * Source: openat2(2)
 */
int path_at_open(int root_fd, const char *path, int flags, mode_t mode);

/** path_at_open_beneath() - as path_at_open(), but a symlink anywhere is -ELOOP (RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH) */
int path_at_open_beneath(int root_fd, const char *path, int flags, mode_t mode);

/**
 * path_at_mkdir_p() - make a directory and its missing parents, resolving symlinks inside the root on the way
 * Each step is mkdirat() on an O_PATH fd, so a path swapped meanwhile cannot lead outside. A link to nowhere gets its target, inside
 * the root. @mode is subject to the umask.
 * Return: O_PATH fd of the directory, -ENOTDIR if something else is in the way, other -errno
 */
int path_at_mkdir_p(int root_fd, const char *path, mode_t mode);

/**
 * path_at_make_file() - an empty regular file (parents made 0755) if nothing is there; for bind mount targets
 * A link to nowhere, or a chain of them, gets its target, with the target's missing parents, inside the root: as `mkdir -p` of the
 * target's directory and `touch` would do, chrooted. Each step is a *at() call on an O_PATH fd, and the file is made with O_EXCL |
 * O_NOFOLLOW, so a path swapped meanwhile cannot lead outside. @mode is subject to the umask, as are the parents' modes.
 * Return: O_PATH fd of what is there, of any type but a directory; -EISDIR (also for a missing name with '/' at its end), -ENOTDIR if
 * something else is in the way of a parent, -ELOOP, other -errno
 */
int path_at_make_file(int root_fd, const char *path, mode_t mode);

/** path_at_read() - a small regular file below the root (not a fifo or device: -EINVAL), at most @max bytes, NUL-terminated.
 *  Return: 0, -ENOENT, -E2BIG, other -errno */
int path_at_read(int root_fd, const char *path, size_t max, char **ret_buf, size_t *ret_len);

#endif
