/* SPDX-License-Identifier: MIT */
/* The parent's half of a start: clone into namespaces and cgroup, follow the stages, know when the command runs. */
#ifndef RUNTIME_LAUNCH_H
#define RUNTIME_LAUNCH_H

#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "runtime/cgroup.h"
#include "runtime/container_spec.h"
#include "runtime/seccomp.h"

struct launch_request {
	const struct container_spec *spec;
	const struct cgroup *cgroup; /* CGROUP_NONE: stay in the caller's */
	uint64_t caps; /* what a container can be given at most (caps_read_bounding()) */
	const struct seccomp_filters *filters; /* NULL: none */
	const struct winsize *winsize; /* NULL: unknown */
	const char *scratch_dir; /* see rootfs_mount() */
	int root_ns_fd; /* see rootfs_mount() */
	uint32_t userns_base; /* of spec->userns: what 0 inside is outside */
	/* What the caller has to do before the command may run, done while the child mounts. May be NULL. Return: 0 or -errno */
	int (*beside)(void *arg, pid_t pid, struct err *err);
	void (*started)(void *arg); /* the command has been executed; may be NULL */
	void *beside_arg; /* of both */
};

struct container {
	pid_t pid; /* PID 1 of the container, in our PID namespace */
	int pidfd; /* owned */
	int pty; /* master end, owned; -EBADF without a terminal */
	int notify; /* a machine's readiness socket, owned; -EBADF for a command */
};

#define CONTAINER_NONE ((struct container){ .pidfd = -EBADF, .pty = -EBADF, .notify = -EBADF })

/**
 * container_launch() - start; returns when the command has been executed
 * Return: 0; ERR_EXEC_NOT_FOUND, ERR_EXEC_DENIED, or the error of the stage that failed. After a failure no process is left; the cgroup
 * stays the caller's to remove.
 */
int container_launch(const struct launch_request *req, struct container *ret, struct err *err);

/** container_wait() - reap the container's PID 1. Return: wait status as waitpid(2) gives it, or -errno */
int container_wait(struct container *c);
/** container_kill() - end every process of the container now (the PID namespace goes with its PID 1) */
void container_kill(const struct container *c);
/** container_done() - close the fds; no process is touched */
void container_done(struct container *c);

#endif
