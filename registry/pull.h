/* SPDX-License-Identifier: MIT */
/* Pull an image: name to manifest to layers, into the store (distribution-spec "Pull"). */
#ifndef REGISTRY_PULL_H
#define REGISTRY_PULL_H

#include "oci/install.h"
#include "oci/reference.h"

#define PULL_PARALLEL_LAYERS 4

struct pull_request {
	struct store *store; /* shared lock held by the caller */
	const struct image_ref *ref;
	const struct platform *platform;
	const char *username, *password; /* Basic and token credentials; NULL: anonymous */
	/* May be NULL. */
	void (*event)(void *arg, size_t layer, const struct digest *layer_digest,
		      enum layer_event what);
	/* Once, before the first event: the registry has answered. May be NULL. */
	void (*found)(void *arg);
	void *arg;
	const volatile int *interrupted; /* non-zero: give up with ERR_INTERRUPTED; may be NULL */
};

struct pull_result {
	struct digest digest; /* what the tag resolved to: index or manifest */
	bool up_to_date; /* the store's record already was this */
};

/**
 * pull_image() - Return: 0; ERR_NOT_FOUND "manifest for X not found: manifest unknown: manifest unknown"; ERR_AUTH "pull access denied
 * for X, repository does not exist or may require 'racker login'"; ERR_NETWORK; ERR_CORRUPT
 */
int pull_image(const struct pull_request *req, struct pull_result *ret, struct err *err);

#endif
