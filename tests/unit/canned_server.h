/* SPDX-License-Identifier: MIT */
/* A server with canned answers by path, a child of the test, on two ports (two origins); what it saw is in shared memory. */
#ifndef TESTS_UNIT_CANNED_SERVER_H
#define TESTS_UNIT_CANNED_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#define CANNED_SEEN_MAX 65536

struct canned_seen {
	char text[CANNED_SEEN_MAX]; /* all requests, one after the other, each after "@PORT-INDEX\n" */
	size_t len;
	unsigned connections;
};

extern struct canned_seen *seen;
extern unsigned canned_ports[2];

/** canned_start(), canned_stop() - run the server; its answers are in canned_server.c */
void canned_start(void);
void canned_stop(void);
/** canned_listen() - a socket on a free port of 127.0.0.1 */
int canned_listen(unsigned *ret_port);
/** canned_request_port() - which of the two ports the @n-th request came to */
int canned_request_port(int n);
/** canned_request_has() - was @text in the @n-th request? */
bool canned_request_has(int n, const char *text);

#endif
