/* SPDX-License-Identifier: MIT */
/* The other end of a D-Bus connection, in a child process: honest or not, as the test wants it. */
#ifndef TESTS_UNIT_FAKE_PEER_H
#define TESTS_UNIT_FAKE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/bus_message.h"

struct fake_peer {
	pid_t pid;
	int fd; /* the test's end, non-blocking */
};

/* fake_peer_start() - fork a child that runs @serve with the other end, and then ends. The test asserts that it came so far. */
struct fake_peer fake_peer_start(void (*serve)(int fd, void *arg), void *arg);
/* fake_peer_end() - kill and reap it; the test's end belongs to the bus by then */
void fake_peer_end(struct fake_peer *p);

/* In the child: what goes wrong there ends it with a message. */

/* fake_peer_write() - all of it; a test that has closed its end ends the child */
void fake_peer_write(int fd, const void *bytes, size_t len);
/* fake_peer_auth() - read the client's lines, answer as systemd does */
void fake_peer_auth(int fd);

struct fake_call {
	struct bus_header head;
	struct bus_reader body;
	int fds[BUS_FDS_MAX];
	size_t n_fds;
	uint8_t bytes[65536];
};
/* fake_peer_read() - the next call. Return: false at the end of file */
bool fake_peer_read(int fd, struct fake_call *ret);
/* fake_peer_reply() - @type is BUS_REPLY or BUS_ERROR; @error its name; @body may be NULL */
void fake_peer_reply(int fd, uint32_t serial, const char *error, const char *signature,
		     const struct bus_writer *body);
void fake_peer_signal(int fd, const char *path, const char *interface, const char *member,
		      const char *signature, const struct bus_writer *body);

#endif
