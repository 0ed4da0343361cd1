// SPDX-License-Identifier: MIT
/* See canned_server.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/canned_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct canned_seen *seen;
unsigned canned_ports[2];
static pid_t server;

int canned_listen(unsigned *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void say(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void redirect(int fd, const char *location)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       "HTTP/1.1 307 Go\r\nLocation: %s\r\nContent-Length: 5\r\n\r\nthere",
		       location);
	say(fd, text);
}

static void redirect_to(int fd, const char *scheme, int port, const char *path)
{
	char url[256];

	(void)snprintf(url, sizeof(url), "%s127.0.0.1:%u%s", scheme, canned_ports[port], path);
	redirect(fd, url);
}

static void flood(int fd, const char *start, const char *filler)
{
	say(fd, start);
	while (send(fd, filler, strlen(filler), MSG_NOSIGNAL) > 0)
		;
}

/* Answers a request for @path. Return: false to close the connection. */
static bool answer(int fd, const char *path)
{
	static const struct {
		const char *path, *answer;
		bool keep;
	} canned[] = {
		{ "/ok",
		  "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=x\r\nContent-Length: 5\r\n"
		  "Docker-Content-Digest: sha256:ab\r\nWarning: 299 - \"old\"\r\n\r\nhello",
		  true },
		{ "/early",
		  "HTTP/1.1 103 Hints\r\nContent-Type: early/hint\r\n\r\n"
		  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		  true },
		{ "/401",
		  "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"a\"\r\n"
		  "www-authenticate: Bearer realm=\"b\"\r\nRetry-After: 3\r\n"
		  "Content-Length: 4\r\n\r\nwhy?",
		  true },
		{ "/short", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", false },
		{ "/chunks",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		  true },
		{ "/chunks-short",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n9\r\nwor",
		  false },
		{ "/told-big", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello", false },
		{ "/nothing", "", false },
		{ "/garbage", "\x16\x03\x01 what is this\r\n\r\n", false },
		{ "/302-bare", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", true },
		{ "/206", "HTTP/1.1 206 Part\r\nContent-Length: 3\r\n\r\nllo", true },
	};

	for (size_t i = 0; i < sizeof(canned) / sizeof(canned[0]); i++)
		if (strcmp(path, canned[i].path) == 0) {
			say(fd, canned[i].answer);
			return canned[i].keep;
		}
	if (strcmp(path, "/flood") == 0)
		flood(fd, "HTTP/1.1 200 OK\r\n\r\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	else if (strcmp(path, "/flood-error") == 0)
		flood(fd, "HTTP/1.1 500 Oops\r\n\r\n", "0123456789abcdef0123456789abcdef");
	else if (strcmp(path, "/flood-headers") == 0)
		flood(fd, "HTTP/1.1 200 OK\r\n", "X-Filler: 0123456789abcdef0123456789abcdef\r\n");
	else if (strcmp(path, "/relative") == 0)
		redirect(fd, "../ok");
	else if (strcmp(path, "/away") == 0)
		redirect_to(fd, "http://", 1, "/ok");
	else if (strcmp(path, "/away-and-back") == 0)
		redirect_to(fd, "http://", 1, "/back");
	else if (strcmp(path, "/back") == 0)
		redirect_to(fd, "http://", 0, "/ok");
	else if (strcmp(path, "/user") == 0)
		redirect_to(fd, "http://me:secret@", 1, "/ok");
	else if (strcmp(path, "/loop") == 0)
		redirect(fd, "/loop");
	else if (strcmp(path, "/to-file") == 0)
		redirect(fd, "file:///etc/passwd");
	else if (strcmp(path, "/to-ftp") == 0)
		redirect(fd, "ftp://127.0.0.1/x");
	else if (strcmp(path, "/to-evil") == 0)
		redirect(fd, "http://a\x1b[31m\\@b/");
	else
		say(fd, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
	return strncmp(path, "/flood", 6) != 0;
}

static void serve_connection(int fd, int index)
{
	char buf[65536], path[256];
	size_t len = 0;

	__atomic_add_fetch(&seen->connections, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		ssize_t n = recv(fd, buf + len, sizeof(buf) - 1 - len, 0);
		char *end;

		if (n <= 0)
			return;
		len += (size_t)n;
		buf[len] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (!end) {
			if (buf[0] == 0x16)
				return; /* a TLS greeting */
			continue;
		}
		seen->len += (size_t)snprintf(seen->text + seen->len, CANNED_SEEN_MAX - seen->len,
					      "@%d\n%s", index, buf);
		if (strstr(buf, "/hang "))
			(void)pause();
		if (sscanf(buf, "%*s %255[^ ?]", path) != 1 || !answer(fd, path))
			return;
		len = 0;
	}
}

static void serve(const int *fds)
{
	struct pollfd p[2] = { { .fd = fds[0], .events = POLLIN },
			       { .fd = fds[1], .events = POLLIN } };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		(void)poll(p, 2, -1);
		for (int i = 0; i < 2; i++) {
			int fd = p[i].revents ? accept(fds[i], NULL, NULL) : -1;

			if (fd >= 0 && fork() == 0) {
				(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
				serve_connection(fd, i);
				_exit(0);
			}
			(void)close(fd);
		}
	}
}

void canned_start(void)
{
	int fds[2];

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(seen != MAP_FAILED);
	for (int i = 0; i < 2; i++)
		fds[i] = canned_listen(&canned_ports[i]);
	server = fork();
	if (server == 0) {
		serve(fds);
		_exit(0);
	}
	(void)close(fds[0]);
	(void)close(fds[1]);
}

void canned_stop(void)
{
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	(void)munmap(seen, sizeof(*seen));
}

static const char *request_at(int n)
{
	const char *p = seen->text;

	while (n-- > 0 && p)
		p = strchr(p + 1, '@');
	assert_non_null(p);
	return p;
}

int canned_request_port(int n)
{
	return request_at(n)[1] - '0';
}

bool canned_request_has(int n, const char *text)
{
	const char *from = request_at(n), *found = strstr(from, text);
	const char *end = strchr(from + 1, '@');

	return found && (!end || found < end);
}
