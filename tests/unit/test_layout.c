// SPDX-License-Identifier: MIT
/* OCI layouts on disk: choosing an image, nested indexes, damaged and hostile layouts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "oci/layout.h"
#include "tests/unit/image_builder.h"
#include "tests/unit/scratch.h"

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"

struct fixture {
	void *scratch;
	struct store store;
	struct test_image im;
	struct platform platform;
	int layout_fd;
	char dir[PATH_MAX];
	struct err err;
};

static void put(struct fixture *f, const char *path, const void *buf, size_t len)
{
	assert_int_equal(fd_write_file_at(f->layout_fd, path, 0644, buf, len, NULL), 0);
}

static void put_blob(struct fixture *f, const void *buf, size_t len, struct digest *ret)
{
	char path[128];

	test_digest(buf, len, ret);
	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", ret->hex);
	put(f, path, buf, len);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[64];
	struct digest d;

	if (!f || scratch_setup(&f->scratch) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/layout", SCRATCH_FD(&f->scratch));
	if (mkdir(path, 0755) < 0 || !realpath(path, f->dir))
		return -1;
	f->layout_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/store", SCRATCH_FD(&f->scratch));
	if (store_open(path, true, &f->store, &f->err) < 0)
		return -1;
	(void)mkdirat(f->layout_fd, "blobs", 0755);
	(void)mkdirat(f->layout_fd, "blobs/sha256", 0755);
	tar_file(test_image_layer(&f->im), "a", "aa");
	tar_file(test_image_layer(&f->im), "b", "bb");
	test_image_finish(&f->im);
	put(f, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
	put_blob(f, f->im.config, strlen(f->im.config), &d);
	put_blob(f, f->im.manifest, strlen(f->im.manifest), &d);
	for (size_t i = 0; i < f->im.n; i++)
		put_blob(f, f->im.layers[i]->bytes, f->im.layers[i]->len, &d);
	assert_int_equal(platform_parse("linux/amd64", &f->platform, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	test_image_free(&f->im);
	store_done(&f->store);
	(void)close(f->layout_fd);
	r = scratch_teardown(&f->scratch);
	free(f);
	return r;
}

/* One entry of index.json, or of an index blob. */
static void entry(char *buf, size_t size, const char *type, const char *bytes, const char *extra)
{
	struct digest d;
	size_t at = strlen(buf);

	test_digest(bytes, strlen(bytes), &d);
	(void)snprintf(buf + at, size - at,
		       "%s{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%zu%s}",
		       at ? "," : "", type, d.hex, strlen(bytes), extra);
}

static void index_json(struct fixture *f, const char *entries)
{
	char text[8192];

	(void)snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"manifests\":[%s]}", entries);
	put(f, "index.json", text, strlen(text));
}

static int install(struct fixture *f, const char *ref, char **ret_name)
{
	char spec[PATH_MAX + 64];
	struct layout_request req = { .store = &f->store, .spec = spec, .platform = &f->platform };

	(void)snprintf(spec, sizeof(spec), "%s%s%s", f->dir, ref ? ":" : "", ref ? ref : "");
	return layout_install(&req, ret_name, &f->err);
}

static void installs(struct fixture *f, const char *ref)
{
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *expected = NULL;
	AUTO(image_record) rec = { 0 };
	char spec[PATH_MAX + 64];

	if (geteuid() != 0) {
		print_message("skipped: unpacking as another user than root\n");
		skip();
	}
	if (install(f, ref, &name) < 0) {
		print_error("%s\n", f->err.msg);
		fail();
	}
	(void)snprintf(spec, sizeof(spec), "%s%s%s", f->dir, ref ? ":" : "", ref ? ref : "");
	assert_int_equal(layout_name(spec, &expected, NULL), 0);
	assert_string_equal(name, expected);
	assert_int_equal(strncmp(name, "oci:/", 5), 0);
	assert_int_equal(image_record_get(&f->store, name, &rec, NULL), 0);
	assert_string_equal(rec.source, "oci");
	assert_int_equal(rec.n_layers, 2);
	assert_true(digest_equal(&rec.manifest, &f->im.manifest_digest));
}

static void refused(struct fixture *f, const char *ref, int code, const char *words)
{
	char *name = NULL;

	assert_int_equal(install(f, ref, &name), code);
	assert_null(name);
	if (!strstr(f->err.msg, words))
		print_error("%s\n", f->err.msg);
	assert_non_null(strstr(f->err.msg, words));
}

static void test_one_image(void **state)
{
	struct fixture *f = *state;
	char list[2048] = "";

	entry(list, sizeof(list), MANIFEST_TYPE, f->im.manifest, "");
	index_json(f, list);
	installs(f, NULL);
	refused(f, "v1", -ENOENT, "no image v1 for linux/amd64");
}

