// SPDX-License-Identifier: MIT
/*
 * A root file system tar as an image of one layer (see rootfs_import.h). The tar is read twice: its digests go into the documents, which
 * have to exist before the installation begins.
 */
#include "oci/rootfs_import.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/json.h"
#include "oci/unpack.h"

#define PIECE_BYTES ((size_t)256 << 10)
#define DOCUMENT_MAX ((size_t)1 << 20)

struct tar_file {
	int fd; /* borrowed; regular, so pread(2) does */
	int64_t at;
	enum compression kind;
	struct digest digest, diff_id;
	int64_t size;
};

static ssize_t tar_read(void *arg, void *buf, size_t len, struct err *err)
{
	struct tar_file *t = arg;
	ssize_t n;

	do
		n = pread(t->fd, buf, len, t->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, ERR_SYSTEM, "read the root file system archive");
	t->at += n;
	return n;
}

static int tar_hash(struct tar_file *t, struct err *err)
{
	AUTO_PTR(digest_ctx) ctx = NULL;
	AUTO_FREE char *piece = malloc(PIECE_BYTES);
	ssize_t n;
	int r = digest_begin(&ctx, err);

	if (r < 0)
		return r;
	if (!piece)
		return err_oom(err);
	for (t->at = 0; (n = tar_read(t, piece, PIECE_BYTES, err)) > 0;) {
		if (t->size == 0)
			t->kind = compression_detect(piece, (size_t)n);
		t->size += n;
		digest_update(ctx, piece, (size_t)n);
	}
	if (n < 0)
		return (int)n;
	digest_finish(ctx, &t->digest);
	return 0;
}

static int tar_hash_content(struct tar_file *t, struct err *err)
{
	AUTO_PTR(digest_ctx) ctx = NULL;
	AUTO_PTR(decompress) stream = NULL;
	AUTO_FREE char *piece = malloc(PIECE_BYTES);
	ssize_t n;
	int r;

	if (t->kind == COMPRESSION_NONE) {
		t->diff_id = t->digest;
		return 0;
	}
	if (!piece)
		return err_oom(err);
	t->at = 0;
	r = digest_begin(&ctx, err);
	if (r == 0)
		r = decompress_open(t->kind, tar_read, t, LAYER_BYTES_MAX, &stream, err);
	if (r < 0)
		return r;
	while ((n = decompress_read(stream, piece, PIECE_BYTES, err)) > 0)
		digest_update(ctx, piece, (size_t)n);
	if (n < 0)
		return err_prefix(err, (int)n, "root file system archive");
	digest_finish(ctx, &t->diff_id);
	return 0;
}

static void write_member(struct json_writer *w, const char *key, const char *value)
{
	jw_key(w, key);
	jw_string(w, value);
}

static int encode_config(const struct rootfs_import_request *req, const struct tar_file *t,
			 struct strbuf *out)
{
	struct json_writer *w;
	char created[sizeof("2026-01-01T00:00:00Z")] = "1970-01-01T00:00:00Z";
	time_t now = time(NULL);
	struct tm tm;
	int r = json_write_begin(out, false, &w);

	if (r < 0)
		return r;
	if (gmtime_r(&now, &tm) && tm.tm_year < 9999 - 1900)
		(void)strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	jw_object(w);
	write_member(w, "created", created);
	write_member(w, "architecture", req->platform->arch);
	write_member(w, "os", req->platform->os);
	if (req->platform->variant[0])
		write_member(w, "variant", req->platform->variant);
	jw_key(w, "config");
	jw_object(w);
	jw_key(w, "Env");
	jw_strv(w, req->env);
	jw_key(w, "Cmd");
	jw_strv(w, req->cmd);
	jw_object_end(w);
	jw_key(w, "rootfs");
	jw_object(w);
	write_member(w, "type", "layers");
	jw_key(w, "diff_ids");
	jw_array(w);
	jw_string(w, DIGEST_STR(&t->diff_id));
	jw_array_end(w);
	jw_object_end(w);
	jw_key(w, "history");
	jw_array(w);
	jw_object(w);
	write_member(w, "created", created);
	write_member(w, "created_by", req->source);
	jw_object_end(w);
	jw_array_end(w);
	jw_object_end(w);
	return json_write_end(w);
}

