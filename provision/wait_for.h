/* SPDX-License-Identifier: MIT */
/* Waiting for something in a machine: the end of its boot, a unit, a port, a file. */
#ifndef PROVISION_WAIT_FOR_H
#define PROVISION_WAIT_FOR_H

#include <sys/types.h>

#include "base/deadline.h"
#include "base/err.h"
#include "runtime/state.h"

enum wait_for_kind {
	WAIT_FOR_READY, /* the boot is finished */
	WAIT_FOR_UNIT, /* a unit is active */
	WAIT_FOR_PORT, /* something listens on a TCP port, inside */
	WAIT_FOR_FILE, /* a path exists, inside */
	WAIT_FOR_LOG, /* a line of the journal matches */
};

struct wait_for {
	enum wait_for_kind kind;
	const char *text; /* unit, path, or extended regular expression; borrowed */
	unsigned int port;
};

/**
 * wait_for_parse() - "ready", "unit=NAME", "port=NUMBER", "file=/PATH", "log=REGEX"
 * @text: must live as long as @ret. "unit=x" means x.service.
 * Return: 0 or -EINVAL/ERR_USAGE
 */
int wait_for_parse(const char *text, struct wait_for *ret, struct err *err);

/* The machine, and what may end the wait before its time. */
struct wait_for_machine {
	const struct container_state *state;
	int pidfd; /* of its PID 1 */
	usec_t deadline;
	int signal_fd; /* signalfd of INT, TERM and kin; -EBADF: they end this process by themselves */
	int signal; /* filled: the signal that ended the wait; 0: none did */
};

/**
 * wait_for() - until it is so
 * Return: 0; -ETIMEDOUT/ERR_TIMEOUT; -EINTR/ERR_INTERRUPTED; -ESRCH/ERR_NOT_FOUND (the machine has ended); -ECANCELED/ERR_CONFLICT (the unit has
 * failed); other -errno
 */
int wait_for(struct wait_for_machine *m, const struct wait_for *what, struct err *err);

#endif
