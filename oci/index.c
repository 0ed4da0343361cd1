// SPDX-License-Identifier: MIT
// What kind of document a registry sent, and which entry of an index serves a platform.
#include <errno.h>
#include <string.h>

#include "base/quote.h"
#include "base/strbuf.h"
#include "oci/manifest.h"

#define SCHEMA_VERSION 2
#define RANK_NO_PLATFORM 1 /* below every rank of platform_rank() that serves */
#define OFFERED_MAX 200 /* bytes of the list of platforms in a message */

_Static_assert(OFFERED_MAX < ERR_MSG_MAX / 2, "the list leaves room for the message");

static bool is_document(enum media_type type)
{
	return type == MEDIA_INDEX || type == MEDIA_MANIFEST || type == MEDIA_MANIFEST_V1;
}

/* What the members make of it: MEDIA_UNKNOWN when they say nothing. */
static int type_by_members(const struct json *doc, struct err *err)
{
	bool is_index = json_get(doc, "manifests") != NULL;
	bool is_manifest = json_get(doc, "config") || json_get(doc, "layers");
	bool is_v1 = json_get(doc, "fsLayers") != NULL;
	int64_t version;

	if (is_index + is_manifest + is_v1 > 1)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "document is ambiguous: it has the members of more than one of "
			       "manifest, index and schema 1 manifest");
	if (is_index)
		return MEDIA_INDEX;
	if (is_manifest)
		return MEDIA_MANIFEST;
	if (is_v1 || (json_int(json_get(doc, "schemaVersion"), &version) == 0 && version == 1))
		return MEDIA_MANIFEST_V1;
	return MEDIA_UNKNOWN;
}

static int type_by_media_type(const struct json *doc, struct err *err)
{
	const char *text = NULL;
	int r = json_member_string(doc, "mediaType", JSON_OPTIONAL, &text, err);

	if (r < 0)
		return r;
	if (!text || !*text)
		return MEDIA_UNKNOWN;

	enum media_type type = media_type_parse(text);

	if (!is_document(type))
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "document of media type %s is neither manifest nor index",
			       QUOTE(text));
	return (int)type;
}

int document_type(const struct json *doc, const char *content_type, struct err *err)
{
	if (!doc || json_type(doc) != JSON_OBJECT)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "document is no JSON object");

	int members = type_by_members(doc, err);

	if (members < 0)
		return members;

	int inside = type_by_media_type(doc, err);

	if (inside < 0)
		return inside;

	int said = (int)media_type_parse(content_type);

	if (inside != MEDIA_UNKNOWN && said != MEDIA_UNKNOWN && inside != said)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "document is ambiguous: its mediaType %s disagrees with content "
			       "type %s",
			       QUOTE(json_string(json_get(doc, "mediaType"))), QUOTE(content_type));
	if (inside == MEDIA_UNKNOWN)
		inside = said;
	if (members != MEDIA_UNKNOWN && inside != MEDIA_UNKNOWN && members != inside)
		return err_set(
			err, ERR_CORRUPT, -EBADMSG,
			"document is ambiguous: its members are not those of its media type");
	if (members == MEDIA_UNKNOWN)
		members = inside;
	if (!is_document((enum media_type)members))
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "document is neither manifest nor index");
	return members;
}

/* Rank of an entry that was decoded, 0: not to be used. */
static int rank_entry(const struct json *entry, const struct descriptor *d,
		      const struct platform *want)
{
	if (d->is_attestation || (d->type != MEDIA_MANIFEST && d->type != MEDIA_INDEX))
		return 0;
	if (platform_is_set(&d->platform))
		return strcmp(d->platform.os, "unknown") == 0 ? 0 :
								platform_rank(want, &d->platform);
	/* Signatures and other artifacts are listed beside the images, without a platform. */
	return json_get(entry, "artifactType") ? 0 : RANK_NO_PLATFORM;
}

static int err_no_match(const struct json *manifests, const struct platform *want, struct err *err)
{
	struct strbuf offered = STRBUF_INIT(OFFERED_MAX);
	struct descriptor d;
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_len(manifests); i++) {
		if (descriptor_decode(json_at(manifests, i), &d, NULL) < 0 || d.is_attestation ||
		    !platform_is_set(&d.platform) || strcmp(d.platform.os, "unknown") == 0)
			continue;
		r = strbuf_addf(&offered, "%s%s", offered.len ? ", " : "",
				PLATFORM_STR(&d.platform));
	}
	r = err_set(err, ERR_NOT_FOUND, -ENOENT,
		    "no matching manifest for %s in the manifest list entries%s%s%s",
		    PLATFORM_STR(want), offered.len ? " (it has " : "", strbuf_str(&offered),
		    !offered.len ? "" :
		    r == -E2BIG	 ? ", ...)" :
				   ")");
	strbuf_done(&offered);
	return r;
}

static int check_index(const struct json *doc, const struct json **ret_manifests, struct err *err)
{
	int64_t version = SCHEMA_VERSION;
	int r = json_member_int(doc, "schemaVersion", JSON_OPTIONAL, &version, err);

	if (r < 0)
		return r;
	if (version != SCHEMA_VERSION)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "schema version %lld is not %d",
			       (long long)version, SCHEMA_VERSION);
	return json_member_array(doc, "manifests", JSON_REQUIRED, ret_manifests, err);
}

int index_select(const struct json *doc, const struct platform *want, struct descriptor *ret,
		 struct err *err)
{
	const struct json *manifests = NULL;
	struct descriptor best = { 0 }, d;
	struct err unsupported = { 0 };
	int best_rank = 0;
	int r = check_index(doc, &manifests, err);

	if (r < 0)
		return err_prefix(err, r, "index");
	for (size_t i = 0; i < json_len(manifests); i++) {
		struct err entry_err = { 0 };
		const struct json *entry = json_at(manifests, i);

		r = descriptor_decode(entry, &d, &entry_err);
		if (r == -EOPNOTSUPP) {
			unsupported = entry_err;
			continue;
		}
		if (r < 0) {
			if (err)
				*err = entry_err;
			return err_prefix(err, r, "index: entry %zu", i);
		}

		int rank = rank_entry(entry, &d, want);

		if (rank > best_rank) {
			best_rank = rank;
			best = d;
		}
	}
	if (best_rank == 0 && unsupported.code < 0) {
		if (err)
			*err = unsupported;
		return err_prefix(err, unsupported.code, "index");
	}
	if (best_rank == 0)
		return err_no_match(manifests, want, err);
	*ret = best;
	return 0;
}
