// SPDX-License-Identifier: MIT
/* The resolver: a tree full of links that lead outside, and a canary outside that must stay as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/path_at.h"
#include "tests/unit/scratch.h"

#define RACE_USEC (300 * USEC_PER_MSEC)

/* The scratch directory holds the root "r" and beside it "outside", which nothing may enter. */
struct tree {
	void *scratch;
	int top, root;
};

static int tree_setup(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));
	int r = scratch_setup(&t->scratch);

	*state = t;
	if (r)
		return r;
	t->top = SCRATCH_FD(&t->scratch);
	if (mkdirat(t->top, "r", 0755) < 0 || mkdirat(t->top, "outside", 0755) < 0)
		return -1;
	t->root = openat(t->top, "r", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return t->root < 0 ? -1 : fd_write_file_at(t->top, "outside/canary", 0644, "x", 1, NULL);
}

static bool is_untouched(const struct tree *t)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(openat(t->top, "outside", O_RDONLY | O_CLOEXEC));
	const struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	return n == 1;
}

static int tree_teardown(void **state)
{
	struct tree *t = *state;
	bool ok = is_untouched(t);
	int r;

	close(t->root);
	r = scratch_teardown(&t->scratch);
	free(t);
	if (!ok)
		print_error("something was made outside the root\n");
	return ok ? r : -1;
}

static void link_in(const struct tree *t, const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, t->root, name), 0);
}

static void file_in(const struct tree *t, const char *name)
{
	assert_int_equal(fd_write_file_at(t->root, name, 0644, "in", 2, NULL), 0);
}

static void dir_in(const struct tree *t, const char *name)
{
	assert_int_equal(mkdirat(t->root, name, 0755), 0);
}

