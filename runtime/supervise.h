/* SPDX-License-Identifier: MIT */
/* Serving a running container: signals passed on, terminal joined, until it ends. */
#ifndef RUNTIME_SUPERVISE_H
#define RUNTIME_SUPERVISE_H

#include "runtime/detach.h"
#include "runtime/foreground.h"
#include "runtime/launch.h"
#include "runtime/monitor.h"

/** supervise_direct() - a container that uses the caller's own fds. @signal_fd: signalfd of all signals. Return: 0 or -errno */
int supervise_direct(struct container *c, int signal_fd, struct exit_info *ret, struct err *err);

/** supervise_terminal() - a container with a pty, behind its monitor. Return: 0 (also after a detach) or -errno */
int supervise_terminal(struct monitor *m, int signal_fd, bool interactive,
		       const struct detach_keys *detach, struct exit_info *ret, struct err *err);

#endif
