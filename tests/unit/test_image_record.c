// SPDX-License-Identifier: MIT
/* Records of images: where names live, what comes back, what a corrupt one does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/strv.h"
#include "oci/image_path.h"
#include "oci/store.h"
#include "tests/unit/scratch.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture {
	void *scratch;
	struct store store;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[64];

	if (!f || scratch_setup(&f->scratch) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", SCRATCH_FD(&f->scratch));
	*state = f;
	return store_open(path, true, &f->store, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	store_done(&f->store);
	r = scratch_teardown(&f->scratch);
	free(f);
	return r;
}

static void test_paths(void **state)
{
	static const struct {
		const char *name, *path;
	} rows[] = {
		{ "docker.io/library/debian:bookworm", "docker.io/library/debian/_tags/bookworm" },
		{ "localhost:5000/a/b:1.0_x-y", "localhost:5000/a/b/_tags/1.0_x-y" },
		{ "[::1]:5000/a:t", "[::1]:5000/a/_tags/t" },
		{ "docker.io/library/x@sha256:" HEX, "docker.io/library/x/_digests/" HEX },
		{ "docker.io/library/x:t@sha256:" HEX, "docker.io/library/x/_digests/t@" HEX },
		{ "debian-bookworm", "_labels/debian-bookworm" },
	};
	static const char *const others[] = {
		"oci:/srv/layout",
		"oci:/srv/layout:ref",
		"oci:/a/../../etc:x",
		"a/../../b:c",
		"/etc/passwd:x",
		"a//b:c",
		"a/b:",
		"a/b:c:d",
		"a/b@sha256:xyz",
		"a/b",
		"../x",
		".",
		"..",
		"_labels",
		"a/_tags/x:y",
		"a b",
		"docker.io/x:.t",
		"docker.io/x:t\n",
	};
	char path[PATH_MAX], again[PATH_MAX];
	char *too_long;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(image_path(rows[i].name, path, NULL), 0);
		assert_string_equal(path, rows[i].path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_int_equal(image_path(others[i], path, NULL), 0);
		if (strncmp(path, "_other/", 7) != 0)
			print_error("%s is at %s\n", others[i], path);
		assert_int_equal(strncmp(path, "_other/", 7), 0);
		assert_int_equal(strlen(path), 7 + 64);
		for (size_t k = 0; k < i; k++) {
			assert_int_equal(image_path(others[k], again, NULL), 0);
			assert_string_not_equal(path, again);
		}
	}
	assert_int_equal(image_path("", path, NULL), -EINVAL);
	too_long = malloc(PATH_MAX + 2);
	memset(too_long, 'x', PATH_MAX + 1);
	too_long[PATH_MAX + 1] = '\0';
	assert_int_equal(image_path(too_long, path, NULL), -EINVAL);
	free(too_long);
}

static struct image_record sample(const char *name, struct digest *layers, size_t n)
{
	struct image_record rec = { .name = (char *)(uintptr_t)name,
				    .layers = layers,
				    .n_layers = n,
				    .size = 1234567890123,
				    .pulled = 1700000000,
				    .source = (char *)(uintptr_t) "registry" };

	memset(rec.manifest.hex, 'a', DIGEST_HEX_LEN);
	memset(rec.config.hex, 'b', DIGEST_HEX_LEN);
	memset(rec.index.hex, 'c', DIGEST_HEX_LEN);
	for (size_t i = 0; i < n; i++)
		memset(layers[i].hex, (int)('0' + i), DIGEST_HEX_LEN);
	return rec;
}

static void test_round_trip(void **state)
{
	static const char *const names[] = { "docker.io/library/debian:bookworm",
					     ("docker.io/library/debian@sha256:" HEX), "debian-12",
					     "oci:/srv/\"quoted\" layout:x" };
	struct fixture *f = *state;
	struct digest layers[3] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct image_record in = sample(names[i], layers, i % 4);
		AUTO(image_record) out = { 0 };

		assert_int_equal(image_record_put(&f->store, &in, NULL), 0);
		assert_int_equal(image_record_get(&f->store, names[i], &out, NULL), 0);
		assert_string_equal(out.name, names[i]);
		assert_string_equal(out.source, "registry");
		assert_int_equal(out.size, in.size);
		assert_int_equal(out.pulled, in.pulled);
		assert_true(digest_equal(&out.manifest, &in.manifest));
		assert_true(digest_equal(&out.config, &in.config));
		assert_true(digest_equal(&out.index, &in.index));
		assert_int_equal(out.n_layers, in.n_layers);
		for (size_t k = 0; k < in.n_layers; k++)
			assert_true(digest_equal(&out.layers[k], &in.layers[k]));
	}
}

static void test_replace_and_remove(void **state)
{
	struct fixture *f = *state;
	struct digest layers[2] = { 0 };
	struct image_record rec = sample("docker.io/a/b:1", layers, 1);
	AUTO(image_record) out = { 0 };
	struct err err = { 0 };
	struct stat st;

	assert_int_equal(image_record_get(&f->store, "docker.io/a/b:1", &out, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_string_equal(err.msg, "No such image: docker.io/a/b:1");
	assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
	rec.size = 1;
	assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
	assert_int_equal(image_record_get(&f->store, "docker.io/a/b:1", &out, NULL), 0);
	assert_int_equal(out.size, 1);
	assert_int_equal(image_record_remove(&f->store, "docker.io/a/b:2", &err), -ENOENT);
	assert_int_equal(image_record_remove(&f->store, "docker.io/a/b:1", NULL), 0);
	assert_int_equal(image_record_remove(&f->store, "docker.io/a/b:1", &err), -ENOENT);
	assert_int_equal(fstatat(f->store.images_fd, "docker.io", &st, 0), -1);
}

static void test_list(void **state)
{
	struct fixture *f = *state;
	struct digest layers[2] = { 0 };
	static const char *const names[] = { "docker.io/library/b:1", "docker.io/library/a:1", "z",
					     "docker.io/library/a/deeper:x", "oci:/x" };
	__attribute__((cleanup(cleanup_strv))) char **damaged = NULL;
	struct image_record *list = NULL;
	size_t n = 99;

	assert_int_equal(image_record_list(&f->store, &list, &n, NULL), 0);
	assert_int_equal(n, 0);
	image_records_free(list, n);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct image_record rec = sample(names[i], layers, 2);

		assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
	}
	/* what a killed writer or a stranger left */
	assert_int_equal(fd_write_file_at(f->store.images_fd, "_labels/.tmp-1", 0600, "{", 1, NULL),
			 0);
	assert_int_equal(fd_write_file_at(f->store.images_fd, "_labels/broken", 0600, "{", 1, NULL),
			 0);
	assert_int_equal(mkfifoat(f->store.images_fd, "_labels/fifo", 0600), 0);
	assert_int_equal(symlinkat("/", f->store.images_fd, "_labels/link"), 0);
	assert_int_equal(image_record_list(&f->store, &list, &n, NULL), 0);
	assert_int_equal(n, ARRAY_SIZE(names));
	assert_string_equal(list[0].name, "docker.io/library/a/deeper:x");
	assert_string_equal(list[1].name, "docker.io/library/a:1");
	assert_string_equal(list[3].name, "oci:/x");
	assert_string_equal(list[4].name, "z");
	image_records_free(list, n);
	assert_int_equal(image_record_scan(&f->store, &list, &n, &damaged, NULL), 0);
	assert_int_equal(n, ARRAY_SIZE(names));
	image_records_free(list, n);
	assert_int_equal(strv_len(damaged), 3);
	assert_true(strv_contains(damaged, "broken"));
	assert_true(strv_contains(damaged, "fifo"));
	assert_true(strv_contains(damaged, "link"));
}

