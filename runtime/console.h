/* SPDX-License-Identifier: MIT */
/* The container's pseudo-terminal, made in its own devpts. */
#ifndef RUNTIME_CONSOLE_H
#define RUNTIME_CONSOLE_H

#include <sys/types.h>

#include "base/err.h"

/**
 * console_open() - a new pty of a devpts instance
 * @pts_fd: its directory
 * Both ends come through fds, never by name (TIOCGPTPEER), so nothing in the container can stand in for them.
 * Return: 0 or -errno; both owned by the caller
 * Source: ioctl_tty(2), pts(4)
 */
int console_open(int pts_fd, int *ret_master, int *ret_slave, struct err *err);

/** console_use() - put the pty on fds 0, 1, 2; it controls nobody yet. Return: 0 or -errno */
int console_use(int slave_fd, struct err *err);

/** console_attach() - make the pty the controlling terminal and fds 0, 1, 2 of this process, a session leader; it belongs to @uid then */
int console_attach(int slave_fd, uid_t uid, struct err *err);

#endif
