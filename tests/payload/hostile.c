// SPDX-License-Identifier: MIT
// A machine's PID 1 that is not what its manager expects: deaf, never done, noisy on the notify socket, false on systemd's bus.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "payload.h"

#define BUS_SOCKET "/run/systemd/private"
#define FLOOD_BYTES_MAX ((size_t)200 << 10)

/* Nothing but SIGKILL ends us, and children leave no zombies. */
static void be_deaf(void)
{
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_IGN);
}

static void pause_forever(void)
{
	for (;;)
		pause();
}

/* Return: a socket connected to NOTIFY_SOCKET, or -1 */
static int open_notify(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int sk = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path || sk < 0)
		return -1;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	if (connect(sk, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0) {
		printf("notify: %s\n", strerror(errno));
		close(sk);
		return -1;
	}
	return sk;
}

static void notify_ready(void)
{
	static const char text[] = "READY=1\nSTATUS=Hostile.";
	int sk = open_notify();

	if (sk >= 0 && send(sk, text, sizeof(text) - 1, MSG_NOSIGNAL) < 0)
		printf("notify: %s\n", strerror(errno));
	if (sk >= 0)
		close(sk);
}

/* ready: up, and then deaf to every signal */
static int verb_ready(char **args)
{
	(void)args;
	be_deaf();
	notify_ready();
	pause_forever();
	return 0;
}

/* comet N: N processes, each of which puts another in its place as fast as a poll allows: no list of PIDs is ever true */
static int verb_comet(char **args)
{
	int n = args[0] ? atoi(args[0]) : 100;

	be_deaf();
	for (int i = 0; i < n; i++) {
		if (fork() != 0)
			continue;
		for (;;) {
			poll(NULL, 0, 5);
			if (fork() > 0)
				_exit(0);
		}
	}
	notify_ready();
	pause_forever();
	return 0;
}

