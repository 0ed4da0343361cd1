/* SPDX-License-Identifier: MIT */
/* Commands in running containers, in the foreground; and programs of a machine itself, run in it on the user's behalf. */
#ifndef CMD_MACHINE_EXEC_H
#define CMD_MACHINE_EXEC_H

#include <stdbool.h>

#include "cmd/commands.h"
#include "runtime/foreground.h"
#include "runtime/state.h"

struct machine_exec {
	const struct container_state *state;
	char *const *argv;
	char *const *env; /* changes: NAME=VALUE, or NAME for the caller's own; may be NULL */
	const char *user, *workdir; /* NULL: root, / */
	const char *detach_keys; /* NULL: docker's */
	bool tty, interactive;
};

struct exec_request;

/** exec_foreground() - run it to its end, all signals blocked from then on; after -EINTR we end by the signal that it was. Return: as exec_run() */
int exec_foreground(const struct exec_request *req, struct exit_info *ret, struct err *err);

/** machine_exec() - run it to its end, with our own stdin, stdout and stderr. Return: 0 with *ret, or as exec_run() */
int machine_exec(const struct context *ctx, const struct machine_exec *x, struct exit_info *ret,
		 struct err *err);

#endif
