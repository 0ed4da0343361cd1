// SPDX-License-Identifier: MIT
/* The records of images: what a name stands for (see store.h). One JSON file a name, under a path that mirrors the name. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic_file.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/strv.h"
#include "oci/image_path.h"
#include "oci/manifest.h"
#include "oci/store.h"

#define RECORD_BYTES_MAX ((size_t)1 << 20)
#define RECORD_DEPTH_MAX 200 /* directories under images/: a reference has 255 bytes */
#define RECORDS_MAX ((size_t)1 << 20)
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

void image_record_done(struct image_record *r)
{
	if (!r)
		return;
	free(r->name);
	free(r->layers);
	free(r->source);
	*r = (struct image_record){ 0 };
}

void image_records_free(struct image_record *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		image_record_done(&list[i]);
	free(list);
}

static void write_digest(struct json_writer *w, const char *key, const struct digest *d)
{
	jw_key(w, key);
	jw_string(w, DIGEST_STR(d));
}

static int record_encode(const struct image_record *r, struct strbuf *out)
{
	struct json_writer *w;
	int rc = json_write_begin(out, false, &w);

	if (rc < 0)
		return rc;
	jw_object(w);
	jw_key(w, "name");
	jw_string(w, r->name);
	write_digest(w, "manifest", &r->manifest);
	write_digest(w, "config", &r->config);
	write_digest(w, "index", digest_is_set(&r->index) ? &r->index : &r->manifest);
	jw_key(w, "layers");
	jw_array(w);
	for (size_t i = 0; i < r->n_layers; i++)
		jw_string(w, DIGEST_STR(&r->layers[i]));
	jw_array_end(w);
	jw_key(w, "size");
	jw_int(w, r->size);
	jw_key(w, "pulled");
	jw_int(w, r->pulled);
	jw_key(w, "source");
	jw_string(w, r->source ? r->source : "");
	jw_object_end(w);
	return json_write_end(w);
}

static int member_digest(const struct json *obj, const char *key, struct digest *ret,
			 struct err *err)
{
	const char *text = NULL;
	int r = json_member_string(obj, key, JSON_REQUIRED, &text, err);

	if (r < 0)
		return r;
	r = digest_parse(text, ret, err);
	return r < 0 ? err_prefix(err, r, "%s", key) : 0;
}

static int decode_layers(const struct json *doc, struct image_record *ret, struct err *err)
{
	const struct json *layers = NULL;
	int r = json_member_array(doc, "layers", JSON_REQUIRED, &layers, err);
	size_t n = json_len(layers);

	if (r < 0)
		return r;
	if (n > LAYERS_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "more than %d layers", LAYERS_MAX);
	ret->layers = calloc(n ? n : 1, sizeof(*ret->layers));
	if (!ret->layers)
		return err_oom(err);
	for (ret->n_layers = 0; ret->n_layers < n; ret->n_layers++) {
		const char *text = json_string(json_at(layers, ret->n_layers));

		if (!text)
			return err_set(err, ERR_CORRUPT, -EBADMSG, "layers: not a string");
		r = digest_parse(text, &ret->layers[ret->n_layers], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int record_decode(const char *text, size_t len, struct image_record *ret, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	AUTO(image_record) rec = { 0 };
	const char *name = NULL, *source = "";
	int r = json_parse(text, len, &doc, err);

	if (r == 0)
		r = json_member_string(doc, "name", JSON_REQUIRED, &name, err);
	if (r == 0)
		r = json_member_string(doc, "source", JSON_OPTIONAL, &source, err);
	if (r == 0)
		r = json_member_int(doc, "size", JSON_REQUIRED, &rec.size, err);
	if (r == 0)
		r = json_member_int(doc, "pulled", JSON_REQUIRED, &rec.pulled, err);
	if (r == 0)
		r = member_digest(doc, "manifest", &rec.manifest, err);
	if (r == 0)
		r = member_digest(doc, "config", &rec.config, err);
	if (r == 0)
		r = member_digest(doc, "index", &rec.index, err);
	if (r == 0)
		r = decode_layers(doc, &rec, err);
	if (r < 0)
		return r;
	if (!name || !source)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "a member is missing");
	rec.name = strdup(name);
	rec.source = strdup(source);
	if (!rec.name || !rec.source)
		return err_oom(err);
	*ret = rec;
	rec = (struct image_record){ 0 };
	return 0;
}

/*
 * Return: 0; -ENOENT; -EBADMSG/ERR_CORRUPT for whatever is wrong with the file itself, so that it never can be read; other -errno of a
 * system that cannot read it now
 */
static int record_read(int dir_fd, const char *path, struct image_record *ret, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	AUTO_FREE char *text = NULL;
	struct err why = { 0 };
	size_t len = 0;
	int r;

	/* a symbolic link, a socket */
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "image record: not a regular file");
	if (fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM,
			       "open image record");
	r = fd_read_all(fd, RECORD_BYTES_MAX, &text, &len);
	if (r == -E2BIG)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "image record: too large");
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "read image record");
	}
	r = record_decode(text, len, ret, &why);
	if (r == -ENOMEM)
		return err_oom(err);
	return r < 0 ? err_set(err, ERR_CORRUPT, -EBADMSG, "image record: %s", why.msg) : 0;
}

