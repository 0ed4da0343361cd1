// SPDX-License-Identifier: MIT
/* Maps of ids (see id_map.h). Both directions search in order: a map has one range, or a handful. */
#include "base/id_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void id_map_done(struct id_map *m)
{
	free(m->ranges);
	*m = (struct id_map){ 0 };
}

/* A number of at most 32 bits, and the blanks before it. Return: what follows, NULL if there is none */
static const char *take_number(const char *p, uint32_t *ret)
{
	uint64_t n = 0;

	p += strspn(p, " \t");
	if (*p < '0' || *p > '9')
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > UINT32_MAX)
			return NULL;
	}
	*ret = (uint32_t)n;
	return p;
}

/* Return: the next line, NULL if this one is no range */
static const char *take_range(const char *p, struct id_range *r)
{
	if (!(p = take_number(p, &r->inside)) || !(p = take_number(p, &r->outside)) ||
	    !(p = take_number(p, &r->count)))
		return NULL;
	p += strspn(p, " \t");
	if (*p && *p != '\n')
		return NULL;
	if (r->count == 0 || r->inside > UINT32_MAX - r->count ||
	    r->outside > UINT32_MAX - r->count)
		return NULL;
	return *p ? p + 1 : p;
}

int id_map_parse(const char *text, struct id_map *ret)
{
	AUTO(id_map) m = { 0 };
	size_t lines = 0;

	for (const char *p = text; *p; p++)
		lines += *p == '\n' || !p[1];
	if (lines > ID_RANGES_MAX)
		return -E2BIG;
	m.ranges = calloc(lines + 1, sizeof(*m.ranges));
	if (!m.ranges)
		return -ENOMEM;
	for (const char *p = text; *p;) {
		p = take_range(p, &m.ranges[m.n++]);
		if (!p)
			return -EINVAL;
	}
	if (m.n == 0)
		return -EINVAL;
	*ret = m;
	m = (struct id_map){ 0 };
	return 0;
}

bool id_map_outward(const struct id_map *m, uint32_t inside, uint32_t *ret)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct id_range *r = &m->ranges[i];

		if (inside >= r->inside && inside - r->inside < r->count) {
			*ret = r->outside + (inside - r->inside);
			return true;
		}
	}
	return false;
}

bool id_map_inward(const struct id_map *m, uint32_t outside, uint32_t *ret)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct id_range *r = &m->ranges[i];

		if (outside >= r->outside && outside - r->outside < r->count) {
			*ret = r->inside + (outside - r->outside);
			return true;
		}
	}
	return false;
}
