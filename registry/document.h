/* SPDX-License-Identifier: MIT */
/* Manifests, indexes and configs: fetched whole, and not believed before size and digest agree with who named them. */
#ifndef REGISTRY_DOCUMENT_H
#define REGISTRY_DOCUMENT_H

#include "oci/descriptor.h"
#include "oci/store.h"
#include "registry/session.h"

struct document {
	char *body; /* owned, NUL-terminated */
	size_t len;
	struct digest digest; /* of body */
	char *content_type; /* what the registry called it; NULL: nobody said */
};
void document_done(struct document *d);

/**
 * document_get_named() - the manifest or index that the session's reference means
 * Return: 0, -EBADMSG/ERR_CORRUPT (not the digest of the reference, or not the Docker-Content-Digest of the answer), what
 * session_get() returns
 */
int document_get_named(struct session *s, struct document *ret, struct err *err);

/**
 * document_get() - what a verified document names (a manifest, an index or a config), from the store if it is there
 * Return: 0, -EBADMSG/ERR_CORRUPT (size or digest), -EFBIG/ERR_CORRUPT (larger than such documents may be), what session_get()
 * returns
 */
int document_get(struct session *s, const struct store *store, const struct descriptor *want,
		 struct document *ret, struct err *err);

#endif
