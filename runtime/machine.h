/* SPDX-License-Identifier: MIT */
/*
 * A booted machine as the racker that started it sees it. The machine's parent is a monitor process of its own, which holds cgroup, name,
 * console and readiness socket and boots it again when it reboots; it lives as long as the machine does.
 */
#ifndef RUNTIME_MACHINE_H
#define RUNTIME_MACHINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "runtime/foreground.h"
#include "runtime/notify.h"

#define MACHINE_TAIL_MAX 2048

struct machine {
	int sock; /* to the monitor, owned; readable: machine_next() */
	pid_t monitor;
	pid_t pid; /* of PID 1, in our PID namespace; 0 between two boots */
	int pidfd; /* of PID 1; owned */
	int console; /* master end of its console; owned */
	unsigned int boots; /* how often it was started */
	struct notify notify; /* what PID 1 has told in this boot */
	bool ended;
	struct exit_info exit; /* once it has ended; a power-off is exit code 0 */
	char tail[MACHINE_TAIL_MAX]; /* the last that it wrote to its console; once it has ended */
	void (*show)(
		void *arg, const char *text,
		size_t len); /* takes what it writes to its console while machine_wait() waits; NULL: nobody */
	void *show_arg;
};
#define MACHINE_NONE \
	((struct machine){ .sock = -EBADF, .monitor = -1, .pidfd = -EBADF, .console = -EBADF })

/**
 * machine_start() - fork the monitor and have it boot; returns when the machine's init has been executed
 * @req: its spec has a boot_spec
 * Return: 0; -EEXIST/ERR_CONFLICT for a name in use; ERR_NO_INIT; the error of the stage that failed. After a failure nothing is left.
 */
int machine_start(const struct foreground_request *req, struct machine *ret, struct err *err);

/** machine_next() - take one message of the monitor into @m; blocks until there is one. Return: 0 or -errno (the monitor was killed) */
int machine_next(struct machine *m, struct err *err);

enum machine_wait { MACHINE_WAIT_READY, MACHINE_WAIT_BASIC, MACHINE_WAIT_NONE };
/**
 * machine_wait() - until the machine has come up
 * @signal_fd: signalfd; INT, TERM, HUP and QUIT end the wait
 * Return: 0 (also when the machine has ended: m->ended); -EINTR/ERR_INTERRUPTED with *ret_signal; -ETIMEDOUT/ERR_TIMEOUT; other -errno
 */
int machine_wait(struct machine *m, enum machine_wait what, usec_t deadline, int signal_fd,
		 int *ret_signal, struct err *err);

/** machine_wait_end() - until it has ended or @deadline has passed (then m->ended is false). Return: 0 or -errno */
int machine_wait_end(struct machine *m, usec_t deadline, struct err *err);

/** machine_take_console() - from now on (true) the caller reads m->console, and not the monitor */
void machine_take_console(struct machine *m, bool take);
/** machine_kill() - end it now; its name is free when this returns, while the monitor clears up behind us. Return: 0 or -errno */
int machine_kill(struct machine *m, struct err *err);
/** machine_detach() - let it go on without us. Return: 0 or -errno */
int machine_detach(struct machine *m, struct err *err);
/** machine_done() - close the fds. A machine that was neither ended nor detached from ends. */
void machine_done(struct machine *m);

#endif
