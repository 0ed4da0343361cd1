/* SPDX-License-Identifier: MIT */
/* Where a registry's API is: host, scheme, and docker's rule for plain HTTP on loopback. */
#ifndef REGISTRY_ENDPOINT_H
#define REGISTRY_ENDPOINT_H

#include <stdbool.h>

#include "base/err.h"

struct endpoint {
	char *base_url; /* "https://registry-1.docker.io", no trailing slash */
	char *auth_key; /* key in auths: "https://index.docker.io/v1/" for docker.io, else host[:port] */
	bool loopback; /* localhost, 127/8, [::1]: HTTPS is tried first, then plain HTTP, as docker does */
};

/** endpoint_resolve() - Return: 0 or -errno */
int endpoint_resolve(const char *registry, struct endpoint *ret, struct err *err);
void endpoint_done(struct endpoint *e);

#endif
