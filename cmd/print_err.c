// SPDX-License-Identifier: MIT
/* Printing of errors (see print_err.h). Messages come escaped: whoever makes one quotes what is untrusted in it. */
#include "cmd/print_err.h"

#include <stdio.h>

void print_err(const struct context *ctx, const struct err *err)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: %s\n", ctx->program, err->msg);
}

void print_err_help(const struct context *ctx, const struct command *cmd, const struct err *err)
{
	print_err(ctx, err);
	(void)fprintf(stderr, "\nRun '%s %s --help' for more information\n", ctx->program,
		      cmd->name);
}

void print_usage_err(const struct context *ctx, const struct command *cmd, const struct err *err)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s\n\nUsage:  %s %s %s\n\nRun '%s %s --help' for more information\n",
		      err->msg, ctx->program, cmd->name, cmd->usage, ctx->program, cmd->name);
}
