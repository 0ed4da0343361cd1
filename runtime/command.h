/* SPDX-License-Identifier: MIT */
/* Finding the container's command, seen from inside, and what it means when it cannot be executed. */
#ifndef RUNTIME_COMMAND_H
#define RUNTIME_COMMAND_H

#include "base/err.h"

/**
 * command_find() - what execve(2) is to be given for @name
 * @name: with a slash: itself; else looked up in the PATH of @env
 * @ret:  owned
 * Return: 0; -ENOENT/ERR_EXEC_NOT_FOUND, -EACCES/ERR_EXEC_DENIED with docker's words
 */
int command_find(const char *name, char *const *env, char **ret, struct err *err);

/** command_exec_error() - execve(2) of the command failed with @errnum: ERR_EXEC_NOT_FOUND or ERR_EXEC_DENIED with what is likely to be wrong.
 *  Return: -errnum */
int command_exec_error(const char *name, int errnum, struct err *err);

#endif
