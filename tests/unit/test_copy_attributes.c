// SPDX-License-Identifier: MIT
/* Copies of what a file has beside its contents: set-id bits, owners, ACLs, capabilities, with the ids of whoever gets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <endian.h>
#include <linux/capability.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#include "tests/unit/copy_fixture.h"

static void test_drops_privileges(void **state)
{
	struct fixture *f = *state;

	write_at(f->from, "s", 0644, "");
	assert_int_equal(fchmodat(f->from, "s", 06711, 0), 0);
	assert_int_equal(copy_named(f, "s"), 0);
	assert_int_equal(stat_of(f->to, "s").st_mode & 07777, 06711);
	f->how.keep_privileges = false;
	assert_int_equal(copy_named(f, "s"), 0);
	assert_int_equal(stat_of(f->to, "s").st_mode & 07777, 0711);
	assert_string_equal(f->notices, ": copied without its set-user-ID bit\n");
}

static struct id_range ranges[] = { { 0, 200000, 1000 }, { 65534, 300000, 1 } };
static const struct id_map container = { ranges, 2 };

static void owners_are(const struct fixture *f, uid_t uid, gid_t gid)
{
	static const char *const paths[] = { "d", "d/f", "d/l", "d/p" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct stat st = stat_of(f->to, paths[i]);

		assert_int_equal(st.st_uid, uid);
		assert_int_equal(st.st_gid, gid);
	}
}

static void chown_all(const struct fixture *f, uid_t uid, gid_t gid)
{
	static const char *const paths[] = { "d", "d/f", "d/l", "d/p" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_int_equal(fchownat(f->from, paths[i], uid, gid, AT_SYMLINK_NOFOLLOW), 0);
}

/* What is at hand in "to" would be merged with. */
static void copy_anew(struct fixture *f)
{
	(void)unlinkat(f->to, "d/f", 0);
	(void)unlinkat(f->to, "d/l", 0);
	(void)unlinkat(f->to, "d/p", 0);
	(void)unlinkat(f->to, "d", AT_REMOVEDIR);
	assert_int_equal(copy_named(f, "d"), 0);
}

static void test_ids(void **state)
{
	struct fixture *f = *state;

	need_root();
	assert_int_equal(mkdirat(f->from, "d", 0755), 0);
	write_at(f->from, "d/f", 0644, "");
	assert_int_equal(symlinkat("x", f->from, "d/l"), 0);
	assert_int_equal(mkfifoat(f->from, "d/p", 0644), 0);
	chown_all(f, 12, 34);
	copy_anew(f);
	owners_are(f, 12, 34);

	f->how.uids = f->how.gids = &container;
	f->how.inward = true;
	copy_anew(f);
	owners_are(f, 200012, 200034);
	chown_all(f, 5000, 65534);
	copy_anew(f);
	owners_are(f, 200000, 300000);

	f->how.inward = false;
	chown_all(f, 200999, 300000);
	copy_anew(f);
	owners_are(f, 999, 65534);
	/* The host's own root is nobody in there. */
	chown_all(f, 0, 201000);
	copy_anew(f);
	owners_are(f, 65534, 65534);
}

struct acl {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[6];
};

static struct acl make_acl(uint32_t uid, uint32_t gid)
{
	return (struct acl){
		{ htole32(POSIX_ACL_XATTR_VERSION) },
		{ { htole16(0x01), htole16(6), htole32(UINT32_MAX) },
		  { htole16(0x02), htole16(7), htole32(uid) },
		  { htole16(0x04), htole16(4), htole32(UINT32_MAX) },
		  { htole16(0x08), htole16(5), htole32(gid) },
		  { htole16(0x10), htole16(7), htole32(UINT32_MAX) },
		  { htole16(0x20), htole16(0), htole32(UINT32_MAX) } },
	};
}

static void set_acl(const struct fixture *f, const char *name, const char *xattr,
		    const struct acl *acl)
{
	AUTO_CLOSE int fd = openat(f->top, name, O_RDONLY | O_CLOEXEC);

	if (fsetxattr(fd, xattr, acl, sizeof(*acl), 0) < 0) {
		assert_int_equal(errno, EOPNOTSUPP);
		print_message("skipped: no ACLs here\n");
		skip();
	}
}

static struct acl get_acl(const struct fixture *f, const char *name)
{
	AUTO_CLOSE int fd = openat(f->top, name, O_RDONLY | O_CLOEXEC);
	struct acl acl;

	assert_int_equal(fgetxattr(fd, "system.posix_acl_access", &acl, sizeof(acl)), sizeof(acl));
	return acl;
}

