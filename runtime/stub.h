/* SPDX-License-Identifier: MIT */
/* The stub program (runtime/stub/stub.c) as racker carries it inside, and how it is called. */
#ifndef RUNTIME_STUB_H
#define RUNTIME_STUB_H

#include <stdbool.h>

#include "base/err.h"

#define STUB_CTL_FD 3
#define STUB_PLAIN "-"
#define STUB_INIT "init"
#define STUB_JOIN "join"
#define STUB_TTY ",tty"

/**
 * stub_place() - put the program into a private directory
 * @dir_fd: of the container alone: what a container does to its copy harms nobody else
 * Return: O_PATH fd to execute it by, owned by the caller; -errno
 */
int stub_place(int dir_fd, struct err *err);

/**
 * stub_in_memory() - the same in memory that nobody can write to any more, for a command that joins a container
 * Return: fd to execute it by, owned by the caller; -errno
 * Source: memfd_create(2), fcntl(2) "File Sealing"
 */
int stub_in_memory(struct err *err);

struct stub_command {
	const char *path; /* what execve(2) is to be given */
	char *const *argv, *const *env;
	bool init; /* stay as PID 1 */
	bool join; /* the command is a new process, in the PID namespace that setns(2) has chosen for children; CTL_JOINED tells which */
	bool tty; /* hand the terminal's foreground (init) or the terminal (join) to the command */
};

/**
 * stub_exec() - become the stub, which executes the command; returns only on failure
 * @stub_fd: from stub_place() or stub_in_memory(); @ctl_fd: the control socket. All signals have to be blocked.
 * Source: execveat(2)
 */
int stub_exec(int stub_fd, int ctl_fd, const struct stub_command *cmd, struct err *err);

#endif
