/* SPDX-License-Identifier: MIT */
/* Private to oci/lower*.c: a layer while what it needs is settled. */
#ifndef OCI_LOWER_STATE_H
#define OCI_LOWER_STATE_H

#include <stddef.h>

#include "base/err.h"
#include "oci/path_set.h"

struct settle {
	int layer_fd;
	int *stack; /* the layer, then those below; owned array of borrowed fds */
	size_t n_stack;
	struct path_set made; /* directories made on the way to what is copied or moved */
};

/**
 * settle_open_dir() - a directory of the layer, made with its parents where it is missing, and noted in s->made then
 * @path: real ("" is the root); a symlink in it is an error
 * Return: owned fd or -errno
 */
int settle_open_dir(struct settle *s, const char *path, struct err *err);

/**
 * settle_follow() - what the layer has under a symlink of the layers below goes where that leads
 * @dirs: implied directories, as unpacked; @ret: those that stand now, under real paths; owned
 * Return: 0 or -errno
 */
int settle_follow(struct settle *s, char *const *dirs, char ***ret, struct err *err);

#endif