/* The inode behind an fd, which is closed, is the one at @name of the root. */
static void assert_is(const struct tree *t, int fd, const char *name)
{
	struct stat a, b;

	if (fd < 0)
		fail_msg("%s: %s", name, strerror(-fd));
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstatat(t->root, name, &b, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	close(fd);
}

static void test_is_safe(void **state)
{
	static const char *const good[] = { "a",       "a/b",	 "./a", ".",	   "./",
					    "a/",      "./a/b/", "...", "..a",	   "a..",
					    ".hidden", "a/...",	 " ",	"a\\..\\b" };
	static const char *const bad[] = { "",	    "/",      "/a",   "..",   "../a",
					   "a/..",  "a/../b", "a//b", "./..", ".//a",
					   "././a", "a/./b",  "a/.",  "a//",  "./../a" };
	char name[PATH_MAX + 10];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!path_is_safe(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (path_is_safe(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	memset(name, 'a', sizeof(name));
	name[NAME_MAX] = '\0';
	assert_true(path_is_safe(name));
	name[NAME_MAX] = 'a';
	name[NAME_MAX + 1] = '\0';
	assert_false(path_is_safe(name));
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '/' : 'a';
	name[PATH_MAX - 1] = '\0';
	assert_true(path_is_safe(name));
	name[PATH_MAX - 1] = '/';
	name[PATH_MAX] = '\0';
	assert_false(path_is_safe(name));
}

static void test_open_stays_inside(void **state)
{
	const struct tree *t = *state;

	dir_in(t, "outside");
	file_in(t, "outside/canary");
	link_in(t, "/outside", "absolute");
	link_in(t, "../../../outside", "up");
	link_in(t, "up", "chain");
	assert_is(t, path_at_open(t->root, "absolute/canary", O_RDONLY, 0), "outside/canary");
	assert_is(t, path_at_open(t->root, "up/canary", O_RDONLY, 0), "outside/canary");
	assert_is(t, path_at_open(t->root, "chain/canary", O_RDONLY, 0), "outside/canary");
	assert_is(t, path_at_open(t->root, "../outside/canary", O_RDONLY, 0), "outside/canary");
	assert_is(t, path_at_open(t->root, "/../../outside/canary", O_RDONLY, 0), "outside/canary");
	assert_is(t, path_at_open(t->root, "/", O_PATH, 0), ".");
	assert_is(t, path_at_open(t->root, "..", O_PATH, 0), ".");
}

static void test_open_flags(void **state)
{
	const struct tree *t = *state;
	struct stat st;
	int fd = path_at_open(t->root, "new", O_WRONLY | O_CREAT | O_EXCL, 0640);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	close(fd);
	assert_int_equal(path_at_open(t->root, "none", O_RDONLY, 0644), -ENOENT);
	assert_int_equal(path_at_open(t->root, "new/x", O_RDONLY, 0), -ENOTDIR);
	assert_int_equal(path_at_open(-EBADF, "new", O_RDONLY, 0), -EBADF);
	link_in(t, "loop", "loop");
	assert_int_equal(path_at_open(t->root, "loop", O_RDONLY, 0), -ELOOP);
}

static void test_no_magic_links(void **state)
{
	AUTO_CLOSE int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(path_at_open(proc, "self/root/etc", O_PATH, 0), -ELOOP);
	assert_int_equal(path_at_open(proc, "self/exe", O_PATH, 0), -ELOOP);
	assert_int_equal(path_at_mkdir_p(proc, "self/cwd/x", 0755), -ELOOP);
}

static void test_beneath(void **state)
{
	const struct tree *t = *state;

	dir_in(t, "d");
	file_in(t, "d/f");
	link_in(t, "d", "link");
	assert_is(t, path_at_open_beneath(t->root, "d/f", O_RDONLY, 0), "d/f");
	assert_int_equal(path_at_open_beneath(t->root, "link/f", O_RDONLY, 0), -ELOOP);
	assert_int_equal(path_at_open_beneath(t->root, "link", O_RDONLY, 0), -ELOOP);
	assert_int_equal(path_at_open_beneath(t->root, "../outside/canary", O_RDONLY, 0), -EXDEV);
	assert_int_equal(path_at_open_beneath(t->root, "/d", O_RDONLY, 0), -EXDEV);
}

static void test_mkdir_p(void **state)
{
	const struct tree *t = *state;
	struct stat st;

	assert_is(t, path_at_mkdir_p(t->root, "a/b/c", 0750), "a/b/c");
	assert_int_equal(fstatat(t->root, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	assert_is(t, path_at_mkdir_p(t->root, "a/b/c", 0700), "a/b/c");
	assert_is(t, path_at_mkdir_p(t->root, "//a//x//", 0755), "a/x");
	assert_is(t, path_at_mkdir_p(t->root, "/", 0755), ".");
	assert_is(t, path_at_mkdir_p(t->root, "../../e/./f", 0755), "e/f");
	/* what does not exist yet is made on the way, as mkdir -p does */
	assert_is(t, path_at_mkdir_p(t->root, "new/../a/y", 0755), "a/y");
	assert_is(t, path_at_mkdir_p(t->root, "new", 0755), "new");
}

static void test_mkdir_p_follows_links_inside(void **state)
{
	const struct tree *t = *state;

	dir_in(t, "real");
	dir_in(t, "real/sub");
	link_in(t, "/real", "abs");
	link_in(t, "../../real", "up");
	link_in(t, "/real/sub/..", "dots");
	assert_is(t, path_at_mkdir_p(t->root, "abs/x/y", 0755), "real/x/y");
	assert_is(t, path_at_mkdir_p(t->root, "up/z", 0755), "real/z");
	assert_is(t, path_at_mkdir_p(t->root, "dots/w", 0755), "real/w");
	assert_is(t, path_at_mkdir_p(t->root, "abs/sub/../v", 0755), "real/v");
}

static void test_mkdir_p_makes_what_links_name(void **state)
{
	const struct tree *t = *state;

	dir_in(t, "var");
	dir_in(t, "d");
	link_in(t, "/run", "var/run");
	assert_is(t, path_at_mkdir_p(t->root, "var/run/lock", 0755), "run/lock");
	link_in(t, "/outside/deep", "out");
	assert_is(t, path_at_mkdir_p(t->root, "out/er", 0755), "outside/deep/er");
	link_in(t, "../../../outside/two", "d/up");
	assert_is(t, path_at_mkdir_p(t->root, "d/up", 0755), "outside/two");
	link_in(t, "sibling/../other", "d/rel");
	assert_is(t, path_at_mkdir_p(t->root, "d/rel/x", 0755), "d/other/x");
	link_in(t, "two", "one");
	link_in(t, "three", "two");
	assert_is(t, path_at_mkdir_p(t->root, "one/x", 0755), "three/x");
	/* a link whose target lies below itself never ends */
	link_in(t, "endless/x", "endless");
	assert_int_equal(path_at_mkdir_p(t->root, "endless", 0755), -ELOOP);
}

static void test_mkdir_p_refuses(void **state)
{
	const struct tree *t = *state;
	char name[PATH_MAX + 10];

	file_in(t, "f");
	link_in(t, "f", "lf");
	assert_int_equal(path_at_mkdir_p(t->root, "f", 0755), -ENOTDIR);
	assert_int_equal(path_at_mkdir_p(t->root, "f/x", 0755), -ENOTDIR);
	assert_int_equal(path_at_mkdir_p(t->root, "lf/x", 0755), -ENOTDIR);
	assert_int_equal(path_at_mkdir_p(t->root, "", 0755), -ENOENT);
	memset(name, 'n', sizeof(name));
	name[NAME_MAX + 1] = '\0';
	assert_int_equal(path_at_mkdir_p(t->root, name, 0755), -ENAMETOOLONG);
	name[NAME_MAX + 1] = 'n';
	name[PATH_MAX + 5] = '\0';
	assert_int_equal(path_at_mkdir_p(t->root, name, 0755), -ENAMETOOLONG);
}

static void test_make_file(void **state)
{
	const struct tree *t = *state;
	struct stat st;

	assert_is(t, path_at_make_file(t->root, "a/b/f", 0600), "a/b/f");
	assert_int_equal(fstatat(t->root, "a/b/f", &st, 0), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(fstatat(t->root, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	/* what is there stays */
	file_in(t, "kept");
	assert_is(t, path_at_make_file(t->root, "kept", 0600), "kept");
	assert_int_equal(fstatat(t->root, "kept", &st, 0), 0);
	assert_int_equal(st.st_size, 2);
	assert_int_equal(mkfifoat(t->root, "fifo", 0600), 0);
	assert_is(t, path_at_make_file(t->root, "fifo", 0600), "fifo");
	assert_is(t, path_at_make_file(t->root, "/top", 0600), "top");
	assert_int_equal(path_at_make_file(t->root, "a", 0600), -EISDIR);
	assert_int_equal(path_at_make_file(t->root, "/", 0600), -EISDIR);
	assert_int_equal(path_at_make_file(t->root, "kept/x", 0600), -ENOTDIR);
	assert_int_equal(path_at_make_file(t->root, "", 0600), -ENOENT);
}

static void test_make_file_through_links(void **state)
{
	const struct tree *t = *state;

	dir_in(t, "run");
	dir_in(t, "etc");
	link_in(t, "../run/resolv.conf", "etc/resolv.conf");
	assert_is(t, path_at_make_file(t->root, "etc/resolv.conf", 0644), "run/resolv.conf");
	dir_in(t, "outside");
	link_in(t, "/outside/file", "out");
	assert_is(t, path_at_make_file(t->root, "out", 0644), "outside/file");
	link_in(t, "loop", "loop");
	assert_int_equal(path_at_make_file(t->root, "loop", 0644), -ELOOP);
}

static void assert_mode(const struct tree *t, const char *name, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(t->root, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, mode);
}

/* As systemd-resolved's images have it: /run is empty, and the link's target stands two directories below. */
static void test_make_file_makes_parents_of_targets(void **state)
{
	const struct tree *t = *state;

	dir_in(t, "etc");
	dir_in(t, "run");
	link_in(t, "/run/systemd/resolve/stub.conf", "etc/absolute");
	assert_is(t, path_at_make_file(t->root, "/etc/absolute", 0640),
		  "run/systemd/resolve/stub.conf");
	assert_mode(t, "run/systemd", S_IFDIR | 0755);
	assert_mode(t, "run/systemd/resolve", S_IFDIR | 0755);
	assert_mode(t, "run/systemd/resolve/stub.conf", S_IFREG | 0640);
	link_in(t, "../run/other/stub.conf", "etc/relative");
	assert_is(t, path_at_make_file(t->root, "etc/relative", 0644), "run/other/stub.conf");
	/* again: what is there is taken */
	assert_is(t, path_at_make_file(t->root, "etc/relative", 0644), "run/other/stub.conf");
	/* nothing at all of the target is there */
	link_in(t, "/usr/local/share/x", "etc/top");
	assert_is(t, path_at_make_file(t->root, "etc/top", 0644), "usr/local/share/x");
	/* a missing name on the way up is made, too */
	link_in(t, "no/../yes/x", "etc/dots");
	assert_is(t, path_at_make_file(t->root, "etc/dots", 0644), "etc/yes/x");
}

static void test_make_file_chains(void **state)
{
	const struct tree *t = *state;
	char name[16], next[16];

	dir_in(t, "etc");
	link_in(t, "../a/two", "etc/one");
	dir_in(t, "a");
	link_in(t, "/b/three", "a/two");
	link_in(t, "c/d", "b");
	/* b's target is made as a directory, three in it */
	assert_is(t, path_at_make_file(t->root, "etc/one", 0644), "c/d/three");
	/* a link to nowhere among the parents */
	link_in(t, "/e/f", "to-dir");
	assert_is(t, path_at_make_file(t->root, "to-dir/x/y", 0644), "e/f/x/y");
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "l%d", i);
		(void)snprintf(next, sizeof(next), "l%d", i + 1);
		link_in(t, next, name);
	}
	link_in(t, "new/end", "l60");
	assert_int_equal(path_at_make_file(t->root, "l0", 0644), -ELOOP);
	assert_int_equal(faccessat(t->root, "new", F_OK, 0), -1);
	assert_is(t, path_at_make_file(t->root, "l40", 0644), "new/end");
}

/* "outside" of the root is a name inside it, whatever a link makes of it; teardown looks at the canary. */
static void test_make_file_stays_inside(void **state)
{
	const struct tree *t = *state;

	dir_in(t, "d");
	link_in(t, "/outside/deep/abs", "abs");
	assert_is(t, path_at_make_file(t->root, "abs", 0644), "outside/deep/abs");
	link_in(t, "../../../../outside/up/file", "d/up");
	assert_is(t, path_at_make_file(t->root, "d/up", 0644), "outside/up/file");
	link_in(t, "missing/../../../../outside/late/file", "d/late");
	assert_is(t, path_at_make_file(t->root, "d/late", 0644), "outside/late/file");
	link_in(t, "../outside/new", "d/dir");
	assert_is(t, path_at_make_file(t->root, "d/dir/../file", 0644), "outside/file");
}

static void test_make_file_refuses(void **state)
{
	const struct tree *t = *state;
	char target[PATH_MAX];

	file_in(t, "f");
	link_in(t, "f", "lf");
	assert_int_equal(path_at_make_file(t->root, "lf/x", 0644), -ENOTDIR);
	link_in(t, "/lf/x/y", "below-file");
	assert_int_equal(path_at_make_file(t->root, "below-file", 0644), -ENOTDIR);
	link_in(t, "/new/../f/x", "late-file");
	assert_int_equal(path_at_make_file(t->root, "late-file", 0644), -ENOTDIR);
	link_in(t, "two", "one");
	link_in(t, "one", "two");
	assert_int_equal(path_at_make_file(t->root, "one", 0644), -ELOOP);
	/* a loop that only shows when what stands before it has been made */
	link_in(t, "/made/../around", "around");
	assert_int_equal(path_at_make_file(t->root, "around", 0644), -ELOOP);
	link_in(t, "endless/x", "endless");
	assert_int_equal(path_at_make_file(t->root, "endless", 0644), -ELOOP);
	dir_in(t, "d");
	link_in(t, "/d", "to-d");
	assert_int_equal(path_at_make_file(t->root, "to-d", 0644), -EISDIR);
	link_in(t, "/n/..", "to-dots");
	assert_int_equal(path_at_make_file(t->root, "to-dots", 0644), -EISDIR);
	link_in(t, "/slash/", "to-slash");
	assert_int_equal(path_at_make_file(t->root, "to-slash", 0644), -EISDIR);
	assert_int_equal(path_at_make_file(t->root, "slash/", 0644), -EISDIR);
	assert_int_equal(faccessat(t->root, "slash", F_OK, 0), -1);
	memset(target, 'n', sizeof(target));
	target[NAME_MAX + 1] = '\0';
	link_in(t, target, "too-long");
	assert_int_equal(path_at_make_file(t->root, "too-long", 0644), -ENAMETOOLONG);
}

static void test_read(void **state)
{
	const struct tree *t = *state;
	AUTO_FREE char *got = NULL;
	char *none = NULL;
	size_t len;

	file_in(t, "f");
	link_in(t, "/f", "link");
	assert_int_equal(path_at_read(t->root, "link", 2, &got, &len), 0);
	assert_string_equal(got, "in");
	assert_int_equal(len, 2);
	assert_int_equal(path_at_read(t->root, "f", 1, &none, NULL), -E2BIG);
	assert_int_equal(path_at_read(t->root, "none", 1, &none, NULL), -ENOENT);
	assert_int_equal(path_at_read(t->root, "../outside/canary", 9, &none, NULL), -ENOENT);
	assert_int_equal(path_at_read(t->root, ".", 1, &none, NULL), -EINVAL);
	assert_int_equal(mkfifoat(t->root, "fifo", 0600), 0);
	assert_int_equal(path_at_read(t->root, "fifo", 1, &none, NULL), -EINVAL);
	if (mknodat(t->root, "zero", S_IFCHR | 0600, (1 << 8) | 5) == 0)
		assert_int_equal(path_at_read(t->root, "zero", 1, &none, NULL), -EINVAL);
	assert_null(none);
}

/* Swaps "d" between a directory and links that lead outside, until killed. */
static void swap_forever(const struct tree *t)
{
	for (;;) {
		(void)renameat2(t->root, "d", t->root, "evil", RENAME_EXCHANGE);
		(void)renameat2(t->root, "d", t->root, "evil2", RENAME_EXCHANGE);
		(void)unlinkat(t->root, "d/x", AT_REMOVEDIR);
		(void)unlinkat(t->root, "d/f", 0);
		(void)unlinkat(t->root, "d/sub/f", 0);
		(void)unlinkat(t->root, "d/sub", AT_REMOVEDIR);
	}
}

/* What is made while somebody swaps the parent is made inside, or not at all; teardown looks at the canary. */
static void test_race(void **state)
{
	const struct tree *t = *state;
	usec_t end = now_usec() + RACE_USEC;
	size_t made = 0;
	pid_t pid;
	int status;

	dir_in(t, "d");
	link_in(t, "../outside", "evil");
	link_in(t, "/proc/self/cwd/../outside", "evil2");
	link_in(t, "/d/sub/f", "through");
	pid = fork();
	if (pid == 0)
		swap_forever(t);
	while (now_usec() < end) {
		int fd = path_at_mkdir_p(t->root, "d/x", 0755);

		made += fd >= 0;
		if (fd >= 0)
			close(fd);
		fd = path_at_make_file(t->root, "d/f", 0644);
		if (fd >= 0)
			close(fd);
		fd = path_at_make_file(t->root, "through", 0644);
		if (fd >= 0)
			close(fd);
		if (!is_untouched(t))
			break;
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(made > 0);
	assert_true(is_untouched(t));
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_safe),
		TREE_TEST(test_open_stays_inside),
		TREE_TEST(test_open_flags),
		cmocka_unit_test(test_no_magic_links),
		TREE_TEST(test_beneath),
		TREE_TEST(test_mkdir_p),
		TREE_TEST(test_mkdir_p_follows_links_inside),
		TREE_TEST(test_mkdir_p_makes_what_links_name),
		TREE_TEST(test_mkdir_p_refuses),
		TREE_TEST(test_make_file),
		TREE_TEST(test_make_file_through_links),
		TREE_TEST(test_make_file_makes_parents_of_targets),
		TREE_TEST(test_make_file_chains),
		TREE_TEST(test_make_file_stays_inside),
		TREE_TEST(test_make_file_refuses),
		TREE_TEST(test_read),
		TREE_TEST(test_race),
	};

	umask(022);
	return cmocka_run_group_tests_name("path_at", tests, NULL, NULL);
}
