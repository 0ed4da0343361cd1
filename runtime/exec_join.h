/* SPDX-License-Identifier: MIT */
/* What it takes to join a container: its PID 1, the namespaces it has of its own, what a command in it may do. */
#ifndef RUNTIME_EXEC_JOIN_H
#define RUNTIME_EXEC_JOIN_H

#include <stdbool.h>

#include "base/err.h"
#include "runtime/container_spec.h"
#include "runtime/seccomp.h"

struct exec_request;

struct exec_join {
	int pidfd; /* of PID 1; owned */
	int namespaces; /* CLONE_NEW* of those that are not ours already */
	struct cap_sets caps;
	struct seccomp_filters filters; /* image NULL: none */
};
#define EXEC_JOIN_NONE ((struct exec_join){ .pidfd = -EBADF })
void exec_join_done(struct exec_join *join);

/**
 * exec_join_prepare() - what the container's state says, checked against the process
 * @ret: owned: exec_join_done(), also after a failure
 * Return: 0; -ESRCH/ERR_NOT_FOUND: it is not running; -EOPNOTSUPP/ERR_UNSUPPORTED: a newer racker's container; other -errno
 */
int exec_join_prepare(const struct exec_request *req, struct exec_join *ret, struct err *err);

/** exec_join_ended() - has its PID 1 ended, now or within @wait_ms milliseconds? */
bool exec_join_ended(const struct exec_join *join, int wait_ms);

#endif