/* The directory of a record's file, made if need be. @path is cut there; *ret_file is the rest. Return: fd or -errno */
static int open_record_dir(const struct store *s, char *path, const char **ret_file)
{
	AUTO_CLOSE int fd = openat(s->images_fd, ".", OPEN_DIR);
	char *p = path, *slash;

	for (; fd >= 0 && (slash = strchr(p, '/')) != NULL; p = slash + 1) {
		int child;

		*slash = '\0';
		if (mkdirat(fd, p, 0700) < 0 && errno != EEXIST)
			return -errno;
		child = openat(fd, p, OPEN_DIR);
		if (child < 0)
			return -errno;
		(void)close(fd);
		fd = child;
	}
	*ret_file = p;
	return fd < 0 ? -errno : MOVE_FD(fd);
}

static int put_text(const struct store *s, const char *path, const struct strbuf *text,
		    struct err *err)
{
	/* A remover may take the emptied directory away between the opening and the rename. */
	for (int attempt = 0;; attempt++) {
		char cut[PATH_MAX];
		const char *file = "";
		AUTO_CLOSE int dir_fd = -EBADF;
		int r;

		memcpy(cut, path, strlen(path) + 1);
		dir_fd = open_record_dir(s, cut, &file);
		if (dir_fd < 0 && (dir_fd != -ENOENT || attempt >= 10)) {
			errno = -dir_fd;
			return err_sys(err, ERR_SYSTEM, "make directory images/%s", path);
		}
		if (dir_fd < 0)
			continue;
		/* layers, documents and the directories just made */
		if (syncfs(s->root_fd) < 0)
			return err_sys(err, ERR_SYSTEM, "sync the image store");
		r = atomic_file_write(dir_fd, file, 0600, text->text, text->len, err);
		if (r != -ENOENT || attempt >= 10)
			return r;
	}
}

int image_record_put(const struct store *s, const struct image_record *r, struct err *err)
{
	AUTO(strbuf) text = STRBUF_INIT(RECORD_BYTES_MAX);
	char path[PATH_MAX];
	int rc = image_path(r->name, path, err);

	if (rc < 0)
		return rc;
	rc = record_encode(r, &text);
	if (rc < 0)
		return err_set(err, ERR_SYSTEM, rc, "encode the record of image %s",
			       QUOTE_PLAIN(r->name));
	rc = put_text(s, path, &text, err);
	return rc < 0 ? err_prefix(err, rc, "publish image %s", QUOTE_PLAIN(r->name)) : 0;
}

