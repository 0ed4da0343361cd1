/* SPDX-License-Identifier: MIT */
/* Ids of a user namespace and of the one it is seen from: /proc/PID/uid_map and gid_map. */
#ifndef BASE_ID_MAP_H
#define BASE_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_RANGES_MAX 340 /* of the kernel; user_namespaces(7) */

struct id_range {
	uint32_t inside, outside, count; /* neither side runs over 2^32 - 1 */
};

struct id_map {
	struct id_range *ranges; /* owned */
	size_t n;
};
void id_map_done(struct id_map *m);

/**
 * id_map_parse() - lines of "inside outside count"
 * Return: 0, -EINVAL for anything else (no range at all, one that runs over), -E2BIG for more than ID_RANGES_MAX, -ENOMEM
 * Source: user_namespaces(7)
 */
int id_map_parse(const char *text, struct id_map *ret);
/** id_map_outward() - what an id of the namespace is outside. Return: false if it has none there */
bool id_map_outward(const struct id_map *m, uint32_t inside, uint32_t *ret);
/** id_map_inward() - what an id from outside is in the namespace. Return: false if it has none there */
bool id_map_inward(const struct id_map *m, uint32_t outside, uint32_t *ret);

#endif
