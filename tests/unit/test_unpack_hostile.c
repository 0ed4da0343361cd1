// SPDX-License-Identifier: MIT
/* Unpacking archives that want out of their directory, are damaged or lie. */
#include "tests/unit/unpack_fixture.h"

static void test_opaque_xattr_of_a_directory_is_dropped(void **state)
{
	struct fixture *f = fixture(state);

	need_root();
	tar_pax(f->tar, "SCHILY.xattr.trusted.overlay.opaque", "y");
	tar_dir(f->tar, .path = "d");
	unpack_ok(f);
	assert_false(is_opaque(f, "d"));
}

static void test_owner_out_of_range(void **state)
{
	struct fixture *f = fixture(state);

	tar_add(f->tar, .path = "x", .uid = 4294967296U);
	unpack_refused(f, "out of range");
}

static void test_owner_minus_one(void **state)
{
	struct fixture *f = fixture(state);

	tar_add(f->tar, .path = "x", .gid = 4294967295U);
	unpack_refused(f, "out of range");
}

static void refused_name(void **state, const char *name, char type, const char *words)
{
	struct fixture *f = fixture(state);

	tar_add(f->tar, .path = name, .type = type, .link = type == '1' ? "x" : NULL);
	unpack_refused(f, words);
}

static void test_whiteout_bare(void **state)
{
	refused_name(state, "d/.wh.", '0', "whiteout of nothing");
}

static void test_whiteout_dot(void **state)
{
	refused_name(state, ".wh..", '0', "whiteout of nothing");
}

static void test_whiteout_dot_dot(void **state)
{
	refused_name(state, "d/.wh...", '0', "whiteout of nothing");
}

static void test_below_whiteout(void **state)
{
	refused_name(state, ".wh.x/y", '0', "below a whiteout");
}

static void test_dot_dot(void **state)
{
	refused_name(state, "a/../../canary", '0', "\"..\" are refused");
}

static void test_dot_dot_names_the_entry(void **state)
{
	refused_name(state, "../canary", '0', "\"../canary\"");
}

static void test_root_as_file(void **state)
{
	refused_name(state, "./", '1', "root must be a directory");
}

static void test_root_as_symlink(void **state)
{
	refused_name(state, ".", '2', "root must be a directory");
}

static void test_hardlink_to_root(void **state)
{
	struct fixture *f = fixture(state);

	tar_add(f->tar, .path = "x", .type = '1', .link = "/");
	unpack_refused(f, "hardlink to the root");
}

static void test_hardlink_dot_dot(void **state)
{
	struct fixture *f = fixture(state);

	tar_add(f->tar, .path = "x", .type = '1', .link = "../canary");
	unpack_refused(f, "\"..\"");
}

static void test_hardlink_to_directory(void **state)
{
	struct fixture *f = fixture(state);

	tar_dir(f->tar, .path = "d");
	tar_add(f->tar, .path = "x", .type = '1', .link = "d");
	unpack_refused(f, "hardlink to a directory");
}

static void test_file_as_parent(void **state)
{
	struct fixture *f = fixture(state);

	tar_file(f->tar, "a", "file");
	tar_file(f->tar, "a/b", "x");
	unpack_refused(f, "not a directory");
}

static void test_hardlink_through_symlink_stays_inside(void **state)
{
	struct fixture *f = fixture(state);

	tar_add(f->tar, .path = "out", .type = '2', .link = "..");
	tar_add(f->tar, .path = "out2", .type = '2', .link = "/../../..");
	tar_add(f->tar, .path = "stolen", .type = '1', .link = "out/canary");
	tar_add(f->tar, .path = "stolen2", .type = '1', .link = "out2/etc/passwd");
	unpack_ok(f);
	/* inside there is no such file: the layers below may have one */
	assert_absent(f, "stolen");
	assert_int_equal(strv_len(f->result.needs.lower_links), 4);
	assert_string_equal(f->result.needs.lower_links[0], "out/canary");
	assert_string_equal(f->result.needs.lower_links[1], "stolen");
}

static void test_write_through_symlinks_stays_inside(void **state)
{
	struct fixture *f = fixture(state);

	tar_add(f->tar, .path = "up", .type = '2', .link = "..");
	tar_file(f->tar, "up/canary", "dead");
	tar_add(f->tar, .path = "abs", .type = '2', .link = "/etc");
	tar_file(f->tar, "abs/racker-was-here", "dead");
	tar_add(f->tar, .path = "deep", .type = '2', .link = "x/../../../../y");
	tar_file(f->tar, "deep/z", "dead");
	tar_add(f->tar, .path = "self", .type = '2', .link = "/proc/self/root/etc");
	tar_file(f->tar, "self/z", "dead");
	tar_add(f->tar, .path = "up/.wh.hidden");
	unpack_ok(f);
	assert_content(f, "canary", "dead");
	assert_content(f, "etc/racker-was-here", "dead");
	assert_content(f, "y/z", "dead");
	assert_content(f, "proc/self/root/etc/z", "dead");
	assert_int_equal(access("/etc/racker-was-here", F_OK), -1);
	assert_true(strv_contains(f->result.needs.implied_dirs, "etc"));
	assert_whiteout(f, "hidden");
}

