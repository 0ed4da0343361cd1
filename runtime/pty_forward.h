/* SPDX-License-Identifier: MIT */
/* The user's terminal joined to the container's pty: raw mode, both directions, size, detach keys. */
#ifndef RUNTIME_PTY_FORWARD_H
#define RUNTIME_PTY_FORWARD_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/deadline.h"
#include "base/err.h"
#include "runtime/detach.h"

#define PTY_FORWARD_BUFFER 8192

struct pty_forward {
	int master; /* non-blocking; borrowed */
	bool interactive; /* stdin is read */
	bool stdin_open, stdout_open, master_open;
	bool raw; /* the terminal's mode is to be restored */
	struct termios saved;
	struct detach_keys detach;
	unsigned int kill_keys; /* how many ^] in a row were typed within a second */
	usec_t kill_since;
	/* Typed bytes on their way to the container. */
	unsigned char input[PTY_FORWARD_BUFFER + DETACH_KEYS_MAX];
	size_t input_len, input_sent;
	/* The container's output on its way to the user; more is read only when this has gone. */
	char output[PTY_FORWARD_BUFFER];
	size_t output_len, output_sent;
};

/** pty_forward_winsize() - size of the user's terminal (stdin, stdout or stderr). Return: 0 or -ENOTTY */
int pty_forward_winsize(struct winsize *ret);

/** pty_forward_begin() - raw mode, non-blocking master. pty_forward_end() in every case. */
int pty_forward_begin(struct pty_forward *f, int master, bool interactive,
		      const struct detach_keys *detach, struct err *err);
/** pty_forward_resize() - give the pty the terminal's size: after SIGWINCH */
void pty_forward_resize(const struct pty_forward *f);
struct pollfd;
enum { PTY_POLL_STDIN, PTY_POLL_STDOUT, PTY_POLL_MASTER, PTY_POLL_N };
/** pty_forward_poll() - fill PTY_POLL_N entries with what to wait for now */
void pty_forward_poll(const struct pty_forward *f, struct pollfd *p);
enum pty_keys {
	PTY_KEYS_NONE,
	PTY_KEYS_DETACH, /* the detach keys */
	PTY_KEYS_KILL, /* ^] three times within a second: nspawn's way to end it all */
};
/** pty_forward_serve() - do what the entries say is ready; never blocks. Return: what was asked for by keys */
enum pty_keys pty_forward_serve(struct pty_forward *f, const struct pollfd *p);
/** pty_forward_drain() - what the container wrote before it ended, its last slave end being closed. Return: true when all has been passed on */
bool pty_forward_drain(struct pty_forward *f);
/** pty_forward_resume() - after SIGCONT: somebody may have changed the mode of the terminal meanwhile */
void pty_forward_resume(const struct pty_forward *f);
/** pty_forward_wait_foreground() - stop, as any reader of a terminal, until the shell puts this job into the foreground; signals must not be blocked yet */
void pty_forward_wait_foreground(void);
/** pty_forward_end() - restore the terminal; idempotent */
void pty_forward_end(struct pty_forward *f);

#endif
