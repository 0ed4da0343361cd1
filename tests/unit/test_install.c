// SPDX-License-Identifier: MIT
/* Installing images: documents and bytes that disagree, sharing of layers, needs of lower layers, what a failure leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "tests/unit/image_builder.h"
#include "tests/unit/scratch.h"

struct fixture {
	void *scratch;
	struct store store;
	struct test_image im;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[64];

	if (!f || scratch_setup(&f->scratch) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", SCRATCH_FD(&f->scratch));
	if (store_open(path, true, &f->store, &f->err) < 0 ||
	    store_lock(&f->store, STORE_LOCK_SHARED, &f->err) < 0)
		return -1;
	*state = f;
	return 0;
}

static size_t count(int dir_fd)
{
	DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t n = 0;

	while (dir && readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = count(f->store.ingest_fd) == 0 ? 0 : -1;

	if (r < 0)
		print_error("ingest is not empty\n");
	test_image_free(&f->im);
	store_done(&f->store);
	if (scratch_teardown(&f->scratch) < 0)
		r = -1;
	free(f);
	return r;
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: unpacking as another user than root\n");
		skip();
	}
}

static void install_ok(struct fixture *f, const char *name)
{
	int r = test_image_install(&f->im, &f->store, name, &f->err);

	if (r < 0)
		print_error("%s\n", f->err.msg);
	assert_int_equal(r, 0);
}

static void begin_refused(struct fixture *f, const char *words)
{
	struct install_request req = test_image_request(&f->im, &f->store, "x");
	struct install *in = NULL;

	assert_true(install_begin(&req, &in, &f->err) < 0);
	if (!strstr(f->err.msg, words))
		print_error("%s\n", f->err.msg);
	assert_non_null(strstr(f->err.msg, words));
	assert_null(in);
}

static void next_image(struct fixture *f)
{
	test_image_free(&f->im);
}

static struct image_record record(struct fixture *f, const char *name)
{
	struct image_record rec = { 0 };

	assert_int_equal(image_record_get(&f->store, name, &rec, &f->err), 0);
	return rec;
}

static int layer_fd(struct fixture *f, const struct digest *key)
{
	int fd = store_layer_open(&f->store, key, &f->err);

	assert_true(fd >= 0);
	return fd;
}

static void test_two_layers(void **state)
{
	struct fixture *f = *state;
	AUTO(image_record) rec = { 0 };
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *blob = NULL;
	AUTO_CLOSE int fd = -EBADF;

	need_root();
	tar_file(test_image_layer(&f->im), "a", "aa");
	tar_file(test_image_layer(&f->im), "b", "bbb");
	test_image_finish(&f->im);
	install_ok(f, "docker.io/library/x:1");
	rec = record(f, "docker.io/library/x:1");
	assert_int_equal(rec.n_layers, 2);
	assert_true(digest_equal(&rec.layers[0], &f->im.blobs[0]));
	assert_true(digest_equal(&rec.layers[1], &f->im.blobs[1]));
	assert_true(digest_equal(&rec.manifest, &f->im.manifest_digest));
	assert_true(digest_equal(&rec.index, &f->im.manifest_digest));
	assert_true(digest_equal(&rec.config, &f->im.config_digest));
	assert_int_equal(rec.size, 5);
	assert_string_equal(rec.source, "test");
	fd = layer_fd(f, &rec.layers[1]);
	assert_int_equal(fd_read_file_at(fd, "b", 10, &text, NULL, NULL), 0);
	assert_string_equal(text, "bbb");
	assert_int_equal(store_blob_read(&f->store, &rec.config, 1 << 20, &blob, NULL, NULL), 0);
	assert_string_equal(blob, f->im.config);
	assert_int_equal(count(f->store.layers_fd), 2);
}

/* FROM scratch and labels alone: docker pulls and inspects that. */
static void test_no_layers(void **state)
{
	struct fixture *f = *state;
	struct image_record *list = NULL;
	AUTO(image_record) rec = { 0 };
	size_t n = 0;

	test_image_finish(&f->im);
	install_ok(f, "docker.io/library/empty:1");
	install_ok(f, "docker.io/library/empty:1");
	rec = record(f, "docker.io/library/empty:1");
	assert_int_equal(rec.n_layers, 0);
	assert_int_equal(rec.size, 0);
	assert_true(digest_equal(&rec.config, &f->im.config_digest));
	assert_true(store_blob_exists(&f->store, &rec.config));
	assert_int_equal(image_record_list(&f->store, &list, &n, &f->err), 0);
	assert_int_equal(n, 1);
	image_records_free(list, n);
	assert_int_equal(count(f->store.layers_fd), 0);
}

