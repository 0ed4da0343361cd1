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

struct descriptor {
	enum media_type type;
	char media_type[128]; /* as written, cut; "" if absent */
	struct digest digest;
	int64_t size; /* bytes, >= 0 */
	struct platform platform;
	bool is_attestation; /* annotation vnd.docker.reference.type=attestation-manifest */
};

/** media_type_parse() - parameters after ';' and letter case ignored */
enum media_type media_type_parse(const char *text);
/** descriptor_decode() - Return: 0, or -EBADMSG/ERR_CORRUPT (missing member, negative size, digest grammar) */
int descriptor_decode(const struct json *v, struct descriptor *ret, struct err *err);

#endif
