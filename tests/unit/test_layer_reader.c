// SPDX-License-Identifier: MIT
/* The tar reader: what an entry becomes, who is to blame when reading fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "oci/layer_reader.h"
#include "tests/unit/tar_builder.h"

static void test_entry(void **state)
{
	struct tar *t = tar_new();
	struct memory m = { 0 };
	AUTO_PTR(decompress) stream = NULL;
	AUTO_PTR(layer_reader) r = NULL;
	struct tar_entry e;
	struct digest diff_id, whole;
	const void *buf;
	int64_t offset;

	(void)state;
	tar_pax(t, "mtime", "12.000000345");
	tar_pax(t, "uname", "root");
	tar_pax_bytes(t, "SCHILY.xattr.user.a", "1\0", 2);
	tar_add(t, .path = "./file", .data = "content", .mode = 0640, .uid = 1000, .gid = 1001);
	tar_add(t, .path = "dev", .type = '3', .major = 10, .minor = 300);
	tar_add(t, .path = "hard", .type = '1', .link = "./file");
	tar_add(t, .path = "soft", .type = '2', .link = "to");
	tar_add(t, .path = "old-style-dir/");
	tar_end(t);
	tar_raw(t, "more", 4);
	m = (struct memory){ .bytes = t->bytes, .len = t->len, .step = 333 };
	assert_int_equal(decompress_open(COMPRESSION_NONE, memory_read, &m, 1 << 20, &stream, NULL),
			 0);
	assert_int_equal(layer_reader_open(stream, &r, NULL), 0);
	assert_int_equal(layer_reader_next(r, &e, NULL), 1);
	assert_string_equal(e.path, "./file");
	assert_int_equal(e.mode, S_IFREG | 0640);
	assert_int_equal(e.uid, 1000);
	assert_int_equal(e.gid, 1001);
	assert_int_equal(e.size, 7);
	assert_int_equal(e.mtime.tv_sec, 12);
	assert_int_equal(e.mtime.tv_nsec, 345);
	assert_int_equal(e.n_xattrs, 1);
	assert_string_equal(e.xattrs[0].name, "user.a");
	assert_int_equal(e.xattrs[0].len, 2);
	assert_int_equal(layer_reader_data(r, &buf, &offset, NULL), 7);
	assert_memory_equal(buf, "content", 7);
	assert_int_equal(offset, 0);
	assert_int_equal(layer_reader_data(r, &buf, &offset, NULL), 0);
	assert_int_equal(layer_reader_next(r, &e, NULL), 1);
	assert_int_equal(e.mode & S_IFMT, S_IFCHR);
	assert_int_equal(e.rdev, makedev(10, 300));
	assert_int_equal(e.n_xattrs, 0);
	assert_int_equal(layer_reader_next(r, &e, NULL), 1);
	assert_string_equal(e.hardlink, "./file");
	assert_int_equal(layer_reader_next(r, &e, NULL), 1);
	assert_null(e.hardlink);
	assert_string_equal(e.symlink, "to");
	assert_int_equal(layer_reader_next(r, &e, NULL), 1);
	assert_int_equal(e.mode & S_IFMT, S_IFDIR);
	assert_int_equal(layer_reader_next(r, &e, NULL), 0);
	assert_int_equal(layer_reader_finish(r, &diff_id, NULL), 0);
	assert_int_equal(digest_buffer(t->bytes, t->len, &whole, NULL), 0);
	assert_true(digest_equal(&diff_id, &whole));
	tar_free(t);
}

static ssize_t failing_read(void *arg, void *buf, size_t len, struct err *err)
{
	struct memory *m = arg;

	if (m->at < m->len)
		return memory_read(arg, buf, len, err);
	return err_set(err, ERR_NETWORK, -ECONNRESET, "the source broke");
}

/* Whatever libarchive makes of it, the source's own error comes out. */
static void test_source_error(void **state)
{
	struct tar *t = tar_new();
	struct memory m = { 0 };
	AUTO_PTR(decompress) stream = NULL;
	AUTO_PTR(layer_reader) r = NULL;
	struct tar_entry e;
	struct err err = { 0 };
	int rc;

	(void)state;
	tar_file(t, "a", "content");
	m = (struct memory){ .bytes = t->bytes, .len = 512 };
	assert_int_equal(
		decompress_open(COMPRESSION_NONE, failing_read, &m, 1 << 20, &stream, NULL), 0);
	rc = layer_reader_open(stream, &r, &err);
	while (rc == 0 && (rc = layer_reader_next(r, &e, &err)) > 0)
		rc = 0;
	assert_int_equal(rc, -ECONNRESET);
	assert_int_equal(err.kind, ERR_NETWORK);
	assert_string_equal(err.msg, "the source broke");
	tar_free(t);
}