/* fill FILE [BYTES]: write until the disk is full, then be ready all the same */
static int verb_fill(char **args)
{
	static const char block[1 << 20] = { 1 };
	long long left = args[0] && args[1] ? atoll(args[1]) : 1LL << 40;
	int fd = open(args[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	be_deaf();
	while (fd >= 0 && left > 0 && write(fd, block, sizeof(block)) > 0)
		left -= (long long)sizeof(block);
	printf("filled: %s\n", strerror(errno));
	fflush(stdout);
	notify_ready();
	pause_forever();
	return 0;
}

/* Send @len bytes with as many fds as the kernel takes in one message. */
static ssize_t send_with_fds(int sk, const void *bytes, size_t len)
{
	enum { N_FDS = 253 };
	static union {
		char bytes[CMSG_SPACE(N_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	int fds[N_FDS];

	for (int i = 0; i < N_FDS; i++)
		fds[i] = sk;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	return sendmsg(sk, &message, MSG_NOSIGNAL);
}

/* notify never|ready: as much of everything but the true word as the socket takes; with ready, the word after a second of it */
static int verb_notify(char **args)
{
	static const char *const words[] = {
		"",
		"\n",
		"READY",
		"READY=",
		"READY=0",
		"READY=11",
		"XREADY=1",
		"X_READY=1\nREADY=2",
		"STATUS=\033]0;title\007\033[2J",
		"STATUS=%s%n%s",
		"ERRNO=-9223372036854775809",
		"MAINPID=1\nBUSERROR=x",
		"X_SYSTEMD_SIGNALS_LEVEL=99999999999999999999",
		"X_SYSTEMD_UNIT_ACTIVE=\xff\xfe/../..",
		"EXIT_STATUS=999",
		"FDSTORE=1\nFDNAME=x",
	};
	static char big[FLOOD_BYTES_MAX];
	bool ready = args[0] && !strcmp(args[0], "ready");
	int sk = open_notify(), size = (int)sizeof(big);

	be_deaf();
	memset(big, 'A', sizeof(big));
	memcpy(big, "STATUS=", 7);
	memcpy(big + sizeof(big) - 9, "\nREADY=1\n", 9);
	if (sk >= 0)
		setsockopt(sk, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	/* About a second: each wait is for a full queue. */
	for (unsigned i = 0; sk >= 0 && (!ready || i < 20000); i++) {
		const char *word = words[i % (sizeof(words) / sizeof(words[0]))];

		if (i % 7 == 0)
			(void)send_with_fds(sk, word, strlen(word));
		else if (i % 5 == 0)
			(void)send(sk, big, sizeof(big), MSG_NOSIGNAL);
		else
			(void)send(sk, word, strlen(word), MSG_NOSIGNAL);
	}
	notify_ready();
	pause_forever();
	return 0;
}

/* ---- systemd's private bus --------------------------------------------------------------------------------------------- */

static bool say(int sk, const void *bytes, size_t len)
{
	return send(sk, bytes, len, MSG_NOSIGNAL) >= 0;
}

/* The server's half of EXTERNAL, well done (D-Bus specification, "Authentication Protocol"). */
static void authenticate(int sk)
{
	static const char answer[] =
		"DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n";
	char question[4096];

	if (recv(sk, question, sizeof(question), 0) > 0)
		(void)say(sk, answer, sizeof(answer) - 1);
}

/* A well-formed signal a.b.C of object "/" without a body. */
static const unsigned char signal_message[64] = {
	'l', 4,	  1,   1, 0,  0, 0, 0,
	1,   0,	  0,   0, 42, 0, 0, 0, /* header: body length, serial, bytes of fields */
	1,   1,	  'o', 0, 1,  0, 0, 0,
	'/', 0,	  0,   0, 0,  0, 0, 0, /* path */
	2,   1,	  's', 0, 3,  0, 0, 0,
	'a', '.', 'b', 0, 0,  0, 0, 0, /* interface */
	3,   1,	  's', 0, 1,  0, 0, 0,
	'C', 0,	  0,   0, 0,  0, 0, 0, /* member */
};

static void bus_mute(int sk)
{
	(void)sk;
	pause_forever();
}

static void bus_hangup(int sk)
{
	(void)sk;
}

static void bus_garbage(int sk)
{
	unsigned char bytes[4096];
	uint32_t x = 1;

	do {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			x = x * 1664525u + 1013904223u;
			bytes[i] = (unsigned char)(x >> 24);
		}
	} while (say(sk, bytes, sizeof(bytes)));
}

/* The right answer, a byte every half second. */
static void bus_drip(int sk)
{
	static const char answer[] = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";

	for (size_t i = 0; i < sizeof(answer) - 1 && say(sk, answer + i, 1); i++)
		poll(NULL, 0, 500);
	pause_forever();
}

/* A line of the authentication that never ends. */
static void bus_line(int sk)
{
	static const char text[] = "OK 0123456789abcdef";

	while (say(sk, text, sizeof(text) - 1))
		;
}

static void bus_auth(int sk)
{
	authenticate(sk);
	pause_forever();
}

/* A message whose header promises two gigabytes of fields and as many of body. */
static void bus_huge(int sk)
{
	static const unsigned char header[16] = { 'l',	2,    1,    1, 0xff, 0xff, 0xff, 0x7f,
						  0x02, 0x00, 0x00, 0, 0xff, 0xff, 0xff, 0x7f };

	authenticate(sk);
	(void)say(sk, header, sizeof(header));
	while (say(sk, signal_message, sizeof(signal_message)))
		;
}

/* Good messages without end, none of them an answer. */
static void bus_signals(int sk)
{
	authenticate(sk);
	while (say(sk, signal_message, sizeof(signal_message)))
		;
}

static void bus_fds(int sk)
{
	authenticate(sk);
	while (send_with_fds(sk, signal_message, sizeof(signal_message)) >= 0)
		;
}

static const struct {
	const char *name;
	void (*serve)(int sk);
} bus_modes[] = {
	{ "auth", bus_auth },	    { "drip", bus_drip },     { "fds", bus_fds },
	{ "garbage", bus_garbage }, { "hangup", bus_hangup }, { "huge", bus_huge },
	{ "line", bus_line },	    { "mute", bus_mute },     { "signals", bus_signals },
};

/* bus MODE: ready, and on systemd's private socket what MODE says */
static int verb_bus(char **args)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = BUS_SOCKET };
	int sk = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	void (*serve)(int) = NULL;

	for (size_t i = 0; i < sizeof(bus_modes) / sizeof(bus_modes[0]); i++)
		if (args[0] && !strcmp(args[0], bus_modes[i].name))
			serve = bus_modes[i].serve;
	mkdir("/run/systemd", 0755);
	if (!serve || sk < 0 || bind(sk, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(sk, 64) < 0) {
		printf("bus: %s\n", strerror(errno));
		return 2;
	}
	be_deaf();
	notify_ready();
	for (;;) {
		int client = accept4(sk, NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0 && fork() == 0) {
			serve(client);
			_exit(0);
		}
		if (client >= 0)
			close(client);
	}
}

const struct verb hostile_verbs[] = {
	{ "bus", verb_bus },	   { "comet", verb_comet }, { "fill", verb_fill },
	{ "notify", verb_notify }, { "ready", verb_ready },
};
const size_t n_hostile_verbs = sizeof(hostile_verbs) / sizeof(hostile_verbs[0]);
