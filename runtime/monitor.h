/* SPDX-License-Identifier: MIT */
/*
 * The process between a terminal and its container. It is the container's parent, so that the container can outlive the racker that a
 * user detached from; it owns the container's cgroup and state file and gives them up when the container has ended.
 */
#ifndef RUNTIME_MONITOR_H
#define RUNTIME_MONITOR_H

#include "runtime/foreground.h"
#include "runtime/launch.h"

struct monitor {
	int sock; /* owned; readable: monitor_next() */
	int pidfd; /* of the container's PID 1; owned */
	int pty; /* master end; owned */
	pid_t pid; /* of the monitor */
};
#define MONITOR_NONE ((struct monitor){ .sock = -EBADF, .pidfd = -EBADF, .pty = -EBADF })

/* What it is there for. */
struct monitor_job {
	int (*launch)(void *arg, struct container *ret,
		      struct err *err); /* as container_launch() */
	/* Gives up cgroup and state; called in the monitor when the container has ended, or failed to start. */
	void (*release)(void *arg);
	void *arg;
};

/** monitor_start() - fork it and have it launch the container. Return: 0; what the job's launch returned */
int monitor_start(const struct monitor_job *job, struct monitor *ret, struct err *err);
/** monitor_wait_exit() - Return: 0 with how the container ended; -EIO when the monitor died first (the caller has to release then) */
int monitor_wait_exit(struct monitor *m, struct exit_info *ret, struct err *err);
/** monitor_detach() - let the container go on without us */
int monitor_detach(struct monitor *m, struct err *err);
/** monitor_done() - close the fds and reap the monitor if it has ended. Without monitor_detach() before, it ends the container. */
void monitor_done(struct monitor *m);

/** monitor_drop_surroundings() - a process that outlives racker holds neither its terminal, nor a pipe that somebody may wait for, nor a
 *  directory that somebody may unmount */
void monitor_drop_surroundings(void);

#endif
