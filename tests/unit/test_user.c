// SPDX-License-Identifier: MIT
/* USER strings against good, missing and hostile passwd and group files. */
#include "runtime/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define PASSWD                             \
	"root:x:0:0:root:/root:/bin/sh\n"  \
	"toor:x:0:0::/toor:/bin/sh\n"      \
	"bob:x:1001:1001:Bob:/home/bob:\n" \
	"1002:x:4242:4242::/digits:\n"     \
	"nohome:x:1003:1003:::\n"          \
	"0x0:x:1004:1004::/hex:\n"         \
	"noid:x:::::\n"                    \
	"short:x:1005\n"                   \
	"big:x:4294967296:0::/big:\n"      \
	"plus:x:+0:0::/plus:\n"            \
	"gap:x: 0:0::/gap:\n"              \
	"+nis:x:0:0::/:\n"                 \
	"#hash:x:0:0::/:\n"                \
	"last:x:1006:1006::/home/last"
#define GROUP                            \
	"root:x:0:root\n"                \
	"daemon:x:1:root,bob\n"          \
	"bob:x:1001:bob\n"               \
	"users:x:2000:alice,bob\n"       \
	"twice:x:2000:bob\n"             \
	"bobby:x:2001:bobby,notbob,bo\n" \
	"77:x:78:\n"                     \
	"broken:x:abc:bob\n"             \
	"huge:x:99999999999:bob\n"       \
	"ten:x:10:last"

struct fixture {
	char dir[32];
	int fd;
};

