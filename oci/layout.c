// SPDX-License-Identifier: MIT
/*
 * OCI image layouts on disk as a source (see layout.h). The layout is somebody else's directory: its files are opened beneath it, never
 * through a symlink, bounded in size, and everything in them is checked by digest.
 */
#include "oci/layout.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/path_at.h"
#include "base/quote.h"

#define LAYOUT_VERSION "1.0.0"
#define PIECE_BYTES ((size_t)256 << 10)
#define WORKERS_MAX 4

struct layout {
	char *dir; /* absolute */
	char *ref; /* NULL: none given */
	int fd;
};

static void layout_done(struct layout *l)
{
	free(l->dir);
	free(l->ref);
	if (l->fd >= 0)
		(void)close(l->fd);
}

/* "DIR[:REF]"; the first colon parts them (containers-transports(5)). */
static int parse_spec(const char *spec, struct layout *l, struct err *err)
{
	const char *colon = strchrnul(spec, ':');
	AUTO_FREE char *dir = strndup(spec, (size_t)(colon - spec));

	if (!dir)
		return err_oom(err);
	if (!*dir || (*colon && !colon[1]))
		return err_set(err, ERR_USAGE, -EINVAL,
			       "invalid image layout %s: oci:DIR[:REF] is expected", QUOTE(spec));
	if (*colon) {
		l->ref = strdup(colon + 1);
		if (!l->ref)
			return err_oom(err);
	}
	l->dir = realpath(dir, NULL);
	if (!l->dir && *dir == '/') {
		l->dir = MOVE_PTR(dir);
	} else if (!l->dir) {
		/* gone since, but its record may be there */
		AUTO_FREE char *cwd = getcwd(NULL, 0);

		if (!cwd || asprintf(&l->dir, "%s/%s", cwd, dir) < 0) {
			l->dir = NULL;
			return err_oom(err);
		}
	}
	return 0;
}

static int record_name(const struct layout *l, char **ret, struct err *err)
{
	if (asprintf(ret, "oci:%s%s%s", l->dir, l->ref ? ":" : "", l->ref ? l->ref : "") < 0)
		return err_oom(err);
	return 0;
}

int layout_name(const char *spec, char **ret_name, struct err *err)
{
	AUTO(layout) l = { .fd = -EBADF };
	int r = parse_spec(spec, &l, err);

	return r < 0 ? r : record_name(&l, ret_name, err);
}

/* A file of the layout. Return: fd of a regular file, or -errno */
static int layout_open(const struct layout *l, const char *path, struct err *err)
{
	AUTO_CLOSE int fd = path_at_open_beneath(l->fd, path, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0) {
		errno = -fd;
		return err_sys(err, fd == -ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "open %s/%s",
			       QUOTE_PLAIN(l->dir), path);
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s/%s is not a regular file",
			       QUOTE_PLAIN(l->dir), path);
	return MOVE_FD(fd);
}

static int layout_read(const struct layout *l, const char *path, size_t max, char **ret,
		       size_t *ret_len, struct err *err)
{
	AUTO_CLOSE int fd = layout_open(l, path, err);
	int r;

	if (fd < 0)
		return fd;
	r = fd_read_all(fd, max, ret, ret_len);
	if (r < 0) {
		errno = -r;
		return err_sys(err, r == -E2BIG ? ERR_CORRUPT : ERR_SYSTEM, "read %s/%s",
			       QUOTE_PLAIN(l->dir), path);
	}
	return 0;
}

static int layout_read_json(const struct layout *l, const char *path, struct json **ret,
			    struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	int r = layout_read(l, path, MANIFEST_BYTES_MAX, &text, &len, err);

	if (r < 0)
		return r;
	r = json_parse(text, len, ret, err);
	return r < 0 ? err_prefix(err, r, "%s/%s", QUOTE_PLAIN(l->dir), path) : 0;
}

