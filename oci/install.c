// SPDX-License-Identifier: MIT
/*
 * An image on its way into the store (see install.h).
 *
 * After install_begin() the documents are checked and each layer is present, needed, or a copy of a needed one. The caller streams the
 * needed ones. install_commit() waits for the workers, settles what depends on lower layers, writes the documents, syncs once, names
 * the layers, publishes the record. Until then everything lies in ingest/ and install_free() removes it.
 *
 * Key of a layer: the diffID; the chainID if it needed something from below. Looked up in the other order, so that a layer is found
 * again whichever it was. A bottom layer has both in one: the mark "needs" tells whether it may serve elsewhere.
 */
#include "oci/install.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "oci/install_state.h"
#include "oci/lower.h"
#include "oci/whiteout.h"

static int check_digest(const char *what, const void *buf, size_t len, const struct digest *want,
			struct err *err)
{
	struct digest actual;
	int r = digest_buffer(buf, len, &actual, err);

	if (r < 0)
		return r;
	if (!digest_equal(&actual, want))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s has digest %s, not %s", what,
			       DIGEST_STR(&actual), DIGEST_STR(want));
	return 0;
}

/* @doc is an image manifest and nothing else. manifest_decode() says itself what it is about. */
static int check_type(const struct json *doc, struct err *err)
{
	int r = document_type(doc, NULL, err);

	if (r < 0)
		return err_prefix(err, r, "manifest");
	if (r != MEDIA_MANIFEST)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "manifest: not an image manifest");
	return 0;
}

static int read_manifest(struct install *in, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	int r = check_digest("manifest", in->manifest, in->req.manifest_len,
			     &in->req.manifest_digest, err);

	if (r < 0)
		return r;
	r = json_parse(in->manifest, in->req.manifest_len, &doc, err);
	if (r < 0)
		return err_prefix(err, r, "manifest");
	r = check_type(doc, err);
	return r < 0 ? r : manifest_decode(doc, &in->doc, err);
}

static int read_config(struct install *in, struct image_config *ret, struct err *err)
{
	int r;

	if ((uint64_t)in->doc.config.size != in->req.config_len)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "image config has %zu bytes, the manifest says %lld",
			       in->req.config_len, (long long)in->doc.config.size);
	r = check_digest("image config", in->config, in->req.config_len, &in->doc.config.digest,
			 err);
	if (r == 0)
		r = image_config_decode(in->config, in->req.config_len, ret, err);
	if (r < 0)
		return r;
	if (ret->n_diff_ids != in->doc.n_layers)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "image config has %zu diffIDs for the manifest's %zu layers",
			       ret->n_diff_ids, in->doc.n_layers);
	return 0;
}

/* config.md "Layer ChainID", one step up */
static int chain_next(const struct digest *below, struct install_layer *l, struct err *err)
{
	char text[2 * DIGEST_STR_MAX + 1];
	int n;

	if (!below) {
		l->chain_id = l->diff_id;
		return 0;
	}
	n = snprintf(text, sizeof(text), "sha256:%s sha256:%s", below->hex, l->diff_id.hex);
	return digest_buffer(text, (size_t)n, &l->chain_id, err);
}

static void find_layer(struct install *in, size_t i)
{
	const struct store *s = in->req.store;
	struct install_layer *l = &in->layers[i];

	if (store_layer_exists(s, &l->chain_id)) {
		l->key = l->chain_id;
		return;
	}
	if (store_layer_exists(s, &l->diff_id) && !store_layer_has_needs(s, &l->diff_id)) {
		l->key = l->diff_id;
		return;
	}
	l->state = LAYER_NEEDED;
	for (size_t k = 0; k < i; k++) {
		if (in->layers[k].state == LAYER_NEEDED &&
		    digest_equal(&in->layers[k].diff_id, &l->diff_id)) {
			l->state = LAYER_COPY;
			l->same_as = k;
			return;
		}
	}
}

