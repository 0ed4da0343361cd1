/* SPDX-License-Identifier: MIT */
/* Flags of `docker run` that `racker run` does not have yet: refused by name. */
#ifndef CMD_RUN_LATER_H
#define CMD_RUN_LATER_H

#include "cmd/commands.h"

#define RUN_LATER_FLAGS 89

extern const struct later_flag run_later_flags[RUN_LATER_FLAGS];

#endif
