// SPDX-License-Identifier: MIT
/*
 * Removal of layers and documents that nothing names (store_collect() of store.h). The exclusive lock is held: nobody is between looking
 * at a layer and naming it. A layer first loses its name and then its files, so a kill leaves no half layer under a name.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic_file.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/strv.h"
#include "oci/remove_tree.h"
#include "oci/store.h"

struct digest_set {
	struct digest *items; /* owned; sorted before it is asked */
	size_t n, cap;
};

static void digest_set_done(struct digest_set *s)
{
	free(s->items);
}

static int digest_set_add(struct digest_set *s, const struct digest *d)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		struct digest *bigger = reallocarray(s->items, cap, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		s->items = bigger;
		s->cap = cap;
	}
	s->items[s->n++] = *d;
	return 0;
}

static int compare_digests(const void *a, const void *b)
{
	return strcmp(((const struct digest *)a)->hex, ((const struct digest *)b)->hex);
}

static void digest_set_sort(struct digest_set *s)
{
	if (s->n > 0)
		qsort(s->items, s->n, sizeof(*s->items), compare_digests);
}

static bool digest_set_contains(const struct digest_set *s, const struct digest *d)
{
	return s->n > 0 && bsearch(d, s->items, s->n, sizeof(*s->items), compare_digests);
}

static int gather(struct store *s, struct digest_set *layers, struct digest_set *blobs,
		  struct err *err)
{
	__attribute__((cleanup(cleanup_strv))) char **damaged = NULL;
	struct image_record *list = NULL;
	size_t n = 0;
	int r = image_record_scan(s, &list, &n, &damaged, err);

	if (r < 0)
		return r;
	if (damaged) {
		image_records_free(list, n);
		return image_record_refuse(damaged[0], err);
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		r = digest_set_add(blobs, &list[i].manifest);
		if (r == 0)
			r = digest_set_add(blobs, &list[i].config);
		for (size_t k = 0; k < list[i].n_layers && r == 0; k++)
			r = digest_set_add(layers, &list[i].layers[k]);
	}
	image_records_free(list, n);
	return r < 0 ? err_oom(err) : 0;
}

static int remove_layer(struct store *s, const char *hex, struct err *err)
{
	char name[DIGEST_HEX_LEN + sizeof("gone-")];
	int r;

	(void)snprintf(name, sizeof(name), "gone-%.*s", DIGEST_HEX_LEN, hex);
	(void)remove_tree_at(s->ingest_fd, name);
	if (renameat(s->layers_fd, hex, s->ingest_fd, name) < 0)
		return err_sys(err, ERR_SYSTEM, "remove layer %s", hex);
	r = remove_tree_at(s->ingest_fd, name);
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "remove layer %s", hex);
	}
	return 0;
}

static int remove_blob(struct store *s, const char *name, struct store_collected *sum,
		       struct err *err)
{
	struct stat st;

	if (fstatat(s->blobs_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		sum->bytes += st.st_size;
	if (unlinkat(s->blobs_fd, name, 0) < 0 && errno != ENOENT)
		return err_sys(err, ERR_SYSTEM, "remove blob %s", name);
	return 0;
}

/* One name of layers/ or blobs/sha256/. What is no digest is not ours to judge, but for temporary files of a killed writer. */
static int collect_entry(struct store *s, bool layers, const char *name,
			 const struct digest_set *used, struct store_collected *sum,
			 struct err *err)
{
	struct digest d;
	int r;

	if (!layers && strncmp(name, ATOMIC_FILE_TMP_PREFIX, strlen(ATOMIC_FILE_TMP_PREFIX)) == 0)
		return remove_blob(s, name, sum, err);
	if (digest_from_hex(name, &d) < 0 || digest_set_contains(used, &d))
		return 0;
	if (!layers) {
		r = remove_blob(s, name, sum, err);
		sum->blobs += r == 0;
		return r;
	}
	sum->bytes += store_layer_size(s, &d);
	r = remove_layer(s, name, err);
	sum->layers += r == 0;
	return r;
}

static int collect_dir(struct store *s, bool layers, const struct digest_set *used,
		       struct store_collected *sum, struct err *err)
{
	int fd = openat(layers ? s->layers_fd : s->blobs_fd, ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		int r = err_sys(err, ERR_SYSTEM, "read the image store");

		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while ((errno = 0, e = readdir(dir)) != NULL) {
		int r = collect_entry(s, layers, e->d_name, used, sum, err);

		if (r < 0)
			return r;
	}
	return errno ? err_sys(err, ERR_SYSTEM, "read the image store") : 0;
}

int store_collect(struct store *s, const struct digest *in_use, size_t n_in_use,
		  struct store_collected *ret, struct err *err)
{
	AUTO(digest_set) layers = { 0 };
	AUTO(digest_set) blobs = { 0 };
	struct store_collected sum = { 0 };
	int r = gather(s, &layers, &blobs, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n_in_use; i++) {
		if (digest_set_add(&layers, &in_use[i]) < 0)
			return err_oom(err);
	}
	digest_set_sort(&layers);
	digest_set_sort(&blobs);
	r = collect_dir(s, true, &layers, &sum, err);
	if (r == 0)
		r = collect_dir(s, false, &blobs, &sum, err);
	if (r < 0)
		return r;
	*ret = sum;
	return 0;
}