int image_record_refuse(const char *name, struct err *err)
{
	return err_set(err, ERR_CORRUPT, -EBADMSG,
		       "image record %s is damaged: remove it with \"racker rmi -f %s\"",
		       QUOTE_PLAIN(name), QUOTE_PLAIN(name));
}

int image_record_get(const struct store *s, const char *name, struct image_record *ret,
		     struct err *err)
{
	AUTO(image_record) rec = { 0 };
	char path[PATH_MAX];
	int r = image_path(name, path, err);

	if (r < 0)
		return r;
	r = record_read(s->images_fd, path, &rec, err);
	if (r == -ENOENT || r == -ENOTDIR)
		return err_set(err, ERR_NOT_FOUND, -ENOENT, "No such image: %s", QUOTE_PLAIN(name));
	if (r == -EBADMSG)
		return image_record_refuse(name, err);
	if (r < 0)
		return err_prefix(err, r, "%s", QUOTE_PLAIN(name));
	if (strcmp(rec.name, name) != 0)
		return image_record_refuse(name, err);
	*ret = rec;
	rec = (struct image_record){ 0 };
	return 0;
}

/* @path is cut by the directories that go too. */
static int remove_path(const struct store *s, char *path, const char *name, struct err *err)
{
	char *slash;

	if (unlinkat(s->images_fd, path, 0) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return err_set(err, ERR_NOT_FOUND, -ENOENT, "No such image: %s",
				       QUOTE_PLAIN(name));
		return err_sys(err, ERR_SYSTEM, "remove the record of image %s", QUOTE_PLAIN(name));
	}
	while ((slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		if (unlinkat(s->images_fd, path, AT_REMOVEDIR) < 0)
			break;
	}
	return 0;
}

int image_record_remove(const struct store *s, const char *name, struct err *err)
{
	char path[PATH_MAX];
	int r = image_path(name, path, err);

	return r < 0 ? r : remove_path(s, path, name, err);
}

/* A walk through images/: what is found, and where it is. */
struct record_walk {
	struct image_record *items;
	size_t n, cap;
	char **damaged; /* paths */
	char path[PATH_MAX]; /* of the entry at hand, below images/ */
};

static void record_walk_done(struct record_walk *w)
{
	image_records_free(w->items, w->n);
	strv_free(w->damaged);
}

static int walk_add(struct record_walk *w, struct image_record *rec, struct err *err)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 16;
		struct image_record *bigger =
			cap > RECORDS_MAX ? NULL : reallocarray(w->items, cap, sizeof(*rec));

		if (!bigger)
			return err_oom(err);
		w->items = bigger;
		w->cap = cap;
	}
	w->items[w->n++] = *rec;
	*rec = (struct image_record){ 0 };
	return 0;
}

static int walk_add_damaged(struct record_walk *w, const char *why, struct err *err)
{
	log_debug("images/%s: %s", QUOTE_PLAIN(w->path), why);
	return strv_add(&w->damaged, w->path) < 0 ? err_oom(err) : 0;
}

/* A record whose place belongs to another name protects nothing of that name. Return: 0, -EBADMSG/ERR_CORRUPT, other -errno */
static int check_place(const struct record_walk *w, const struct image_record *rec, struct err *err)
{
	char path[PATH_MAX];
	int r = image_path(rec->name, path, err);

	if (r < 0 && r != -EINVAL)
		return r;
	if (r < 0 || strcmp(path, w->path) != 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "image record names %s",
			       QUOTE(rec->name));
	return 0;
}

/*
 * A damaged record is passed over, but noted: it must neither hide the others nor count as none. One that cannot be read now ends the
 * walk, or else its layers would be taken for unused.
 */
static int walk_file(int dir_fd, const char *file, struct record_walk *w, struct err *err)
{
	AUTO(image_record) rec = { 0 };
	struct err why = { 0 };
	int r = record_read(dir_fd, file, &rec, &why);

	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = check_place(w, &rec, &why);
	if (r >= 0)
		return walk_add(w, &rec, err);
	if (why.kind == ERR_CORRUPT)
		return walk_add_damaged(w, why.msg, err);
	return err_set(err, why.kind, r, "images/%s: %s", QUOTE_PLAIN(w->path), why.msg);
}

