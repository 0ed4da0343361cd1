/* SPDX-License-Identifier: MIT */
/* --help in docker's form. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include "cmd/commands.h"

/* What one of the program's names offers. */
struct program {
	const char *name;
	const char *summary;
	const struct command *const *commands; /* NULL-terminated, in the order of help */
	int usage_status; /* exit code for flags that do not parse */
	int operands_status; /* exit code for a wrong command or number of operands */
};

/** help_program() - of the program as a whole, on stdout */
void help_program(const struct program *program, const struct option_spec *globals, size_t n);
/** help_command() - of one command, on stdout */
void help_command(const char *program, const struct command *cmd);

#endif
