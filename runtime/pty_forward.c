// SPDX-License-Identifier: MIT
/* The user's terminal joined to the container's pty (see pty_forward.h). */
#include "runtime/pty_forward.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/cleanup.h"
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

int pty_forward_begin(struct pty_forward *f, int master, bool interactive,
		      const struct detach_keys *detach, struct err *err)
{
	struct termios raw;
	int r;

	f->master = master;
	f->interactive = interactive;
	f->stdin_open = interactive;
	f->stdout_open = f->master_open = true;
	f->raw = false;
	f->detach = *detach;
	f->input_len = f->input_sent = 0;
	r = fd_set_nonblock(master, true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "prepare the pseudo-terminal");
	if (!interactive || tcgetattr(STDIN_FILENO, &f->saved) < 0)
		return 0;
	raw = f->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
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

void pty_forward_events(const struct pty_forward *f, short *ret_stdin, short *ret_master)
{
	bool pending = f->input_sent < f->input_len;

	*ret_stdin = f->stdin_open && !pending ? POLLIN : 0;
	*ret_master = 0;
	if (f->master_open)
		*ret_master = (short)(POLLIN | (pending ? POLLOUT : 0));
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

int pty_forward_input(struct pty_forward *f)
{
	unsigned char typed[PTY_FORWARD_BUFFER];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));
	bool detached;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		f->stdin_open = false;
		return n < 0 && errno != EIO ? -errno : 0;
	}
	f->input_sent = 0;
	detached = detach_keys_filter(&f->detach, typed, (size_t)n, f->input, &f->input_len);
	send_input(f);
	return detached ? 1 : 0;
}

/* Return: false when there is nothing more to read now. */
static bool copy_output(struct pty_forward *f)
{
	char text[PTY_FORWARD_BUFFER];
	ssize_t n = read(f->master, text, sizeof(text));

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		/* EIO: nobody has the other end open any more. */
		f->master_open = false;
		return false;
	}
	/* Whoever read our output has gone: the container's output goes nowhere, as in docker. */
	if (f->stdout_open && fd_write_full(STDOUT_FILENO, text, (size_t)n) < 0)
		f->stdout_open = false;
	return true;
}

void pty_forward_output(struct pty_forward *f, short revents)
{
	if (revents & POLLOUT)
		send_input(f);
	if (revents & (POLLIN | POLLHUP | POLLERR))
		(void)copy_output(f);
}

void pty_forward_drain(struct pty_forward *f)
{
	while (f->master_open && copy_output(f))
		;
}
