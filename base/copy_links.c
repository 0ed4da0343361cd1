// SPDX-License-Identifier: MIT
/* The table of a tree's hard links (see copy_links.h): open addressing, at most half full. */
#include "base/copy_links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"

void copy_links_done(struct copy_links *l)
{
	for (size_t i = 0; i < l->cap; i++)
		free(l->slots[i].path);
	free(l->slots);
	*l = (struct copy_links){ 0 };
}

/* The finalizer of splitmix64, over both numbers. */
static uint64_t hash(uint64_t key, dev_t dev, ino_t ino)
{
	uint64_t h = key ^ (uint64_t)ino ^ ((uint64_t)dev << 32 | (uint64_t)dev >> 32);

	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9U;
	h = (h ^ h >> 27) * 0x94d049bb133111ebU;
	return (h ^ h >> 31) + key;
}

/* The slot that holds the inode, or the empty one that ends its probe sequence; the table is never full. */
static struct copy_link *find_slot(const struct copy_links *l, dev_t dev, ino_t ino)
{
	size_t i = hash(l->key, dev, ino) & (l->cap - 1);

	while (l->slots[i].path && (l->slots[i].dev != dev || l->slots[i].ino != ino))
		i = (i + 1) & (l->cap - 1);
	return &l->slots[i];
}

static int grow(struct copy_links *l)
{
	struct copy_links bigger = *l;

	bigger.cap = l->cap ? l->cap * 2 : 64;
	if (l->cap == 0 &&
	    getrandom(&bigger.key, sizeof(bigger.key), 0) != (ssize_t)sizeof(bigger.key))
		return -errno;
	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < l->cap; i++)
		if (l->slots[i].path)
			*find_slot(&bigger, l->slots[i].dev, l->slots[i].ino) = l->slots[i];
	free(l->slots);
	*l = bigger;
	return 0;
}

const char *copy_links_find(const struct copy_links *l, dev_t dev, ino_t ino)
{
	return l->cap ? find_slot(l, dev, ino)->path : NULL;
}

int copy_links_add(struct copy_links *l, dev_t dev, ino_t ino, const char *path)
{
	AUTO_FREE char *copy = NULL;
	size_t len = strlen(path) + 1;

	if (l->n >= COPY_LINKS_MAX || len > COPY_LINKS_BYTES_MAX - l->bytes)
		return -E2BIG;
	if ((l->n + 1) * 2 > l->cap) {
		int r = grow(l);

		if (r < 0)
			return r;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	*find_slot(l, dev, ino) = (struct copy_link){ dev, ino, MOVE_PTR(copy) };
	l->bytes += len;
	l->n++;
	return 0;
}
