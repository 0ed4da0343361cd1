/* SPDX-License-Identifier: MIT */
/* A command in a container that runs beside what we do, with descriptors of its own: for what is read from it or written to it. */
#ifndef RUNTIME_EXEC_ASIDE_H
#define RUNTIME_EXEC_ASIDE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct exec_request;

/**
 * exec_aside() - serve the command from a process of our own, which ends with us
 * @stdio: what becomes its stdin, stdout and stderr; below 0: the null device. Nothing else is open in that process, so an end of file
 *         comes when the caller closes its own ends. @req->interactive must be set if there is a stdin.
 * Whether the command could be executed is not told: its output ends then.
 * Return: pid, to be reaped by exec_aside_end(); -errno
 */
pid_t exec_aside(const struct exec_request *req, const int stdio[static 3], struct err *err);

/** exec_aside_end() - kill it if it is to end @now, and reap it. @pid: below 1 is fine */
void exec_aside_end(pid_t pid, bool now);

#endif