struct events {
	enum layer_event seen[32];
	size_t n;
};

static void on_event(void *arg, size_t layer, const struct digest *d, enum layer_event what)
{
	struct events *e = arg;

	(void)layer;
	assert_true(digest_is_set(d));
	e->seen[e->n++] = what;
}

static void test_second_time_needs_nothing(void **state)
{
	struct fixture *f = *state;
	struct install_request req;
	AUTO_PTR(install) in = NULL;
	struct events events = { 0 };

	need_root();
	tar_file(test_image_layer(&f->im), "a", "aa");
	test_image_finish(&f->im);
	install_ok(f, "one");
	req = test_image_request(&f->im, &f->store, "two");
	req.event = on_event;
	req.event_arg = &events;
	assert_int_equal(install_begin(&req, &in, NULL), 0);
	assert_false(install_layer_needed(in, 0));
	assert_int_equal(install_commit(in, NULL), 0);
	assert_int_equal(events.n, 1);
	assert_int_equal(events.seen[0], LAYER_EXISTS);
	assert_int_equal(count(f->store.layers_fd), 1);
}

static void test_events_and_worker_fd(void **state)
{
	struct fixture *f = *state;
	static const enum layer_event want[] = { LAYER_WAITING, LAYER_VERIFYING, LAYER_DOWNLOADED,
						 LAYER_UNPACKED };
	struct install_request req;
	AUTO_PTR(install) in = NULL;
	struct events events = { 0 };
	struct pollfd p = { .events = POLLIN };

	need_root();
	tar_file(test_image_layer(&f->im), "a", "aa");
	test_image_finish(&f->im);
	req = test_image_request(&f->im, &f->store, "one");
	req.event = on_event;
	req.event_arg = &events;
	assert_int_equal(install_begin(&req, &in, NULL), 0);
	assert_int_equal(install_worker_fd(in, 0), -1);
	assert_int_equal(test_image_give(&f->im, in, 0, NULL), 0);
	p.fd = install_worker_fd(in, 0);
	assert_true(p.fd >= 0);
	assert_int_equal(poll(&p, 1, 30000), 1);
	assert_int_equal(install_worker_reap(in, 0, NULL), 0);
	assert_int_equal(install_worker_fd(in, 0), -1);
	assert_int_equal(install_commit(in, NULL), 0);
	assert_int_equal(events.n, ARRAY_SIZE(want));
	assert_memory_equal(events.seen, want, sizeof(want));
}

/* The same layer twice in one image, once where it depends on what is below. */
static void test_equal_layers(void **state)
{
	struct fixture *f = *state;
	struct install_request req;
	AUTO_PTR(install) in = NULL;
	AUTO(image_record) rec = { 0 };

	need_root();
	tar_file(test_image_layer(&f->im), "a", "aa");
	tar_file(test_image_layer(&f->im), "implied/x", "x");
	tar_file(test_image_layer(&f->im), "a", "aa");
	tar_file(test_image_layer(&f->im), "implied/x", "x");
	test_image_finish(&f->im);
	req = test_image_request(&f->im, &f->store, "one");
	assert_int_equal(install_begin(&req, &in, NULL), 0);
	assert_true(install_layer_needed(in, 0));
	assert_true(install_layer_needed(in, 1));
	assert_false(install_layer_needed(in, 2));
	assert_false(install_layer_needed(in, 3));
	assert_int_equal(test_image_give(&f->im, in, 1, NULL), 0);
	assert_int_equal(test_image_give(&f->im, in, 0, NULL), 0);
	assert_int_equal(install_commit(in, &f->err), 0);
	rec = record(f, "one");
	assert_int_equal(rec.n_layers, 4);
	assert_true(digest_equal(&rec.layers[0], &rec.layers[2]));
	assert_false(digest_equal(&rec.layers[1], &rec.layers[3]));
	assert_true(store_layer_exists(&f->store, &rec.layers[3]));
	install_ok(f, "again");
}

