// SPDX-License-Identifier: MIT
/* A D-Bus peer for tests (see fake_peer.h). */
#include "tests/unit/fake_peer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

static void give_up(const char *what)
{
	(void)fprintf(stderr, "fake peer: %s: %s\n", what, strerror(errno));
	_exit(1);
}

struct fake_peer fake_peer_start(void (*serve)(int fd, void *arg), void *arg)
{
	struct fake_peer p = { .pid = -1, .fd = -1 };
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		give_up("socketpair");
	(void)fflush(NULL);
	p.pid = fork();
	if (p.pid < 0)
		give_up("fork");
	if (p.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(s[0]);
		serve(s[1], arg);
		_exit(0);
	}
	(void)close(s[1]);
	(void)fd_set_nonblock(s[0], true);
	p.fd = s[0];
	return p;
}

void fake_peer_end(struct fake_peer *p)
{
	(void)kill(p->pid, SIGKILL);
	(void)waitpid(p->pid, NULL, 0);
	p->pid = -1;
}

void fake_peer_write(int fd, const void *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0)
			_exit(0);
		bytes = (const char *)bytes + n;
		len -= (size_t)n;
	}
}

void fake_peer_auth(int fd)
{
	static const char answer[] =
		"DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n";
	static const char wanted[] = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";
	char lines[sizeof(wanted) - 1];

	if (fd_read_full(fd, lines, sizeof(lines)) != (ssize_t)sizeof(lines) ||
	    memcmp(lines, wanted, sizeof(lines)) != 0)
		give_up("authentication");
	fake_peer_write(fd, answer, sizeof(answer) - 1);
}

/* The fds come with the first byte. Return: false at the end of file */
static bool read_first(int fd, struct fake_call *call)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * BUS_FDS_MAX)];
	} control;
	struct iovec iov = { .iov_base = call->bytes, .iov_len = BUS_FIXED_HEADER };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, MSG_WAITALL | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (c) {
		call->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(call->fds, CMSG_DATA(c), call->n_fds * sizeof(int));
	}
	return n == BUS_FIXED_HEADER;
}

bool fake_peer_read(int fd, struct fake_call *ret)
{
	size_t size;

	ret->n_fds = 0;
	if (!read_first(fd, ret))
		return false;
	if (bus_message_size(ret->bytes, &size) < 0 || size > sizeof(ret->bytes))
		give_up("size of a call");
	if (fd_read_full(fd, ret->bytes + BUS_FIXED_HEADER, size - BUS_FIXED_HEADER) < 0)
		give_up("read a call");
	if (bus_message_parse(ret->bytes, size, &ret->head, &ret->body) < 0)
		give_up("parse a call");
	return true;
}

static void send_message(int fd, const struct bus_header *head, const struct bus_writer *body)
{
	const struct bus_writer empty = BUS_WRITER_INIT;
	struct strbuf bytes = { 0 };

	if (bus_message_seal(head, body ? body : &empty, &bytes) < 0)
		give_up("write a message");
	fake_peer_write(fd, bytes.text, bytes.len);
	strbuf_done(&bytes);
}

void fake_peer_reply(int fd, uint32_t serial, const char *error, const char *signature,
		     const struct bus_writer *body)
{
	struct bus_header head = { .type = error ? BUS_ERROR : BUS_REPLY,
				   .serial = 1,
				   .reply_serial = serial,
				   .error = error,
				   .signature = signature };

	send_message(fd, &head, body);
}

void fake_peer_signal(int fd, const char *path, const char *interface, const char *member,
		      const char *signature, const struct bus_writer *body)
{
	struct bus_header head = { .type = BUS_SIGNAL,
				   .serial = 1,
				   .path = path,
				   .interface = interface,
				   .member = member,
				   .signature = signature };

	send_message(fd, &head, body);
}
