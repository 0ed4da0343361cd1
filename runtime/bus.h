/* SPDX-License-Identifier: MIT */
/*
 * A D-Bus connection to an untrusted peer: authentication, calls, signals. Bounded in memory (one message of BUS_MESSAGE_MAX bytes) and
 * in time (every function that waits has a deadline, which a peer that never stops sending does not move).
 *
 * After -ECONNRESET or -EBADMSG the connection is closed for good: later calls are -ENOTCONN. After -ETIMEDOUT it stays, and the answer is
 * dropped when it comes after all; unless the peer had not even read the whole call.
 */
#ifndef RUNTIME_BUS_H
#define RUNTIME_BUS_H

#include "base/deadline.h"
#include "base/err.h"
#include "runtime/bus_message.h"

struct bus;

/* A whole message, owned. */
struct bus_message {
	uint8_t *bytes;
	struct bus_header head; /* points into bytes */
	struct bus_reader body;
};
void bus_message_done(struct bus_message *m);

/* Called for each signal, while a call waits or from bus_wait(). @head and @body are gone after it. It must not use the connection. */
typedef void (*bus_signal_fn)(void *arg, const struct bus_header *head, struct bus_reader *body);

/**
 * bus_open() - authenticate as who we are (EXTERNAL, from the socket's credentials)
 * @fd: connected, non-blocking; consumed, on failure too
 * @on_signal: NULL: signals are dropped
 * Return: 0; -EACCES/ERR_AUTH (rejected, or closed without a word), -EBADMSG/ERR_CORRUPT, -ETIMEDOUT/ERR_TIMEOUT
 * Source: D-Bus specification, "Authentication Protocol"
 */
int bus_open(int fd, bus_signal_fn on_signal, void *arg, usec_t deadline, struct bus **ret,
	     struct err *err);
void bus_free(struct bus *b);
DEFINE_AUTO_PTR(bus)

struct bus_call {
	const char *destination; /* NULL on a connection to a peer */
	const char *path, *interface, *member;
	const char *signature; /* of the body */
	const struct bus_writer *body; /* NULL: empty */
};

/**
 * bus_call() - call a method and wait for its reply; signals meanwhile go to the handler
 * @ret: bus_message_done(); NULL: only success counts
 * Return: 0; -EREMOTEIO, or what bus_error_code() knows, for an error reply, with the peer's words; -ETIMEDOUT/ERR_TIMEOUT;
 * -ECONNRESET/ERR_SYSTEM (closed by the peer); -EBADMSG/ERR_CORRUPT; -ENOTCONN; -EILSEQ/ERR_USAGE (our text is no UTF-8)
 */
int bus_call(struct bus *b, const struct bus_call *call, usec_t deadline, struct bus_message *ret,
	     struct err *err);

/** bus_wait() - until at least one signal came. Return: 1; 0 when the deadline passed (the connection stays); -errno as bus_call() */
int bus_wait(struct bus *b, usec_t deadline, struct err *err);

/** bus_fd() - to be polled for POLLIN; -EBADF once closed. Nothing read may wait inside: bus_wait() with a deadline of 0 first. */
int bus_fd(const struct bus *b);

/** bus_error_code() - negative errno for the name of an error reply; -EREMOTEIO for one without a meaning of its own */
int bus_error_code(const char *name);

#endif
