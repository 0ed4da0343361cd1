// SPDX-License-Identifier: MIT
/* Cgroups for commands, in a directory that stands for the container's: making, sweeping, and who gets in the way. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/cgroup_leaf.h"
#include "scratch.h"

static void path_of(void **state, char path[static 64])
{
	(void)snprintf(path, 64, "/proc/self/fd/%d/.", SCRATCH_FD(state));
}

static void test_make(void **state)
{
	struct cgroup_leaf a, b;
	char path[64];

	path_of(state, path);
	assert_int_equal(cgroup_leaf_make(path, &a), 0);
	assert_int_equal(cgroup_leaf_make(path, &b), 0);
	assert_int_equal(strncmp(a.name, "racker-exec-", 12), 0);
	assert_string_not_equal(a.name, b.name);
	assert_int_equal(faccessat(SCRATCH_FD(state), a.name, F_OK, 0), 0);
	/* One that is not in use yet is swept by another's end: its owner makes a new one. */
	cgroup_leaf_done(&a);
	assert_int_equal(faccessat(SCRATCH_FD(state), b.name, F_OK, 0), -1);
	cgroup_leaf_done(&b);
	cgroup_leaf_done(&b);
}

/* Not empty: what is in it is left alone, and so is what has another name. */
static void test_sweep(void **state)
{
	static const char *const kept[] = { "racker-exec-full/x", "racker-exec-full",
					    "init.scope" };
	struct cgroup_leaf leaf;
	char path[64];
	int dir = SCRATCH_FD(state);

	path_of(state, path);
	for (size_t i = ARRAY_SIZE(kept); i > 0; i--)
		assert_int_equal(mkdirat(dir, kept[i - 1], 0755), 0);
	assert_int_equal(mkdirat(dir, "racker-exec-old", 0755), 0);
	assert_int_equal(symlinkat("init.scope", dir, "racker-exec-link"), 0);
	assert_int_equal(cgroup_leaf_make(path, &leaf), 0);
	cgroup_leaf_done(&leaf);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		assert_int_equal(faccessat(dir, kept[i], F_OK, 0), 0);
	assert_int_equal(faccessat(dir, "racker-exec-old", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "racker-exec-link", F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

/* Whether it writes to the file that ends all, in the directory it should have to do with. */
static void check_kill(const struct cgroup_leaf *leaf, int dir, off_t want)
{
	AUTO_CLOSE int fd = openat(dir, "cgroup.kill", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	struct stat st;

	assert_true(fd >= 0);
	cgroup_leaf_kill(leaf);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, want);
	assert_int_equal(unlinkat(dir, "cgroup.kill", 0), 0);
}

static void test_parent(void **state)
{
	struct cgroup_leaf leaf;
	struct stat own, parent;
	char path[64], name[CGROUP_LEAF_NAME_MAX];

	path_of(state, path);
	assert_int_equal(cgroup_leaf_make(path, &leaf), 0);
	check_kill(&leaf, leaf.fd, 1);
	(void)strcpy(name, leaf.name); // NOLINT: two buffers of one size
	assert_int_equal(cgroup_leaf_use_parent(&leaf), 0);
	assert_int_equal(faccessat(SCRATCH_FD(state), name, F_OK, 0), -1);
	assert_int_equal(fstat(leaf.fd, &own), 0);
	assert_int_equal(fstat(SCRATCH_FD(state), &parent), 0);
	assert_int_equal(own.st_ino, parent.st_ino);
	assert_int_equal(cgroup_leaf_use_parent(&leaf), -ENOENT);
	/* It is not one's own to kill. */
	check_kill(&leaf, SCRATCH_FD(state), 0);
	cgroup_leaf_done(&leaf);
}

static void test_none(void **state)
{
	struct cgroup_leaf leaf;

	(void)state;
	assert_int_equal(cgroup_leaf_make(NULL, &leaf), 0);
	assert_true(leaf.fd < 0 && leaf.parent_fd < 0);
	cgroup_leaf_kill(&leaf);
	cgroup_leaf_done(&leaf);
	assert_int_equal(cgroup_leaf_make("/nonexistent/cgroup", &leaf), -ENOENT);
	cgroup_leaf_done(&leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_make, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_sweep, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_parent, scratch_setup, scratch_teardown),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("cgroup_leaf", tests, NULL, NULL);
}