static int read_all(decompress_read_fn read, struct memory *m, struct digest *ret, struct err *err)
{
	AUTO_PTR(decompress) stream = NULL;
	AUTO_PTR(layer_reader) r = NULL;
	struct tar_entry e;
	int rc;

	assert_int_equal(decompress_open(COMPRESSION_NONE, read, m, 1 << 20, &stream, NULL), 0);
	rc = layer_reader_open(stream, &r, err);
	while (rc == 0 && (rc = layer_reader_next(r, &e, err)) > 0)
		rc = 0;
	return rc < 0 ? rc : layer_reader_finish(r, ret, err);
}

static void test_no_bytes(void **state)
{
	static unsigned char zeros[3], junk[] = "garbage";
	struct memory m = { 0 };
	struct err err = { 0 };
	struct digest d;

	(void)state;
	assert_int_equal(read_all(memory_read, &m, &d, &err), 0);
	assert_string_equal(d.hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	/* a source that fails before its first byte is not an empty one */
	assert_int_equal(read_all(failing_read, &m, &d, &err), -ECONNRESET);
	assert_int_equal(err.kind, ERR_NETWORK);
	m = (struct memory){ .bytes = junk, .len = 7 };
	assert_int_equal(read_all(memory_read, &m, &d, &err), -EBADMSG);
	m = (struct memory){ .bytes = zeros, .len = sizeof(zeros) };
	assert_int_equal(read_all(memory_read, &m, &d, &err), -EBADMSG);
}

static void test_bomb(void **state)
{
	struct tar *t = tar_new();
	struct memory m = { 0 };
	AUTO_PTR(decompress) stream = NULL;
	AUTO_PTR(layer_reader) r = NULL;
	struct digest d;
	struct tar_entry e;

	(void)state;
	tar_file(t, "a", "content");
	tar_end(t);
	m = (struct memory){ .bytes = t->bytes, .len = t->len, .step = 512 };
	assert_int_equal(decompress_open(COMPRESSION_NONE, memory_read, &m, 2047, &stream, NULL),
			 0);
	assert_int_equal(layer_reader_open(stream, &r, NULL), 0);
	assert_int_equal(layer_reader_next(r, &e, NULL), 1);
	assert_true(layer_reader_next(r, &e, NULL) == -EFBIG ||
		    layer_reader_finish(r, &d, NULL) == -EFBIG);
	tar_free(t);
}

static void test_too_many_xattrs(void **state)
{
	struct tar *t = tar_new();
	struct memory m = { 0 };
	AUTO_PTR(decompress) stream = NULL;
	AUTO_PTR(layer_reader) r = NULL;
	struct tar_entry e;
	char name[64];

	(void)state;
	for (int i = 0; i <= XATTRS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "SCHILY.xattr.user.n%d", i);
		tar_pax(t, name, "v");
	}
	tar_file(t, "a", "content");
	m = (struct memory){ .bytes = t->bytes, .len = t->len };
	assert_int_equal(decompress_open(COMPRESSION_NONE, memory_read, &m, 1 << 20, &stream, NULL),
			 0);
	assert_int_equal(layer_reader_open(stream, &r, NULL), 0);
	assert_int_equal(layer_reader_next(r, &e, NULL), -EBADMSG);
	tar_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry),		cmocka_unit_test(test_source_error),
		cmocka_unit_test(test_no_bytes),	cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_too_many_xattrs),
	};

	return cmocka_run_group_tests_name("layer_reader", tests, NULL, NULL);
}
