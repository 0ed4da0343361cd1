/* SPDX-License-Identifier: MIT */
/* The caller's stdin, made fit to be handed to a container as it is. */
#ifndef RUNTIME_STDIN_GUARD_H
#define RUNTIME_STDIN_GUARD_H

#include <stdbool.h>

#include "base/err.h"

/**
 * stdin_protect() - a container can open /proc/self/fd/0 anew: what the caller opened for reading must not become writable by that
 * A regular file opened read-only is replaced by itself on a read-only mount, at the same offset. A directory on any of the three fds is
 * refused, since ".." of it leads into the host.
 * @wanted: the container gets stdin; else only the directories are looked for
 * Return: 0, -EISDIR/ERR_USAGE, other -errno
 */
int stdin_protect(bool wanted, struct err *err);

#endif
