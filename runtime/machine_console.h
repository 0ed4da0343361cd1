/* SPDX-License-Identifier: MIT */
/* The user's terminal on a machine's console, across its reboots. */
#ifndef RUNTIME_MACHINE_CONSOLE_H
#define RUNTIME_MACHINE_CONSOLE_H

#include "runtime/detach.h"
#include "runtime/machine.h"

enum console_end {
	CONSOLE_ENDED, /* the machine has */
	CONSOLE_DETACHED, /* the user pressed the detach keys */
	CONSOLE_STOP, /* a signal asked to stop, or the user pressed ^] three times */
};

struct console_request {
	bool terminal; /* joined to it; else nothing is shown */
	bool interactive; /* what is typed goes there */
	const struct detach_keys *detach;
};

/**
 * machine_console() - serve until the machine has ended or the user wants to go
 * @signal_fd: signalfd of all signals. INT, TERM, HUP and QUIT are requests to stop, not signals for PID 1, to whom they mean other things.
 * @ret_signal: for CONSOLE_STOP: the signal, 0 for the keys
 * Return: 0 or -errno
 */
int machine_console(struct machine *m, const struct console_request *req, int signal_fd,
		    enum console_end *ret, int *ret_signal, struct err *err);

#endif
