/* SPDX-License-Identifier: MIT */
/* What a machine wrote to its console last, made fit for the user's terminal. */
#ifndef CMD_MACHINE_TAIL_H
#define CMD_MACHINE_TAIL_H

#include <stdio.h>

#include "runtime/machine.h"

/** machine_print_tail() - its last lines, without escape sequences and whatever else could act on a terminal; nothing when there are none */
void machine_print_tail(const struct machine *m, FILE *to);

#endif
