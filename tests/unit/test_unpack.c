// SPDX-License-Identifier: MIT
/* Unpacking: every type and attribute, replacement, whiteouts, what is needed from below. */
#include "tests/unit/unpack_fixture.h"

static void test_types(void **state)
{
	struct fixture *f = fixture(state);
	struct stat st;
	char link[16] = { 0 };

	need_root();
	tar_dir(f->tar, .path = "./");
	tar_dir(f->tar, .path = "./d/", .mode = 0751, .uid = 3, .gid = 4, .mtime = 1000);
	tar_add(f->tar, .path = "./d/f", .data = "text", .mode = 04711, .uid = 1, .gid = 2,
		.mtime = 2000);
	tar_add(f->tar, .path = "d/l", .type = '2', .link = "/nowhere", .uid = 5, .gid = 6,
		.mtime = 3000);
	tar_add(f->tar, .path = "d/h", .type = '1', .link = "./d/f");
	tar_add(f->tar, .path = "d/hl", .type = '1', .link = "d/l");
	tar_add(f->tar, .path = "d/c", .type = '3', .major = 1, .minor = 3, .mode = 0666, .gid = 7);
	tar_add(f->tar, .path = "d/b", .type = '4', .major = 7, .minor = 300, .mode = 0660);
	tar_add(f->tar, .path = "d/p", .type = '6', .mode = 0622, .mtime = 4000);
	tar_add(f->tar, .path = "d/empty");
	unpack_ok(f);
	st = stat_of(f, "d");
	assert_int_equal(st.st_mode, S_IFDIR | 0751);
	assert_int_equal(st.st_uid, 3);
	assert_int_equal(st.st_gid, 4);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	st = stat_of(f, "d/f");
	assert_int_equal(st.st_mode, S_IFREG | 04711);
	assert_int_equal(st.st_uid, 1);
	assert_int_equal(st.st_gid, 2);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	assert_content(f, "d/h", "text");
	assert_int_equal(readlinkat(f->fd, "d/hl", link, sizeof(link)), 8);
	assert_string_equal(link, "/nowhere");
	st = stat_of(f, "d/l");
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_mtim.tv_sec, 3000);
	st = stat_of(f, "d/c");
	assert_int_equal(st.st_mode, S_IFCHR | 0666);
	assert_int_equal(st.st_rdev, makedev(1, 3));
	assert_int_equal(st.st_gid, 7);
	assert_int_equal(stat_of(f, "d/b").st_rdev, makedev(7, 300));
	st = stat_of(f, "d/p");
	assert_int_equal(st.st_mode, S_IFIFO | 0622);
	assert_int_equal(st.st_mtim.tv_sec, 4000);
	assert_int_equal(stat_of(f, "d/empty").st_size, 0);
	assert_int_equal(f->result.bytes, 4);
	assert_int_equal(f->result.entries, 10);
	assert_null(f->result.needs.implied_dirs);
	assert_null(f->result.needs.lower_links);
}

