// SPDX-License-Identifier: MIT
/* Images that the store has: found by name and by ID, wanted for a platform, never pulled, damaged. No network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "provision/image_ensure.h"
#include "tests/unit/scratch.h"

struct fixture {
	void *scratch;
	struct store store;
	struct settings settings;
	struct digest id_a, id_b;
};

/* A record and its config. @id: the image ID */
static int add_image(struct fixture *f, const char *name, const char *cmd, struct digest *id)
{
	AUTO_FREE char *text = NULL;
	struct image_record record = { 0 };
	int len = asprintf(
		&text,
		"{\"architecture\": \"s390x\", \"os\": \"linux\", \"config\": {\"Cmd\": [\"%s\"]}, "
		"\"rootfs\": {\"type\": \"layers\", \"diff_ids\": []}}",
		cmd);

	if (len < 0 || digest_buffer(text, (size_t)len, id, NULL) < 0 ||
	    store_blob_write(&f->store, id, text, (size_t)len, NULL) < 0)
		return -1;
	record.name = (char *)(uintptr_t)name;
	record.source = (char[]){ "test" };
	record.manifest = record.index = record.config = *id;
	return image_record_put(&f->store, &record, NULL);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[64];

	if (!f || scratch_setup(&f->scratch) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/store", SCRATCH_FD(&f->scratch));
	if (store_open(path, true, &f->store, NULL) < 0 ||
	    settings_init(path, &f->settings, NULL) < 0 ||
	    add_image(f, "docker.io/library/a:latest", "a", &f->id_a) < 0 ||
	    add_image(f, "localhost:1/again:1", "a", &f->id_a) < 0 ||
	    add_image(f, "debian-bookworm", "b", &f->id_b) < 0)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	store_done(&f->store);
	settings_done(&f->settings);
	r = scratch_teardown(&f->scratch);
	free(f);
	return r;
}

static void assert_found(struct fixture *f, const char *name, const struct digest *id)
{
	AUTO(image) image = { 0 };

	assert_int_equal(image_find(&f->store, name, &image, NULL), 0);
	assert_string_equal(image.record.config.hex, id->hex);
}

static void test_find_by_name(void **state)
{
	struct fixture *f = *state;
	AUTO(image) image = { 0 };
	struct err err = { 0 };

	assert_found(f, "a", &f->id_a);
	assert_found(f, "docker.io/library/a:latest", &f->id_a);
	assert_found(f, "localhost:1/again:1", &f->id_a);
	assert_found(f, "debian-bookworm", &f->id_b);
	assert_found(f, "debian-12", &f->id_b);
	assert_int_equal(image_find(&f->store, "zzz", &image, &err), -ENOENT);
	assert_string_equal(err.msg, "No such image: zzz:latest");
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void test_find_by_id(void **state)
{
	struct fixture *f = *state;
	AUTO(image) image = { 0 };
	char prefix[13] = { 0 }, missing[65];
	struct err err = { 0 };

	memcpy(prefix, f->id_b.hex, 12);
	assert_found(f, prefix, &f->id_b);
	assert_found(f, f->id_a.hex, &f->id_a);
	assert_found(f, DIGEST_STR(&f->id_a), &f->id_a);
	memset(missing, 'e', 64);
	missing[64] = '\0';
	assert_int_equal(image_find(&f->store, missing, &image, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static int ensure(struct fixture *f, const char *name, const char *platform, struct image *ret,
		  struct err *err)
{
	struct platform p;
	struct image_request req = { .settings = &f->settings, .name = name, .policy = PULL_NEVER };

	if (platform) {
		assert_int_equal(platform_parse(platform, &p, NULL), 0);
		req.platform = &p;
	}
	return image_ensure(&req, &f->store, ret, err);
}

static void test_never_pulls(void **state)
{
	struct fixture *f = *state;
	AUTO(image) found = { 0 };
	AUTO(image) by_id = { 0 };
	AUTO(image) none = { 0 };
	struct err err = { 0 };

	assert_int_equal(ensure(f, "a", NULL, &found, NULL), 0);
	assert_string_equal(found.config.cmd[0], "a");
	assert_int_equal(ensure(f, f->id_b.hex, NULL, &by_id, NULL), 0);
	assert_string_equal(by_id.record.name, "debian-bookworm");
	assert_int_equal(ensure(f, "b", NULL, &none, &err), -ENOENT);
	assert_string_equal(err.msg, "No such image: b:latest");
	assert_int_equal(ensure(f, "debian-sid", NULL, &none, &err), -ENOENT);
	assert_string_equal(err.msg, "No such image: debian-sid");
	assert_int_equal(ensure(f, "dir:/x", NULL, &none, &err), -EOPNOTSUPP);
}

static void test_platform(void **state)
{
	struct fixture *f = *state;
	AUTO(image) found = { 0 };
	AUTO(image) none = { 0 };
	struct err err = { 0 };

	assert_int_equal(ensure(f, "a", "linux/s390x", &found, NULL), 0);
	assert_int_equal(ensure(f, "a", "linux/arm64", &none, &err), -ENOENT);
	assert_string_equal(err.msg,
			    "image with reference a:latest was found but its platform "
			    "(linux/s390x) does not match the specified platform (linux/arm64)");
	assert_null(none.record.name);
}

static void test_damaged_config(void **state)
{
	struct fixture *f = *state;
	AUTO(image) none = { 0 };
	struct err err = { 0 };

	assert_int_equal(fd_write_file_at(f->store.blobs_fd, f->id_a.hex, 0600, "{", 1, NULL), 0);
	assert_int_equal(ensure(f, "a", NULL, &none, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(unlinkat(f->store.blobs_fd, f->id_a.hex, 0), 0);
	/* Never -ENOENT: that would mean an absent image, to be pulled. */
	assert_int_equal(ensure(f, "a", NULL, &none, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find_by_id, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_pulls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_platform, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_config, setup, teardown),
	};

	return cmocka_run_group_tests_name("image_ensure", tests, NULL, NULL);
}
