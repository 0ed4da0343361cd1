/* SPDX-License-Identifier: MIT */
/* A set of paths that may come from a hostile archive: bounded, and hashed with a random key. */
#ifndef OCI_PATH_SET_H
#define OCI_PATH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_SET_MAX ((size_t)1 << 20)

struct path_set {
	char **slots; /* owned; NULL: empty */
	size_t n, used, cap; /* members; members and removed; slots */
	uint64_t key;
};

/** path_set_add() - Return: 0 (also if it is there already), -E2BIG, -ENOMEM */
int path_set_add(struct path_set *s, const char *path);
bool path_set_contains(const struct path_set *s, const char *path);
void path_set_remove(struct path_set *s, const char *path);
/** path_set_steal() - the members, sorted, as an owned vector; the set is empty then. NULL for an empty set. */
char **path_set_steal(struct path_set *s);
void path_set_done(struct path_set *s);

#endif