static void test_pax(void **state)
{
	/* v2 capability: permitted CAP_NET_RAW, effective */
	static const unsigned char cap[20] = { 1, 0, 0, 2, 0, 0x20 };
	struct fixture *f = fixture(state);
	char value[64], long_name[240];
	AUTO_CLOSE int fd = -EBADF;
	struct stat st;

	need_root();
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	tar_typed(f->tar, &(struct tar_item){ .path = "pax_global_header" }, 'g',
		  "19 comment=ignored\n", 19);
	tar_pax(f->tar, "mtime", "1234567890.123456789");
	tar_pax(f->tar, "atime", "1.5");
	tar_pax(f->tar, "path", long_name);
	tar_pax(f->tar, "uid", "3000000000");
	tar_pax_bytes(f->tar, "SCHILY.xattr.security.capability", cap, sizeof(cap));
	tar_pax_bytes(f->tar, "SCHILY.xattr.user.binary", "a\0b\n=c", 6);
	tar_pax(f->tar, "SCHILY.xattr.security.selinux", "system_u");
	tar_pax(f->tar, "SCHILY.xattr.trusted.overlay.opaque", "y");
	tar_pax(f->tar, "SCHILY.xattr.user.overlay.opaque", "y");
	tar_pax(f->tar, "SCHILY.xattr.trusted.other", "y");
	tar_pax(f->tar, "LIBARCHIVE.xattr.user.base64", "aGVsbG8=");
	tar_add(f->tar, .path = "short", .data = "x", .uid = 9);
	unpack_ok(f);
	assert_absent(f, "short");
	assert_absent(f, "pax_global_header");
	st = stat_of(f, long_name);
	assert_int_equal(st.st_mtim.tv_sec, 1234567890);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	assert_int_equal(st.st_uid, 3000000000U);
	fd = openat(f->fd, long_name, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "security.capability", value, sizeof(value)), sizeof(cap));
	assert_memory_equal(value, cap, sizeof(cap));
	assert_int_equal(fgetxattr(fd, "user.binary", value, sizeof(value)), 6);
	assert_memory_equal(value, "a\0b\n=c", 6);
	assert_int_equal(fgetxattr(fd, "user.base64", value, sizeof(value)), 5);
	assert_memory_equal(value, "hello", 5);
	assert_true(fgetxattr(fd, "security.selinux", value, sizeof(value)) < 0);
	assert_true(fgetxattr(fd, "trusted.overlay.opaque", value, sizeof(value)) < 0);
	assert_true(fgetxattr(fd, "user.overlay.opaque", value, sizeof(value)) < 0);
	assert_true(fgetxattr(fd, "trusted.other", value, sizeof(value)) < 0);
}

/* Names are bytes: whatever they spell, in every form that archives have for them. */
static void test_raw_names(void **state)
{
	static const char *const names[] = { "\xff\xfe", "\xc3\xbc", "e\xcc\x81", "a\nb",
					     "\\",	 "..x",	     "...",	  " " };
	struct fixture *f = fixture(state);
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(name, sizeof(name), "u%s", names[i]);
		tar_file(f->tar, name, "ustar");
		(void)snprintf(name, sizeof(name), "g%s", names[i]);
		tar_typed(f->tar, &(struct tar_item){ .path = "././@LongLink" }, 'L', name,
			  strlen(name) + 1);
		tar_file(f->tar, "g", "gnu");
		(void)snprintf(name, sizeof(name), "p%s", names[i]);
		tar_pax(f->tar, "path", name);
		tar_file(f->tar, "p", "pax");
		(void)snprintf(name, sizeof(name), "l%s", names[i]);
		tar_pax(f->tar, "linkpath", names[i]);
		tar_add(f->tar, .path = name, .type = '2', .link = "l");
	}
	unpack_ok(f);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char link[16] = { 0 };

		(void)snprintf(name, sizeof(name), "u%s", names[i]);
		assert_content(f, name, "ustar");
		name[0] = 'g';
		assert_content(f, name, "gnu");
		name[0] = 'p';
		assert_content(f, name, "pax");
		name[0] = 'l';
		assert_true(readlinkat(f->fd, name, link, sizeof(link)) > 0);
		assert_string_equal(link, names[i]);
	}
}

static void test_owners(void **state)
{
	struct fixture *f = fixture(state);

	need_root();
	tar_add(f->tar, .path = "base256", .uid = 4294967294U, .gid = 2097152);
	unpack_ok(f);
	assert_int_equal(stat_of(f, "base256").st_uid, 4294967294U);
	assert_int_equal(stat_of(f, "base256").st_gid, 2097152);
}

