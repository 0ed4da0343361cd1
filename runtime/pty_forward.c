// SPDX-License-Identifier: MIT
/* The user's terminal joined to the container's pty (see pty_forward.h). */
#include "runtime/pty_forward.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"

int pty_forward_winsize(struct winsize *ret)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (ioctl(fd, TIOCGWINSZ, ret) == 0)
			return 0;
	return -ENOTTY;
}

void pty_forward_resize(const struct pty_forward *f)
{
	struct winsize size;

	/* The kernel sends SIGWINCH to the foreground processes inside. */
	if (pty_forward_winsize(&size) == 0)
		(void)ioctl(f->master, TIOCSWINSZ, &size);
}

static int set_raw(const struct termios *saved)
{
	struct termios raw = *saved;

	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void pty_forward_resume(const struct pty_forward *f)
{
	if (f->raw)
		(void)set_raw(&f->saved);
}

void pty_forward_wait_foreground(void)
{
	/* An orphaned job is not stopped by the signal; it goes on in the background after a few tries. */
	for (int tries = 0; tries < 3; tries++) {
		pid_t group = tcgetpgrp(STDIN_FILENO);

		if (group < 0 || group == getpgrp())
			return;
		(void)kill(0, SIGTTIN);
	}
}

int pty_forward_begin(struct pty_forward *f, int master, bool interactive,
		      const struct detach_keys *detach, struct err *err)
{
	int r;

	f->master = master;
	f->interactive = interactive;
	f->stdin_open = interactive;
	f->stdout_open = f->master_open = true;
	f->raw = false;
	f->kill_keys = 0;
	f->kill_keys = 0;
	f->detach = *detach;
	f->input_len = f->input_sent = f->output_len = f->output_sent = 0;
	r = fd_set_nonblock(master, true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "prepare the pseudo-terminal");
	if (!interactive || tcgetattr(STDIN_FILENO, &f->saved) < 0)
		return 0;
	if (set_raw(&f->saved) < 0)
		return err_sys(err, ERR_SYSTEM, "put the terminal into raw mode");
	f->raw = true;
	return 0;
}

void pty_forward_end(struct pty_forward *f)
{
	if (!f->raw)
		return;
	/* In the background (a job suspended meanwhile) this would stop us; SIGTTOU is blocked while we serve. */
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &f->saved);
	f->raw = false;
}

static struct pollfd wait_for(int fd, short events)
{
	/* POLLHUP comes unasked: an end that is not wanted must not be polled at all. */
	return (struct pollfd){ .fd = events ? fd : -1, .events = events };
}

void pty_forward_poll(const struct pty_forward *f, struct pollfd *p)
{
	bool typed = f->input_sent < f->input_len;
	bool shown = f->output_sent < f->output_len;
	short master = (short)((shown ? 0 : POLLIN) | (typed ? POLLOUT : 0));

	p[PTY_POLL_STDIN] = wait_for(STDIN_FILENO, f->stdin_open && !typed ? POLLIN : 0);
	p[PTY_POLL_STDOUT] = wait_for(STDOUT_FILENO, shown ? POLLOUT : 0);
	p[PTY_POLL_MASTER] = wait_for(f->master, f->master_open ? master : 0);
}

static void send_input(struct pty_forward *f)
{
	while (f->input_sent < f->input_len) {
		ssize_t n =
			write(f->master, f->input + f->input_sent, f->input_len - f->input_sent);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			f->input_sent = f->input_len;
			return;
		}
		f->input_sent += (size_t)n;
	}
}

#define KILL_KEY 0x1d /* ^] */
#define KILL_KEYS 3

/* The keys reach the container too, as with nspawn: two of them alone mean something to many a program. */
static bool kill_keys_typed(struct pty_forward *f, const unsigned char *typed, size_t n)
{
	usec_t now = now_usec();

	if (now - f->kill_since > USEC_PER_SEC)
		f->kill_keys = 0;
	for (size_t i = 0; i < n; i++) {
		if (typed[i] != KILL_KEY) {
			f->kill_keys = 0;
			continue;
		}
		if (f->kill_keys == 0)
			f->kill_since = now;
		if (++f->kill_keys == KILL_KEYS)
			return true;
	}
	return false;
}

static enum pty_keys read_input(struct pty_forward *f)
{
	unsigned char typed[PTY_FORWARD_BUFFER];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));
	bool detached;

	/* EIO: a background process may not read (SIGTTIN is blocked); that passes with fg. A closed terminal says 0. */
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EIO))
		return PTY_KEYS_NONE;
	if (n <= 0) {
		f->stdin_open = false;
		return PTY_KEYS_NONE;
	}
	if (kill_keys_typed(f, typed, (size_t)n))
		return PTY_KEYS_KILL;
	f->input_sent = 0;
	detached = detach_keys_filter(&f->detach, typed, (size_t)n, f->input, &f->input_len);
	send_input(f);
	return detached ? PTY_KEYS_DETACH : PTY_KEYS_NONE;
}

/* At most what a pipe that polls writable takes without blocking. Whoever read our output may have gone: the rest goes nowhere, as in docker. */
static void write_output(struct pty_forward *f)
{
	size_t len = f->output_len - f->output_sent;
	ssize_t n =
		write(STDOUT_FILENO, f->output + f->output_sent, len < PIPE_BUF ? len : PIPE_BUF);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		f->stdout_open = false;
	f->output_sent = f->stdout_open ? f->output_sent + (size_t)n : f->output_len;
}

/* The buffer is empty. Return: false when there is nothing to read now */
static bool read_output(struct pty_forward *f)
{
	ssize_t n = read(f->master, f->output, sizeof(f->output));

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		/* EIO: nobody has the other end open, not even the monitor any more. */
		f->master_open = false;
		return false;
	}
	f->output_sent = 0;
	f->output_len = f->stdout_open ? (size_t)n : 0;
	return true;
}

enum pty_keys pty_forward_serve(struct pty_forward *f, const struct pollfd *p)
{
	if (p[PTY_POLL_MASTER].revents & POLLOUT)
		send_input(f);
	if (p[PTY_POLL_MASTER].revents & (POLLIN | POLLHUP | POLLERR) &&
	    f->output_sent == f->output_len)
		(void)read_output(f);
	if (p[PTY_POLL_STDOUT].revents)
		write_output(f);
	return p[PTY_POLL_STDIN].revents ? read_input(f) : PTY_KEYS_NONE;
}

bool pty_forward_drain(struct pty_forward *f)
{
	if (f->output_sent == f->output_len && f->master_open)
		(void)read_output(f);
	return !f->master_open && f->output_sent == f->output_len;
}