static void test_needs_make_the_key_a_chain_id(void **state)
{
	struct fixture *f = *state;
	AUTO(image_record) rec = { 0 };
	AUTO(image_record) alone = { 0 };
	AUTO(image_record) mixed = { 0 };
	AUTO_CLOSE int fd = -EBADF;
	struct digest chain;
	struct stat st;
	struct tar *t;

	need_root();
	t = test_image_layer(&f->im);
	tar_dir(t, .path = "d", .mode = 0711, .uid = 3, .mtime = 99);
	tar_add(t, .path = "d/f", .data = "lower", .mode = 04755, .gid = 5, .mtime = 98);
	t = test_image_layer(&f->im);
	tar_file(t, "d/new", "x");
	tar_add(t, .path = "link", .type = '1', .link = "d/f");
	test_image_finish(&f->im);
	install_ok(f, "one");
	rec = record(f, "one");
	assert_int_equal(chain_id(f->im.blobs, 2, &chain, NULL), 0);
	assert_true(digest_equal(&rec.layers[1], &chain));
	assert_false(store_layer_exists(&f->store, &f->im.blobs[1]));
	fd = layer_fd(f, &rec.layers[1]);
	assert_int_equal(fstatat(fd, "d", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0711);
	assert_int_equal(st.st_uid, 3);
	assert_int_equal(st.st_mtim.tv_sec, 99);
	assert_int_equal(fstatat(fd, "link", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	assert_int_equal(st.st_gid, 5);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_mtim.tv_sec, 98);
	next_image(f);

	/* At the bottom the same kind of layer stays as it is, and is not taken for one that was settled. */
	tar_file(test_image_layer(&f->im), "e/new", "x");
	test_image_finish(&f->im);
	install_ok(f, "alone");
	alone = record(f, "alone");
	next_image(f);
	tar_dir(test_image_layer(&f->im), .path = "e", .mode = 0700);
	tar_file(test_image_layer(&f->im), "e/new", "x");
	test_image_finish(&f->im);
	install_ok(f, "mixed");
	mixed = record(f, "mixed");
	assert_false(digest_equal(&mixed.layers[1], &alone.layers[0]));
	(void)close(fd);
	fd = layer_fd(f, &mixed.layers[1]);
	assert_int_equal(fstatat(fd, "e", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
}

static void test_link_that_no_layer_has(void **state)
{
	struct fixture *f = *state;

	need_root();
	tar_file(test_image_layer(&f->im), "a", "a");
	tar_add(test_image_layer(&f->im), .path = "l", .type = '1', .link = "nowhere");
	test_image_finish(&f->im);
	assert_int_equal(test_image_install(&f->im, &f->store, "one", &f->err), -EBADMSG);
	assert_non_null(strstr(f->err.msg, "\"l\""));
	assert_non_null(strstr(f->err.msg, "nowhere"));
	assert_int_equal(count(f->store.layers_fd), 0);
	assert_int_equal(count(f->store.images_fd), 0);
}

static void test_opaque_root(void **state)
{
	struct fixture *f = *state;
	AUTO(image_record) rec = { 0 };
	struct tar *t;

	need_root();
	tar_file(test_image_layer(&f->im), "a", "a");
	t = test_image_layer(&f->im);
	tar_add(t, .path = ".wh..wh..opq");
	tar_file(t, "b", "b");
	tar_file(test_image_layer(&f->im), "c", "c");
	test_image_finish(&f->im);
	install_ok(f, "one");
	rec = record(f, "one");
	assert_int_equal(rec.n_layers, 2);
	assert_true(digest_equal(&rec.layers[0], &f->im.blobs[1]));
}

static void test_wrong_blob_digest(void **state)
{
	struct fixture *f = *state;

	need_root();
	tar_file(test_image_layer(&f->im), "a", "a");
	test_image_finish(&f->im);
	f->im.layers[0]->bytes[512] = 'b';
	assert_int_equal(test_image_install(&f->im, &f->store, "one", &f->err), -EBADMSG);
	assert_int_equal(f->err.kind, ERR_CORRUPT);
	assert_int_equal(count(f->store.layers_fd), 0);
}

static void test_wrong_diff_id(void **state)
{
	struct fixture *f = *state;
	struct digest *hex;
	char *at;

	need_root();
	tar_file(test_image_layer(&f->im), "a", "a");
	test_image_finish(&f->im);
	/* the config names another diffID; manifest and digests follow it */
	at = strstr(f->im.config, f->im.blobs[0].hex);
	memset(at, 'a', DIGEST_HEX_LEN);
	hex = &f->im.config_digest;
	at = strstr(f->im.manifest, hex->hex);
	test_digest(f->im.config, strlen(f->im.config), hex);
	memcpy(at, hex->hex, DIGEST_HEX_LEN);
	test_digest(f->im.manifest, strlen(f->im.manifest), &f->im.manifest_digest);
	assert_int_equal(test_image_install(&f->im, &f->store, "one", &f->err), -EBADMSG);
	assert_non_null(strstr(f->err.msg, "diffID"));
	assert_int_equal(count(f->store.layers_fd), 0);
}

static void test_size_limits(void **state)
{
	struct fixture *f = *state;
	struct install_request req;
	AUTO_PTR(install) in = NULL;

	need_root();
	tar_file(test_image_layer(&f->im), "a", "a");
	test_image_finish(&f->im);
	req = test_image_request(&f->im, &f->store, "one");
	assert_int_equal(install_begin(&req, &in, NULL), 0);
	assert_int_equal(install_layer_finish(in, 0, &f->err), -EINVAL);
	assert_int_equal(install_layer_start(in, 0, NULL), 0);
	assert_int_equal(install_layer_write(in, 0, f->im.layers[0]->bytes, 1000, NULL), 0);
	assert_int_equal(install_layer_received(in, 0), 1000);
	assert_int_equal(install_layer_finish(in, 0, &f->err), -EBADMSG);
	assert_non_null(strstr(f->err.msg, "1000 of"));
	assert_int_equal(install_layer_write(in, 0, f->im.layers[0]->bytes, f->im.layers[0]->len,
					     &f->err),
			 -EBADMSG);
	assert_non_null(strstr(f->err.msg, "larger"));
	assert_true(install_commit(in, &f->err) < 0);
	assert_int_equal(count(f->store.layers_fd), 0);
}

static void test_restart(void **state)
{
	struct fixture *f = *state;
	struct install_request req;
	AUTO_PTR(install) in = NULL;

	need_root();
	tar_file(test_image_layer(&f->im), "a", "a");
	test_image_finish(&f->im);
	req = test_image_request(&f->im, &f->store, "one");
	assert_int_equal(install_begin(&req, &in, NULL), 0);
	assert_int_equal(install_layer_start(in, 0, NULL), 0);
	assert_int_equal(install_layer_write(in, 0, "wrong bytes from before", 23, NULL), 0);
	assert_int_equal(install_layer_restart(in, 0, NULL), 0);
	assert_int_equal(install_layer_received(in, 0), 0);
	assert_int_equal(count(f->store.ingest_fd), 1);
	assert_int_equal(test_image_give(&f->im, in, 0, NULL), 0);
	assert_int_equal(install_commit(in, NULL), 0);
}

static void test_corrupt_archive(void **state)
{
	struct fixture *f = *state;

	need_root();
	tar_raw(test_image_layer(&f->im), "this is no tar archive at all", 29);
	test_image_finish(&f->im);
	assert_int_equal(test_image_install(&f->im, &f->store, "one", &f->err), -EBADMSG);
	assert_int_equal(f->err.kind, ERR_CORRUPT);
	assert_non_null(strstr(f->err.msg, "layer "));
}

static void test_documents_that_disagree(void **state)
{
	struct fixture *f = *state;
	struct digest digest;
	char *at;

	tar_file(test_image_layer(&f->im), "a", "a");
	test_image_finish(&f->im);
	digest = f->im.manifest_digest;
	f->im.manifest_digest.hex[0] = f->im.manifest_digest.hex[0] == 'a' ? 'b' : 'a';
	begin_refused(f, "manifest has digest");
	assert_int_equal(strncmp(f->err.msg, "manifest has digest", 19), 0);
	f->im.manifest_digest = digest;
	at = strstr(f->im.config, "amd64");
	at[0] = 'b';
	begin_refused(f, "image config has digest");
	assert_int_equal(strncmp(f->err.msg, "image config has digest", 23), 0);
	at[0] = 'a';
	at = f->im.config + strlen(f->im.config);
	at[0] = ' ';
	at[1] = '\0';
	begin_refused(f, "bytes");
	/* one layer, two diffIDs */
	(void)snprintf(
		f->im.config, sizeof(f->im.config),
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"sha256:%s\",\"sha256:%s\"]}}",
		digest.hex, digest.hex);
	test_digest(f->im.config, strlen(f->im.config), &f->im.config_digest);
	(void)snprintf(f->im.manifest, sizeof(f->im.manifest),
		       "{\"schemaVersion\":2,\"config\":{\"mediaType\":"
		       "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\","
		       "\"size\":%zu},\"layers\":[{\"mediaType\":"
		       "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:%s\","
		       "\"size\":5}]}",
		       f->im.config_digest.hex, strlen(f->im.config), digest.hex);
	test_digest(f->im.manifest, strlen(f->im.manifest), &f->im.manifest_digest);
	begin_refused(f, "2 diffIDs for the manifest's 1 layers");
}

/* What is wrong is told once, and under one heading. */
static void test_messages_have_one_heading(void **state)
{
	struct fixture *f = *state;

	test_image_finish(&f->im);
	(void)snprintf(f->im.config, sizeof(f->im.config),
		       "{\"config\":{\"Env\":1},\"rootfs\":{\"type\":\"layers\"}}");
	test_digest(f->im.config, strlen(f->im.config), &f->im.config_digest);
	(void)snprintf(f->im.manifest, sizeof(f->im.manifest),
		       "{\"schemaVersion\":2,\"config\":{\"mediaType\":"
		       "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\","
		       "\"size\":%zu},\"layers\":[]}",
		       f->im.config_digest.hex, strlen(f->im.config));
	test_digest(f->im.manifest, strlen(f->im.manifest), &f->im.manifest_digest);
	begin_refused(f, "image config: config: \"Env\"");
	assert_int_equal(strncmp(f->err.msg, "image config: config: ", 22), 0);
	(void)snprintf(f->im.manifest, sizeof(f->im.manifest),
		       "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}");
	test_digest(f->im.manifest, strlen(f->im.manifest), &f->im.manifest_digest);
	begin_refused(f, "manifest: ");
	assert_null(strstr(f->err.msg, "manifest: manifest"));
}

/* Two installations at once of the same image: both succeed, one copy stays. */
static void test_two_at_once(void **state)
{
	struct fixture *f = *state;
	struct install_request req;
	AUTO_PTR(install) a = NULL;
	AUTO_PTR(install) b = NULL;

	need_root();
	tar_file(test_image_layer(&f->im), "a", "a");
	test_image_finish(&f->im);
	req = test_image_request(&f->im, &f->store, "one");
	assert_int_equal(install_begin(&req, &a, NULL), 0);
	assert_int_equal(install_begin(&req, &b, NULL), 0);
	assert_int_equal(test_image_give(&f->im, a, 0, NULL), 0);
	assert_int_equal(test_image_give(&f->im, b, 0, NULL), 0);
	assert_int_equal(store_sweep(&f->store, NULL), 0);
	assert_int_equal(install_commit(a, NULL), 0);
	assert_int_equal(install_commit(b, NULL), 0);
	assert_int_equal(count(f->store.layers_fd), 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_two_layers),
		T(test_no_layers),
		T(test_second_time_needs_nothing),
		T(test_events_and_worker_fd),
		T(test_equal_layers),
		T(test_needs_make_the_key_a_chain_id),
		T(test_link_that_no_layer_has),
		T(test_opaque_root),
		T(test_wrong_blob_digest),
		T(test_wrong_diff_id),
		T(test_size_limits),
		T(test_restart),
		T(test_corrupt_archive),
		T(test_documents_that_disagree),
		T(test_messages_have_one_heading),
		T(test_two_at_once),
	};

	return cmocka_run_group_tests_name("install", tests, NULL, NULL);
}
