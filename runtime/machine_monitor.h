/* SPDX-License-Identifier: MIT */
/* The process that is a booted machine's parent, and what it and the racker that started it tell each other. */
#ifndef RUNTIME_MACHINE_MONITOR_H
#define RUNTIME_MACHINE_MONITOR_H

#include <stdint.h>

#include "runtime/launch.h"
#include "runtime/machine.h"
#include "runtime/resources.h"

/*
 * One message each over a SOCK_SEQPACKET pair. End of file from racker without DETACH means that it was killed: the machine ends.
 * Monitor to racker, and what comes along:
 */
enum machine_msg_type {
	MACHINE_MSG_STARTED, /* pid; fd: pidfd */
	MACHINE_MSG_CONSOLE, /* fd: master end; always after STARTED */
	MACHINE_MSG_TOLD, /* notify */
	MACHINE_MSG_REBOOT, /* PID 1 has ended and will be started again */
	MACHINE_MSG_ENDED, /* exit, tail; the last message */
	MACHINE_MSG_FAILED, /* err; the last message */
	/* racker to monitor */
	MACHINE_MSG_TAKE, /* racker reads the console from now on */
	MACHINE_MSG_GIVE, /* it does not any more */
	MACHINE_MSG_DETACH, /* go on without racker */
	MACHINE_MSG_KILL, /* end the machine now, and say ENDED before clearing up */
};

struct machine_msg {
	uint32_t type;
	pid_t pid;
	struct exit_info exit;
	struct notify notify;
	union {
		struct err err;
		char tail[MACHINE_TAIL_MAX];
	};
};

/** machine_monitor() - boot the machine and serve it to its end. @launch: @res is its cgroup's owner; @sock: owned */
_Noreturn void machine_monitor(const struct launch_request *launch, struct resources *res,
			       int sock);

#endif