static void put(const struct fixture *f, const char *path, const void *text, size_t len)
{
	AUTO_CLOSE int fd = openat(f->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_true(write(fd, text, len) == (ssize_t)len);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test_user.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->fd = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	assert_int_equal(mkdirat(f->fd, "etc", 0755), 0);
	put(f, "etc/passwd", PASSWD, sizeof(PASSWD) - 1);
	put(f, "etc/group", GROUP, sizeof(GROUP) - 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlinkat(f->fd, "etc/passwd", 0);
	(void)unlinkat(f->fd, "etc/group", 0);
	(void)unlinkat(f->fd, "etc", AT_REMOVEDIR);
	(void)unlinkat(f->fd, "etc", 0);
	(void)rmdir(f->dir);
	(void)close(f->fd);
	free(f);
	return 0;
}

struct good {
	const char *user;
	uid_t uid;
	gid_t gid;
	const char *groups;
	const char *home;
};

static void check_good(const struct fixture *f, const struct good *want)
{
	AUTO(user_ids) ids = { 0 };
	struct err err = { 0 };
	char groups[256] = "";
	size_t len = 0;

	if (user_lookup(f->fd, want->user, &ids, &err) != 0)
		fail_msg("\"%s\": %s", want->user, err.msg);
	for (size_t i = 0; i < ids.n_groups; i++)
		len += (size_t)snprintf(groups + len, sizeof(groups) - len, i ? ",%u" : "%u",
					ids.groups[i]);
	if (ids.uid != want->uid || ids.gid != want->gid || strcmp(groups, want->groups) != 0 ||
	    strcmp(ids.home, want->home) != 0)
		fail_msg("\"%s\": %u:%u groups %s home %s", want->user ? want->user : "(null)",
			 ids.uid, ids.gid, groups, ids.home);
}

static void test_good(void **state)
{
	static const struct good cases[] = {
		{ NULL, 0, 0, "0,1", "/root" },
		{ "", 0, 0, "0,1", "/root" },
		{ "root", 0, 0, "0,1", "/root" },
		{ "0", 0, 0, "0,1", "/root" },
		{ "00", 0, 0, "0,1", "/root" },
		/* HOME goes by uid, groups by the name */
		{ "toor", 0, 0, "0", "/root" },
		{ "bob", 1001, 1001, "1001,1,2000", "/home/bob" },
		{ "1001", 1001, 1001, "1001,1,2000", "/home/bob" },
		{ "bob:users", 1001, 2000, "2000", "/home/bob" },
		{ "bob:5", 1001, 5, "5", "/home/bob" },
		{ "1001:daemon", 1001, 1, "1", "/home/bob" },
		{ "5:6", 5, 6, "6", "/" },
		{ "5:users", 5, 2000, "2000", "/" },
		/* unknown uid */
		{ "12345", 12345, 0, "0", "/" },
		{ "2147483647", 2147483647, 0, "0", "/" },
		{ "2147483647:2147483647", 2147483647, 2147483647, "2147483647", "/" },
		/* digits are never a name, of a user or a group */
		{ "1002", 1002, 0, "0", "/" },
		{ "4242", 4242, 4242, "4242", "/digits" },
		{ "0:77", 0, 77, "77", "/root" },
		{ "nohome", 1003, 1003, "1003", "/" },
		/* an ordinary name after all: the whole of it matches, and nothing makes a number of it */
		{ "0x0", 1004, 1004, "1004", "/hex" },
		/* no newline at the end of the files */
		{ "last", 1006, 1006, "1006,10", "/home/last" },
		{ "0:ten", 0, 10, "10", "/root" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_good(*state, &cases[i]);
}

static void check_bad(const struct fixture *f, const char *user, int code, const char *text)
{
	struct user_ids ids = { .uid = 4711 };
	struct err err = { 0 };
	int r = user_lookup(f->fd, user, &ids, &err);

	if (r != code || err.code != code || !strstr(err.msg, text))
		fail_msg("\"%s\": %d, \"%s\"", user, r, err.msg);
	/* outputs are written on success alone */
	assert_true(ids.uid == 4711 && !ids.groups && !ids.home);
}

static void test_bad(void **state)
{
	static const char no_user[] = "no matching entries in passwd file";
	static const char no_group[] = "no matching entries in group file";
	static const char invalid[] = "invalid user ";
	static const char range[] = "uids and gids must be in range 0-2147483647";
	static const struct {
		const char *user;
		int code;
		const char *text;
	} cases[] = {
		{ "nosuch", -ENOENT,
		  "unable to find user nosuch: no matching entries in passwd file" },
		{ "0:nog", -ENOENT, "unable to find group nog: no matching entries in group file" },
		{ "bo", -ENOENT, no_user },
		{ "bobb", -ENOENT, no_user },
		{ "ROOT", -ENOENT, no_user },
		{ "0x1", -ENOENT, no_user },
		{ "1e3", -ENOENT, no_user },
		{ "nosuch:0", -ENOENT, no_user },
		/* lines that are no entries */
		{ "noid", -ENOENT, no_user },
		{ "short", -ENOENT, no_user },
		{ "big", -ENOENT, no_user },
		{ "plus", -ENOENT, no_user },
		{ "gap", -ENOENT, no_user },
		{ "nis", -ENOENT, no_user },
		{ "hash", -ENOENT, no_user },
		{ "#hash", -ENOENT, no_user },
		{ "0:broken", -ENOENT, no_group },
		{ "0:huge", -ENOENT, no_group },
		/* forms that were root, or somebody else, elsewhere */
		{ "1:", -EINVAL, invalid },
		{ ":1", -EINVAL, invalid },
		{ ":", -EINVAL, invalid },
		{ "1:2:3", -EINVAL, invalid },
		{ "root::0", -EINVAL, invalid },
		{ " 1", -EINVAL, invalid },
		{ "1 ", -EINVAL, invalid },
		{ "1\n", -EINVAL, invalid },
		{ "\t", -EINVAL, invalid },
		{ "+1", -EINVAL, invalid },
		{ "-1", -EINVAL, invalid },
		{ "+nis", -EINVAL, invalid },
		{ "1:-1", -EINVAL, invalid },
		{ "1:+1", -EINVAL, invalid },
		{ "1: 1", -EINVAL, invalid },
		{ "2147483648", -ERANGE, range },
		{ "4294967295", -ERANGE, range },
		{ "4294967296", -ERANGE, range },
		{ "18446744073709551616", -ERANGE, range },
		{ "99999999999999999999999999999999999999999", -ERANGE, range },
		{ "0:2147483648", -ERANGE, range },
		{ "0:4294967296", -ERANGE, range },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_bad(*state, cases[i].user, cases[i].code, cases[i].text);
}

/* Text of the image ends up in a message only escaped. */
static void test_quoted(void **state)
{
	struct user_ids ids;
	struct err err = { 0 };

	assert_int_equal(user_lookup(((struct fixture *)*state)->fd, "x\xff\xc3", &ids, &err),
			 -ENOENT);
	assert_null(strchr(err.msg, '\xff'));
	assert_int_equal(user_lookup(((struct fixture *)*state)->fd, "a\033[2J", &ids, &err),
			 -EINVAL);
	assert_null(strchr(err.msg, '\033'));
}

static void test_missing(void **state)
{
	static const struct good root = { "", 0, 0, "0", "/" }, number = { "7:8", 7, 8, "8", "/" };
	struct fixture *f = *state;

	assert_int_equal(unlinkat(f->fd, "etc/group", 0), 0);
	check_good(f, &(struct good){ "bob", 1001, 1001, "1001", "/home/bob" });
	check_bad(f, "bob:users", -ENOENT, "unable to find group users: no matching entries");
	assert_int_equal(unlinkat(f->fd, "etc/passwd", 0), 0);
	check_good(f, &root);
	check_good(f, &number);
	check_bad(f, "root", -ENOENT, "unable to find user root: no matching entries");
	assert_int_equal(unlinkat(f->fd, "etc", AT_REMOVEDIR), 0);
	check_good(f, &root);
	put(f, "etc", "x", 1);
	check_good(f, &number);
	check_bad(f, "root", -ENOENT, "unable to find user root: no matching entries");
}

/* None of these may hang, be followed out of the root, or fill the memory; none is an empty file either. */
static void test_hostile_files(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlinkat(f->fd, "etc/passwd", 0), 0);
	assert_int_equal(mkfifoat(f->fd, "etc/passwd", 0666), 0);
	check_bad(f, "root", -EINVAL, "read /etc/passwd of the image: not a regular file");

	assert_int_equal(unlinkat(f->fd, "etc/passwd", 0), 0);
	assert_int_equal(symlinkat("passwd", f->fd, "etc/passwd"), 0);
	check_bad(f, "root", -ELOOP, "read /etc/passwd of the image");

	/* inside, these paths do not exist; outside, they do */
	assert_int_equal(unlinkat(f->fd, "etc/passwd", 0), 0);
	assert_int_equal(symlinkat("/dev/zero", f->fd, "etc/passwd"), 0);
	check_bad(f, "root", -ENOENT, "unable to find user root");
	assert_int_equal(unlinkat(f->fd, "etc/passwd", 0), 0);
	assert_int_equal(symlinkat("../../../../../../proc/1/root/etc/passwd", f->fd, "etc/passwd"),
			 0);
	check_bad(f, "root", -ENOENT, "unable to find user root");

	/* a directory is no file, and the group file is no better than the other */
	assert_int_equal(unlinkat(f->fd, "etc/passwd", 0), 0);
	assert_int_equal(symlinkat("/etc", f->fd, "etc/passwd"), 0);
	check_bad(f, "root", -EINVAL, "read /etc/passwd of the image: not a regular file");
	assert_int_equal(renameat(f->fd, "etc/group", f->fd, "etc/kept"), 0);
	assert_int_equal(mkfifoat(f->fd, "etc/group", 0666), 0);
	assert_int_equal(unlinkat(f->fd, "etc/passwd", 0), 0);
	put(f, "etc/passwd", PASSWD, sizeof(PASSWD) - 1);
	check_bad(f, "0:users", -EINVAL, "read /etc/group of the image: not a regular file");
	assert_int_equal(renameat(f->fd, "etc/kept", f->fd, "etc/group"), 0);

	/* a link inside is followed */
	assert_int_equal(unlinkat(f->fd, "etc/passwd", 0), 0);
	assert_int_equal(symlinkat("/etc/group", f->fd, "etc/passwd"), 0);
	check_bad(f, "nosuch", -ENOENT, "unable to find user nosuch");
}

static void test_device(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlinkat(f->fd, "etc/passwd", 0), 0);
	if (mknodat(f->fd, "etc/passwd", S_IFCHR | 0666, (dev_t)(1 << 8 | 5)) < 0) {
		print_message("skipped: making a device needs root\n");
		skip();
	}
	check_bad(f, "root", -EINVAL, "read /etc/passwd of the image: not a regular file");
}

static void test_size(void **state)
{
	struct fixture *f = *state;

	{
		AUTO_CLOSE int fd = openat(f->fd, "etc/passwd", O_WRONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, (off_t)USER_FILE_MAX + 1), 0);
	}
	check_bad(f, "root", -E2BIG, "read /etc/passwd of the image: larger than 10485760 bytes");
	put(f, "etc/passwd", PASSWD, sizeof(PASSWD) - 1);
	{
		AUTO_CLOSE int fd = openat(f->fd, "etc/group", O_WRONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, (off_t)USER_FILE_MAX + 1), 0);
	}
	check_bad(f, "bob", -E2BIG, "read /etc/group of the image: larger than 10485760 bytes");
}

static void test_nul_bytes(void **state)
{
	static const char passwd[] = "ro\0ot:x:0:0::/:\nroot\0:x:0:0::/:\n"
				     "bob:x:1:1::/home\0/x:\nok:x:2:2::/ok:\n";
	struct fixture *f = *state;

	put(f, "etc/passwd", passwd, sizeof(passwd) - 1);
	check_bad(f, "ro", -ENOENT, "unable to find user ro");
	check_bad(f, "root", -ENOENT, "unable to find user root");
	check_bad(f, "bob", -ENOENT, "unable to find user bob");
	check_good(f, &(struct good){ "ok", 2, 2, "2", "/ok" });
}

/* As many groups as setgroups(2) takes, and one more. */
static void test_many_groups(void **state)
{
	size_t size = (NGROUPS_MAX + 1) * 24UL, len = 0;
	AUTO_FREE char *text = malloc(size);
	struct fixture *f = *state;
	AUTO(user_ids) ids = { 0 };
	struct err err = { 0 };

	assert_non_null(text);
	for (int i = 0; i < NGROUPS_MAX - 1; i++)
		len += (size_t)snprintf(text + len, size - len, "g:x:%d:bob\n", 100000 - i);
	put(f, "etc/group", text, len);
	assert_int_equal(user_lookup(f->fd, "bob", &ids, &err), 0);
	assert_int_equal(ids.n_groups, NGROUPS_MAX);
	assert_int_equal(ids.groups[0], 1001);
	assert_int_equal(ids.groups[1], 100000 - NGROUPS_MAX + 2);
	len += (size_t)snprintf(text + len, size - len, "g:x:99:bob\n");
	put(f, "etc/group", text, len);
	check_bad(f, "bob", -E2BIG, "groups");
}

int main(void)
{
#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_ROOT(test_good),	       WITH_ROOT(test_bad),
		WITH_ROOT(test_quoted),	       WITH_ROOT(test_missing),
		WITH_ROOT(test_device),	       WITH_ROOT(test_size),
		WITH_ROOT(test_hostile_files), WITH_ROOT(test_nul_bytes),
		WITH_ROOT(test_many_groups),
	};

	return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
