/* SPDX-License-Identifier: MIT */
/* The only table of exit codes (decisions 6, features 4.1). */
#ifndef CMD_EXIT_STATUS_H
#define CMD_EXIT_STATUS_H

#include "base/err.h"
#include "runtime/foreground.h"

#define EXIT_STATUS_USAGE 125 /* flags that do not parse, in every command of racker */
#define EXIT_STATUS_POSTROJ_USAGE 2
#define EXIT_STATUS_OURS 125 /* racker itself failed to run a container */
#define EXIT_STATUS_EXEC_DENIED 126
#define EXIT_STATUS_EXEC_NOT_FOUND 127
#define EXIT_STATUS_SIGNAL 128 /* + the signal's number */
#define EXIT_STATUS_FAILED 1 /* every other command that fails */

/** exit_status_of_container() - how a container ended becomes our own exit code; a detach is success */
int exit_status_of_container(const struct exit_info *info);
/** exit_status_of_run() - `racker run` could not run it */
int exit_status_of_run(const struct err *err);
/** exit_status_of_exec() - `racker exec` could not execute it: 1 where docker's daemon would have refused */
int exit_status_of_exec(const struct err *err);
/** exit_status_of_command() - any other command of racker failed */
int exit_status_of_command(const struct err *err);
/** exit_status_of_postroj() - a command of postroj failed for a reason that is no verdict: usage or infrastructure */
int exit_status_of_postroj(const struct err *err);

#endif
