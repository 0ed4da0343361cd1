/* SPDX-License-Identifier: MIT */
/* Run a trusted program of the host: exact argv, no shell, no inherited fds, pidfd wait. */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct spawn_request {
	const char *const *argv; /* argv[0] is looked up in the caller's PATH */
	const char *const *env; /* NULL: the caller's */
	int stdin_fd; /* -1: /dev/null */
	int stdout_fd; /* -1: /dev/null */
	int stderr_fd; /* -1: /dev/null */
	bool die_with_parent; /* PR_SET_PDEATHSIG SIGKILL */
};

/**
 * spawn_start() - fork and exec; returns once the exec has happened or failed (a failed exec is an error here)
 * @ret_pidfd: owned by the caller
 * Return: pid, or -errno (-ENOENT: no such program)
 */
pid_t spawn_start(const struct spawn_request *req, int *ret_pidfd, struct err *err);

/** spawn_wait() - reap. Return: exit code 0..255, 128+signal, or -errno. Closes nothing. */
int spawn_wait(pid_t pid, int pidfd, struct err *err);

/** spawn_in_path() - is there an executable of this name in PATH? */
bool spawn_in_path(const char *name);

#endif
