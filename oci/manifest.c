// SPDX-License-Identifier: MIT
// Image manifests, OCI and Docker schema 2: what is a container image, and what only travels like one.
#include "oci/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/quote.h"

#define SCHEMA_VERSION 2

/* What early registries and docker made of an image config's type (docker/distribution issue 1621); docker runs them too. */
static const char *const legacy_config_types[] = {
	"",
	"application/octet-stream",
	"application/json",
	"text/html",
};

void image_manifest_done(struct image_manifest *m)
{
	if (!m)
		return;
	free(m->layers);
	*m = (struct image_manifest){ 0 };
}

static bool config_is_image(const struct descriptor *config)
{
	if (config->type == MEDIA_CONFIG)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(legacy_config_types); i++) {
		if (strcasecmp(config->media_type, legacy_config_types[i]) == 0)
			return true;
	}
	return false;
}

static bool is_layer(enum media_type type)
{
	return type == MEDIA_LAYER_TAR || type == MEDIA_LAYER_GZIP || type == MEDIA_LAYER_ZSTD;
}

static int check_schema_version(const struct json *doc, struct err *err)
{
	int64_t version;
	int r = json_member_int(doc, "schemaVersion", JSON_REQUIRED, &version, err);

	if (r < 0)
		return r;
	if (version != SCHEMA_VERSION)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "schema version %lld is not %d",
			       (long long)version, SCHEMA_VERSION);
	return 0;
}

static int decode_config(const struct json *doc, struct descriptor *ret, struct err *err)
{
	const struct json *config;
	struct descriptor d;
	int r = json_member_object(doc, "config", JSON_REQUIRED, &config, err);

	if (r < 0)
		return r;
	r = descriptor_decode(config, &d, err);
	if (r < 0)
		return err_prefix(err, r, "config");
	if (!config_is_image(&d))
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "not a container image: its config is of type %s",
			       QUOTE(d.media_type));
	*ret = d;
	return 0;
}

static int check_layer(const struct descriptor *d, size_t i, struct err *err)
{
	if (is_layer(d->type))
		return 0;
	if (media_type_is_foreign(d->media_type))
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "layer %zu is a foreign layer (%s): its content is not in the "
			       "registry",
			       i, QUOTE_PLAIN(d->media_type));
	/* Signatures and attestations come with an image's config type: only their layers tell them. */
	return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
		       "not a container image that can be unpacked: layer %zu is of type %s", i,
		       d->media_type[0] ? QUOTE(d->media_type) : "none");
}

static int decode_layers(const struct json *doc, struct image_manifest *m, struct err *err)
{
	const struct json *layers;
	int r = json_member_array(doc, "layers", JSON_REQUIRED, &layers, err);

	if (r < 0)
		return r;

	size_t n = json_len(layers);

	if (n > LAYERS_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%zu layers are more than %d", n,
			       LAYERS_MAX);
	if (n == 0)
		return 0;
	m->layers = calloc(n, sizeof(*m->layers));
	if (!m->layers)
		return err_oom(err);
	for (size_t i = 0; i < n; i++) {
		r = descriptor_decode(json_at(layers, i), &m->layers[i], err);
		if (r < 0)
			return err_prefix(err, r, "layer %zu", i);
		r = check_layer(&m->layers[i], i, err);
		if (r < 0)
			return r;
	}
	m->n_layers = n;
	return 0;
}

int manifest_decode(const struct json *doc, struct image_manifest *ret, struct err *err)
{
	struct image_manifest m = { 0 };
	int r = check_schema_version(doc, err);

	if (r == 0)
		r = decode_config(doc, &m.config, err);
	if (r == 0)
		r = decode_layers(doc, &m, err);
	if (r < 0) {
		image_manifest_done(&m);
		return err_prefix(err, r, "manifest");
	}
	*ret = m;
	return 0;
}