static void test_by_reference(void **state)
{
	struct fixture *f = *state;
	char list[2048] = "";

	entry(list, sizeof(list), MANIFEST_TYPE, "absent",
	      ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"old\"}");
	entry(list, sizeof(list), MANIFEST_TYPE, f->im.manifest,
	      ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"docker.io/x:1\"}");
	index_json(f, list);
	installs(f, "docker.io/x:1");
	refused(f, NULL, -EINVAL, "2 images");
	refused(f, "old", -ENOENT, "open ");
}

static void test_platforms(void **state)
{
	struct fixture *f = *state;
	char list[2048] = "";

	entry(list, sizeof(list), MANIFEST_TYPE, "absent",
	      ",\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}");
	entry(list, sizeof(list), MANIFEST_TYPE, f->im.manifest,
	      ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");
	index_json(f, list);
	installs(f, NULL);
	assert_int_equal(platform_parse("linux/riscv64", &f->platform, NULL), 0);
	refused(f, NULL, -ENOENT, "linux/riscv64");
}

static void test_nested_index(void **state)
{
	struct fixture *f = *state;
	char inner[4096] = "", list[2048] = "", text[4200];
	struct digest d;

	entry(inner, sizeof(inner), MANIFEST_TYPE, "absent",
	      ",\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}");
	entry(inner, sizeof(inner), MANIFEST_TYPE, f->im.manifest,
	      ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");
	(void)snprintf(text, sizeof(text),
		       "{\"schemaVersion\":2,\"mediaType\":\"" INDEX_TYPE "\",\"manifests\":[%s]}",
		       inner);
	put_blob(f, text, strlen(text), &d);
	entry(list, sizeof(list), INDEX_TYPE, text, "");
	index_json(f, list);
	installs(f, NULL);
}

static void test_versions(void **state)
{
	struct fixture *f = *state;

	put(f, "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}", 30);
	refused(f, NULL, -EOPNOTSUPP, "2.0.0");
	put(f, "oci-layout", "{}", 2);
	refused(f, NULL, -EBADMSG, "imageLayoutVersion");
	assert_int_equal(unlinkat(f->layout_fd, "oci-layout", 0), 0);
	refused(f, NULL, -ENOENT, "oci-layout");
}

static void test_changed_blob(void **state)
{
	struct fixture *f = *state;
	char list[2048] = "", path[128];

	entry(list, sizeof(list), MANIFEST_TYPE, f->im.manifest, "");
	index_json(f, list);
	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", f->im.config_digest.hex);
	put(f, path, "{}", 2);
	refused(f, NULL, -EBADMSG, "size or digest");
	put(f, path, f->im.config, strlen(f->im.config));
	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", f->im.blobs[1].hex);
	f->im.layers[1]->bytes[513] ^= 1;
	put(f, path, f->im.layers[1]->bytes, f->im.layers[1]->len);
	refused(f, NULL, -EBADMSG, "digest");
}

static void test_blobs_that_are_no_files(void **state)
{
	struct fixture *f = *state;
	char list[2048] = "", path[128];

	entry(list, sizeof(list), MANIFEST_TYPE, f->im.manifest, "");
	index_json(f, list);
	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", f->im.config_digest.hex);
	assert_int_equal(unlinkat(f->layout_fd, path, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", f->layout_fd, path), 0);
	refused(f, NULL, -ELOOP, "open ");
	assert_int_equal(unlinkat(f->layout_fd, path, 0), 0);
	assert_int_equal(mkfifoat(f->layout_fd, path, 0644), 0);
	refused(f, NULL, -EBADMSG, "not a regular file");
}

static void test_specs(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE char *name = NULL;
	struct layout_request req = { .store = &f->store, .platform = &f->platform };

	assert_int_equal(layout_name("", &name, &f->err), -EINVAL);
	assert_int_equal(layout_name(":x", &name, &f->err), -EINVAL);
	assert_int_equal(layout_name("dir:", &name, &f->err), -EINVAL);
	assert_int_equal(layout_name("/nonexistent/dir:a:b", &name, NULL), 0);
	assert_string_equal(name, "oci:/nonexistent/dir:a:b");
	req.spec = "/nonexistent/dir";
	free(name);
	name = NULL;
	assert_int_equal(layout_install(&req, &name, &f->err), -ENOENT);
	assert_int_equal(f->err.kind, ERR_NOT_FOUND);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_one_image),
		T(test_by_reference),
		T(test_platforms),
		T(test_nested_index),
		T(test_versions),
		T(test_changed_blob),
		T(test_blobs_that_are_no_files),
		T(test_specs),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
