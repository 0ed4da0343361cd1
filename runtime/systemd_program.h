/* SPDX-License-Identifier: MIT */
/* Finding a program in a running machine from outside, for what systemd itself does not look up. */
#ifndef RUNTIME_SYSTEMD_PROGRAM_H
#define RUNTIME_SYSTEMD_PROGRAM_H

#include <sys/types.h>

#include "base/err.h"

/**
 * systemd_program_find() - the absolute path inside of what @name would execute there as root
 * @leader, @pidfd: the machine's PID 1, whose root is looked into; symlinks never lead out of it
 * @env:  its PATH counts when @name has no slash; without one systemd's own
 * @ret:  owned
 * Return: 0; ERR_EXEC_NOT_FOUND, ERR_EXEC_DENIED in docker's words; -EINVAL/ERR_USAGE (relative with a slash), -ESRCH/ERR_NOT_FOUND
 */
int systemd_program_find(pid_t leader, int pidfd, const char *name, const char *const *env,
			 char **ret, struct err *err);

#endif
