// SPDX-License-Identifier: MIT
/* A booted machine as the racker that started it sees it (see machine.h). */
#include "runtime/machine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/quote.h"
#include "base/sigfd.h"
#include "runtime/launch.h"
#include "runtime/machine_monitor.h"
#include "runtime/policy.h"
#include "runtime/resources.h"

/* How long the monitor may take to answer a request to kill. */
#define KILL_ANSWER (5 * USEC_PER_SEC)

static void take_fd(int *to, int *from)
{
	cleanup_close(to);
	*to = MOVE_FD(*from);
}

static void take_message(struct machine *m, const struct machine_msg *msg, int *fd)
{
	switch ((enum machine_msg_type)msg->type) {
	case MACHINE_MSG_STARTED:
		m->pid = msg->pid;
		m->boots++;
		m->notify = (struct notify){ 0 };
		take_fd(&m->pidfd, fd);
		break;
	case MACHINE_MSG_CONSOLE:
		take_fd(&m->console, fd);
		break;
	case MACHINE_MSG_TOLD:
		m->notify = msg->notify;
		break;
	case MACHINE_MSG_REBOOT:
		m->pid = 0;
		m->notify = (struct notify){ 0 };
		break;
	case MACHINE_MSG_ENDED:
		m->ended = true;
		m->pid = 0;
		m->exit = msg->exit;
		memcpy(m->tail, msg->tail, sizeof(m->tail));
		m->tail[sizeof(m->tail) - 1] = '\0';
		break;
	default:
		break;
	}
}

int machine_next(struct machine *m, struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;
	struct machine_msg msg;
	int reset = 0;
	ssize_t n;

	/* ECONNRESET: it ended without reading all that we sent; what it had said before is behind this report. */
	do
		n = fd_recv(m->sock, &msg, sizeof(msg), &fd);
	while (n == -EINTR || (n == -ECONNRESET && !reset++));
	if (n != (ssize_t)sizeof(msg))
		return err_set(err, ERR_SYSTEM, -EIO, "the machine's monitor process was killed");
	if (msg.type == MACHINE_MSG_FAILED) {
		m->ended = true;
		if (err)
			*err = msg.err;
		return msg.err.code < 0 ? msg.err.code : -EIO;
	}
	take_message(m, &msg, &fd);
	return 0;
}

/* Forks the monitor with everything it needs. */
static int fork_monitor(const struct launch_request *launch, struct resources *res,
			struct machine *ret, struct err *err)
{
	struct machine m = MACHINE_NONE;
	int socks[2], r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return err_sys(err, ERR_SYSTEM, "make the monitor's socket");
	m.sock = socks[0];
	m.monitor = fork();
	if (m.monitor == 0) {
		(void)close(socks[0]);
		machine_monitor(launch, res, socks[1]);
	}
	(void)close(socks[1]);
	if (m.monitor < 0) {
		r = err_sys(err, ERR_SYSTEM, "fork the monitor");
		machine_done(&m);
		return r;
	}
	while (r == 0 && m.console < 0 && !m.ended)
		r = machine_next(&m, err);
	if (r == 0) {
		*ret = m;
		return 0;
	}
	(void)waitpid(m.monitor, NULL, 0);
	machine_done(&m);
	return r;
}

int machine_start(const struct foreground_request *req, struct machine *ret, struct err *err)
{
	AUTO(seccomp_filters) filters = { 0 };
	AUTO_CLOSE int hold_fd = req->hold_fd;
	struct resources res;
	struct launch_request launch = { .spec = req->spec,
					 .cgroup = &res.cgroup,
					 .scratch_dir = req->state_dir,
					 .root_ns_fd = -EBADF };
	int r = container_spec_validate(req->spec, err);

	if (r < 0)
		return r;
	if (mkdir(req->state_dir, 0700) < 0 && errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "make state directory %s", QUOTE(req->state_dir));
	r = policy_load(req, &launch, &filters, err);
	if (r >= 0)
		r = resources_begin(req, launch.caps, &hold_fd, &res, err);
	if (r < 0)
		return r;
	launch.userns_base = res.ids.base;
	r = fork_monitor(&launch, &res, ret, err);
	/* The monitor has released, unless it was killed; or it does so later. */
	if (r < 0)
		resources_release(&res);
	else
		resources_forget(&res);
	return r;
}

