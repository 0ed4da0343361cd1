// SPDX-License-Identifier: MIT
/*
 * The process between a terminal and its container (see monitor.h).
 *
 *	racker (terminal)  <-- SOCK_SEQPACKET -->  monitor  -- clone3 -->  container
 *
 * monitor to racker: PTY and PIDFD with an fd each, then EXIT; or ERROR alone. racker to monitor: DETACH.
 * End of file without DETACH (racker was killed, or its terminal is gone): the monitor ends the container.
 * End of file without EXIT (the monitor was killed): the container dies with it, and racker releases.
 */
#include "runtime/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

enum monitor_type { MONITOR_PTY, MONITOR_PIDFD, MONITOR_EXIT, MONITOR_ERROR, MONITOR_DETACH };

struct monitor_msg {
	uint32_t type;
	struct exit_info exit;
	struct err err;
};

static int send_msg(int sock, enum monitor_type type, int fd)
{
	struct monitor_msg msg = { .type = type };
	ssize_t n = fd_send(sock, &msg, sizeof(msg), fd);

	return n < 0 ? (int)n : 0;
}

void monitor_drop_surroundings(void)
{
	AUTO_CLOSE int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int to = STDIN_FILENO; fd >= 0 && to <= STDERR_FILENO; to++)
		(void)dup2(fd, to);
	(void)!chdir("/");
}

/* Nobody looks at a detached container's terminal; it must not block on it either. */
static void discard_output(int pty)
{
	char text[4096];

	while (read(pty, text, sizeof(text)) > 0)
		;
}

/* Serves until the container has ended. Return: its wait status. */
static int serve(struct container *c, int *sock)
{
	bool detached = false;

	for (;;) {
		struct pollfd p[] = {
			{ .fd = c->pidfd, .events = POLLIN },
			{ .fd = *sock, .events = POLLIN },
			{ .fd = detached ? c->pty : -1, .events = POLLIN },
		};
		struct monitor_msg msg;

		if (poll(p, ARRAY_SIZE(p), -1) < 0)
			continue;
		if (p[2].revents)
			discard_output(c->pty);
		if (p[1].revents) {
			detached = recv(*sock, &msg, sizeof(msg), 0) == sizeof(msg) &&
				   msg.type == MONITOR_DETACH;
			if (!detached)
				container_kill(c);
			(void)close(MOVE_FD(*sock));
		}
		if (p[0].revents)
			return container_wait(c);
	}
}

static void exit_info_from_status(int status, struct exit_info *ret)
{
	ret->how = WIFSIGNALED(status) ? EXIT_HOW_SIGNALED : EXIT_HOW_EXITED;
	ret->value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static _Noreturn void monitor_main(const struct monitor_job *job, int sock)
{
	struct monitor_msg msg = { .type = MONITOR_ERROR };
	struct container c;
	int slave;

	(void)prctl(PR_SET_NAME, "racker-monitor");
	/* Out of the terminal's session: its hang-up is not the container's. */
	(void)setsid();
	if (job->launch(job->arg, &c, &msg.err) < 0) {
		job->release(job->arg);
		(void)fd_send(sock, &msg, sizeof(msg), -1);
		_exit(1);
	}
	monitor_drop_surroundings();
	/* While it is open the terminal never looks closed, however often the container closes its ends. */
	slave = ioctl(c.pty, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (send_msg(sock, MONITOR_PTY, c.pty) < 0 || send_msg(sock, MONITOR_PIDFD, c.pidfd) < 0)
		container_kill(&c);
	(void)fd_set_nonblock(c.pty, true);
	msg.type = MONITOR_EXIT;
	exit_info_from_status(serve(&c, &sock), &msg.exit);
	/* Now racker reads the rest of the output, and then the end of it. */
	cleanup_close(&slave);
	job->release(job->arg);
	if (sock >= 0)
		(void)fd_send(sock, &msg, sizeof(msg), -1);
	_exit(0);
}

/* Receives one message of a wanted type. Return: 0 with its fd, the error it carries, or -EIO at end of file */
static int expect(int sock, enum monitor_type want, struct monitor_msg *ret, int *ret_fd,
		  struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;
	struct monitor_msg msg;
	ssize_t n;

	do
		n = fd_recv(sock, &msg, sizeof(msg), &fd);
	while (n == -EINTR);
	if (n != (ssize_t)sizeof(msg))
		return err_set(err, ERR_SYSTEM, -EIO, "the container's monitor process was killed");
	if (msg.type == MONITOR_ERROR) {
		if (err)
			*err = msg.err;
		return msg.err.code < 0 ? msg.err.code : -EIO;
	}
	if (msg.type != (uint32_t)want)
		return err_set(err, ERR_SYSTEM, -EPROTO,
			       "the container's monitor process is confused");
	*ret = msg;
	if (ret_fd)
		*ret_fd = MOVE_FD(fd);
	return 0;
}

int monitor_start(const struct monitor_job *job, struct monitor *ret, struct err *err)
{
	struct monitor m = MONITOR_NONE;
	struct monitor_msg msg;
	int socks[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return err_sys(err, ERR_SYSTEM, "make the monitor's socket");
	m.sock = socks[0];
	m.pid = fork();
	if (m.pid == 0) {
		(void)close(socks[0]);
		monitor_main(job, socks[1]);
	}
	(void)close(socks[1]);
	if (m.pid < 0) {
		r = err_sys(err, ERR_SYSTEM, "fork the monitor");
		job->release(job->arg);
		monitor_done(&m);
		return r;
	}
	r = expect(m.sock, MONITOR_PTY, &msg, &m.pty, err);
	if (r == 0)
		r = expect(m.sock, MONITOR_PIDFD, &msg, &m.pidfd, err);
	if (r < 0) {
		(void)waitpid(m.pid, NULL, 0);
		/* It may have been killed before it could. */
		job->release(job->arg);
		monitor_done(&m);
		return r;
	}
	*ret = m;
	return 0;
}

int monitor_wait_exit(struct monitor *m, struct exit_info *ret, struct err *err)
{
	struct monitor_msg msg;
	int r = expect(m->sock, MONITOR_EXIT, &msg, NULL, err);

	if (r == 0)
		*ret = msg.exit;
	(void)waitpid(m->pid, NULL, 0);
	return r;
}

int monitor_detach(struct monitor *m, struct err *err)
{
	int r = send_msg(m->sock, MONITOR_DETACH, -1);

	return r < 0 ? err_set(err, ERR_SYSTEM, r, "detach from the container: %s", strerror(-r)) :
		       0;
}

void monitor_done(struct monitor *m)
{
	cleanup_close(&m->sock);
	cleanup_close(&m->pidfd);
	cleanup_close(&m->pty);
	*m = MONITOR_NONE;
}
