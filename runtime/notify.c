// SPDX-License-Identifier: MIT
/* What a machine's PID 1 tells over its NOTIFY_SOCKET (see notify.h). */
#include "runtime/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MESSAGE_MAX 4096 /* sd_notify(3) sends less; what is longer is cut */
#define MESSAGES_AT_ONCE 100

static bool starts(const char *line, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(line, with, n) == 0;
}

static bool is(const char *line, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(line, want, len) == 0;
}

static void take_line(struct notify *n, const char *line, size_t len)
{
	if (is(line, len, "READY=1"))
		n->ready = true;
	else if (is(line, len, "STOPPING=1") || starts(line, len, "X_SYSTEMD_SHUTDOWN="))
		n->stopping = true;
	else if (is(line, len, "X_SYSTEMD_UNIT_ACTIVE=basic.target"))
		n->basic = true;
}

void notify_parse(struct notify *n, const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		take_line(n, text, line);
		text += line;
		len -= line;
		if (len > 0) {
			text++;
			len--;
		}
	}
}

/* Room for the sender's credentials and nothing else: the kernel drops fds that find no room. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred))];
};

static pid_t sender(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	struct ucred creds;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
	    c->cmsg_len != CMSG_LEN(sizeof(creds)))
		return 0;
	memcpy(&creds, CMSG_DATA(c), sizeof(creds));
	return creds.pid;
}

bool notify_receive(int sock, pid_t pid, struct notify *n)
{
	bool any = false;

	for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
		union control control = { 0 };
		char text[MESSAGE_MAX];
		struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = &control,
				      .msg_controllen = sizeof(control) };
		ssize_t len = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			break;
		if (sender(&msg) != pid)
			continue;
		notify_parse(n, text, (size_t)len);
		any = true;
	}
	return any;
}
