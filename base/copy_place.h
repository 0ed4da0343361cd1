/* SPDX-License-Identifier: MIT */
/* Where a copy begins and ends: the rules of cp and docker cp for source and destination, inside a container's root or outside. */
#ifndef BASE_COPY_PLACE_H
#define BASE_COPY_PLACE_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

#define COPY_SIDE_HOST \
	(-1) /* the caller's own view: paths from its root, or its working directory */

struct copy_source {
	int fd; /* owned: O_PATH of the file itself; a symlink only if that is what is copied */
	bool is_dir;
	char name[NAME_MAX +
		  1]; /* what it is called in a directory; "" if its contents are meant: "dir/.", "/", ".." */
};
void copy_source_done(struct copy_source *s);

struct copy_place {
	int dir_fd; /* owned; not O_PATH */
	char name[NAME_MAX + 1]; /* in it; "" for the directory itself */
};
void copy_place_done(struct copy_place *p);

/**
 * copy_source_open() - what is to be copied
 * @root_fd: a directory that is the root for @path, also for the links on its way; COPY_SIDE_HOST
 * @follow: a symlink stands for what it points to; always so with a '/' at its end
 */
int copy_source_open(int root_fd, const char *path, bool follow, struct copy_source *ret,
		     struct err *err);

/**
 * copy_place_open() - where the copy of @source goes
 * An existing directory: into it, under the source's name (its contents alone if it has none). Else the path itself, whose parent must
 * exist; a symlink there is followed, within the root. A file does not go to a path that ends with '/' and is no directory.
 * @exact: @path is not a directory to copy into, but the copy itself, merged with a directory that is there
 * Return: 0, -ENOENT (no parent directory), -ENOTDIR, -EISDIR, -ELOOP, other -errno
 */
int copy_place_open(int root_fd, const char *path, const struct copy_source *source, bool exact,
		    struct copy_place *ret, struct err *err);

#endif
