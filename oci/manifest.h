/* SPDX-License-Identifier: MIT */
/* Manifests and indexes: which of the two a document is, and what it names (image-spec manifest.md, image-index.md). */
#ifndef OCI_MANIFEST_H
#define OCI_MANIFEST_H

#include <stddef.h>

#include "oci/descriptor.h"

#define MANIFEST_BYTES_MAX ((size_t)4 << 20)
#define LAYERS_MAX 4096
#define INDEX_DEPTH_MAX 4

struct image_manifest {
	struct descriptor config;
	struct descriptor *layers; /* owned */
	size_t n_layers; /* <= LAYERS_MAX */
};
void image_manifest_done(struct image_manifest *m);

/**
 * document_type() - MEDIA_INDEX, MEDIA_MANIFEST or MEDIA_MANIFEST_V1 of a parsed document
 * @content_type: what the registry called it; NULL if nobody did. A mediaType inside that disagrees, or a document that has both
 * layers/config and manifests, is -EBADMSG/ERR_CORRUPT (CVE-2021-41190).
 * Return: the type, or -errno
 */
int document_type(const struct json *doc, const char *content_type, struct err *err);

/** manifest_decode() - Return: 0, -EBADMSG (malformed, too many layers), -EOPNOTSUPP (artifact without a rootfs, foreign layers) */
int manifest_decode(const struct json *doc, struct image_manifest *ret, struct err *err);

/**
 * index_select() - the entry to use for a platform
 * Attestations, unknown media types and os "unknown" are passed over; of equally good entries the first wins.
 * The result may itself be an index (bounded by the caller with INDEX_DEPTH_MAX).
 * Return: 0, or -ENOENT/ERR_NOT_FOUND "no matching manifest for linux/amd64 in the manifest list entries"
 */
int index_select(const struct json *doc, const struct platform *want, struct descriptor *ret,
		 struct err *err);

#endif
