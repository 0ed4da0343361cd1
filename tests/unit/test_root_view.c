// SPDX-License-Identifier: MIT
/* Looking into a container: its root and maps, a host's root refused, a process that has ended. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/root_view.h"
#include "tests/unit/scratch.h"

/* A child in another root, in a user namespace if its parent is to map one; it waits to be killed. */
struct child {
	pid_t pid;
	int pidfd, ready;
};

static void child_done(struct child *c)
{
	if (c->pid > 0 && kill(c->pid, SIGKILL) == 0)
		(void)waitpid(c->pid, NULL, 0);
	cleanup_close(&c->pidfd);
	cleanup_close(&c->ready);
}

__attribute__((noreturn)) static void be_child(int scratch_fd, int flags, int ready)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* In this order: whoever is chrooted gets no user namespace. */
	if (unshare(flags) < 0 || (scratch_fd >= 0 && (fchdir(scratch_fd) < 0 || chroot(".") < 0)))
		_exit(1);
	(void)!write(ready, "x", 1);
	for (;;)
		(void)pause();
}

static void child_start(struct child *c, int scratch_fd, int flags)
{
	int pipe_fds[2];
	char byte;

	if (geteuid() != 0) {
		print_message("skipped: other roots and user namespaces need root\n");
		skip();
	}
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	c->ready = pipe_fds[0];
	c->pid = fork();
	if (c->pid == 0)
		be_child(scratch_fd, flags, pipe_fds[1]);
	(void)close(pipe_fds[1]);
	c->pidfd = fd_pidfd_open(c->pid);
	assert_true(c->pidfd >= 0);
	if (read(c->ready, &byte, 1) != 1) {
		print_message("skipped: no user namespaces here\n");
		skip();
	}
}

static void write_map(const struct child *c, const char *name, const char *text)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", c->pid, name);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
}

static void test_shared_ids(void **state)
{
	AUTO(child) c = { .pidfd = -EBADF, .ready = -EBADF };
	AUTO(root_view) v = { .root_fd = -EBADF };
	struct stat a, b;

	child_start(&c, SCRATCH_FD(state), 0);
	assert_int_equal(root_view_open(c.pidfd, c.pid, &v, NULL), 0);
	assert_false(v.mapped);
	assert_int_equal(fstat(v.root_fd, &a), 0);
	assert_int_equal(fstat(SCRATCH_FD(state), &b), 0);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

static void test_mapped_ids(void **state)
{
	AUTO(child) c = { .pidfd = -EBADF, .ready = -EBADF };
	AUTO(root_view) v = { .root_fd = -EBADF };
	uint32_t id;

	child_start(&c, SCRATCH_FD(state), CLONE_NEWUSER);
	write_map(&c, "uid_map", "0 100000 65536");
	write_map(&c, "gid_map", "0 200000 1000\n1000 1000 1");
	assert_int_equal(root_view_open(c.pidfd, c.pid, &v, NULL), 0);
	assert_true(v.mapped);
	assert_true(id_map_outward(&v.uids, 65535, &id) && id == 165535);
	assert_true(id_map_outward(&v.gids, 1000, &id) && id == 1000);
	assert_true(id_map_inward(&v.gids, 200001, &id) && id == 1);
}

static void test_without_maps(void **state)
{
	AUTO(child) c = { .pidfd = -EBADF, .ready = -EBADF };
	AUTO(root_view) v = { .root_fd = -EBADF };

	child_start(&c, SCRATCH_FD(state), CLONE_NEWUSER);
	assert_int_equal(root_view_open(c.pidfd, c.pid, &v, NULL), -EINVAL);
}

static void test_own_root_is_refused(void **state)
{
	AUTO(child) c = { .pidfd = -EBADF, .ready = -EBADF };
	AUTO(root_view) v = { .root_fd = -EBADF };
	struct err err;

	(void)state;
	child_start(&c, -EBADF, CLONE_NEWNS);
	assert_int_equal(root_view_open(c.pidfd, c.pid, &v, &err), -EXDEV);
	assert_int_equal(err.kind, ERR_CONFLICT);
}

static void test_ended(void **state)
{
	AUTO(child) c = { .pidfd = -EBADF, .ready = -EBADF };
	AUTO(child) other = { .pidfd = -EBADF, .ready = -EBADF };
	AUTO(root_view) v = { .root_fd = -EBADF };
	struct err err;

	child_start(&c, SCRATCH_FD(state), 0);
	child_start(&other, SCRATCH_FD(state), 0);
	assert_int_equal(kill(c.pid, SIGKILL), 0);
	assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
	/* The number is another's by now. */
	assert_int_equal(root_view_open(c.pidfd, other.pid, &v, &err), -ESRCH);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(v.root_fd, -EBADF);
	c.pid = 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_shared_ids),		TEST(test_mapped_ids), TEST(test_without_maps),
		TEST(test_own_root_is_refused), TEST(test_ended),
	};

	return cmocka_run_group_tests_name("root_view", tests, NULL, NULL);
}
