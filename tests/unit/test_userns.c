// SPDX-License-Identifier: MIT
/*
 * A container's user namespace over layers whose ids are mapped: who owns what, seen from inside and from outside, and that an overlay of
 * them takes all that one does. Needs root, and a file system below /tmp that can map ids.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/mount_api.h"
#include "runtime/rootfs.h"
#include "runtime/userns.h"
#include "tests/unit/scratch.h"

#define BASE 1000013824U /* 0x3b9b0000 */

struct fixture {
	void *scratch;
	int top, userns_fd, root_fd;
	char scratch_dir[64], paths[2][64];
	char *layers[3];
	struct err err;
};

static void put(const struct fixture *f, const char *path, mode_t mode, uid_t uid, const char *text)
{
	if (S_ISDIR(mode))
		assert_int_equal(mkdirat(f->top, path, 0755), 0);
	else
		assert_int_equal(fd_write_file_at(f->top, path, 0644, text, strlen(text), NULL), 0);
	assert_int_equal(fchownat(f->top, path, uid, uid, 0), 0);
	assert_int_equal(fchmodat(f->top, path, mode & 07777, 0), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char link[32], top[32] = { 0 };

	*state = f;
	if (!f || scratch_setup(&f->scratch))
		return -1;
	f->top = SCRATCH_FD(&f->scratch);
	f->userns_fd = f->root_fd = -EBADF;
	/* By name: an fd is of the mount namespace in which it was opened. */
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", f->top);
	if (readlink(link, top, sizeof(top) - 1) < 0)
		return -1;
	(void)snprintf(f->scratch_dir, sizeof(f->scratch_dir), "%s/scratch", top);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(f->paths[i], sizeof(f->paths[i]), "%s/layer%d", top, i);
		f->layers[i] = f->paths[i];
	}
	return mkdirat(f->top, "scratch", 0700);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	cleanup_close(&f->userns_fd);
	cleanup_close(&f->root_fd);
	r = scratch_teardown(&f->scratch);
	free(f);
	return r;
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: id-mapped mounts need root\n");
		skip();
	}
}

/* Two layers: the upper one (0) hides "gone" of the lower one. */
static void make_layers(const struct fixture *f)
{
	put(f, "layer0", S_IFDIR | 0755, 0, NULL);
	put(f, "layer1", S_IFDIR | 0755, 0, NULL);
	put(f, "layer1/root", 0600, 0, "root's");
	put(f, "layer1/user", 0640, 1000, "user's");
	put(f, "layer1/alien", 0644, 70000, "of no id inside");
	put(f, "layer1/setuid", 04755, 0, "");
	put(f, "layer1/dir", S_IFDIR | 0750, 33, NULL);
	put(f, "layer1/dir/deep", 0600, 33, "deep");
	put(f, "layer1/gone", 0644, 0, "hidden by the layer above");
	put(f, "layer1/victim", 0644, 0, "to be removed");
	assert_int_equal(mknodat(f->top, "layer0/gone", S_IFCHR, makedev(0, 0)), 0);
	put(f, "layer0/top", 0644, 12, "top");
}

static void mount_root(struct fixture *f)
{
	struct rootfs_request req = { .scratch_dir = f->scratch_dir,
				      .lower_dirs = f->layers,
				      .nodev = true,
				      .root_fd = -EBADF,
				      .root_ns_fd = -EBADF };

	need_root();
	make_layers(f);
	f->userns_fd = userns_new(BASE, &f->err);
	if (f->userns_fd == -EPERM || f->userns_fd == -ENOSPC) {
		print_message("skipped: no user namespaces here\n");
		skip();
	}
	if (f->userns_fd < 0)
		fail_msg("%s", f->err.msg);
	req.userns_fd = f->userns_fd;
	f->root_fd = rootfs_detached(&req, &f->err);
	if (f->err.kind == ERR_UNSUPPORTED) {
		print_message("skipped: the file system of /tmp cannot map ids\n");
		skip();
	}
	if (f->root_fd < 0)
		fail_msg("%s", f->err.msg);
}

static void owner_is(int fd, const char *path, uid_t uid, mode_t mode)
{
	struct stat st;

	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, uid);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void test_outside_view(void **state)
{
	struct fixture *f = *state;

	mount_root(f);
	owner_is(f->root_fd, ".", BASE, 0755);
	owner_is(f->root_fd, "root", BASE, 0600);
	owner_is(f->root_fd, "user", BASE + 1000, 0640);
	owner_is(f->root_fd, "top", BASE + 12, 0644);
	owner_is(f->root_fd, "dir/deep", BASE + 33, 0600);
	owner_is(f->root_fd, "setuid", BASE, 04755);
	assert_int_equal(faccessat(f->root_fd, "gone", F_OK, 0), -1);
	/* The layers themselves are as they were, and nothing is mounted where the caller sees it. */
	owner_is(f->top, "layer1/user", 1000, 0640);
	AUTO_CLOSE int dir = openat(f->top, "scratch", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat a, b;
	assert_int_equal(fstat(dir, &a), 0);
	assert_int_equal(fstat(f->top, &b), 0);
	assert_true(a.st_dev == b.st_dev);
}

/* What a container does with its root; each step that fails is the exit code. */
#define STEP(condition)              \
	do {                         \
		step++;              \
		if (!(condition))    \
			return step; \
	} while (0)

static bool owned(const char *path, uid_t uid, mode_t mode)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_uid == uid && st.st_gid == uid &&
	       (st.st_mode & 07777) == mode;
}

