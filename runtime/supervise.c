// SPDX-License-Identifier: MIT
/* Serving a running container (see supervise.h). One poll loop each; every signal is blocked and comes through a signalfd. */
#include "runtime/supervise.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/sigfd.h"
#include "runtime/pty_forward.h"

/* Passes on what the caller was sent, as docker does: all but CHLD, PIPE and URG, and with a pty WINCH, which the pty sends itself. Return: the
 * signal, 0 if there was none */
static int forward_signal(int signal_fd, int pidfd, bool has_pty)
{
	int sig = sigfd_read(signal_fd);

	if (sig == 0)
		return 0;
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

/* How long the kernel may take to bring us the last of what was written to the terminal. */
#define LAST_OUTPUT_MS 200

/* The terminal was closed. The container has been sent SIGHUP like any child of a terminal; one that stays is ended, since nobody can see it. */
static bool hung_up(void)
{
	struct termios t;

	return tcgetattr(STDIN_FILENO, &t) < 0 && errno == EIO;
}

enum terminal_event { TERMINAL_GOES_ON, TERMINAL_ENDED, TERMINAL_DETACHED };

static void serve_signal(struct monitor *m, int signal_fd, struct pty_forward *f, usec_t *deadline)
{
	int sig = forward_signal(signal_fd, m->pidfd, true);

	if (sig == SIGWINCH)
		pty_forward_resize(f);
	if (sig == SIGCONT)
		pty_forward_resume(f);
	if (sig == SIGHUP && hung_up())
		*deadline = now_usec() + HANGUP_GRACE;
}

/* One round. TERMINAL_ENDED: the monitor has something to say, or has died */
static enum terminal_event terminal_round(struct monitor *m, int signal_fd, struct pty_forward *f,
					  usec_t *deadline)
{
	enum { POLL_MONITOR, POLL_SIGNAL, POLL_PTY, POLL_N = POLL_PTY + PTY_POLL_N };
	struct pollfd p[POLL_N] = {
		[POLL_MONITOR] = { .fd = m->sock, .events = POLLIN },
		[POLL_SIGNAL] = { .fd = signal_fd, .events = POLLIN },
	};

	pty_forward_poll(f, p + POLL_PTY);
	if (poll(p, POLL_N, deadline_poll_ms(*deadline)) < 0)
		return TERMINAL_GOES_ON;
	if (*deadline <= now_usec()) {
		(void)fd_pidfd_signal(m->pidfd, SIGKILL);
		*deadline = USEC_INFINITY;
	}
	if (p[POLL_SIGNAL].revents)
		serve_signal(m, signal_fd, f, deadline);
	switch (pty_forward_serve(f, p + POLL_PTY)) {
	case PTY_KEYS_DETACH:
		return TERMINAL_DETACHED;
	case PTY_KEYS_KILL:
		(void)fd_pidfd_signal(m->pidfd, SIGKILL);
		break;
	case PTY_KEYS_NONE:
		break;
	}
	return p[POLL_MONITOR].revents ? TERMINAL_ENDED : TERMINAL_GOES_ON;
}

/*
 * Passes on what is left of the output. A user who does not take it can still interrupt us. Usually that ends with the terminal's last process;
 * a command that joined a container may have left a job behind, which keeps the terminal but can write to it no more.
 */
static void drain(int signal_fd, struct pty_forward *f)
{
	while (!pty_forward_drain(f)) {
		bool shown = f->output_sent < f->output_len;
		int n;
		struct pollfd p[1 + PTY_POLL_N] = { { .fd = signal_fd, .events = POLLIN } };

		pty_forward_poll(f, p + 1);
		p[1 + PTY_POLL_STDIN].fd = -1;
		p[1 + PTY_POLL_STDIN].revents = 0;
		n = poll(p, ARRAY_SIZE(p), shown ? -1 : LAST_OUTPUT_MS);
		if (n == 0)
			return;
		if (n < 0)
			continue;
		if (p[0].revents && sigfd_is_stop(sigfd_read(signal_fd)))
			return;
		(void)pty_forward_serve(f, p + 1);
	}
}

int supervise_terminal(struct monitor *m, int signal_fd, bool interactive,
		       const struct detach_keys *detach, struct exit_info *ret, struct err *err)
{
	enum terminal_event event = TERMINAL_GOES_ON;
	usec_t deadline = USEC_INFINITY;
	struct pty_forward f = { 0 };
	int r = pty_forward_begin(&f, m->pty, interactive, detach, err);

	if (r < 0)
		return r;
	/* The terminal may have changed its size since the start. */
	pty_forward_resize(&f);
	while (event == TERMINAL_GOES_ON)
		event = terminal_round(m, signal_fd, &f, &deadline);
	if (event == TERMINAL_DETACHED) {
		pty_forward_end(&f);
		*ret = (struct exit_info){ .how = EXIT_HOW_DETACHED };
		return monitor_detach(m, err);
	}
	r = monitor_wait_exit(m, ret, err);
	drain(signal_fd, &f);
	pty_forward_end(&f);
	return r;
}