static void test_symlink_loop(void **state)
{
	struct fixture *f = fixture(state);

	tar_add(f->tar, .path = "a", .type = '2', .link = "b");
	tar_add(f->tar, .path = "b", .type = '2', .link = "a");
	tar_file(f->tar, "a/x", "x");
	unpack_refused(f, "too many symlinks");
}

static void test_hardlink_to_whiteout(void **state)
{
	struct fixture *f = fixture(state);

	need_root();
	tar_add(f->tar, .path = ".wh.x");
	tar_add(f->tar, .path = "y", .type = '1', .link = "x");
	unpack_refused(f, "whited out");
}

static void test_too_deep(void **state)
{
	struct fixture *f = fixture(state);
	char path[2 * 1030 + 8] = "";

	for (int i = 0; i < 1030; i++)
		memcpy(path + 2 * i, "d/", 3);
	tar_pax(f->tar, "path", path);
	tar_dir(f->tar, .path = "x");
	unpack_refused(f, "directories deep");
}

static void test_long_component(void **state)
{
	struct fixture *f = fixture(state);
	char path[300];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	tar_pax(f->tar, "path", path);
	tar_dir(f->tar, .path = "x");
	unpack_refused(f, "too long");
}

static void test_diff_id_covers_trailing_bytes(void **state)
{
	struct fixture *f = fixture(state);
	struct digest whole;

	tar_file(f->tar, "a", "a");
	tar_end(f->tar);
	tar_raw(f->tar, "trailing garbage", 16);
	assert_int_equal(unpack_bytes(f), 0);
	assert_int_equal(digest_buffer(f->tar->bytes, f->tar->len, &whole, NULL), 0);
	assert_true(digest_equal(&whole, &f->result.diff_id));
	assert_content(f, "a", "a");
}

static void test_only_zero_blocks(void **state)
{
	struct fixture *f = fixture(state);

	unpack_ok(f);
	assert_int_equal(f->result.entries, 0);
	/* the diffID of docker's empty layer */
	assert_string_equal(f->result.diff_id.hex,
			    "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
}

static void test_no_bytes(void **state)
{
	struct fixture *f = fixture(state);

	assert_int_equal(unpack_bytes(f), 0);
	assert_int_equal(f->result.entries, 0);
	assert_string_equal(f->result.diff_id.hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_not_a_tar(void **state)
{
	struct fixture *f = fixture(state);
	char junk[2048];

	memset(junk, 'j', sizeof(junk));
	tar_raw(f->tar, junk, sizeof(junk));
	assert_int_equal(unpack_bytes(f), -EBADMSG);
	assert_int_equal(f->err.kind, ERR_CORRUPT);
}

/* Cut at every block: an archive that ends in a header or in data is refused. */
static void test_truncated(void **state)
{
	struct fixture *f = fixture(state);
	char data[1500];

	memset(data, 'd', sizeof(data));
	tar_add(f->tar, .path = "a", .data = data, .len = sizeof(data));
	f->tar->len -= 600;
	assert_int_equal(unpack_bytes(f), -EBADMSG);
	f->tar->len = 300;
	assert_int_equal(unpack_bytes(f), -EBADMSG);
}

static void test_damaged_second_header(void **state)
{
	struct fixture *f = fixture(state);

	tar_file(f->tar, "a", "a");
	tar_file(f->tar, "b", "b");
	f->tar->bytes[1024 + 5]++;
	unpack_refused(f, "tar archive");
}

static void test_huge_size(void **state)
{
	struct fixture *f = fixture(state);

	tar_pax(f->tar, "GNU.sparse.major", "1");
	tar_pax(f->tar, "GNU.sparse.minor", "0");
	tar_pax(f->tar, "GNU.sparse.name", "huge");
	tar_pax(f->tar, "GNU.sparse.realsize", "4611686018427387904");
	tar_add(f->tar, .path = "x", .data = (char[512]){ "0\n" }, .len = 512);
	tar_end(f->tar);
	assert_int_equal(unpack_bytes(f), -EFBIG);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_opaque_xattr_of_a_directory_is_dropped),
		T(test_owner_out_of_range),
		T(test_owner_minus_one),
		T(test_whiteout_bare),
		T(test_whiteout_dot),
		T(test_whiteout_dot_dot),
		T(test_below_whiteout),
		T(test_dot_dot),
		T(test_dot_dot_names_the_entry),
		T(test_root_as_file),
		T(test_root_as_symlink),
		T(test_hardlink_to_root),
		T(test_hardlink_dot_dot),
		T(test_hardlink_to_directory),
		T(test_file_as_parent),
		T(test_hardlink_through_symlink_stays_inside),
		T(test_write_through_symlinks_stays_inside),
		T(test_symlink_loop),
		T(test_hardlink_to_whiteout),
		T(test_too_deep),
		T(test_long_component),
		T(test_diff_id_covers_trailing_bytes),
		T(test_only_zero_blocks),
		T(test_no_bytes),
		T(test_not_a_tar),
		T(test_truncated),
		T(test_damaged_second_header),
		T(test_huge_size),
	};

	return cmocka_run_group_tests_name("unpack_hostile", tests, NULL, NULL);
}
