// SPDX-License-Identifier: MIT
/*
 * Pull an image (see pull.h). Sequence, and what holds after each step:
 *
 *	1. the manifest or index that the name means (document): its bytes have the digest of the reference, or the one it told
 *	2. down the index, nested ones too, to this platform's manifest: every step checked against the descriptor above it
 *	3. if the store's record says the same and is whole, that is all
 *	4. the config, checked against the manifest
 *	5. layers (layers.h): each streams into a worker; sizes, digests and diffIDs are checked by oci/install
 *	6. install_commit(): only now is anything of it visible
 *
 * Who cleans up: install_free() ends workers and removes what is not committed, session_done() ends transfers.
 */
#include "registry/pull.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/quote.h"
#include "registry/document.h"
#include "registry/layers.h"
#include "registry/session.h"

struct resolution {
	struct document manifest; /* of the wanted platform */
	struct digest root; /* what the name means: index or manifest */
	bool through_index;
	bool current; /* the store has it; manifest may be unset then */
};

static void resolution_done(struct resolution *res)
{
	document_done(&res->manifest);
}

/* Has the store this very image, whole? */
static bool is_current(const struct pull_request *req, const char *name, const struct digest *root,
		       const struct digest *manifest)
{
	AUTO(image_record) record = { 0 };

	if (image_record_get(req->store, name, &record, NULL) < 0 ||
	    !digest_equal(&record.index, root) || !digest_equal(&record.manifest, manifest) ||
	    !store_blob_exists(req->store, &record.manifest) ||
	    !store_blob_exists(req->store, &record.config))
		return false;
	for (size_t i = 0; i < record.n_layers; i++)
		if (!store_layer_exists(req->store, &record.layers[i]))
			return false;
	return true;
}

/* MEDIA_INDEX or MEDIA_MANIFEST of a document, which must be what its descriptor announced. */
static int type_of(const struct json *doc, const struct document *d, enum media_type announced,
		   struct err *err)
{
	int type = document_type(doc, d->content_type, err);

	if (type < 0)
		return type;
	if (type == MEDIA_MANIFEST_V1)
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "docker's image manifest version 2, schema 1 is not supported: the "
			       "image must be pushed again by a current client");
	if (announced != MEDIA_UNKNOWN && type != (int)announced)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "document is ambiguous: it is not of the type that the index says");
	return type;
}

/* Step 2: from the document the name means to the platform's manifest. */
static int descend(struct session *s, const struct pull_request *req, const char *name,
		   struct resolution *res, struct err *err)
{
	enum media_type announced = MEDIA_UNKNOWN;

	for (int depth = 0;; depth++) {
		AUTO_PTR(json) doc = NULL;
		struct document below;
		struct descriptor d;
		int r = json_parse(res->manifest.body, res->manifest.len, &doc, err);

		if (r < 0)
			return err_prefix(err, r, "manifest");
		r = type_of(doc, &res->manifest, announced, err);
		if (r < 0)
			return r;
		if (r == MEDIA_MANIFEST) {
			res->current = is_current(req, name, &res->root, &res->manifest.digest);
			return 0;
		}
		if (depth == INDEX_DEPTH_MAX)
			return err_set(err, ERR_CORRUPT, -ELOOP,
				       "indexes are nested deeper than %d", INDEX_DEPTH_MAX);
		res->through_index = true;
		r = index_select(doc, req->platform, &d, err);
		if (r < 0)
			return r;
		res->current = d.type == MEDIA_MANIFEST &&
			       is_current(req, name, &res->root, &d.digest);
		if (res->current)
			return 0;
		r = document_get(s, req->store, &d, &below, err);
		if (r < 0)
			return r;
		document_done(&res->manifest);
		res->manifest = below;
		announced = d.type;
	}
}

/* A name that has one manifest only is taken as it is, whatever its platform. */
static void note_platform(const struct pull_request *req, const struct document *config)
{
	AUTO(image_config) c = { 0 };

	if (!log_enabled(LOG_LEVEL_DEBUG) ||
	    image_config_decode(config->body, config->len, &c, NULL) < 0 ||
	    platform_rank(req->platform, &c.platform) > 0)
		return;
	log_debug("image is for %s, not for %s",
		  QUOTE_PLAIN(platform_str(&c.platform, (char[PLATFORM_STR_MAX]){ 0 })),
		  platform_str(req->platform, (char[PLATFORM_STR_MAX]){ 0 }));
}

static int get_config(struct session *s, const struct pull_request *req,
		      const struct resolution *res, struct document *ret, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	AUTO(image_manifest) m = { 0 };
	int r = json_parse(res->manifest.body, res->manifest.len, &doc, err);

	if (r == 0)
		r = manifest_decode(doc, &m, err);
	if (r == 0)
		r = document_get(s, req->store, &m.config, ret, err);
	if (r == 0 && !res->through_index)
		note_platform(req, ret);
	return r;
}

/* Steps 4 to 6. */
static int install(struct session *s, const struct pull_request *req, const char *name,
		   const struct resolution *res, struct err *err)
{
	AUTO(document) config = { 0 };
	AUTO_PTR(install) in = NULL;
	int r = get_config(s, req, res, &config, err);

	if (r < 0)
		return r;
	r = install_begin(&(struct install_request){ .store = req->store,
						     .name = name,
						     .source = "registry",
						     .manifest = res->manifest.body,
						     .manifest_len = res->manifest.len,
						     .manifest_digest = res->manifest.digest,
						     .index_digest = res->root,
						     .config = config.body,
						     .config_len = config.len,
						     .event = req->event,
						     .event_arg = req->arg },
			  &in, err);
	if (r == 0)
		r = layers_pull(s, in, err);
	if (r == 0)
		r = install_commit(in, err);
	return r;
}

int pull_image(const struct pull_request *req, struct pull_result *ret, struct err *err)
{
	AUTO(session)
	s = { .username = req->username,
	      .password = req->password,
	      .interrupted = req->interrupted };
	AUTO_FREE char *name = image_ref_canonical(req->ref);
	AUTO(resolution) res = { 0 };
	int r;

	if (!name)
		return err_oom(err);
	r = session_open(&s, req->ref, err);
	if (r == 0)
		r = document_get_named(&s, &res.manifest, err);
	if (r < 0)
		return r;
	if (req->found)
		req->found(req->arg);
	res.root = res.manifest.digest;
	r = descend(&s, req, name, &res, err);
	if (r == 0 && !res.current)
		r = install(&s, req, name, &res, err);
	if (r < 0)
		return r;
	*ret = (struct pull_result){ .digest = res.root, .up_to_date = res.current };
	return 0;
}