/* Damaged records are told by the names that remove them. */
static void test_damaged_names(void **state)
{
	static const char *const paths[] = {
		"docker.io/library/debian/_tags/bookworm",
		"docker.io/library/x/_digests/" HEX,
		"docker.io/library/x/_digests/t@" HEX,
		"_labels/debian-bookworm",
		"_other/" HEX,
		"stray",
		"a/_tags/x",
		"_tags/x",
		"docker.io/x/_digests/zz",
		"_labels/a/b",
	};
	static const char *const names[] = {
		"docker.io/library/debian:bookworm",
		"docker.io/library/x@sha256:" HEX,
		"docker.io/library/x:t@sha256:" HEX,
		"debian-bookworm",
	};
	char buf[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		image_path_name(paths[i], buf);
		assert_string_equal(buf, i < ARRAY_SIZE(names) ? names[i] : paths[i]);
	}
}

/* A record at the place of another name, one that is too large. */
static void test_misplaced_and_large(void **state)
{
	struct fixture *f = *state;
	__attribute__((cleanup(cleanup_strv))) char **damaged = NULL;
	struct image_record rec = sample("right", NULL, 0), *list = NULL;
	struct err err = { 0 };
	size_t n = 9, len = ((size_t)1 << 20) + 1;
	AUTO_FREE char *large = calloc(1, len);

	assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
	assert_int_equal(linkat(f->store.images_fd, "_labels/right", f->store.images_fd,
				"_labels/wrong", 0),
			 0);
	assert_int_equal(
		fd_write_file_at(f->store.images_fd, "_labels/large", 0600, large, len, NULL), 0);
	assert_int_equal(image_record_scan(&f->store, &list, &n, &damaged, &err), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].name, "right");
	image_records_free(list, n);
	assert_int_equal(strv_len(damaged), 2);
	assert_true(strv_contains(damaged, "wrong"));
	assert_true(strv_contains(damaged, "large"));
}

