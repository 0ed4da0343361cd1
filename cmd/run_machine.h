/* SPDX-License-Identifier: MIT */
/* racker run, where a machine is booted. */
#ifndef CMD_RUN_MACHINE_H
#define CMD_RUN_MACHINE_H

#include "cmd/commands.h"
#include "cmd/run_options.h"
#include "runtime/foreground.h"

/**
 * run_machine() - boot, wait, run the command or serve the console, end the machine
 * @req: its spec is a machine's
 * @run: what the command gets besides
 * Return: 0 with how it ended; ERR_NO_INIT, ERR_CONFLICT (the name is in use), ERR_INTERRUPTED with the signal in ret->value, other -errno
 */
int run_machine(const struct context *ctx, const struct run_options *o,
		const struct run_request *run, const struct foreground_request *req,
		struct exit_info *ret, struct err *err);

#endif
