// SPDX-License-Identifier: MIT
/* The store: opening, locks, documents, sweeping, collecting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "oci/store.h"
#include "oci/store_layer.h"
#include "tests/unit/scratch.h"

struct fixture {
	void *scratch;
	struct store store;
	char path[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || scratch_setup(&f->scratch) < 0)
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d/a/store",
		       SCRATCH_FD(&f->scratch));
	*state = f;
	return store_open(f->path, true, &f->store, NULL);
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

static bool exists(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_permissions(void **state)
{
	static const char *const dirs[] = { ".",      "blobs",	"blobs/sha256",
					    "layers", "images", "ingest" };
	struct fixture *f = *state;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		assert_int_equal(fstatat(f->store.root_fd, dirs[i], &st, 0), 0);
		assert_int_equal(st.st_mode, S_IFDIR | 0700);
	}
	assert_int_equal(fstatat(f->store.root_fd, "lock", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void test_open_what_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct store s;
	struct err err = { 0 };

	assert_int_equal(store_open("/nonexistent/racker-store", false, &s, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(store_open(f->path, false, &s, NULL), 0);
	assert_int_equal(fcntl(s.lock_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	store_done(&s);
	assert_int_equal(store_open("/dev/null/store", true, &s, &err), -ENOTDIR);
}

/* In a mount namespace of its own. Return: 0, or the number of the step that failed */
static int use_read_only(const char *path)
{
	AUTO(store) s = { 0 };
	AUTO(store) other = { 0 };

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(path, path, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return 1;
	if (store_open(path, false, &s, NULL) < 0)
		return 2;
	if (store_open(path, true, &other, NULL) < 0)
		return 3;
	if (store_lock(&s, STORE_LOCK_SHARED, NULL) < 0 ||
	    store_lock(&other, STORE_LOCK_SHARED, NULL) < 0)
		return 4;
	return flock(other.lock_fd, LOCK_EX | LOCK_NB) < 0 ? 0 : 5;
}

static void test_read_only_file_system(void **state)
{
	struct fixture *f = *state;
	char link[64], path[PATH_MAX];
	ssize_t len;
	int status = -1;
	pid_t child;

	if (geteuid() != 0) {
		print_message("mounting needs root\n");
		skip();
	}
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", f->store.root_fd);
	len = readlink(link, path, sizeof(path) - 1);
	assert_true(len > 0);
	path[len] = '\0';
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(use_read_only(path));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_lock(void **state)
{
	struct fixture *f = *state;
	AUTO(store) other = { 0 };

	assert_int_equal(store_open(f->path, true, &other, NULL), 0);
	assert_int_equal(store_lock(&f->store, STORE_LOCK_SHARED, NULL), 0);
	assert_int_equal(store_lock(&other, STORE_LOCK_SHARED, NULL), 0);
	assert_int_equal(flock(other.lock_fd, LOCK_EX | LOCK_NB), -1);
	store_unlock(&f->store);
	assert_int_equal(store_lock(&other, STORE_LOCK_EXCLUSIVE, NULL), 0);
	assert_int_equal(flock(f->store.lock_fd, LOCK_SH | LOCK_NB), -1);
}

static void test_blobs(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE char *buf = NULL;
	struct digest d, other;
	struct err err = { 0 };
	size_t len = 0;

	assert_int_equal(digest_buffer("text", 4, &d, NULL), 0);
	assert_int_equal(digest_buffer("other", 5, &other, NULL), 0);
	assert_false(store_blob_exists(&f->store, &d));
	assert_int_equal(store_blob_read(&f->store, &d, 10, &buf, &len, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(store_blob_write(&f->store, &other, "text", 4, &err), -EBADMSG);
	assert_int_equal(store_blob_write(&f->store, &d, "text", 4, NULL), 0);
	assert_int_equal(store_blob_write(&f->store, &d, "text", 4, NULL), 0);
	assert_true(store_blob_exists(&f->store, &d));
	assert_int_equal(store_blob_read(&f->store, &d, 4, &buf, &len, NULL), 0);
	assert_int_equal(len, 4);
	assert_string_equal(buf, "text");
	free(buf);
	buf = NULL;
	assert_int_equal(store_blob_read(&f->store, &d, 3, &buf, &len, &err), -E2BIG);
	assert_int_equal(fd_write_file_at(f->store.blobs_fd, d.hex, 0600, "txet", 4, NULL), 0);
	assert_int_equal(store_blob_read(&f->store, &d, 4, &buf, &len, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void test_no_digest_is_no_path(void **state)
{
	struct fixture *f = *state;
	struct digest none = { 0 };
	char *buf;

	assert_false(store_blob_exists(&f->store, &none));
	assert_false(store_layer_exists(&f->store, &none));
	assert_int_equal(store_layer_open(&f->store, &none, NULL), -ENOENT);
	assert_int_equal(store_layer_size(&f->store, &none), 0);
	assert_int_equal(store_blob_read(&f->store, &none, 10, &buf, NULL, NULL), -ENOENT);
}

static void make_layer(struct fixture *f, const struct digest *key, uint64_t bytes)
{
	AUTO(ingest) in = { .lock_fd = -EBADF, .fs_fd = -EBADF };

	assert_int_equal(ingest_begin(&f->store, &in, NULL), 0);
	assert_int_equal(fd_write_file_at(in.fs_fd, "file", 0644, "x", 1, NULL), 0);
	assert_int_equal(ingest_describe(&in, bytes, bytes == 7, NULL), 0);
	assert_int_equal(ingest_publish(&in, key, NULL), 0);
}

static void test_layers(void **state)
{
	struct fixture *f = *state;
	struct digest d;
	AUTO_CLOSE int fd = -EBADF;

	assert_int_equal(digest_buffer("layer", 5, &d, NULL), 0);
	assert_false(store_layer_exists(&f->store, &d));
	assert_int_equal(store_layer_open(&f->store, &d, NULL), -ENOENT);
	make_layer(f, &d, 12345);
	make_layer(f, &d, 99); /* a second one of the key changes nothing */
	assert_true(store_layer_exists(&f->store, &d));
	assert_false(store_layer_has_needs(&f->store, &d));
	assert_int_equal(store_layer_size(&f->store, &d), 12345);
	fd = store_layer_open(&f->store, &d, NULL);
	assert_true(fd >= 0);
	assert_true(exists(fd, "file"));
	assert_int_equal(digest_buffer("needy", 5, &d, NULL), 0);
	make_layer(f, &d, 7);
	assert_true(store_layer_has_needs(&f->store, &d));
}

static void test_sweep(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) owned = { .lock_fd = -EBADF, .fs_fd = -EBADF };
	AUTO_CLOSE int blob = -EBADF;

	assert_int_equal(ingest_begin(&f->store, &owned, NULL), 0);
	blob = ingest_open_blob(&owned, NULL);
	assert_true(blob >= 0);
	assert_int_equal(mkdirat(f->store.ingest_fd, "dead", 0700), 0);
	assert_int_equal(mkdirat(f->store.ingest_fd, "dead/fs", 0700), 0);
	assert_int_equal(symlinkat("/etc", f->store.ingest_fd, "dead/fs/etc"), 0);
	assert_int_equal(fd_write_file_at(f->store.ingest_fd, "stray", 0600, "", 0, NULL), 0);
	assert_int_equal(store_sweep(&f->store, NULL), 0);
	assert_false(exists(f->store.ingest_fd, "dead"));
	assert_false(exists(f->store.ingest_fd, "stray"));
	assert_true(exists(f->store.ingest_fd, owned.name));
	assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void test_collect(void **state)
{
	struct fixture *f = *state;
	struct digest used, held, gone, manifest, config, stray;
	struct image_record rec = { .name = (char *)"label", .n_layers = 1, .layers = &used };
	struct store_collected sum;

	assert_int_equal(digest_buffer("used", 4, &used, NULL), 0);
	assert_int_equal(digest_buffer("held", 4, &held, NULL), 0);
	assert_int_equal(digest_buffer("gone", 4, &gone, NULL), 0);
	assert_int_equal(digest_buffer("manifest", 8, &manifest, NULL), 0);
	assert_int_equal(digest_buffer("config", 6, &config, NULL), 0);
	assert_int_equal(digest_buffer("stray", 5, &stray, NULL), 0);
	make_layer(f, &used, 1);
	make_layer(f, &held, 1);
	make_layer(f, &gone, 1000);
	assert_int_equal(store_blob_write(&f->store, &manifest, "manifest", 8, NULL), 0);
	assert_int_equal(store_blob_write(&f->store, &config, "config", 6, NULL), 0);
	assert_int_equal(store_blob_write(&f->store, &stray, "stray", 5, NULL), 0);
	assert_int_equal(fd_write_file_at(f->store.blobs_fd, ".tmp-killed", 0600, "12", 2, NULL),
			 0);
	rec.manifest = rec.index = manifest;
	rec.config = config;
	assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
	assert_int_equal(store_lock(&f->store, STORE_LOCK_EXCLUSIVE, NULL), 0);
	assert_int_equal(store_collect(&f->store, &held, 1, &sum, NULL), 0);
	assert_int_equal(sum.layers, 1);
	assert_int_equal(sum.blobs, 1);
	assert_int_equal(sum.bytes, 1000 + 5 + 2);
	assert_true(store_layer_exists(&f->store, &used));
	assert_true(store_layer_exists(&f->store, &held));
	assert_false(store_layer_exists(&f->store, &gone));
	assert_true(store_blob_exists(&f->store, &manifest));
	assert_true(store_blob_exists(&f->store, &config));
	assert_false(store_blob_exists(&f->store, &stray));
	assert_false(exists(f->store.blobs_fd, ".tmp-killed"));
	assert_int_equal(image_record_remove(&f->store, "label", NULL), 0);
	assert_int_equal(store_collect(&f->store, NULL, 0, &sum, NULL), 0);
	assert_int_equal(sum.layers, 2);
	assert_int_equal(sum.blobs, 2);
}

static void test_collect_refuses_what_it_cannot_know(void **state)
{
	struct fixture *f = *state;
	struct digest layer, blob;
	struct image_record rec = { .name = (char *)"label", .n_layers = 1, .layers = &layer };
	struct store_collected sum;
	struct err err = { 0 };

	assert_int_equal(digest_buffer("layer", 5, &layer, NULL), 0);
	assert_int_equal(digest_buffer("blob", 4, &blob, NULL), 0);
	make_layer(f, &layer, 1);
	assert_int_equal(store_blob_write(&f->store, &blob, "blob", 4, NULL), 0);
	rec.manifest = rec.index = rec.config = blob;
	assert_int_equal(image_record_put(&f->store, &rec, NULL), 0);
	assert_int_equal(
		fd_write_file_at(f->store.images_fd, "_labels/label", 0600, "{\"na", 4, NULL), 0);
	assert_int_equal(store_collect(&f->store, NULL, 0, &sum, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_string_equal(
		err.msg, "image record label is damaged: remove it with \"racker rmi -f label\"");
	assert_true(store_layer_exists(&f->store, &layer));
	assert_true(store_blob_exists(&f->store, &blob));
	assert_int_equal(image_record_remove(&f->store, "label", NULL), 0);
	assert_int_equal(store_collect(&f->store, NULL, 0, &sum, &err), 0);
	assert_int_equal(sum.layers, 1);
	assert_int_equal(sum.blobs, 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_permissions),
		T(test_open_what_is_not_there),
		T(test_read_only_file_system),
		T(test_lock),
		T(test_blobs),
		T(test_no_digest_is_no_path),
		T(test_layers),
		T(test_sweep),
		T(test_collect),
		T(test_collect_refuses_what_it_cannot_know),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
