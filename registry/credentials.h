/* SPDX-License-Identifier: MIT */
/* A registry's user name and password, as `docker login` has written them into config.json. */
#ifndef REGISTRY_CREDENTIALS_H
#define REGISTRY_CREDENTIALS_H

#include <stddef.h>

#include "base/err.h"

struct credentials {
	char *username, *password; /* owned; both NULL: anonymous */
};
void credentials_done(struct credentials *c);

/**
 * credentials_parse() - the entry of one registry in the text of a config.json
 * @registry: "docker.io", "localhost:5000"; its key in "auths" is that of endpoint_resolve()
 * Return: 0, *ret empty when there is no entry; -EBADMSG/ERR_CORRUPT for a file or an entry that cannot be read
 * Source: docker-login(1), containers-auth.json(5): "auth" is base64 of "user:password"
 */
int credentials_parse(const char *text, size_t len, const char *registry, struct credentials *ret,
		      struct err *err);

/** credentials_lookup() - credentials_parse() of $DOCKER_CONFIG/config.json, else ~/.docker/config.json; no such file: none */
int credentials_lookup(const char *registry, struct credentials *ret, struct err *err);

#endif
