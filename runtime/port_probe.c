// SPDX-License-Identifier: MIT
/* Whether something listens on a TCP port of a container (see port_probe.h). The socket is made by a process that has entered the network
 * namespace, and used by us. */
#include "runtime/port_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define CONNECT_MS 1000

static _Noreturn void make_sockets(int pidfd, int to)
{
	static const int families[] = { AF_INET, AF_INET6 };

	if (setns(pidfd, CLONE_NEWNET) < 0)
		_exit(1);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		int fd = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		/* Without IPv6 in the kernel one byte comes without a socket. */
		if (fd_send(to, "", 1, fd) < 0)
			_exit(1);
	}
	_exit(0);
}

/* Return: 0 with both (-EBADF: the family is not to be had) */
static int fetch_sockets(int pidfd, int ret[static 2], struct err *err)
{
	int pair[2], status = 0;
	pid_t pid;

	ret[0] = ret[1] = -EBADF;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, ERR_SYSTEM, "make a socket pair");
	pid = fork();
	if (pid == 0)
		make_sockets(pidfd, pair[1]);
	(void)close(pair[1]);
	for (int i = 0; pid > 0 && i < 2; i++) {
		char byte;

		(void)fd_recv(pair[0], &byte, 1, &ret[i]);
	}
	(void)close(pair[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return 0;
	return err_set(err, ERR_SYSTEM, -EIO, "enter the container's network");
}

static int connects(int fd, const struct sockaddr *address, socklen_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int failed = 0;
	socklen_t size = sizeof(failed);

	if (fd < 0)
		return 0;
	if (connect(fd, address, len) == 0)
		return 1;
	if (errno != EINPROGRESS || poll(&p, 1, CONNECT_MS) <= 0)
		return 0;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 && failed == 0;
}

int port_probe(int pidfd, unsigned int port, struct err *err)
{
	const struct sockaddr_in v4 = { .sin_family = AF_INET,
					.sin_port = htons((uint16_t)port),
					.sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
					 .sin6_port = htons((uint16_t)port),
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int socks[2];
	int r = fetch_sockets(pidfd, socks, err);

	if (r == 0)
		r = connects(socks[0], (const struct sockaddr *)&v4, sizeof(v4)) ||
		    connects(socks[1], (const struct sockaddr *)&v6, sizeof(v6));
	cleanup_close(&socks[0]);
	cleanup_close(&socks[1]);
	return r;
}