/* A document by its descriptor; digest and size agree. */
static int layout_read_blob(const struct layout *l, const struct descriptor *d, size_t max,
			    char **ret, size_t *ret_len, struct err *err)
{
	AUTO_FREE char *text = NULL;
	char path[sizeof("blobs/sha256/") + DIGEST_HEX_LEN];
	struct digest actual;
	size_t len = 0;
	int r;

	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", d->digest.hex);
	r = layout_read(l, path, max, &text, &len, err);
	if (r == 0)
		r = digest_buffer(text, len, &actual, err);
	if (r < 0)
		return r;
	if (len != (uint64_t)d->size || !digest_equal(&actual, &d->digest))
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "%s/%s: size or digest is not what its descriptor says",
			       QUOTE_PLAIN(l->dir), path);
	*ret = MOVE_PTR(text);
	*ret_len = len;
	return 0;
}

static int check_version(const struct layout *l, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	const char *version = NULL;
	int r = layout_read_json(l, "oci-layout", &doc, err);

	if (r == 0)
		r = json_member_string(doc, "imageLayoutVersion", JSON_REQUIRED, &version, err);
	if (r < 0)
		return err_prefix(err, r, "not an OCI image layout");
	if (strcmp(version, LAYOUT_VERSION) != 0)
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "%s: image layout version %s is not supported", QUOTE_PLAIN(l->dir),
			       QUOTE(version));
	return 0;
}

static bool ref_matches(const struct layout *l, const struct json *item)
{
	const char *ref = json_string(
		json_get(json_get(item, "annotations"), "org.opencontainers.image.ref.name"));

	return !l->ref || (ref && strcmp(ref, l->ref) == 0);
}

/* 0: not for this platform; no platform given: may be for it. */
static int item_rank(const struct descriptor *d, const struct platform *want)
{
	if (d->is_attestation || (d->type != MEDIA_INDEX && d->type != MEDIA_MANIFEST))
		return 0;
	if (!d->platform.os[0] && !d->platform.arch[0])
		return 1;
	return platform_rank(want, &d->platform);
}

/* The entry of index.json that is meant. */
static int choose(const struct layout *l, const struct platform *want, struct descriptor *ret,
		  struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	const struct json *items = NULL;
	int r = layout_read_json(l, "index.json", &doc, err), best = 0;
	size_t found = 0;

	if (r == 0)
		r = json_member_array(doc, "manifests", JSON_REQUIRED, &items, err);
	for (size_t i = 0; i < json_len(items) && r >= 0; i++) {
		struct descriptor d = { 0 };
		int rank;

		if (!ref_matches(l, json_at(items, i)))
			continue;
		r = descriptor_decode(json_at(items, i), &d, err);
		rank = r < 0 ? 0 : item_rank(&d, want);
		found += rank > 0;
		if (rank > best) {
			best = rank;
			*ret = d;
		}
	}
	if (r < 0)
		return err_prefix(err, r, "%s/index.json", QUOTE_PLAIN(l->dir));
	if (found == 0)
		return err_set(err, ERR_NOT_FOUND, -ENOENT,
			       "the image layout %s has no image%s%s for %s", QUOTE_PLAIN(l->dir),
			       l->ref ? " " : "", l->ref ? QUOTE_PLAIN(l->ref) : "",
			       platform_str(want, (char[PLATFORM_STR_MAX]){ 0 }));
	if (!l->ref && found > 1)
		return err_set(err, ERR_USAGE, -EINVAL,
			       "the image layout %s has %zu images: name one with oci:%s:REF",
			       QUOTE_PLAIN(l->dir), found, QUOTE_PLAIN(l->dir));
	return 0;
}

