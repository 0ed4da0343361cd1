// SPDX-License-Identifier: MIT
/* What a layer needs from the layers below (see needs.h). */
#include "oci/needs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strv.h"

int needs_add_link(struct needs *n, const char *target, const char *name)
{
	AUTO_FREE char *t = NULL;
	AUTO_FREE char *l = NULL;

	if (n->n_links / 2 >= LOWER_LINKS_MAX)
		return -E2BIG;
	if (n->n_links + 2 > n->links_cap) {
		size_t cap = n->links_cap ? n->links_cap * 2 : 16;
		char **bigger = reallocarray(n->links, cap, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		n->links = bigger;
		n->links_cap = cap;
	}
	t = strdup(target);
	l = strdup(name);
	if (!t || !l)
		return -ENOMEM;
	n->links[n->n_links++] = MOVE_PTR(t);
	n->links[n->n_links++] = MOVE_PTR(l);
	return 0;
}

int needs_settle(struct needs *n, struct layer_needs *ret)
{
	char **links = NULL;

	if (n->n_links > 0) {
		links = reallocarray(n->links, n->n_links + 1, sizeof(*links));
		if (!links)
			return -ENOMEM;
		links[n->n_links] = NULL;
	} else {
		free(n->links);
	}
	n->links = NULL;
	n->n_links = n->links_cap = 0;
	*ret = (struct layer_needs){ .implied_dirs = path_set_steal(&n->implied),
				     .lower_links = links };
	return 0;
}

void needs_done(struct needs *n)
{
	path_set_done(&n->implied);
	for (size_t i = 0; i < n->n_links; i++)
		free(n->links[i]);
	free(n->links);
	*n = (struct needs){ 0 };
}

void layer_needs_done(struct layer_needs *n)
{
	if (!n)
		return;
	strv_free(n->implied_dirs);
	strv_free(n->lower_links);
	*n = (struct layer_needs){ 0 };
}

void unpack_result_done(struct unpack_result *r)
{
	if (!r)
		return;
	layer_needs_done(&r->needs);
	*r = (struct unpack_result){ 0 };
}