static bool entry_is_dir(int dir_fd, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int walk_dir(int parent_fd, const char *name, size_t depth, struct record_walk *w,
		    struct err *err);

static int walk_entry(int dir_fd, const struct dirent *e, size_t depth, struct record_walk *w,
		      struct err *err)
{
	size_t len = strlen(w->path), left = sizeof(w->path) - len;
	int n, r;

	if (e->d_name[0] == '.')
		return 0;
	n = snprintf(w->path + len, left, "%s%s", len ? "/" : "", e->d_name);
	if (n < 0 || (size_t)n >= left || depth >= RECORD_DEPTH_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "images/%s: too deep for an image",
			       QUOTE_PLAIN(w->path));
	r = entry_is_dir(dir_fd, e) ? walk_dir(dir_fd, e->d_name, depth + 1, w, err) :
				      walk_file(dir_fd, e->d_name, w, err);
	w->path[len] = '\0';
	return r;
}

static int walk_dir(int parent_fd, const char *name, size_t depth, struct record_walk *w,
		    struct err *err)
{
	int fd = openat(parent_fd, name, OPEN_DIR);
	AUTO_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		/* A directory goes with its last record; images/ itself stays. */
		int r = errno == ENOENT && depth > 0 ?
				0 :
				err_sys(err, ERR_SYSTEM, "read images/%s", QUOTE_PLAIN(w->path));

		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while ((errno = 0, e = readdir(dir)) != NULL) {
		int r = walk_entry(fd, e, depth, w, err);

		if (r < 0)
			return r;
	}
	/* removed while it was read */
	if (errno == 0 || (errno == ENOENT && depth > 0))
		return 0;
	return err_sys(err, ERR_SYSTEM, "read images/%s", QUOTE_PLAIN(w->path));
}

static int compare_records(const void *a, const void *b)
{
	return strcmp(((const struct image_record *)a)->name,
		      ((const struct image_record *)b)->name);
}

int image_record_scan(const struct store *s, struct image_record **ret, size_t *ret_n,
		      char ***ret_damaged, struct err *err)
{
	__attribute__((cleanup(cleanup_strv))) char **names = NULL;
	AUTO(record_walk) w = { 0 };
	int r = walk_dir(s->images_fd, ".", 0, &w, err);

	if (r < 0)
		return r;
	for (char **path = w.damaged; path && *path; path++) {
		char name[PATH_MAX];

		image_path_name(*path, name);
		if (strv_add(&names, name) < 0)
			return err_oom(err);
	}
	if (w.n > 0)
		qsort(w.items, w.n, sizeof(*w.items), compare_records);
	*ret = MOVE_PTR(w.items);
	*ret_n = w.n;
	*ret_damaged = MOVE_PTR(names);
	w.n = 0;
	return 0;
}

int image_record_list(const struct store *s, struct image_record **ret, size_t *ret_n,
		      struct err *err)
{
	__attribute__((cleanup(cleanup_strv))) char **damaged = NULL;

	return image_record_scan(s, ret, ret_n, &damaged, err);
}

int image_record_discard(const struct store *s, const char *name, struct err *err)
{
	AUTO(record_walk) w = { 0 };
	char path[PATH_MAX], told[PATH_MAX];
	int r = image_path(name, path, err);

	if (r >= 0)
		r = walk_dir(s->images_fd, ".", 0, &w, err);
	if (r < 0)
		return r;
	for (char **at = w.damaged; at && *at; at++) {
		image_path_name(*at, told);
		if (strcmp(*at, path) == 0 || strcmp(told, name) == 0)
			return remove_path(s, *at, name, err);
	}
	return err_set(err, ERR_NOT_FOUND, -ENOENT, "No such image: %s", QUOTE_PLAIN(name));
}
