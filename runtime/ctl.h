/* SPDX-License-Identifier: MIT */
/* What a starting container and its parent tell each other: the pty, a machine's readiness socket, or one error; go. One message each over a SOCK_SEQPACKET pair. */
#ifndef RUNTIME_CTL_H
#define RUNTIME_CTL_H

#include <stdint.h>

#include "base/err.h"

/*
 * The child's end is close-on-exec: end of file without an error means that the command was executed. The same with a dead child
 * means that it crashed; in which stage stands in memory that both share (it would be a dozen messages, each waking the parent).
 */
enum ctl_type {
	CTL_ERROR, /* the start failed; @err says why. The child exits after it. */
	CTL_PTY, /* the master end comes with it */
	CTL_NOTIFY, /* a machine's readiness socket comes with it */
	CTL_MAPPED, /* parent to child: the user namespace has its maps */
	CTL_GO, /* parent to child: execute the command now */
	CTL_JOINED, /* from the stub: the command's process has been made; @stage is its number */
	CTL_EXEC_FAILED, /* from the stub: execve(2) failed with -err.code */
};

struct ctl_msg {
	uint32_t type;
	uint32_t stage;
	struct err err;
};

/** ctl_pair() - both ends close-on-exec. Return: 0 or -errno */
int ctl_pair(int ret_fds[static 2], struct err *err);
/** ctl_send() - @fd travels along, or -1. Return: 0 or -errno */
int ctl_send(int sock, const struct ctl_msg *msg, int fd);
/** ctl_recv() - Return: 1 with a message (@ret_fd: -EBADF or an fd, owned), 0 at end of file, -errno, -EBADMSG for a message of the wrong size */
int ctl_recv(int sock, struct ctl_msg *ret, int *ret_fd);

#endif
