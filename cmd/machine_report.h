/* SPDX-License-Identifier: MIT */
/* Why a machine is not what it should be: its failed units and those that are still starting, with their last journal lines. */
#ifndef CMD_MACHINE_REPORT_H
#define CMD_MACHINE_REPORT_H

#include "cmd/commands.h"
#include "runtime/state.h"

/**
 * machine_report() - tell it on stderr
 * @unit: this one alone; NULL: all that have failed or are starting
 * Takes a few seconds at most, however the machine behaves.
 */
void machine_report(const struct context *ctx, const struct container_state *state, int pidfd,
		    const char *unit);

#endif
