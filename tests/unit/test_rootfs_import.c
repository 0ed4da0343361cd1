// SPDX-License-Identifier: MIT
/* A root file system tar becomes an image of one layer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <zlib.h>

#include "base/fd.h"
#include "oci/rootfs_import.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tar_builder.h"

struct fixture {
	void *scratch;
	struct store store;
	struct platform platform;
	struct tar *tar;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[64];

	if (!f || scratch_setup(&f->scratch) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", SCRATCH_FD(&f->scratch));
	f->tar = tar_new();
	*state = f;
	assert_int_equal(platform_parse("linux/arm/v7", &f->platform, NULL), 0);
	return store_open(path, true, &f->store, &f->err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	tar_free(f->tar);
	store_done(&f->store);
	r = scratch_teardown(&f->scratch);
	free(f);
	return r;
}

static int import(struct fixture *f, int fd)
{
	char *cmd[] = { (char *)"bash", NULL }, *env[] = { (char *)"PATH=/bin", NULL };
	struct rootfs_import_request req = { .store = &f->store,
					     .name = "label",
					     .source = "test \"source\"",
					     .tar_fd = fd,
					     .platform = &f->platform,
					     .cmd = cmd,
					     .env = env };

	return rootfs_import(&req, &f->err);
}

static void check_image(struct fixture *f)
{
	AUTO(image_record) rec = { 0 };
	AUTO(image_config) config = { 0 };
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *content = NULL;
	AUTO_CLOSE int fd = -EBADF;
	struct digest diff_id;
	size_t len;

	assert_int_equal(image_record_get(&f->store, "label", &rec, NULL), 0);
	assert_string_equal(rec.source, "test \"source\"");
	assert_int_equal(rec.n_layers, 1);
	assert_int_equal(digest_buffer(f->tar->bytes, f->tar->len, &diff_id, NULL), 0);
	assert_true(digest_equal(&rec.layers[0], &diff_id));
	assert_int_equal(store_blob_read(&f->store, &rec.config, 1 << 20, &text, &len, NULL), 0);
	assert_int_equal(image_config_decode(text, len, &config, NULL), 0);
	assert_string_equal(config.platform.os, "linux");
	assert_string_equal(config.platform.arch, "arm");
	assert_string_equal(config.platform.variant, "v7");
	assert_string_equal(config.cmd[0], "bash");
	assert_string_equal(config.env[0], "PATH=/bin");
	assert_int_equal(config.n_diff_ids, 1);
	assert_true(digest_equal(&config.diff_ids[0], &diff_id));
	assert_true(store_blob_exists(&f->store, &rec.manifest));
	fd = store_layer_open(&f->store, &rec.layers[0], NULL);
	assert_int_equal(fd_read_file_at(fd, "etc/os-release", 100, &content, NULL, NULL), 0);
	assert_string_equal(content, "ID=test\n");
}

static void make_tar(struct fixture *f)
{
	if (geteuid() != 0) {
		print_message("skipped: unpacking as another user than root\n");
		skip();
	}
	tar_dir(f->tar, .path = "./");
	tar_dir(f->tar, .path = "./etc");
	tar_file(f->tar, "./etc/os-release", "ID=test\n");
	tar_end(f->tar);
}

static void test_plain(void **state)
{
	struct fixture *f = *state;
	AUTO_CLOSE int fd = memfd_create("tar", MFD_CLOEXEC);

	make_tar(f);
	assert_int_equal(fd_write_full(fd, f->tar->bytes, f->tar->len), 0);
	/* the offset stands at the end: it does not matter */
	assert_int_equal(import(f, fd), 0);
	check_image(f);
	assert_int_equal(import(f, fd), 0);
}

static void test_gzip(void **state)
{
	struct fixture *f = *state;
	AUTO_CLOSE int fd = memfd_create("tar", MFD_CLOEXEC);
	gzFile gz;

	make_tar(f);
	gz = gzdopen(fcntl(fd, F_DUPFD_CLOEXEC, 3), "wb");
	assert_int_equal(gzwrite(gz, f->tar->bytes, (unsigned int)f->tar->len), f->tar->len);
	assert_int_equal(gzclose(gz), Z_OK);
	assert_int_equal(import(f, fd), 0);
	check_image(f);
}

static void test_what_is_no_archive(void **state)
{
	struct fixture *f = *state;
	AUTO_CLOSE int fd = memfd_create("tar", MFD_CLOEXEC);
	struct image_record rec;
	int pipes[2];

	assert_true(import(f, fd) < 0);
	assert_int_equal(f->err.kind, ERR_CORRUPT);
	assert_int_equal(fd_write_full(fd, "\x1f\x8b junk", 7), 0);
	assert_int_equal(import(f, fd), -EBADMSG);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(import(f, pipes[0]), -EINVAL);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	assert_int_equal(image_record_get(&f->store, "label", &rec, NULL), -ENOENT);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_plain),
		T(test_gzip),
		T(test_what_is_no_archive),
	};

	return cmocka_run_group_tests_name("rootfs_import", tests, NULL, NULL);
}
