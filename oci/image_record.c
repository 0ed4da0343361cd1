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

/* Return: 0, -ENOENT, -EBADMSG, other -errno */
static int record_read(int dir_fd, const char *path, struct image_record *ret, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	int r;

	if (fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM,
			       "open image record");
	r = fd_read_all(fd, RECORD_BYTES_MAX, &text, &len);
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "read image record");
	}
	r = record_decode(text, len, ret, err);
	return r < 0 ? err_prefix(err, r, "image record") : 0;
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
	if (r < 0)
		return err_prefix(err, r, "%s", QUOTE_PLAIN(name));
	if (strcmp(rec.name, name) != 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "image record of %s names %s",
			       QUOTE(name), QUOTE(rec.name));
	*ret = rec;
	rec = (struct image_record){ 0 };
	return 0;
}

int image_record_remove(const struct store *s, const char *name, struct err *err)
{
	char path[PATH_MAX], *slash;
	int r = image_path(name, path, err);

	if (r < 0)
		return r;
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

struct record_list {
	struct image_record *items;
	size_t n, cap;
};

static void record_list_done(struct record_list *l)
{
	image_records_free(l->items, l->n);
}

/* A record that cannot be read is passed over: it must not hide the others. */
static int list_file(int dir_fd, const char *name, struct record_list *list, struct err *err)
{
	struct err why = { 0 };
	struct image_record rec;
	int r = record_read(dir_fd, name, &rec, &why);

	if (r == -ENOMEM)
		return err_oom(err);
	if (r < 0) {
		log_debug("images: %s: %s", QUOTE(name), why.msg);
		return 0;
	}
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 16;
		struct image_record *bigger =
			cap > RECORDS_MAX ? NULL : reallocarray(list->items, cap, sizeof(rec));

		if (!bigger) {
			image_record_done(&rec);
			return err_oom(err);
		}
		list->items = bigger;
		list->cap = cap;
	}
	list->items[list->n++] = rec;
	return 0;
}

static bool entry_is_dir(int dir_fd, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int list_dir(int parent_fd, const char *name, size_t depth, struct record_list *list,
		    struct err *err)
{
	int fd = openat(parent_fd, name, OPEN_DIR);
	AUTO_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		int r = errno == ENOENT ? 0 : err_sys(err, ERR_SYSTEM, "read images");

		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while ((errno = 0, e = readdir(dir)) != NULL) {
		int r = 0;

		if (e->d_name[0] == '.')
			continue;
		if (!entry_is_dir(fd, e))
			r = list_file(fd, e->d_name, list, err);
		else if (depth < RECORD_DEPTH_MAX)
			r = list_dir(fd, e->d_name, depth + 1, list, err);
		if (r < 0)
			return r;
	}
	return errno ? err_sys(err, ERR_SYSTEM, "read images") : 0;
}

static int compare_records(const void *a, const void *b)
{
	return strcmp(((const struct image_record *)a)->name,
		      ((const struct image_record *)b)->name);
}

int image_record_list(const struct store *s, struct image_record **ret, size_t *ret_n,
		      struct err *err)
{
	AUTO(record_list) list = { 0 };
	int r = list_dir(s->images_fd, ".", 0, &list, err);

	if (r < 0)
		return r;
	if (list.n > 0)
		qsort(list.items, list.n, sizeof(*list.items), compare_records);
	*ret = list.items;
	*ret_n = list.n;
	list = (struct record_list){ 0 };
	return 0;
}
