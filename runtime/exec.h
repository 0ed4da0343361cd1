/* SPDX-License-Identifier: MIT */
/* A command in a container that runs: joined from outside, in a cgroup of its own inside the container's. */
#ifndef RUNTIME_EXEC_H
#define RUNTIME_EXEC_H

#include <stdbool.h>

#include "runtime/cgroup_leaf.h"
#include "runtime/foreground.h"
#include "runtime/launch.h"
#include "runtime/state.h"

struct exec_request {
	const struct container_state *container; /* as state_find() gave it */
	const char *cache_dir; /* compiled system call filters are kept here */
	char *const *argv; /* exact; argv[0] is looked up inside */
	char *const *env; /* of the command, without HOME and TERM: exec_env() */
	const char *workdir; /* absolute; NULL or "": the container's */
	const char *user; /* as in a container_spec; NULL or "": the container's */
	const char *detach_keys; /* docker's notation; NULL or "": none */
	bool tty, interactive;
	bool detach; /* go on in the background; stdin, stdout and stderr are the null device, or a terminal nobody looks at */
};

/**
 * exec_run() - execute the command, serve it (signals, terminal) and wait for it
 * It has the container's capabilities and system call policy, and dies when the caller is killed, unless detached from.
 * @signal_fd: signalfd of all signals, which are blocked; INT, TERM, HUP and QUIT end a start that hangs
 * Return: 0 with how it ended; -ESRCH/ERR_NOT_FOUND: the container is not running; ERR_EXEC_NOT_FOUND; ERR_EXEC_DENIED (also for an unknown
 * user and a bad working directory); -EINTR/ERR_INTERRUPTED; other -errno
 */
int exec_run(const struct exec_request *req, int signal_fd, struct exit_info *ret, struct err *err);

/* A command that was started: its own process is a child of the caller. */
struct exec_process {
	struct container c; /* of the command: not PID 1, and killed or reaped alone */
	struct cgroup_leaf leaf;
};
#define EXEC_PROCESS_NONE ((struct exec_process){ .c = CONTAINER_NONE, .leaf = CGROUP_LEAF_NONE })

/** exec_start() - the first half of exec_run(): returns when the command has been executed; *ret is owned: exec_process_done() */
int exec_start(const struct exec_request *req, int signal_fd, struct exec_process *ret,
	       struct err *err);
/** exec_process_done() - close the fds, remove the cgroup if it is empty; the process has been waited for by container_wait() */
void exec_process_done(struct exec_process *p);

/**
 * exec_env() - the container's environment with changes
 * @changes: NAME=VALUE, or NAME for the caller's own value (unset there: removed)
 * @tty: TERM is xterm unless @changes say otherwise
 * Return: 0 with *ret owned, or -ENOMEM
 */
int exec_env(const struct container_state *container, char *const *changes, bool tty, char ***ret);

#endif
