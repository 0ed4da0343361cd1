// SPDX-License-Identifier: MIT
/* Sets of paths, names of entries, removal of trees: the unpacker's small tools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strv.h"
#include "oci/entry_path.h"
#include "oci/path_set.h"
#include "oci/remove_tree.h"
#include "tests/unit/scratch.h"

static void test_set(void **state)
{
	AUTO(path_set) s = { 0 };
	AUTO_STRV v = NULL;
	char name[32];

	(void)state;
	assert_false(path_set_contains(&s, "x"));
	path_set_remove(&s, "x");
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 2000; i++) {
			(void)snprintf(name, sizeof(name), "p/%d", i);
			assert_int_equal(path_set_add(&s, name), 0);
			assert_int_equal(path_set_add(&s, name), 0);
		}
		assert_int_equal(s.n, 2000);
		for (int i = 0; i < 2000; i++) {
			(void)snprintf(name, sizeof(name), "p/%d", i);
			assert_true(path_set_contains(&s, name));
			if (i % 1000)
				path_set_remove(&s, name);
		}
		assert_int_equal(s.n, 2);
	}
	assert_true(s.cap <= 16384);
	v = path_set_steal(&s);
	assert_int_equal(strv_len(v), 2);
	assert_string_equal(v[0], "p/0");
	assert_string_equal(v[1], "p/1000");
	assert_null(path_set_steal(&s));
}

static void test_clean(void **state)
{
	static const struct {
		const char *raw, *clean;
	} rows[] = {
		{ "", "" },
		{ ".", "" },
		{ "./", "" },
		{ "/", "" },
		{ "a", "a" },
		{ "./a/", "a" },
		{ "//a//b//", "a/b" },
		{ "/./a/./b/.", "a/b" },
		{ "...", "..." },
		{ "a/..b", "a/..b" },
		{ ".a", ".a" },
	};
	static const char *const bad[] = { "..", "../a", "a/..", "a/../b", "/..", "./../x" };
	char buf[PATH_MAX], big[PATH_MAX + 10];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(entry_path_clean(rows[i].raw, buf, NULL), 0);
		assert_string_equal(buf, rows[i].clean);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(entry_path_clean(bad[i], buf, NULL), -EBADMSG);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = i % 100 ? 'x' : '/';
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(entry_path_clean(big, buf, NULL), -EBADMSG);
	big[PATH_MAX] = '\0';
	assert_int_equal(entry_path_clean(big, buf, NULL), 0);
	assert_int_equal(strlen(buf), PATH_MAX - 1);
	memset(big, 'x', 256);
	big[256] = '\0';
	assert_int_equal(entry_path_clean(big, buf, NULL), -EBADMSG);
	big[255] = '\0';
	assert_int_equal(entry_path_clean(big, buf, NULL), 0);
}

static void test_split(void **state)
{
	char path[] = "a/b/c";
	char top[] = "a";
	const char *parent, *name;

	(void)state;
	entry_path_split(path, &parent, &name);
	assert_string_equal(parent, "a/b");
	assert_string_equal(name, "c");
	entry_path_split(top, &parent, &name);
	assert_string_equal(parent, "");
	assert_string_equal(name, "a");
}

static void test_remove_tree(void **state)
{
	int fd = SCRATCH_FD(state), at = fd;
	struct stat st;

	assert_int_equal(remove_tree_at(fd, "absent"), 0);
	assert_int_equal(fd_write_file_at(fd, "canary", 0600, "x", 1, NULL), 0);
	assert_int_equal(symlinkat("canary", fd, "link"), 0);
	assert_int_equal(remove_tree_at(fd, "link"), 0);
	/* deeper than there are fds, and than any path may be long */
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "deep", 0700), 0);
		assert_int_equal(symlinkat("../../canary", at, "out"), 0);
		assert_int_equal(symlinkat("..", at, "up"), 0);
		assert_int_equal(mkdirat(at, "side", 0700), 0);
		assert_int_equal(fd_write_file_at(at, "side/x", 0600, "", 0, NULL), 0);
		next = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		if (at != fd)
			(void)close(at);
		at = next;
	}
	(void)close(at);
	assert_int_equal(remove_tree_at(fd, "deep"), 0);
	assert_int_equal(remove_tree_at(fd, "side"), 0);
	assert_int_equal(fstatat(fd, "deep", &st, 0), -1);
	assert_int_equal(fstatat(fd, "canary", &st, 0), 0);
	assert_int_equal(remove_tree_at(fd, "up"), 0);
	assert_int_equal(remove_tree_at(fd, "out"), 0);
	assert_int_equal(remove_tree_at(fd, "canary"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_split),
		cmocka_unit_test_setup_teardown(test_remove_tree, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("path_set", tests, NULL, NULL);
}
