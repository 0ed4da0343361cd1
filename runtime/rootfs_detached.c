// SPDX-License-Identifier: MIT
/*
 * The root of a container, mounted for it (see rootfs.h).
 *
 *  1. fork: the child gets a mount namespace of its own, in our user namespace, and mounts there as if for a container.
 *  2. It makes a detached copy of the overlay's mount, sends that fd and is gone, and its namespace with it. The overlay lives on: it
 *     holds its layers, and its tmpfs, by mounts of its own.
 * A failure comes back as the error itself.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "runtime/mount_api.h"
#include "runtime/rootfs.h"

#define MOUNT_USEC (30 * USEC_PER_SEC) /* 500 layers take 10 ms; a disk that sleeps takes longer */

struct reply {
	int result; /* 0, or what err says */
	struct err err;
};

static int mount_and_detach(const struct rootfs_request *req, struct err *err)
{
	AUTO_CLOSE int scratch = -EBADF;
	AUTO_CLOSE int root = -EBADF;
	int fd, r;

	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(err, ERR_SYSTEM, "make a mount namespace");
	r = rootfs_private(err);
	if (r == 0)
		r = rootfs_mount(req, &scratch, &root, err);
	if (r < 0)
		return r;
	fd = mount_clone(root, "", false);
	return fd < 0 ? err_set(err, ERR_SYSTEM, fd, "detach the root: %s", strerror(-fd)) : fd;
}

__attribute__((noreturn)) static void be_mounter(const struct rootfs_request *req, int sock)
{
	struct reply reply = { 0 };
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = mount_and_detach(req, &reply.err);
	reply.result = fd < 0 ? fd : 0;
	_exit(fd_send(sock, &reply, sizeof(reply), fd) == (ssize_t)sizeof(reply) ? 0 : 1);
}

static int wait_reply(int sock, usec_t deadline, struct err *err)
{
	for (;;) {
		struct pollfd p = { .fd = sock, .events = POLLIN };
		int n = poll(&p, 1, deadline_poll_ms(deadline));

		if (n > 0)
			return 0;
		if (n == 0)
			return err_set(err, ERR_TIMEOUT, -ETIMEDOUT, "mount the root: no end");
		if (errno != EINTR)
			return err_sys(err, ERR_SYSTEM, "mount the root");
	}
}

/* Return: mount fd or -errno */
static int take_reply(int sock, struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;
	struct reply reply;
	int r = wait_reply(sock, now_usec() + MOUNT_USEC, err);
	ssize_t n;

	if (r < 0)
		return r;
	n = fd_recv(sock, &reply, sizeof(reply), &fd);
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)n, "mount the root: %s", strerror((int)-n));
	if (n != (ssize_t)sizeof(reply) || (reply.result == 0 && fd < 0))
		return err_set(err, ERR_SYSTEM, -EPIPE,
			       "mount the root: the process that does it died");
	if (reply.result < 0) {
		if (err)
			*err = reply.err;
		return reply.result;
	}
	return MOVE_FD(fd);
}

int rootfs_detached(const struct rootfs_request *req, struct err *err)
{
	int socks[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return err_sys(err, ERR_SYSTEM, "make a socket");
	pid = fork();
	if (pid == 0)
		be_mounter(req, socks[1]);
	(void)close(socks[1]);
	r = pid < 0 ? err_sys(err, ERR_SYSTEM, "fork") : take_reply(socks[0], err);
	(void)close(socks[0]);
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return r;
}