static void write_descriptor(struct json_writer *w, const char *type, const struct digest *digest,
			     int64_t size)
{
	jw_object(w);
	write_member(w, "mediaType", type);
	write_member(w, "digest", DIGEST_STR(digest));
	jw_key(w, "size");
	jw_int(w, size);
	jw_object_end(w);
}

static int encode_manifest(const struct tar_file *t, const struct digest *config, size_t config_len,
			   struct strbuf *out)
{
	static const char *const layer_types[] = {
		[COMPRESSION_NONE] = "application/vnd.oci.image.layer.v1.tar",
		[COMPRESSION_GZIP] = "application/vnd.oci.image.layer.v1.tar+gzip",
		[COMPRESSION_ZSTD] = "application/vnd.oci.image.layer.v1.tar+zstd",
	};
	struct json_writer *w;
	int r = json_write_begin(out, false, &w);

	if (r < 0)
		return r;
	jw_object(w);
	jw_key(w, "schemaVersion");
	jw_int(w, 2);
	write_member(w, "mediaType", "application/vnd.oci.image.manifest.v1+json");
	jw_key(w, "config");
	write_descriptor(w, "application/vnd.oci.image.config.v1+json", config,
			 (int64_t)config_len);
	jw_key(w, "layers");
	jw_array(w);
	write_descriptor(w, layer_types[t->kind], &t->digest, t->size);
	jw_array_end(w);
	jw_object_end(w);
	return json_write_end(w);
}

static int feed(struct install *in, struct tar_file *t, struct err *err)
{
	AUTO_FREE char *piece = malloc(PIECE_BYTES);
	ssize_t n;
	int r;

	if (!piece)
		return err_oom(err);
	r = install_layer_start(in, 0, err);
	if (r < 0)
		return r;
	for (t->at = 0; (n = tar_read(t, piece, PIECE_BYTES, err)) > 0;) {
		r = install_layer_write(in, 0, piece, (size_t)n, err);
		if (r < 0)
			return r;
	}
	return n < 0 ? (int)n : install_layer_finish(in, 0, err);
}

static int install_documents(const struct rootfs_import_request *req, struct tar_file *t,
			     const struct strbuf *config, const struct strbuf *manifest,
			     struct err *err)
{
	AUTO_PTR(install) in = NULL;
	struct install_request ir = { .store = req->store,
				      .name = req->name,
				      .source = req->source,
				      .manifest = manifest->text,
				      .manifest_len = manifest->len,
				      .config = config->text,
				      .config_len = config->len };
	int r = digest_buffer(manifest->text, manifest->len, &ir.manifest_digest, err);

	if (r == 0)
		r = install_begin(&ir, &in, err);
	if (r == 0 && install_layer_needed(in, 0))
		r = feed(in, t, err);
	return r < 0 ? r : install_commit(in, err);
}

int rootfs_import(const struct rootfs_import_request *req, struct err *err)
{
	AUTO(strbuf) config = STRBUF_INIT(DOCUMENT_MAX);
	AUTO(strbuf) manifest = STRBUF_INIT(DOCUMENT_MAX);
	struct tar_file t = { .fd = req->tar_fd };
	struct digest digest;
	struct stat st;
	int r;

	if (fstat(t.fd, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat the root file system archive");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_USAGE, -EINVAL,
			       "the root file system archive is not a regular file");
	/* A layer may be empty; a root file system that is was not made. */
	if (st.st_size == 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "the root file system archive is empty");
	r = tar_hash(&t, err);
	if (r == 0)
		r = tar_hash_content(&t, err);
	if (r < 0)
		return r;
	r = encode_config(req, &t, &config);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "write the image config");
	r = digest_buffer(config.text, config.len, &digest, err);
	if (r < 0)
		return r;
	r = encode_manifest(&t, &digest, config.len, &manifest);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "write the image manifest");
	return install_documents(req, &t, &config, &manifest, err);
}
