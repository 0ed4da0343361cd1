// SPDX-License-Identifier: MIT
// Descriptors and the table of media types racker knows.
#include "oci/descriptor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/quote.h"

#define REFERENCE_TYPE_KEY "vnd.docker.reference.type"
#define REFERENCE_TYPE_ATTESTATION "attestation-manifest"

/* image-spec media-types.md "Compatibility Matrix", and what docker and buildkit write beyond it */
static const struct {
	const char *name;
	enum media_type type;
} media_types[] = {
	{ "application/vnd.oci.image.index.v1+json", MEDIA_INDEX },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", MEDIA_INDEX },
	{ "application/vnd.oci.image.manifest.v1+json", MEDIA_MANIFEST },
	{ "application/vnd.docker.distribution.manifest.v2+json", MEDIA_MANIFEST },
	{ "application/vnd.docker.distribution.manifest.v1+json", MEDIA_MANIFEST_V1 },
	{ "application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_MANIFEST_V1 },
	{ "application/vnd.oci.image.config.v1+json", MEDIA_CONFIG },
	{ "application/vnd.docker.container.image.v1+json", MEDIA_CONFIG },
	{ "application/vnd.oci.empty.v1+json", MEDIA_EMPTY },
	{ "application/vnd.oci.image.layer.v1.tar", MEDIA_LAYER_TAR },
	{ "application/vnd.docker.image.rootfs.diff.tar", MEDIA_LAYER_TAR },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", MEDIA_LAYER_GZIP },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_LAYER_GZIP },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", MEDIA_LAYER_ZSTD },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_LAYER_ZSTD },
};

static const char *const foreign_prefixes[] = {
	"application/vnd.oci.image.layer.nondistributable.v1.tar",
	"application/vnd.docker.image.rootfs.foreign.diff.tar",
};

/* The type without parameters and surrounding white space. */
static const char *bare_type(const char *text, size_t *ret_len)
{
	size_t len;

	text += strspn(text, " \t");
	len = strcspn(text, ";");
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	*ret_len = len;
	return text;
}

enum media_type media_type_parse(const char *text)
{
	size_t len;

	if (!text)
		return MEDIA_UNKNOWN;
	text = bare_type(text, &len);
	for (size_t i = 0; i < ARRAY_SIZE(media_types); i++) {
		if (strlen(media_types[i].name) == len &&
		    strncasecmp(text, media_types[i].name, len) == 0)
			return media_types[i].type;
	}
	return MEDIA_UNKNOWN;
}

bool media_type_is_foreign(const char *text)
{
	size_t len;

	if (!text)
		return false;
	text = bare_type(text, &len);
	for (size_t i = 0; i < ARRAY_SIZE(foreign_prefixes); i++) {
		size_t prefix = strlen(foreign_prefixes[i]);

		if (len >= prefix && strncasecmp(text, foreign_prefixes[i], prefix) == 0)
			return true;
	}
	return false;
}

static int decode_digest(const struct json *v, struct digest *ret, struct err *err)
{
	const char *text;
	int r = json_member_string(v, "digest", JSON_REQUIRED, &text, err);

	if (r < 0)
		return r;
	r = digest_parse(text, ret, NULL);
	if (r == -EOPNOTSUPP)
		return err_set(
			err, ERR_UNSUPPORTED, r,
			"digest %s: unsupported digest algorithm, racker verifies sha256 only",
			QUOTE(text));
	if (r < 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "digest %s is malformed", QUOTE(text));
	return 0;
}

static int decode_platform(const struct json *v, struct platform *ret, struct err *err)
{
	const struct json *platform = NULL;
	const char *os = NULL, *arch = NULL, *variant = NULL;
	int r = json_member_object(v, "platform", JSON_OPTIONAL, &platform, err);

	if (r < 0 || !platform)
		return r;
	r = json_member_string(platform, "os", JSON_OPTIONAL, &os, err);
	if (r == 0)
		r = json_member_string(platform, "architecture", JSON_OPTIONAL, &arch, err);
	if (r == 0)
		r = json_member_string(platform, "variant", JSON_OPTIONAL, &variant, err);
	if (r < 0)
		return err_prefix(err, r, "platform");
	if (platform_set(ret, os, arch, variant) < 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "platform %s/%s is malformed",
			       QUOTE_PLAIN(os ? os : ""), QUOTE_PLAIN(arch ? arch : ""));
	return 0;
}

static int decode_attestation(const struct json *v, bool *ret, struct err *err)
{
	const struct json *annotations = NULL;
	const char *type = NULL;
	int r = json_member_object(v, "annotations", JSON_OPTIONAL, &annotations, err);

	if (r < 0 || !annotations)
		return r;
	r = json_member_string(annotations, REFERENCE_TYPE_KEY, JSON_OPTIONAL, &type, err);
	if (r < 0)
		return err_prefix(err, r, "annotations");
	*ret = type && strcmp(type, REFERENCE_TYPE_ATTESTATION) == 0;
	return 0;
}

int descriptor_decode(const struct json *v, struct descriptor *ret, struct err *err)
{
	struct descriptor d = { 0 };
	const char *type = NULL;
	int r;

	if (!v || json_type(v) != JSON_OBJECT)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "descriptor is no object");
	r = json_member_string(v, "mediaType", JSON_OPTIONAL, &type, err);
	if (r < 0)
		return r;
	d.type = media_type_parse(type);
	(void)snprintf(d.media_type, sizeof(d.media_type), "%s", type ? type : "");

	r = json_member_int(v, "size", JSON_REQUIRED, &d.size, err);
	if (r < 0)
		return r;
	if (d.size < 0 || d.size > DESCRIPTOR_SIZE_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "size %lld is out of range",
			       (long long)d.size);
	r = decode_platform(v, &d.platform, err);
	if (r == 0)
		r = decode_attestation(v, &d.is_attestation, err);
	/* Last, so that -EOPNOTSUPP means that everything else is well-formed. */
	if (r == 0)
		r = decode_digest(v, &d.digest, err);
	if (r < 0)
		return r;
	*ret = d;
	return 0;
}
