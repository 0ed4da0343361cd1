/* SPDX-License-Identifier: MIT */
/* What a machine's PID 1 tells over its NOTIFY_SOCKET: sd_notify(3), systemd(1) "Readiness". The guest is not trusted. */
#ifndef RUNTIME_NOTIFY_H
#define RUNTIME_NOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct notify {
	bool ready; /* READY=1: the default target is reached */
	bool basic; /* basic.target is (X_SYSTEMD_UNIT_ACTIVE, systemd 254 and newer) */
	bool stopping; /* STOPPING=1, or X_SYSTEMD_SHUTDOWN= */
};

/** notify_parse() - take one message into @n; what is not understood is passed over */
void notify_parse(struct notify *n, const char *text, size_t len);

/**
 * notify_receive() - take all messages that wait on the (non-blocking) socket, at most a hundred at once
 * @pid: of the machine's PID 1; what others send is dropped, and so is every fd that comes along
 * Return: true when something was said by PID 1
 */
bool notify_receive(int sock, pid_t pid, struct notify *n);

#endif