/* A directory's set-group-id and its time survive entries that come back to it. */
static void test_directory_entered_again(void **state)
{
	struct fixture *f = fixture(state);
	struct stat st;

	need_root();
	tar_dir(f->tar, .path = "mail", .mode = 02775, .gid = 8, .mtime = 500);
	tar_file(f->tar, "mail/a", "a");
	tar_dir(f->tar, .path = "other", .mtime = 600);
	tar_file(f->tar, "mail/b", "b");
	tar_dir(f->tar, .path = "mail/sub");
	tar_add(f->tar, .path = "mail/s", .type = '2', .link = "a");
	tar_file(f->tar, "mail/made/c", "c");
	tar_file(f->tar, "other/x", "x");
	unpack_ok(f);
	st = stat_of(f, "mail");
	assert_int_equal(st.st_mode, S_IFDIR | 02775);
	assert_int_equal(st.st_gid, 8);
	assert_int_equal(st.st_mtim.tv_sec, 500);
	assert_int_equal(stat_of(f, "mail/a").st_gid, 0);
	assert_int_equal(stat_of(f, "mail/b").st_gid, 0);
	assert_int_equal(stat_of(f, "mail/s").st_gid, 0);
	assert_int_equal(stat_of(f, "mail/sub").st_gid, 0);
	assert_int_equal(stat_of(f, "mail/sub").st_mode, S_IFDIR | 0755);
	assert_int_equal(stat_of(f, "mail/made").st_gid, 0);
	assert_int_equal(stat_of(f, "mail/made").st_mode, S_IFDIR | 0755);
	assert_int_equal(stat_of(f, "other").st_mtim.tv_sec, 600);
}

/* A default ACL must not reach files that the archive gives none. */
static void test_default_acl(void **state)
{
	/* version 2; user::rwx, user:1:rwx, group::r-x, mask::rwx, other::r-x */
	static const unsigned char acl[] = { 2,	   0,	 0,    0, 1,	0,    7,    0,	  0xff,
					     0xff, 0xff, 0xff, 2, 0,	7,    0,    1,	  0,
					     0,	   0,	 4,    0, 5,	0,    0xff, 0xff, 0xff,
					     0xff, 0x10, 0,    7, 0,	0xff, 0xff, 0xff, 0xff,
					     0x20, 0,	 5,    0, 0xff, 0xff, 0xff, 0xff };
	struct fixture *f = fixture(state);
	AUTO_CLOSE int dir = -EBADF;
	AUTO_CLOSE int file = -EBADF;
	char value[128];

	need_root();
	tar_pax_bytes(f->tar, "SCHILY.xattr.system.posix_acl_default", acl, sizeof(acl));
	tar_dir(f->tar, .path = "d", .mtime = 700);
	tar_file(f->tar, "d/a", "a");
	tar_dir(f->tar, .path = "e");
	tar_file(f->tar, "d/b", "b");
	unpack_ok(f);
	dir = openat(f->fd, "d", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(dir, "system.posix_acl_default", value, sizeof(value)),
			 sizeof(acl));
	assert_int_equal(stat_of(f, "d").st_mtim.tv_sec, 700);
	file = openat(f->fd, "d/b", O_RDONLY | O_CLOEXEC);
	assert_true(fgetxattr(file, "system.posix_acl_access", value, sizeof(value)) < 0);
	assert_int_equal(stat_of(f, "d/b").st_mode, S_IFREG | 0644);
}

static void test_implied_directories(void **state)
{
	struct fixture *f = fixture(state);

	need_root();
	tar_file(f->tar, "a/b/c", "1");
	tar_file(f->tar, "late/x", "1");
	tar_dir(f->tar, .path = "late", .mode = 0700, .mtime = 77);
	tar_file(f->tar, "gone/x", "1");
	tar_file(f->tar, "gone", "a file now");
	unpack_ok(f);
	assert_int_equal(strv_len(f->result.needs.implied_dirs), 2);
	assert_string_equal(f->result.needs.implied_dirs[0], "a");
	assert_string_equal(f->result.needs.implied_dirs[1], "a/b");
	assert_int_equal(stat_of(f, "a/b").st_mode, S_IFDIR | 0755);
	assert_int_equal(stat_of(f, "late").st_mode, S_IFDIR | 0700);
	assert_int_equal(stat_of(f, "late").st_mtim.tv_sec, 77);
	assert_content(f, "gone", "a file now");
}

