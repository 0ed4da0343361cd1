/* SPDX-License-Identifier: MIT */
/* Which inodes of a tree were copied, and where to: so that files of several names stay one file. */
#ifndef BASE_COPY_LINKS_H
#define BASE_COPY_LINKS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define COPY_LINKS_MAX ((size_t)1 << 20) /* inodes */
#define COPY_LINKS_BYTES_MAX ((size_t)256 << 20) /* of their paths */

struct copy_link {
	dev_t dev;
	ino_t ino;
	char *path; /* owned; NULL: an empty slot */
};

struct copy_links {
	struct copy_link *slots; /* owned */
	size_t n, cap; /* members; slots */
	size_t bytes; /* of all paths */
	uint64_t key; /* random: who makes the inodes does not choose where they hash to */
};
void copy_links_done(struct copy_links *l);

/** copy_links_find() - where the inode was copied to, relative to the top of the copy; NULL: not yet */
const char *copy_links_find(const struct copy_links *l, dev_t dev, ino_t ino);
/** copy_links_add() - an inode that is not there yet. Return: 0, -E2BIG (its names will be files of their own), -ENOMEM */
int copy_links_add(struct copy_links *l, dev_t dev, ino_t ino, const char *path);

#endif