static int find_layers(struct install *in, const struct image_config *config, struct err *err)
{
	/* None is fine: an image of metadata alone can be installed and looked at, though not run. */
	in->layers = calloc(in->doc.n_layers + 1, sizeof(*in->layers));
	if (!in->layers)
		return err_oom(err);
	for (size_t i = 0; i < in->doc.n_layers; i++)
		install_layer_init(&in->layers[i]);
	for (size_t i = 0; i < in->doc.n_layers; i++) {
		struct install_layer *l = &in->layers[i];
		int r;

		l->diff_id = config->diff_ids[i];
		r = chain_next(i ? &l[-1].chain_id : NULL, l, err);
		if (r < 0)
			return r;
		find_layer(in, i);
		install_event(in, i, l->state == LAYER_NEEDED ? LAYER_WAITING : LAYER_EXISTS);
	}
	return 0;
}

static char *copy_bytes(const void *buf, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	if (len > 0)
		memcpy(copy, buf, len);
	copy[len] = '\0';
	return copy;
}

int install_begin(const struct install_request *req, struct install **ret, struct err *err)
{
	AUTO_PTR(install) in = calloc(1, sizeof(*in));
	AUTO(image_config) config = { 0 };
	struct err why;
	int r;

	if (!in)
		return err_oom(err);
	/* Whoever writes to the store clears away what killed writers left; a disk that refuses will say so again below. */
	if (store_sweep(req->store, &why) < 0)
		log_debug("%s", why.msg);
	in->req = *req;
	in->name = strdup(req->name);
	in->source = strdup(req->source);
	in->manifest = copy_bytes(req->manifest, req->manifest_len);
	in->config = copy_bytes(req->config, req->config_len);
	if (!in->name || !in->source || !in->manifest || !in->config)
		return err_oom(err);
	r = read_manifest(in, err);
	if (r == 0)
		r = read_config(in, &config, err);
	if (r == 0)
		r = find_layers(in, &config, err);
	if (r < 0)
		return r;
	*ret = MOVE_PTR(in);
	return 0;
}

size_t install_layer_count(const struct install *in)
{
	return in->doc.n_layers;
}

const struct descriptor *install_layer(const struct install *in, size_t i)
{
	return &in->doc.layers[i];
}

bool install_layer_needed(const struct install *in, size_t i)
{
	return in->layers[i].state == LAYER_NEEDED;
}

static bool has_needs(const struct install_layer *l)
{
	return l->result.needs.implied_dirs || l->result.needs.lower_links;
}

/* Every layer has its content: from its worker, or as the copy of one that has. */
static int gather_layers(struct install *in, struct err *err)
{
	int r;

	/* or its worker would be waited for without end */
	for (size_t i = 0; i < in->doc.n_layers; i++) {
		if (in->layers[i].state == LAYER_NEEDED && !in->layers[i].complete)
			return err_set(err, ERR_SYSTEM, -EINVAL, "layer %.12s is not complete",
				       in->doc.layers[i].digest.hex);
	}
	r = install_throttle(in, 0, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < in->doc.n_layers; i++) {
		struct install_layer *l = &in->layers[i];

		if (l->state == LAYER_NEEDED && !l->unpacked)
			return err_set(err, ERR_SYSTEM, -EINVAL, "layer %.12s was not unpacked",
				       in->doc.layers[i].digest.hex);
		if (l->state == LAYER_COPY && has_needs(&in->layers[l->same_as])) {
			r = install_layer_unpack_again(in, i, err);
			if (r < 0)
				return r;
		}
		if (l->state == LAYER_COPY && !l->unpacked)
			l->key = in->layers[l->same_as].key;
		else if (l->state != LAYER_PRESENT)
			l->key = has_needs(l) ? l->chain_id : l->diff_id;
	}
	return 0;
}

/* fs/ of a layer, wherever it is now. Return: owned fd, or -errno */
static int open_fs(const struct install *in, size_t i, struct err *err)
{
	const struct install_layer *l = &in->layers[i];
	int fd;

	if (l->state == LAYER_PRESENT)
		return store_layer_open(in->req.store, &l->key, err);
	if (!l->unpacked)
		l = &in->layers[l->same_as];
	fd = openat(l->ingest.fs_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, ERR_SYSTEM, "open layer") : fd;
}