static void test_replacement(void **state)
{
	struct fixture *f = fixture(state);

	need_root();
	tar_file(f->tar, "twice", "first");
	tar_file(f->tar, "keep", "kept");
	tar_add(f->tar, .path = "alias", .type = '1', .link = "keep");
	tar_file(f->tar, "alias", "own");
	tar_file(f->tar, "twice", "last");
	tar_dir(f->tar, .path = "dir", .mode = 0700, .uid = 1);
	tar_file(f->tar, "dir/in", "in");
	tar_dir(f->tar, .path = "dir", .mode = 0750, .mtime = 42);
	tar_dir(f->tar, .path = "tree/deep");
	tar_file(f->tar, "tree/deep/x", "x");
	tar_add(f->tar, .path = "tree", .type = '2', .link = "dir");
	tar_file(f->tar, "file", "x");
	tar_dir(f->tar, .path = "file");
	tar_add(f->tar, .path = "link", .type = '2', .link = "../canary");
	tar_file(f->tar, "link", "not through the link");
	unpack_ok(f);
	assert_content(f, "twice", "last");
	assert_content(f, "keep", "kept");
	assert_content(f, "alias", "own");
	assert_content(f, "dir/in", "in");
	assert_int_equal(stat_of(f, "dir").st_mode, S_IFDIR | 0750);
	assert_int_equal(stat_of(f, "dir").st_uid, 0);
	assert_int_equal(stat_of(f, "dir").st_mtim.tv_sec, 42);
	assert_true(S_ISLNK(stat_of(f, "tree").st_mode));
	assert_true(S_ISDIR(stat_of(f, "file").st_mode));
	assert_content(f, "link", "not through the link");
}

static void test_replaced_directory_attributes_go(void **state)
{
	struct fixture *f = fixture(state);
	AUTO_CLOSE int fd = -EBADF;
	char c;

	need_root();
	tar_pax(f->tar, "SCHILY.xattr.user.old", "1");
	tar_dir(f->tar, .path = "d");
	tar_dir(f->tar, .path = "d");
	unpack_ok(f);
	fd = openat(f->fd, "d", O_RDONLY | O_CLOEXEC);
	assert_true(fgetxattr(fd, "user.old", &c, 1) < 0);
}

static void test_whiteouts(void **state)
{
	struct fixture *f = fixture(state);

	need_root();
	tar_dir(f->tar, .path = "d", .mtime = 5);
	tar_add(f->tar, .path = "d/.wh.gone");
	tar_add(f->tar, .path = "d/.wh.before");
	tar_file(f->tar, "d/before", "wins");
	tar_file(f->tar, "d/after", "wins");
	tar_add(f->tar, .path = "d/.wh.after");
	tar_add(f->tar, .path = "d/.wh.dir1");
	tar_dir(f->tar, .path = "d/dir1", .mtime = 6);
	tar_dir(f->tar, .path = "d/dir2");
	tar_add(f->tar, .path = "d/.wh.dir2");
	tar_add(f->tar, .path = "d/.wh.dir3");
	tar_file(f->tar, "d/dir3/x", "implied over a whiteout");
	tar_add(f->tar, .path = "d/.wh..wh.aufs");
	tar_dir(f->tar, .path = "d/.wh..wh.plnk");
	tar_file(f->tar, "d/.wh..wh.plnk/12.34", "aufs");
	unpack_ok(f);
	assert_whiteout(f, "d/gone");
	assert_content(f, "d/before", "wins");
	assert_content(f, "d/after", "wins");
	assert_true(is_opaque(f, "d/dir1"));
	assert_int_equal(stat_of(f, "d/dir1").st_mtim.tv_sec, 6);
	assert_true(is_opaque(f, "d/dir2"));
	assert_true(is_opaque(f, "d/dir3"));
	assert_false(is_opaque(f, "d"));
	assert_absent(f, "d/.wh..wh.aufs");
	assert_absent(f, "d/.wh..wh.plnk");
	assert_int_equal(stat_of(f, "d").st_mtim.tv_sec, 5);
	assert_null(f->result.needs.implied_dirs);
}

/* A device 0:0 is no whiteout in an archive, and must not become one. */
static void test_device_that_would_be_a_whiteout(void **state)
{
	struct fixture *f = fixture(state);

	need_root();
	tar_add(f->tar, .path = "c", .type = '3');
	tar_file(f->tar, "kept", "text");
	tar_add(f->tar, .path = "kept", .type = '3');
	tar_add(f->tar, .path = "null", .type = '3', .major = 1, .minor = 3);
	tar_add(f->tar, .path = "b", .type = '4');
	unpack_ok(f);
	assert_absent(f, "c");
	assert_content(f, "kept", "text");
	assert_true(S_ISCHR(stat_of(f, "null").st_mode));
	assert_true(S_ISBLK(stat_of(f, "b").st_mode));
}