static void test_acl_ids(void **state)
{
	struct fixture *f = *state;
	struct acl acl = make_acl(12, 34), got;

	need_root();
	write_at(f->from, "a", 0600, "");
	set_acl(f, "from/a", "system.posix_acl_access", &acl);
	assert_int_equal(copy_named(f, "a"), 0);
	got = get_acl(f, "to/a");
	assert_memory_equal(&got, &acl, sizeof(acl));
	assert_int_equal(stat_of(f->to, "a").st_mode, stat_of(f->from, "a").st_mode);
	f->how.uids = f->how.gids = &container;
	f->how.inward = true;
	assert_int_equal(copy_named(f, "a"), 0);
	acl = make_acl(200012, 200034);
	got = get_acl(f, "to/a");
	assert_memory_equal(&got, &acl, sizeof(acl));
	/* Nobody gets the rights of somebody who is not there. */
	acl = make_acl(5000, 34);
	set_acl(f, "from/a", "system.posix_acl_access", &acl);
	assert_int_equal(copy_named(f, "a"), 0);
	got = get_acl(f, "to/a");
	assert_int_equal(le32toh(got.entries[1].e_id), 200000);
	assert_int_equal(le16toh(got.entries[1].e_perm), 0);
	assert_int_equal(le16toh(got.entries[3].e_perm), 5);
	assert_string_equal(f->notices, "");
}

static void test_default_acl_is_not_handed_down(void **state)
{
	struct fixture *f = *state;
	struct acl acl = make_acl(12, 34);

	need_root();
	set_acl(f, "to", "system.posix_acl_default", &acl);
	assert_int_equal(mkdirat(f->from, "d", 0750), 0);
	write_at(f->from, "d/f", 0640, "");
	assert_int_equal(copy_named(f, "d"), 0);
	AUTO_CLOSE int d = openat(f->to, "d", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int file = openat(f->to, "d/f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flistxattr(d, NULL, 0), 0);
	assert_int_equal(flistxattr(file, NULL, 0), 0);
	assert_int_equal(stat_of(f->to, "d").st_mode & 07777, 0750);
	assert_int_equal(stat_of(f->to, "d/f").st_mode & 07777, 0640);
}

static void set_caps(int dir_fd, const char *name, uint32_t root)
{
	struct vfs_ns_cap_data caps = {
		.magic_etc = htole32(VFS_CAP_REVISION_3 | VFS_CAP_FLAGS_EFFECTIVE),
		.data = { { .permitted = htole32(1U << CAP_NET_RAW) } },
		.rootid = htole32(root),
	};
	AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

	if (fsetxattr(fd, "security.capability", &caps, sizeof(caps), 0) < 0) {
		print_message("skipped: no file capabilities here\n");
		skip();
	}
}

/* Return: the root that they are for; UINT32_MAX: none */
static uint32_t caps_root(int dir_fd, const char *name)
{
	struct vfs_ns_cap_data caps = { 0 };
	AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fgetxattr(fd, "security.capability", &caps, sizeof(caps));

	if (n < 0)
		return UINT32_MAX;
	assert_int_equal(le32toh(caps.data[0].permitted), 1U << CAP_NET_RAW);
	return n == XATTR_CAPS_SZ_3 ? le32toh(caps.rootid) : 0;
}

static void test_file_capabilities(void **state)
{
	struct fixture *f = *state;

	need_root();
	write_at(f->from, "ping", 0755, "");
	set_caps(f->from, "ping", 0);
	assert_int_equal(copy_named(f, "ping"), 0);
	assert_int_equal(caps_root(f->to, "ping"), 0);
	f->how.uids = f->how.gids = &container;
	f->how.inward = true;
	assert_int_equal(copy_named(f, "ping"), 0);
	assert_int_equal(caps_root(f->to, "ping"), 200000);
	f->how.inward = false;
	set_caps(f->from, "ping", 200000);
	assert_int_equal(copy_named(f, "ping"), 0);
	assert_int_equal(caps_root(f->to, "ping"), 0);
	assert_string_equal(f->notices, "");
	/* Those of a third one's root are none of the host's. */
	set_caps(f->from, "ping", 400000);
	assert_int_equal(copy_named(f, "ping"), 0);
	assert_int_equal(caps_root(f->to, "ping"), UINT32_MAX);
	set_caps(f->from, "ping", 200000);
	f->how.keep_privileges = false;
	assert_int_equal(copy_named(f, "ping"), 0);
	assert_int_equal(caps_root(f->to, "ping"), UINT32_MAX);
	assert_non_null(strstr(f->notices, "copied without its file capabilities"));
}

static void test_user_xattrs(void **state)
{
	struct fixture *f = *state;
	char value[8] = { 0 };

	write_at(f->from, "x", 0644, "");
	AUTO_CLOSE int from = openat(f->from, "x", O_RDONLY | O_CLOEXEC);
	if (fsetxattr(from, "user.a", "value", 5, 0) < 0) {
		print_message("skipped: no user.* attributes here\n");
		skip();
	}
	assert_int_equal(fsetxattr(from, "user.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(copy_named(f, "x"), 0);
	AUTO_CLOSE int to = openat(f->to, "x", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(to, "user.a", value, sizeof(value)), 5);
	assert_string_equal(value, "value");
	assert_int_equal(fgetxattr(to, "user.overlay.opaque", value, sizeof(value)), -1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_drops_privileges),  TEST(test_ids),
		TEST(test_acl_ids),	      TEST(test_default_acl_is_not_handed_down),
		TEST(test_file_capabilities), TEST(test_user_xattrs),
	};

	return cmocka_run_group_tests_name("copy_attributes", tests, NULL, NULL);
}
