/* SPDX-License-Identifier: MIT */
/* Finding and executing the container's command, seen from inside. */
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

/** command_exec() - execve(2); returns only on failure, ERR_EXEC_NOT_FOUND or ERR_EXEC_DENIED with what is likely to be wrong */
int command_exec(const char *path, char *const *argv, char *const *env, struct err *err);

#endif
