/* SPDX-License-Identifier: MIT */
/* Connecting to a unix socket inside a running machine, so that its owner sees a peer of the machine. */
#ifndef RUNTIME_BUS_CONNECT_H
#define RUNTIME_BUS_CONNECT_H

#include <sys/types.h>

#include "base/deadline.h"
#include "base/err.h"

/**
 * bus_connect() - connect to @path, a stream socket on which the machine's PID 1 itself listens
 * @leader: the machine's PID 1 in our PID namespace
 * @pidfd:  of the same process (borrowed)
 * @path:   as seen inside; symlinks on the way are followed as PID 1 would, never out of its root
 * @ret_fd: owned, non-blocking
 * systemd takes a peer for privileged when that is root of the machine's own PID and user namespace at the time of the connect, so a
 * short-lived child connects (see bus_connect.c). Single-threaded callers only.
 * Return: 0; -ESRCH/ERR_NOT_FOUND (the machine has ended), -ENOENT/ERR_NOT_FOUND (no such path), -ECONNREFUSED/ERR_NOT_FOUND (nobody
 * listens), -EAGAIN/ERR_TIMEOUT (its backlog is full), -ENOTSOCK or -EACCES/ERR_CORRUPT (no socket, or not one of PID 1), -ETIMEDOUT
 */
int bus_connect(pid_t leader, int pidfd, const char *path, usec_t deadline, int *ret_fd,
		struct err *err);

#endif