/* The monitor has made it non-blocking. */
static void show_console(const struct machine *m)
{
	char text[1024];
	ssize_t n = read(m->console, text, sizeof(text));

	if (n > 0 && m->show)
		m->show(m->show_arg, text, (size_t)n);
}

/* Return: 1 when @m->sock has something to say, 0 when the deadline has passed, -EINTR with *ret_signal */
static int wait_for_message(const struct machine *m, usec_t deadline, int signal_fd,
			    int *ret_signal)
{
	for (;;) {
		struct pollfd p[] = { { .fd = m->sock, .events = POLLIN },
				      { .fd = signal_fd, .events = POLLIN },
				      { .fd = m->show ? m->console : -1, .events = POLLIN } };
		if (poll(p, ARRAY_SIZE(p), deadline_poll_ms(deadline)) < 0)
			continue;
		if (p[2].revents)
			show_console(m);
		if (p[0].revents)
			return 1;
		if (p[1].revents) {
			int sig = sigfd_read(signal_fd);

			if (sigfd_is_stop(sig)) {
				*ret_signal = sig;
				return -EINTR;
			}
		}
		if (deadline <= now_usec())
			return 0;
	}
}

static bool is_up(const struct machine *m, enum machine_wait what)
{
	if (m->pid == 0)
		return false;
	switch (what) {
	case MACHINE_WAIT_READY:
		return m->notify.ready;
	case MACHINE_WAIT_BASIC:
		return m->notify.basic || m->notify.ready;
	case MACHINE_WAIT_NONE:
		break;
	}
	return true;
}

int machine_wait(struct machine *m, enum machine_wait what, usec_t deadline, int signal_fd,
		 int *ret_signal, struct err *err)
{
	if (m->show)
		machine_take_console(m, true);
	while (!m->ended && !is_up(m, what)) {
		int r = wait_for_message(m, deadline, signal_fd, ret_signal);

		if (r == -EINTR)
			return err_set(err, ERR_INTERRUPTED, -EINTR, "interrupted");
		if (r == 0)
			return err_set(err, ERR_TIMEOUT, -ETIMEDOUT,
				       "the machine is not up in time");
		r = machine_next(m, err);
		if (r < 0)
			return r;
	}
	if (m->show)
		machine_take_console(m, false);
	return 0;
}

int machine_wait_end(struct machine *m, usec_t deadline, struct err *err)
{
	while (!m->ended) {
		int r, sig;

		r = wait_for_message(m, deadline, -1, &sig);
		if (r == 0)
			return 0;
		r = machine_next(m, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int tell(struct machine *m, enum machine_msg_type type, struct err *err)
{
	const struct machine_msg msg = { .type = type };
	ssize_t n = fd_send(m->sock, &msg, sizeof(msg), -1);

	/* It has ended and said so: that message waits. */
	if (n == -EPIPE || n == -ECONNRESET)
		return 0;
	return n < 0 ? err_set(err, ERR_SYSTEM, (int)n, "speak to the machine's monitor: %s",
			       strerror((int)-n)) :
		       0;
}

void machine_take_console(struct machine *m, bool take)
{
	(void)tell(m, take ? MACHINE_MSG_TAKE : MACHINE_MSG_GIVE, NULL);
}

int machine_kill(struct machine *m, struct err *err)
{
	int r = m->ended ? 0 : tell(m, MACHINE_MSG_KILL, err);

	if (r == 0)
		r = machine_wait_end(m, now_usec() + KILL_ANSWER, err);
	if (r == 0 && !m->ended)
		return err_set(
			err, ERR_TIMEOUT, -ETIMEDOUT,
			"the machine's monitor does not answer; racker machines shows what is left");
	return r;
}

int machine_detach(struct machine *m, struct err *err)
{
	return tell(m, MACHINE_MSG_DETACH, err);
}

void machine_done(struct machine *m)
{
	cleanup_close(&m->sock);
	cleanup_close(&m->pidfd);
	cleanup_close(&m->console);
	*m = MACHINE_NONE;
}
