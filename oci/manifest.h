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
 * layers/config and manifests, is -EBADMSG/ERR_CORRUPT (CVE-2021-41190). A content type that names no document ("application/json",
 * "application/octet-stream") counts as none. An unknown mediaType inside is -EOPNOTSUPP/ERR_UNSUPPORTED.
 * Return: the type, or -errno
 */
int document_type(const struct json *doc, const char *content_type, struct err *err);

/**
 * manifest_decode() - an OCI or Docker schema 2 manifest that is a container image
 * @ret: owned: image_manifest_done()
 * A layer of an unknown media type is refused by name, never skipped.
 * Return: 0, -EBADMSG/ERR_CORRUPT (malformed, too many layers), -EOPNOTSUPP/ERR_UNSUPPORTED (artifact without a root file system,
 * foreign layers, unknown layers)
 */
int manifest_decode(const struct json *doc, struct image_manifest *ret, struct err *err);

/**
 * index_select() - the entry to use for a platform
 * Attestations, unknown media types, os "unknown" and entries whose digest is not sha256 are passed over; of equally good entries the
 * first wins. An entry without a platform is the last resort.
 * The result may itself be an index (bounded by the caller with INDEX_DEPTH_MAX).
 * Return: 0, or -ENOENT/ERR_NOT_FOUND "no matching manifest for linux/amd64 in the manifest list entries", -EBADMSG/ERR_CORRUPT,
 * -EOPNOTSUPP/ERR_UNSUPPORTED (nothing but entries with another digest algorithm)
 */
int index_select(const struct json *doc, const struct platform *want, struct descriptor *ret,
		 struct err *err);

#endif