static void test_discard(void **state)
{
	struct fixture *f = *state;
	struct digest layers[1] = { 0 };
	static const char *const names[] = { "docker.io/a/b:1", "oci:/x", "z" };
	__attribute__((cleanup(cleanup_strv))) char **damaged = NULL;
	struct image_record *list = NULL;
	struct err err = { 0 };
	size_t n = 9;
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct image_record rec = sample(names[i], layers, 1);

		assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
		/* a whole one is not for this */
		assert_int_equal(image_record_discard(&f->store, names[i], &err), -ENOENT);
		assert_int_equal(err.kind, ERR_NOT_FOUND);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(image_path(names[i], path, NULL), 0);
		assert_int_equal(fd_write_file_at(f->store.images_fd, path, 0600, "{", 1, NULL), 0);
		assert_int_equal(image_record_discard(&f->store, names[i], NULL), 0);
		assert_int_equal(faccessat(f->store.images_fd, path, F_OK, 0), -1);
	}
	/* strangers: one where no name leads, one beside the label of its name */
	assert_int_equal(mkdirat(f->store.images_fd, "_other", 0700), 0);
	assert_int_equal(symlinkat("/", f->store.images_fd, "_other/s"), 0);
	assert_int_equal(fd_write_file_at(f->store.images_fd, "z", 0600, "", 0, NULL), 0);
	assert_int_equal(image_record_discard(&f->store, "_other/s", NULL), 0);
	assert_int_equal(image_record_discard(&f->store, "z", NULL), 0);
	assert_int_equal(image_record_discard(&f->store, "../lock", NULL), -ENOENT);
	assert_int_equal(image_record_scan(&f->store, &list, &n, &damaged, NULL), 0);
	assert_null(damaged);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].name, "z");
	image_records_free(list, n);
}

/* What cannot be read now may be the record of an image: no list is better than one without it. */
static void test_unreadable_ends_the_list(void **state)
{
	struct fixture *f = *state;
	struct digest layers[1] = { 0 };
	struct image_record rec = sample("docker.io/a/b:1", layers, 1), *list = NULL;
	struct rlimit old, none;
	struct err err = { 0 };
	size_t n = 9;
	int fd, r;

	assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	/* each time with one more descriptor to be had, until the walk gets to the end */
	for (rlim_t more = 0;; more++) {
		fd = dup(0);
		assert_true(fd >= 0);
		(void)close(fd);
		none = old;
		none.rlim_cur = (rlim_t)fd + more;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		r = image_record_list(&f->store, &list, &n, &err);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		if (r == 0)
			break;
		assert_int_equal(r, -EMFILE);
		assert_int_equal(err.kind, ERR_SYSTEM);
		assert_true(more < 64);
	}
	assert_int_equal(n, 1);
	image_records_free(list, n);
}