/* Down through nested indexes to a manifest. *text: owned, its bytes */
static int descend(const struct layout *l, const struct platform *want, struct descriptor *d,
		   char **ret, size_t *ret_len, struct err *err)
{
	for (int depth = 0; depth <= INDEX_DEPTH_MAX; depth++) {
		AUTO_PTR(json) doc = NULL;
		AUTO_FREE char *text = NULL;
		size_t len = 0;
		int r = layout_read_blob(l, d, MANIFEST_BYTES_MAX, &text, &len, err);

		if (r == 0)
			r = json_parse(text, len, &doc, err);
		if (r == 0)
			r = document_type(doc, d->media_type[0] ? d->media_type : NULL, err);
		if (r < 0)
			return err_prefix(err, r, "blob %s", d->digest.hex);
		if (r == MEDIA_MANIFEST) {
			*ret = MOVE_PTR(text);
			*ret_len = len;
			return 0;
		}
		if (r != MEDIA_INDEX)
			return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
				       "blob %s is neither an image manifest nor an index",
				       d->digest.hex);
		r = index_select(doc, want, d, err);
		if (r < 0)
			return r;
	}
	return err_set(err, ERR_CORRUPT, -EBADMSG, "indexes are nested too deep");
}

static int feed_layer(const struct layout *l, struct install *in, size_t i, char *piece,
		      struct err *err)
{
	char path[sizeof("blobs/sha256/") + DIGEST_HEX_LEN];
	AUTO_CLOSE int fd = -EBADF;
	ssize_t n;
	int r;

	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", install_layer(in, i)->digest.hex);
	fd = layout_open(l, path, err);
	if (fd < 0)
		return fd;
	r = install_layer_start(in, i, err);
	if (r < 0)
		return r;
	while ((n = fd_read_full(fd, piece, PIECE_BYTES)) > 0) {
		r = install_layer_write(in, i, piece, (size_t)n, err);
		if (r < 0)
			return r;
	}
	if (n < 0) {
		errno = (int)-n;
		return err_sys(err, ERR_SYSTEM, "read %s/%s", QUOTE_PLAIN(l->dir), path);
	}
	return install_layer_finish(in, i, err);
}

static int feed_layers(const struct layout *l, struct install *in, struct err *err)
{
	AUTO_FREE char *piece = malloc(PIECE_BYTES);

	if (!piece)
		return err_oom(err);
	for (size_t i = 0; i < install_layer_count(in); i++) {
		int r = 0;

		if (install_layer_needed(in, i)) {
			r = install_throttle(in, WORKERS_MAX - 1, err);
			if (r == 0)
				r = feed_layer(l, in, i, piece, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Config and layers of a manifest whose bytes are at hand. */
static int layout_take(const struct layout *l, struct install_request *ir, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	AUTO(image_manifest) manifest = { 0 };
	AUTO_FREE char *config = NULL;
	AUTO_PTR(install) in = NULL;
	int r = json_parse(ir->manifest, ir->manifest_len, &doc, err);

	if (r == 0)
		r = manifest_decode(doc, &manifest, err);
	if (r == 0)
		r = layout_read_blob(l, &manifest.config, IMAGE_CONFIG_BYTES_MAX, &config,
				     &ir->config_len, err);
	ir->config = config;
	if (r == 0)
		r = install_begin(ir, &in, err);
	if (r == 0)
		r = feed_layers(l, in, err);
	return r < 0 ? r : install_commit(in, err);
}

int layout_install(const struct layout_request *req, char **ret_name, struct err *err)
{
	AUTO(layout) l = { .fd = -EBADF };
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *manifest = NULL;
	struct descriptor d = { 0 };
	struct install_request ir = { .store = req->store,
				      .source = "oci",
				      .event = req->event,
				      .event_arg = req->event_arg };
	int r = parse_spec(req->spec, &l, err);

	if (r == 0)
		r = record_name(&l, &name, err);
	if (r < 0)
		return r;
	l.fd = open(l.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l.fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM,
			       "open image layout %s", QUOTE_PLAIN(l.dir));
	r = check_version(&l, err);
	if (r == 0)
		r = choose(&l, req->platform, &d, err);
	ir.index_digest = d.digest;
	if (r == 0)
		r = descend(&l, req->platform, &d, &manifest, &ir.manifest_len, err);
	if (r < 0)
		return r;
	ir.name = name;
	ir.manifest = manifest;
	ir.manifest_digest = d.digest;
	r = layout_take(&l, &ir, err);
	if (r < 0)
		return err_prefix(err, r, "%s", QUOTE_PLAIN(name));
	*ret_name = MOVE_PTR(name);
	return 0;
}
