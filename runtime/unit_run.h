/* SPDX-License-Identifier: MIT */
/* A command run as a unit of a machine's systemd, served as a command of our own: descriptors or terminal, signals, result. */
#ifndef RUNTIME_UNIT_RUN_H
#define RUNTIME_UNIT_RUN_H

#include "runtime/exec.h"

struct unit_run_request {
	const struct exec_request *command; /* as exec_run() takes it; it is not detached */
	int pidfd; /* of the machine's PID 1 */
	const char *unit; /* "app.service"; NULL: a name of its own */
	bool journal; /* what it writes goes to the machine's journal too; without a terminal */
};

/**
 * unit_run() - run it to its end
 * @signal_fd: signalfd of all signals, which are blocked; they are passed on to the unit's main process
 * Return: 0 with how it ended (SIGKILL when the machine ended under it); ERR_EXEC_NOT_FOUND, ERR_EXEC_DENIED; other -errno
 */
int unit_run(const struct unit_run_request *req, int signal_fd, struct exit_info *ret,
	     struct err *err);

#endif
