/* SPDX-License-Identifier: MIT */
/* Lookups in a stack of layers as overlayfs would merge them: whiteouts hide, opaque directories stop, other types replace. */
#ifndef OCI_MERGED_H
#define OCI_MERGED_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

struct merged_entry {
	int dir_fd; /* O_PATH: the directory of the layer that shows it; owned */
	char path[PATH_MAX]; /* real path: symlinks on the way are resolved inside the merged root */
	const char *name; /* last component, in path */
	struct stat st;
};

/**
 * merged_find() - what a container would see under a path
 * @layers: uppermost first; borrowed, O_PATH will do
 * @path: relative, no ".."; the last component is not followed
 * Return: 1 with *ret (merged_entry_done()), 0 nothing there, -errno
 */
int merged_find(const int *layers, size_t n, const char *path, struct merged_entry *ret,
		struct err *err);
/**
 * merged_find_dir() - the real path of a directory, the last component followed too
 * Return: 1 with @ret ("" is the root), 0 no directory there, -errno
 */
int merged_find_dir(const int *layers, size_t n, const char *path, char ret[static PATH_MAX],
		    struct err *err);
/**
 * merged_follow_below() - where a symlink leads that a directory of the uppermost layer covers
 * @path: real, of a directory in layers[0]
 * Return: 1 with the real path of the directory in @ret ("" is the root), as all the layers together show it; 0 the layers below have
 * no symlink there, or it leads to no directory; -errno
 */
int merged_follow_below(const int *layers, size_t n, const char *path, char ret[static PATH_MAX],
			struct err *err);
void merged_entry_done(struct merged_entry *e);

#endif
