// SPDX-License-Identifier: MIT
/* Documents by name and by digest (see document.h). */
#include "registry/document.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/quote.h"
#include "oci/image_config.h"
#include "oci/manifest.h"

#define DIGEST_PATH_MAX (sizeof("manifests/") + DIGEST_STR_MAX)

/* distribution-spec "Pulling manifests"; media-types.md "Compatibility Matrix". */
static const char *const manifest_headers[] = {
	"Accept: application/vnd.oci.image.index.v1+json, "
	"application/vnd.oci.image.manifest.v1+json, "
	"application/vnd.docker.distribution.manifest.list.v2+json, "
	"application/vnd.docker.distribution.manifest.v2+json",
	NULL,
};

void document_done(struct document *d)
{
	if (!d)
		return;
	free(d->body);
	free(d->content_type);
	*d = (struct document){ 0 };
}

static bool is_config(const struct descriptor *want)
{
	return want->type != MEDIA_INDEX && want->type != MEDIA_MANIFEST;
}

static int check_digest(const struct document *d, const struct digest *want, struct err *err)
{
	if (digest_equal(&d->digest, want))
		return 0;
	return err_set(err, ERR_CORRUPT, -EBADMSG, "registry sent %s instead of %s",
		       DIGEST_STR(&d->digest), DIGEST_STR(want));
}

/* GET below /v2/REPOSITORY/. @ret_claimed: Docker-Content-Digest, owned, NULL if absent; may itself be NULL. */
static int fetch(struct session *s, const char *path, size_t max, struct document *ret,
		 char **ret_claimed, struct err *err)
{
	bool manifest = strncmp(path, "manifests/", strlen("manifests/")) == 0;
	AUTO(http_response) response = { 0 };
	struct digest digest;
	int r = session_get(s, path, manifest ? manifest_headers : NULL, max, &response, err);

	if (r == 0)
		r = digest_buffer(response.body, response.body_len, &digest, err);
	if (r < 0)
		return r;
	*ret = (struct document){ .body = MOVE_PTR(response.body),
				  .len = response.body_len,
				  .digest = digest,
				  .content_type = MOVE_PTR(response.content_type) };
	if (ret_claimed)
		*ret_claimed = MOVE_PTR(response.docker_content_digest);
	return 0;
}

/* distribution-spec "Pulling manifests": a client that uses the header must verify it. Other algorithms than ours are not used. */
static int check_claim(const struct document *d, const char *claimed, struct err *err)
{
	struct digest digest;
	int r = digest_parse(claimed, &digest, NULL);

	if (r == -EOPNOTSUPP)
		return 0;
	if (r < 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "registry sent a malformed Docker-Content-Digest: %s",
			       QUOTE(claimed));
	return check_digest(d, &digest, err);
}

int document_get_named(struct session *s, struct document *ret, struct err *err)
{
	const struct image_ref *ref = s->ref;
	AUTO_FREE char *path = NULL, *claimed = NULL;
	AUTO(document) d = { 0 };
	int r;

	if (asprintf(&path, "manifests/%s", ref->has_digest ? DIGEST_STR(&ref->digest) : ref->tag) <
	    0) {
		path = NULL;
		return err_oom(err);
	}
	r = fetch(s, path, MANIFEST_BYTES_MAX, &d, &claimed, err);
	if (r < 0)
		return r;
	if (ref->has_digest)
		r = check_digest(&d, &ref->digest, err);
	else if (claimed)
		r = check_claim(&d, claimed, err);
	if (r < 0)
		return r;
	*ret = d;
	d = (struct document){ 0 };
	return 0;
}

static int from_registry(struct session *s, const struct descriptor *want, struct document *ret,
			 struct err *err)
{
	char path[DIGEST_PATH_MAX];
	AUTO(document) d = { 0 };
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", is_config(want) ? "blobs" : "manifests",
		       DIGEST_STR(&want->digest));
	r = fetch(s, path, (size_t)want->size, &d, NULL, err);
	if (r == 0 && d.len != (size_t)want->size)
		r = err_set(err, ERR_CORRUPT, -EBADMSG,
			    "registry sent %zu bytes of %s instead of %" PRId64, d.len,
			    DIGEST_STR(&want->digest), want->size);
	if (r == 0)
		r = check_digest(&d, &want->digest, err);
	if (r < 0)
		return r;
	*ret = d;
	d = (struct document){ 0 };
	return 0;
}

int document_get(struct session *s, const struct store *store, const struct descriptor *want,
		 struct document *ret, struct err *err)
{
	size_t max = is_config(want) ? IMAGE_CONFIG_BYTES_MAX : MANIFEST_BYTES_MAX;
	char *body;
	size_t len;

	if (want->size < 0 || (uint64_t)want->size > max)
		return err_set(err, ERR_CORRUPT, -EFBIG, "%s of %" PRId64 " bytes is too large",
			       is_config(want) ? "image config" : "manifest", want->size);
	if (store_blob_read(store, &want->digest, max, &body, &len, NULL) < 0)
		return from_registry(s, want, ret, err);
	if (len != (size_t)want->size) {
		free(body);
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "%s has %zu bytes, not the %" PRId64 " its descriptor says",
			       DIGEST_STR(&want->digest), len, want->size);
	}
	*ret = (struct document){ .body = body, .len = len, .digest = want->digest };
	return 0;
}
