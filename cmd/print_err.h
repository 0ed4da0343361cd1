/* SPDX-License-Identifier: MIT */
/* Errors on stderr, each once, in docker's forms. */
#ifndef CMD_PRINT_ERR_H
#define CMD_PRINT_ERR_H

#include "base/err.h"
#include "cmd/commands.h"

/** print_err() - "racker: MESSAGE" */
void print_err(const struct context *ctx, const struct err *err);
/** print_err_help() - the same, a blank line, "Run 'racker run --help' for more information" */
void print_err_help(const struct context *ctx, const struct command *cmd, const struct err *err);
/** print_usage_err() - a flag that does not parse: the bare message, the usage line, where to find help */
void print_usage_err(const struct context *ctx, const struct command *cmd, const struct err *err);

#endif