static void test_opaque_either_order(void **state)
{
	struct fixture *f = fixture(state);

	need_root();
	tar_dir(f->tar, .path = "first");
	tar_add(f->tar, .path = "first/.wh..wh..opq");
	tar_file(f->tar, "first/x", "stays");
	tar_dir(f->tar, .path = "last");
	tar_file(f->tar, "last/x", "stays");
	tar_add(f->tar, .path = "last/.wh..wh..opq");
	tar_add(f->tar, .path = "implied/.wh..wh..opq");
	tar_dir(f->tar, .path = "implied", .mode = 0711);
	tar_add(f->tar, .path = ".wh..wh..opq");
	unpack_ok(f);
	assert_true(is_opaque(f, "first"));
	assert_true(is_opaque(f, "last"));
	assert_true(is_opaque(f, "implied"));
	assert_true(is_opaque(f, "."));
	assert_int_equal(stat_of(f, "implied").st_mode, S_IFDIR | 0711);
	assert_content(f, "first/x", "stays");
	assert_content(f, "last/x", "stays");
	assert_absent(f, "first/.wh..wh..opq");
}

static void test_symlinked_parent(void **state)
{
	struct fixture *f = fixture(state);

	tar_dir(f->tar, .path = "usr/lib", .mtime = 9);
	tar_dir(f->tar, .path = "usr", .mtime = 8);
	tar_add(f->tar, .path = "lib", .type = '2', .link = "usr/lib");
	tar_file(f->tar, "lib/a", "a");
	tar_file(f->tar, "lib/b", "b");
	tar_add(f->tar, .path = "lib/c", .type = '1', .link = "lib/a");
	tar_dir(f->tar, .path = "lib/d");
	tar_file(f->tar, "lib/d/e", "e");
	tar_add(f->tar, .path = "chain", .type = '2', .link = "./lib/../lib/d");
	tar_file(f->tar, "chain/f", "f");
	unpack_ok(f);
	assert_true(S_ISLNK(stat_of(f, "lib").st_mode));
	assert_content(f, "usr/lib/a", "a");
	assert_content(f, "usr/lib/b", "b");
	assert_content(f, "usr/lib/c", "a");
	assert_content(f, "usr/lib/d/e", "e");
	assert_content(f, "usr/lib/d/f", "f");
	assert_int_equal(stat_of(f, "usr/lib").st_mtim.tv_sec, 9);
	assert_null(f->result.needs.implied_dirs);
}

static void test_hardlinks_late(void **state)
{
	struct fixture *f = fixture(state);

	need_root();
	tar_dir(f->tar, .path = "d", .mtime = 11);
	tar_add(f->tar, .path = "d/link", .type = '1', .link = "target");
	tar_add(f->tar, .path = "d/replaced", .type = '1', .link = "nowhere");
	tar_file(f->tar, "d/replaced", "a file now");
	tar_add(f->tar, .path = "whited", .type = '1', .link = "target");
	tar_add(f->tar, .path = ".wh.whited");
	tar_file(f->tar, "target", "text");
	tar_add(f->tar, .path = "self", .type = '1', .link = "self");
	tar_add(f->tar, .path = "target", .type = '1', .link = "./target");
	unpack_ok(f);
	assert_content(f, "d/link", "text");
	assert_content(f, "d/replaced", "a file now");
	assert_content(f, "whited", "text");
	assert_content(f, "target", "text");
	assert_int_equal(stat_of(f, "d").st_mtim.tv_sec, 11);
	assert_int_equal(strv_len(f->result.needs.lower_links), 2);
	assert_string_equal(f->result.needs.lower_links[0], "self");
}

