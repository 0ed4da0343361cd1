/* SPDX-License-Identifier: MIT */
/* What a layer needs from the layers below, while it is found out and on its way from the worker. */
#ifndef OCI_NEEDS_H
#define OCI_NEEDS_H

#include <stddef.h>

#include "oci/path_set.h"
#include "oci/unpack.h"

#define LOWER_LINKS_MAX ((size_t)1 << 17)

struct needs {
	struct path_set implied;
	char **links; /* pairs, owned, not terminated */
	size_t n_links, links_cap; /* strings */
};

/** needs_add_link() - Return: 0, -E2BIG, -ENOMEM */
int needs_add_link(struct needs *n, const char *target, const char *name);
/** needs_settle() - into the form that leaves the unpacker; @n is empty then. Return: 0 or -ENOMEM */
int needs_settle(struct needs *n, struct layer_needs *ret);
void needs_done(struct needs *n);

#endif
