// SPDX-License-Identifier: MIT
/* Help texts (see help.h). */
#include "cmd/help.h"

#include <stdio.h>

#define HELP_BYTES_MAX ((size_t)1 << 16)

static void print_options(const struct option_spec *specs, size_t n)
{
	__attribute__((cleanup(strbuf_done))) struct strbuf text = STRBUF_INIT(HELP_BYTES_MAX);

	if (options_help(specs, n, &text) < 0)
		return;
	(void)fputs(strbuf_str(&text), stdout);
}

void help_program(const struct program *program, const struct option_spec *globals, size_t n)
{
	(void)printf("Usage:  %s [OPTIONS] COMMAND\n\n%s\n\nCommands:\n", program->name,
		     program->summary);
	for (const struct command *const *c = program->commands; *c; c++)
		(void)printf("  %-13s %s\n", (*c)->name, (*c)->summary);
	(void)putchar('\n');
	print_options(globals, n);
	(void)printf("\nRun '%s COMMAND --help' for more information on a command.\n",
		     program->name);
}

void help_command(const char *program, const struct command *cmd)
{
	(void)printf("Usage:  %s %s%s%s\n\n%s\n", program, cmd->name, *cmd->usage ? " " : "",
		     cmd->usage, cmd->summary);
	if (cmd->details)
		(void)printf("\n%s\n", cmd->details);
	if (cmd->n_options == 0)
		return;
	(void)putchar('\n');
	print_options(cmd->options, cmd->n_options);
}