static int settle_layer(struct install *in, size_t i, struct err *err)
{
	struct install_layer *l = &in->layers[i];
	int *fds = calloc(i ? i : 1, sizeof(int));
	size_t n = 0;
	int r = 0;

	if (!fds)
		return err_oom(err);
	while (n < i && r >= 0) {
		r = open_fs(in, i - 1 - n, err);
		if (r >= 0)
			fds[n++] = r;
	}
	if (r >= 0)
		r = lower_settle(l->ingest.fs_fd, fds, n, &l->result.needs, err);
	while (n > 0)
		(void)close(fds[--n]);
	free(fds);
	return r < 0 ? err_prefix(err, r, "layer %.12s", in->doc.layers[i].digest.hex) : 0;
}

static int settle_layers(struct install *in, struct err *err)
{
	for (size_t i = 0; i < in->doc.n_layers; i++) {
		struct install_layer *l = &in->layers[i];
		int r = 0;

		if (!l->unpacked)
			continue;
		if (has_needs(l))
			r = settle_layer(in, i, err);
		if (r == 0)
			r = ingest_describe(&l->ingest, l->result.bytes, has_needs(l), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int publish_layers(struct install *in, struct err *err)
{
	const struct store *s = in->req.store;
	bool any = false;

	for (size_t i = 0; i < in->doc.n_layers; i++)
		any = any || in->layers[i].unpacked;
	if (!any)
		return 0;
	if (syncfs(s->root_fd) < 0)
		return err_sys(err, ERR_SYSTEM, "sync the image store");
	for (size_t i = 0; i < in->doc.n_layers; i++) {
		struct install_layer *l = &in->layers[i];
		int r = l->unpacked ? ingest_publish(&l->ingest, &l->key, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* overlayfs does not look at the root's mark: layers below an opaque root are left out instead. Return: index of the lowest layer */
static int lowest_layer(const struct install *in, size_t *ret, struct err *err)
{
	for (size_t i = in->doc.n_layers; i-- > 0;) {
		AUTO_CLOSE int path_fd = store_layer_open(in->req.store, &in->layers[i].key, err);
		AUTO_CLOSE int fd = -EBADF;

		if (path_fd < 0)
			return path_fd;
		fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, ERR_SYSTEM, "open layer");
		*ret = i;
		if (whiteout_is_opaque(fd))
			break;
	}
	return 0;
}

static int publish_record(struct install *in, struct err *err)
{
	AUTO_FREE struct digest *keys = calloc(in->doc.n_layers + 1, sizeof(*keys));
	struct image_record rec = { .name = in->name,
				    .source = in->source,
				    .manifest = in->req.manifest_digest,
				    .config = in->doc.config.digest,
				    .index = in->req.index_digest,
				    .layers = keys,
				    .pulled = time(NULL) };
	size_t lowest = 0;
	int r;

	if (!keys)
		return err_oom(err);
	r = lowest_layer(in, &lowest, err);
	if (r < 0)
		return r;
	if (!digest_is_set(&rec.index))
		rec.index = rec.manifest;
	for (size_t i = lowest; i < in->doc.n_layers; i++) {
		keys[rec.n_layers++] = in->layers[i].key;
		rec.size += store_layer_size(in->req.store, &in->layers[i].key);
	}
	return image_record_put(in->req.store, &rec, err);
}

int install_commit(struct install *in, struct err *err)
{
	const struct store *s = in->req.store;
	int r = gather_layers(in, err);

	if (r == 0)
		r = settle_layers(in, err);
	if (r == 0)
		r = store_blob_write(s, &in->req.manifest_digest, in->manifest,
				     in->req.manifest_len, err);
	if (r == 0)
		r = store_blob_write(s, &in->doc.config.digest, in->config, in->req.config_len,
				     err);
	if (r == 0)
		r = publish_layers(in, err);
	if (r == 0)
		r = publish_record(in, err);
	return r;
}

void install_free(struct install *in)
{
	if (!in)
		return;
	for (size_t i = 0; in->layers && i < in->doc.n_layers; i++)
		install_layer_done(&in->layers[i]);
	free(in->layers);
	image_manifest_done(&in->doc);
	free(in->name);
	free(in->source);
	free(in->manifest);
	free(in->config);
	free(in);
}
