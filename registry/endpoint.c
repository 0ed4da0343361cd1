// SPDX-License-Identifier: MIT
/* Where a registry's API is (see endpoint.h). Pure. */
#include "registry/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/url.h"

#define HUB_NAME "docker.io"
#define HUB_API "https://registry-1.docker.io"
#define HUB_AUTH_KEY "https://index.docker.io/v1/"

int endpoint_resolve(const char *registry, struct endpoint *ret, struct err *err)
{
	bool hub = strcmp(registry, HUB_NAME) == 0;
	AUTO_FREE char *url = NULL, *key = NULL;
	struct url_origin origin;

	if (asprintf(&url, "%s%s", hub ? "" : "https://", hub ? HUB_API : registry) < 0) {
		url = NULL;
		return err_oom(err);
	}
	key = strdup(hub ? HUB_AUTH_KEY : registry);
	if (!key)
		return err_oom(err);
	/* A name that reaches beyond host and port would move the requests elsewhere. */
	if (strpbrk(registry, "/?#") || url_origin_parse(url, &origin) < 0)
		return err_set(err, ERR_USAGE, -EINVAL, "invalid registry name %s",
			       QUOTE(registry));
	ret->base_url = MOVE_PTR(url);
	ret->auth_key = MOVE_PTR(key);
	ret->loopback = url_origin_loopback(&origin);
	return 0;
}

void endpoint_done(struct endpoint *e)
{
	if (!e)
		return;
	free(e->base_url);
	free(e->auth_key);
	*e = (struct endpoint){ 0 };
}
