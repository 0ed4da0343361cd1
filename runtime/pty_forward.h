/* SPDX-License-Identifier: MIT */
/* The user's terminal joined to the container's pty: raw mode, both directions, size, detach keys. */
#ifndef RUNTIME_PTY_FORWARD_H
#define RUNTIME_PTY_FORWARD_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

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
	/* Typed bytes on their way to the container. */
	unsigned char input[PTY_FORWARD_BUFFER + DETACH_KEYS_MAX];
	size_t input_len, input_sent;
};

/** pty_forward_winsize() - size of the user's terminal (stdin, stdout or stderr). Return: 0 or -ENOTTY */
int pty_forward_winsize(struct winsize *ret);

/** pty_forward_begin() - raw mode, non-blocking master. pty_forward_end() in every case. */
int pty_forward_begin(struct pty_forward *f, int master, bool interactive,
		      const struct detach_keys *detach, struct err *err);
/** pty_forward_resize() - give the pty the terminal's size: after SIGWINCH */
void pty_forward_resize(const struct pty_forward *f);
/** pty_forward_events() - what to poll for: stdin in *ret_stdin, the master in *ret_master (0: not at all) */
void pty_forward_events(const struct pty_forward *f, short *ret_stdin, short *ret_master);
/** pty_forward_input() - stdin is ready. Return: 1 when the detach keys were typed, 0, or -errno */
int pty_forward_input(struct pty_forward *f);
/** pty_forward_output() - the master is ready in one or both directions */
void pty_forward_output(struct pty_forward *f, short revents);
/** pty_forward_drain() - what the container wrote before it ended */
void pty_forward_drain(struct pty_forward *f);
/** pty_forward_end() - restore the terminal; idempotent */
void pty_forward_end(struct pty_forward *f);

#endif
