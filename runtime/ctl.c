// SPDX-License-Identifier: MIT
/* What a starting container tells its parent (see ctl.h). */
#include "runtime/ctl.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

int ctl_pair(int ret_fds[static 2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return err_sys(err, ERR_SYSTEM, "make the control socket");
	return 0;
}

int ctl_send(int sock, const struct ctl_msg *msg, int fd)
{
	ssize_t n = fd_send(sock, msg, sizeof(*msg), fd);

	return n < 0 ? (int)n : 0;
}

int ctl_recv(int sock, struct ctl_msg *ret, int *ret_fd)
{
	AUTO_CLOSE int fd = -EBADF;
	struct ctl_msg msg;
	ssize_t n = fd_recv(sock, &msg, sizeof(msg), &fd);

	/* The peer went without reading all that we sent. What it had sent before is still there behind this report. */
	if (n == -ECONNRESET)
		n = fd_recv(sock, &msg, sizeof(msg), &fd);
	if (n <= 0)
		return (int)n;
	if ((size_t)n != sizeof(msg))
		return -EBADMSG;
	/* The child shares our memory image, yet it has read the image's files: its text must end. */
	msg.err.msg[ERR_MSG_MAX - 1] = '\0';
	*ret = msg;
	*ret_fd = MOVE_FD(fd);
	return 1;
}
