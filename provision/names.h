/* SPDX-License-Identifier: MIT */
/* Identities of containers: random IDs, random names, and which names are allowed (features 4.4). */
#ifndef PROVISION_NAMES_H
#define PROVISION_NAMES_H

#include <stdbool.h>

#include "base/err.h"

#define CONTAINER_ID_LEN 64
#define CONTAINER_SHORT_ID_LEN 12

struct container_names {
	char id[CONTAINER_ID_LEN + 1]; /* 64 lower-case hex digits */
	char name[64]; /* adjective_surname */
};

/** container_names_random() - Return: 0, or -errno of getrandom(2) */
int container_names_random(struct container_names *ret, struct err *err);

#define CONTAINER_NAME_MAX 65 /* with the NUL: what can be a host name too */
/** container_name_automatic() - the @n-th name of a machine of this image: "postroj-debian-bookworm", then "postroj-debian-bookworm-2", … */
void container_name_automatic(const char *image, unsigned int n,
			      char ret[static CONTAINER_NAME_MAX]);

/** container_name_check() - docker's grammar, [a-zA-Z0-9][a-zA-Z0-9_.-]+. Return: 0, or -EINVAL/ERR_USAGE with docker's words */
int container_name_check(const char *name, struct err *err);

#endif