static void test_hardlinks_late_all_found(void **state)
{
	struct fixture *f = fixture(state);

	tar_add(f->tar, .path = "link", .type = '1', .link = "target");
	tar_file(f->tar, "target", "text");
	unpack_ok(f);
	assert_content(f, "link", "text");
	assert_null(f->result.needs.lower_links);
}

static void test_deep(void **state)
{
	struct fixture *f = fixture(state);
	char path[2 * 200 + 8] = "";

	for (int i = 0; i < 200; i++)
		memcpy(path + 2 * i, "d/", 3);
	memcpy(path + 400, "file", 5);
	tar_pax(f->tar, "path", path);
	tar_file(f->tar, "x", "deep");
	tar_file(f->tar, "top", "top");
	tar_pax(f->tar, "path", path);
	tar_file(f->tar, "x", "again");
	memcpy(path + 200, "side", 5);
	tar_pax(f->tar, "path", path);
	tar_file(f->tar, "x", "half way");
	unpack_ok(f);
	assert_content(f, path, "half way");
	assert_int_equal(strv_len(f->result.needs.implied_dirs), 200);
}

/* GNU sparse 1.0: the map stands before the data. */
static void test_sparse(void **state)
{
	struct fixture *f = fixture(state);
	char data[512 + 4] = "1\n1048576\n4\n";
	struct stat st;
	AUTO_CLOSE int fd = -EBADF;
	char text[5] = { 0 };

	memcpy(data + 512, "data", 4);
	tar_pax(f->tar, "GNU.sparse.major", "1");
	tar_pax(f->tar, "GNU.sparse.minor", "0");
	tar_pax(f->tar, "GNU.sparse.name", "holes");
	tar_pax(f->tar, "GNU.sparse.realsize", "2097152");
	tar_add(f->tar, .path = "GNUSparseFile.0/holes", .data = data, .len = sizeof(data));
	unpack_ok(f);
	st = stat_of(f, "holes");
	assert_int_equal(st.st_size, 2097152);
	assert_true(st.st_blocks < 64);
	fd = openat(f->fd, "holes", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, text, 4, 1048576), 4);
	assert_string_equal(text, "data");
}

static void test_large_file_in_odd_pieces(void **state)
{
	struct fixture *f = fixture(state);
	AUTO_FREE char *data = NULL;
	AUTO_FREE char *back = NULL;
	size_t len = 0;

	need_root();
	data = malloc(300001);
	assert_non_null(data);
	for (size_t i = 0; i < 300001; i++)
		data[i] = (char)(i * 7 + i / 256);
	f->step = 1000;
	tar_add(f->tar, .path = "large", .data = data, .len = 300001);
	unpack_ok(f);
	assert_int_equal(fd_read_file_at(f->fd, "large", 1 << 20, &back, &len, NULL), 0);
	assert_int_equal(len, 300001);
	assert_memory_equal(back, data, len);
}

static void test_umask_does_not_matter(void **state)
{
	struct fixture *f = fixture(state);
	mode_t saved;

	need_root();
	saved = umask(077);
	tar_dir(f->tar, .path = "d", .mode = 0777);
	tar_add(f->tar, .path = "d/f", .mode = 0666);
	tar_add(f->tar, .path = "d/none", .mode = 0100);
	unpack_ok(f);
	assert_int_equal(umask(saved), 077);
	assert_int_equal(stat_of(f, "d").st_mode, S_IFDIR | 0777);
	assert_int_equal(stat_of(f, "d/f").st_mode, S_IFREG | 0666);
	assert_int_equal(stat_of(f, "d/none").st_mode, S_IFREG | 0100);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_types),
		T(test_pax),
		T(test_raw_names),
		T(test_owners),
		T(test_directory_entered_again),
		T(test_default_acl),
		T(test_implied_directories),
		T(test_replacement),
		T(test_replaced_directory_attributes_go),
		T(test_whiteouts),
		T(test_device_that_would_be_a_whiteout),
		T(test_opaque_either_order),
		T(test_symlinked_parent),
		T(test_hardlinks_late),
		T(test_hardlinks_late_all_found),
		T(test_deep),
		T(test_sparse),
		T(test_large_file_in_odd_pieces),
		T(test_umask_does_not_matter),
	};

	return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
