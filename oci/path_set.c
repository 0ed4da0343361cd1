// SPDX-License-Identifier: MIT
/* A set of paths (see path_set.h): open addressing, at most three quarters full. */
#include "oci/path_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static char removed_mark[1];

static uint64_t path_hash(uint64_t key, const char *path)
{
	uint64_t h = key ^ 0xcbf29ce484222325U;

	for (; *path; path++) {
		h ^= (unsigned char)*path;
		h *= 0x100000001b3U;
		h ^= h >> 29;
	}
	return h;
}

/* The slot that holds @path, or the empty one that ends its probe sequence; the table is never full. */
static char **path_set_find(const struct path_set *s, const char *path)
{
	size_t i = path_hash(s->key, path) & (s->cap - 1);

	while (s->slots[i] && (s->slots[i] == removed_mark || strcmp(s->slots[i], path) != 0))
		i = (i + 1) & (s->cap - 1);
	return &s->slots[i];
}

static int path_set_grow(struct path_set *s)
{
	struct path_set bigger = { .cap = 64, .key = s->key };

	while (bigger.cap < s->n * 3)
		bigger.cap *= 2;
	if (s->cap == 0 && getrandom(&bigger.key, sizeof(bigger.key), GRND_NONBLOCK) < 0)
		bigger.key = 0;
	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < s->cap; i++) {
		if (s->slots[i] && s->slots[i] != removed_mark)
			*path_set_find(&bigger, s->slots[i]) = s->slots[i];
	}
	bigger.n = bigger.used = s->n;
	free(s->slots);
	*s = bigger;
	return 0;
}

int path_set_add(struct path_set *s, const char *path)
{
	char **slot;
	int r;

	if (path_set_contains(s, path))
		return 0;
	if (s->n >= PATH_SET_MAX)
		return -E2BIG;
	if (s->used + 1 > s->cap / 4 * 3) {
		r = path_set_grow(s);
		if (r < 0)
			return r;
	}
	slot = path_set_find(s, path);
	*slot = strdup(path);
	if (!*slot)
		return -ENOMEM;
	s->n++;
	s->used++;
	return 0;
}

bool path_set_contains(const struct path_set *s, const char *path)
{
	return s->cap > 0 && *path_set_find(s, path) != NULL;
}

void path_set_remove(struct path_set *s, const char *path)
{
	char **slot;

	if (s->n == 0)
		return;
	slot = path_set_find(s, path);
	if (!*slot)
		return;
	free(*slot);
	*slot = removed_mark;
	s->n--;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **path_set_steal(struct path_set *s)
{
	char **v = s->slots;
	size_t n = 0;

	if (s->n == 0) {
		path_set_done(s);
		return NULL;
	}
	/* a quarter of the slots is empty at least, so the terminator fits */
	for (size_t i = 0; i < s->cap; i++) {
		if (v[i] && v[i] != removed_mark)
			v[n++] = v[i];
	}
	v[n] = NULL;
	qsort(v, n, sizeof(*v), compare_paths);
	*s = (struct path_set){ 0 };
	return v;
}

void path_set_done(struct path_set *s)
{
	for (size_t i = 0; i < s->cap; i++) {
		if (s->slots[i] != removed_mark)
			free(s->slots[i]);
	}
	free(s->slots);
	*s = (struct path_set){ 0 };
}
