/* SPDX-License-Identifier: MIT */
/* Descriptors and media types (image-spec descriptor.md, media-types.md "Compatibility Matrix"). */
#ifndef OCI_DESCRIPTOR_H
#define OCI_DESCRIPTOR_H

#include <stdint.h>

#include "base/decompress.h"
#include "base/digest.h"
#include "base/json.h"
#include "oci/platform.h"

enum media_type {
	MEDIA_UNKNOWN = 0,
	MEDIA_INDEX, /* OCI index or Docker manifest list */
	MEDIA_MANIFEST, /* OCI manifest or Docker schema 2 */
	MEDIA_MANIFEST_V1, /* Docker schema 1: recognised to be refused by name */
	MEDIA_CONFIG,
	MEDIA_EMPTY, /* application/vnd.oci.empty.v1+json */
	MEDIA_LAYER_TAR,
	MEDIA_LAYER_GZIP,
	MEDIA_LAYER_ZSTD,
};

#define DESCRIPTOR_SIZE_MAX ((int64_t)1 << 50)

struct descriptor {
	enum media_type type;
	char media_type[128]; /* as written, cut; "" if absent */
	struct digest digest;
	int64_t size; /* bytes, 0 to DESCRIPTOR_SIZE_MAX */
	struct platform platform; /* normalised; platform_is_set() is false if absent */
	bool is_attestation; /* annotation vnd.docker.reference.type=attestation-manifest */
};

/** media_type_parse() - parameters after ';' and letter case ignored */
enum media_type media_type_parse(const char *text);
/** media_type_is_foreign() - a layer whose content is to be had from its urls only ("foreign", "nondistributable") */
bool media_type_is_foreign(const char *text);
/**
 * descriptor_decode() - one descriptor of a manifest or an index; embedded data and urls are never used
 * Return: 0, -EBADMSG/ERR_CORRUPT (missing member, size, digest or platform grammar), -EOPNOTSUPP/ERR_UNSUPPORTED (well-formed digest
 * of another algorithm than sha256)
 * Source: image-spec descriptor.md "Properties"
 */
int descriptor_decode(const struct json *v, struct descriptor *ret, struct err *err);

#endif