static bool write_text(const char *path, const char *text)
{
	return fd_write_file_at(AT_FDCWD, path, 0644, text, strlen(text), NULL) == 0;
}

/* Return: 0 or the number of the step */
static int use_root(void)
{
	int step = 0;

	STEP(owned(".", 0, 0755));
	STEP(owned("root", 0, 0600));
	STEP(owned("user", 1000, 0640));
	STEP(owned("top", 12, 0644));
	STEP(owned("alien", 65534, 0644));
	STEP(owned("setuid", 0, 04755));
	STEP(access("gone", F_OK) < 0);
	STEP(write_text("new", "new") && owned("new", 0, 0644));
	STEP(write_text("user", "changed") && owned("user", 1000, 0640));
	STEP(fchownat(AT_FDCWD, "new", 65535, 65535, 0) == 0 && owned("new", 65535, 0644));
	STEP(fchownat(AT_FDCWD, "new", 65536, 0, 0) < 0);
	STEP(unlink("victim") == 0 && access("victim", F_OK) < 0);
	STEP(mkdir("victim", 0700) == 0 && owned("victim", 0, 0700));
	STEP(rename("dir", "moved") == 0 || errno == EXDEV);
	STEP(symlink("x", "link") == 0 && owned("link", 0, 0777));
	STEP(mkfifo("fifo", 0600) == 0);
	STEP(setxattr("new", "user.a", "b", 1, 0) == 0 || errno == EOPNOTSUPP);
	STEP(mknod("null", S_IFCHR | 0666, makedev(1, 3)) < 0);
	/* What nobody in there owns cannot be taken. */
	STEP(fchownat(AT_FDCWD, "alien", 0, 0, 0) < 0);
	STEP(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	STEP(open("root", O_RDONLY | O_CLOEXEC) < 0);
	STEP(open("user", O_RDONLY | O_CLOEXEC) >= 0);
	STEP(open("user", O_WRONLY | O_CLOEXEC) >= 0);
	STEP(!write_text("root2", ""));
	return 0;
}

static int join_root(const struct fixture *f, int ready, int go)
{
	AUTO_CLOSE int scratch = -EBADF;
	AUTO_CLOSE int root = -EBADF;
	char path[64], byte = 0;
	struct rootfs_request req = { .scratch_dir = path,
				      .userns_fd = -EBADF,
				      .root_fd = f->root_fd,
				      .root_ns_fd = -EBADF };
	int step = 100;

	STEP(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	STEP(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	STEP(write(ready, "x", 1) == 1 && read(go, &byte, 1) == 1);
	/* The host's directories are open to the host's root alone. */
	AUTO_CLOSE int target = open(f->scratch_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	STEP(target >= 0);
	STEP(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
	STEP(rootfs_private(NULL) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", target);
	STEP(rootfs_mount(&req, &scratch, &root, NULL) == 0);
	STEP(fchdir(root) == 0);
	(void)umask(022);
	return use_root();
}

static void test_inside_view(void **state)
{
	struct fixture *f = *state;
	int ready[2], go[2], status = -1;
	char byte;
	pid_t pid;

	mount_root(f);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		_exit(join_root(f, ready[1], go[0]));
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	if (userns_write_maps(pid, BASE, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(ready[0]);
	(void)close(go[0]);
	(void)close(go[1]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* The same files from outside, in the upper directory now. */
	owner_is(f->root_fd, "new", BASE + 65535, 0644);
	owner_is(f->root_fd, "user", BASE + 1000, 0640);
	owner_is(f->root_fd, "victim", BASE, 0700);
	owner_is(f->top, "layer1/user", 1000, 0640);
	owner_is(f->top, "layer1/victim", 0, 0644);
}

static void test_file_system_that_cannot(void **state)
{
	struct fixture *f = *state;
	char *layers[] = { (char[]){ "/proc" }, NULL };
	struct rootfs_request req = { .scratch_dir = f->scratch_dir,
				      .lower_dirs = layers,
				      .root_fd = -EBADF,
				      .root_ns_fd = -EBADF };

	need_root();
	req.userns_fd = f->userns_fd = userns_new(BASE, &f->err);
	if (f->userns_fd < 0) {
		print_message("skipped: no user namespaces here\n");
		skip();
	}
	assert_int_equal(rootfs_detached(&req, &f->err), -EINVAL);
	assert_int_equal(f->err.kind, ERR_UNSUPPORTED);
	assert_non_null(strstr(f->err.msg, "map the ids of layer \"/proc\""));
}

static void test_namespace_of_nobody(void **state)
{
	struct err err;
	AUTO_CLOSE int ns = -EBADF;

	(void)state;
	need_root();
	ns = userns_new(BASE, &err);
	assert_true(ns >= 0 || err.code == -EPERM || err.code == -ENOSPC);
	/* Whoever held it is reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_true(userns_new(UINT32_MAX - 5, &err) < 0);
	assert_non_null(strstr(err.msg, "write uid_map"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_outside_view),
		TEST(test_inside_view),
		TEST(test_file_system_that_cannot),
		TEST(test_namespace_of_nobody),
	};

	return cmocka_run_group_tests_name("userns", tests, NULL, NULL);
}
