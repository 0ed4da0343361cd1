// SPDX-License-Identifier: MIT
/* Serving a running container (see supervise.h). One poll loop each; every signal is blocked and comes through a signalfd. */
#include "runtime/supervise.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "runtime/pty_forward.h"

/* Passes on what the caller was sent, as docker does: all but CHLD, PIPE and URG, and with a pty WINCH, which the pty sends itself. Return: the
 * signal, 0 if there was none */
static int forward_signal(int signal_fd, int pidfd, bool has_pty)
{
	struct signalfd_siginfo info;
	int sig;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	sig = (int)info.ssi_signo;
	if (sig != SIGCHLD && sig != SIGPIPE && sig != SIGURG && !(has_pty && sig == SIGWINCH))
		(void)fd_pidfd_signal(pidfd, sig);
	return sig;
}

int supervise_direct(struct container *c, int signal_fd, struct exit_info *ret, struct err *err)
{
	int status;

	for (;;) {
		struct pollfd p[] = {
			{ .fd = c->pidfd, .events = POLLIN },
			{ .fd = signal_fd, .events = POLLIN },
		};

		if (poll(p, ARRAY_SIZE(p), -1) < 0)
			continue;
		if (p[1].revents)
			(void)forward_signal(signal_fd, c->pidfd, false);
		if (p[0].revents)
			break;
	}
	status = container_wait(c);
	if (status < 0)
		return err_set(err, ERR_SYSTEM, status, "wait for the container: %s",
			       strerror(-status));
	ret->how = WIFSIGNALED(status) ? EXIT_HOW_SIGNALED : EXIT_HOW_EXITED;
	ret->value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

/* How long a container may go on after the user's terminal has gone for good: docker's time to stop. */
#define HANGUP_GRACE (10 * USEC_PER_SEC)

enum { POLL_MONITOR, POLL_SIGNAL, POLL_STDIN, POLL_MASTER, POLL_N };

/* The terminal was closed. The container has been sent SIGHUP like any child of a terminal; one that stays is ended, since nobody can see it. */
static bool hung_up(void)
{
	struct termios t;

	return tcgetattr(STDIN_FILENO, &t) < 0 && errno == EIO;
}

/* One round. Return: 1 when the container has ended (or its monitor), 2 when the user has detached, else 0 */
static int terminal_round(struct monitor *m, int signal_fd, struct pty_forward *f, usec_t *deadline)
{
	struct pollfd p[POLL_N] = {
		[POLL_MONITOR] = { .fd = m->sock, .events = POLLIN },
		[POLL_SIGNAL] = { .fd = signal_fd, .events = POLLIN },
		[POLL_STDIN] = { .fd = STDIN_FILENO },
		[POLL_MASTER] = { .fd = m->pty },
	};

	pty_forward_events(f, &p[POLL_STDIN].events, &p[POLL_MASTER].events);
	/* POLLHUP comes unasked: an end that is not wanted must not be polled at all. */
	if (!p[POLL_STDIN].events)
		p[POLL_STDIN].fd = -1;
	if (!p[POLL_MASTER].events)
		p[POLL_MASTER].fd = -1;
	if (poll(p, POLL_N, deadline_poll_ms(*deadline)) < 0)
		return 0;
	if (*deadline <= now_usec()) {
		(void)fd_pidfd_signal(m->pidfd, SIGKILL);
		*deadline = USEC_INFINITY;
	}
	if (p[POLL_SIGNAL].revents) {
		int sig = forward_signal(signal_fd, m->pidfd, true);

		if (sig == SIGWINCH)
			pty_forward_resize(f);
		if (sig == SIGHUP && hung_up())
			*deadline = now_usec() + HANGUP_GRACE;
	}
	if (p[POLL_MASTER].revents)
		pty_forward_output(f, p[POLL_MASTER].revents);
	if (p[POLL_STDIN].revents && pty_forward_input(f) == 1)
		return 2;
	return p[POLL_MONITOR].revents ? 1 : 0;
}

int supervise_terminal(struct monitor *m, int signal_fd, bool interactive,
		       const struct detach_keys *detach, struct exit_info *ret, struct err *err)
{
	struct pty_forward f = { 0 };
	int r = pty_forward_begin(&f, m->pty, interactive, detach, err);
	usec_t deadline = USEC_INFINITY;
	int ended = 0;

	if (r < 0)
		return r;
	/* The terminal may have changed its size since the start. */
	pty_forward_resize(&f);
	while (!ended)
		ended = terminal_round(m, signal_fd, &f, &deadline);
	if (ended == 2) {
		pty_forward_end(&f);
		*ret = (struct exit_info){ .how = EXIT_HOW_DETACHED };
		return monitor_detach(m, err);
	}
	pty_forward_drain(&f);
	pty_forward_end(&f);
	return monitor_wait_exit(m, ret, err);
}