static void test_too_deep_ends_the_list(void **state)
{
	struct fixture *f = *state;
	struct image_record *list = NULL;
	struct err err = { 0 };
	int fd = dup(f->store.images_fd);
	size_t n = 9;

	for (int i = 0; i < 250; i++) {
		int child;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		child = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(child >= 0);
		(void)close(fd);
		fd = child;
	}
	(void)close(fd);
	assert_int_equal(image_record_list(&f->store, &list, &n, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(n, 9);
}

static void test_corrupt(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"name\":\"x\"}",
		"{\"name\":\"x\",\"size\":\"1\",\"pulled\":1}",
		"{\"name\":\"x\",\"size\":1,\"pulled\":1,\"manifest\":\"sha256:" HEX
		"\",\"config\":\"sha256:" HEX "\",\"index\":\"sha256:" HEX
		"\",\"layers\":[\"../../etc\"]}",
		/* another name's record */
		"{\"name\":\"y\",\"size\":1,\"pulled\":1,\"manifest\":\"sha256:" HEX
		"\",\"config\":\"sha256:" HEX "\",\"index\":\"sha256:" HEX "\",\"layers\":[]}",
	};
	struct fixture *f = *state;
	struct digest layers[1] = { 0 };
	struct image_record rec = sample("x", layers, 1), out;

	assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct err err = { 0 };

		assert_int_equal(fd_write_file_at(f->store.images_fd, "_labels/x", 0600, texts[i],
						  strlen(texts[i]), NULL),
				 0);
		assert_true(image_record_get(&f->store, "x", &out, &err) < 0);
		assert_int_equal(err.kind, ERR_CORRUPT);
		assert_string_equal(
			err.msg, "image record x is damaged: remove it with \"racker rmi -f x\"");
	}
}

static void test_thousand_list_fast(void **state)
{
	struct fixture *f = *state;
	struct digest layers[5] = { 0 };
	struct image_record *list = NULL;
	size_t n = 0, len = 0;
	AUTO_FREE char *text = NULL;
	char *tag;
	usec_t start;

	for (int i = 0; i < 1000; i++) {
		char name[64], path[64];

		/* written by hand after the first: a thousand syncs are not what is measured */
		(void)snprintf(name, sizeof(name), "docker.io/library/x:t%04d", i);
		(void)snprintf(path, sizeof(path), "docker.io/library/x/_tags/t%04d", i);
		if (i == 0) {
			struct image_record rec = sample(name, layers, 5);

			assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
			assert_int_equal(fd_read_file_at(f->store.images_fd, path, 65536, &text,
							 &len, NULL),
					 0);
			continue;
		}
		tag = strstr(text, ":t");
		assert_non_null(tag);
		(void)memcpy(tag, strrchr(name, ':'), 6);
		assert_int_equal(fd_write_file_at(f->store.images_fd, path, 0600, text, len, NULL),
				 0);
	}
	start = now_usec();
	assert_int_equal(image_record_list(&f->store, &list, &n, NULL), 0);
	assert_true(now_usec() - start < 3 * USEC_PER_SEC);
	assert_int_equal(n, 1000);
	image_records_free(list, n);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_paths),
		T(test_round_trip),
		T(test_replace_and_remove),
		T(test_list),
		T(test_damaged_names),
		T(test_misplaced_and_large),
		T(test_discard),
		T(test_unreadable_ends_the_list),
		T(test_too_deep_ends_the_list),
		T(test_corrupt),
		T(test_thousand_list_fast),
	};

	return cmocka_run_group_tests_name("image_record", tests, NULL, NULL);
}
