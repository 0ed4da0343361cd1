// SPDX-License-Identifier: MIT
/*
 * A D-Bus connection (see bus.h).
 *
 * Bytes come into one buffer that grows as they arrive, never by what a header announces. A message is looked at where it lies; the
 * reply that a call waits for is copied out, all else is dropped after the signal handler has seen it. Descriptors that a peer sends
 * along are never taken: without room for control messages the kernel closes them.
 */
#include "runtime/bus.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/quote.h"

#define READ_SIZE ((size_t)16 << 10)
#define KEEP_SIZE ((size_t)256 << 10) /* a larger buffer is given back once it is empty */
#define AUTH_MAX 1024 /* bytes of all authentication lines; they have about 60 */

struct bus {
	int fd;
	uint32_t serial;
	bus_signal_fn on_signal;
	void *arg;
	uint8_t *bytes;
	size_t begin, end, cap; /* what was read and not used yet is from begin to end */
};

/* In one write: systemd up to 252 stalls when BEGIN and the first message reach it in one read, so that waits for the last answer. */
static const char auth_lines[] = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";

void bus_message_done(struct bus_message *m)
{
	free(m->bytes);
	*m = (struct bus_message){ 0 };
}

static void disconnect(struct bus *b)
{
	if (b->fd >= 0)
		(void)close(b->fd);
	b->fd = -EBADF;
	free(b->bytes);
	b->bytes = NULL;
	b->begin = b->end = b->cap = 0;
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	disconnect(b);
	free(b);
}

int bus_fd(const struct bus *b)
{
	return b->fd;
}

int bus_error_code(const char *name)
{
	static const struct {
		const char *name;
		int code;
	} known[] = {
		{ "org.freedesktop.systemd1.NoSuchUnit", -ENOENT },
		{ "org.freedesktop.systemd1.NoSuchJob", -ENOENT },
		{ "org.freedesktop.DBus.Error.FileNotFound", -ENOENT },
		{ "org.freedesktop.systemd1.UnitExists", -EEXIST },
		{ "org.freedesktop.systemd1.UnitMasked", -ERFKILL },
		{ "org.freedesktop.systemd1.ShuttingDown", -ESHUTDOWN },
		{ "org.freedesktop.DBus.Error.UnknownMethod", -EOPNOTSUPP },
		{ "org.freedesktop.DBus.Error.UnknownInterface", -EOPNOTSUPP },
		{ "org.freedesktop.DBus.Error.UnknownProperty", -EOPNOTSUPP },
		{ "org.freedesktop.DBus.Error.NotSupported", -EOPNOTSUPP },
		{ "org.freedesktop.DBus.Error.UnknownObject", -ENXIO },
		{ "org.freedesktop.DBus.Error.AccessDenied", -EACCES },
		{ "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", -EACCES },
		{ "org.freedesktop.DBus.Error.InvalidArgs", -EINVAL },
		{ "org.freedesktop.DBus.Error.PropertyReadOnly", -EROFS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].code;
	return -EREMOTEIO;
}

static enum err_kind kind_of(int code)
{
	switch (code) {
	case -ENOENT:
	case -ENXIO:
		return ERR_NOT_FOUND;
	case -EEXIST:
	case -ERFKILL:
		return ERR_CONFLICT;
	case -EOPNOTSUPP:
		return ERR_UNSUPPORTED;
	case -EACCES:
		return ERR_AUTH;
	case -EINVAL:
	case -EROFS:
		return ERR_USAGE;
	default:
		return ERR_SYSTEM;
	}
}

/* Why a message cannot be read, NULL for errors of another kind. */
static const char *unreadable(int r)
{
	switch (r) {
	case -E2BIG:
		return "its message is too long";
	case -EPROTONOSUPPORT:
		return "its message is in the other byte order";
	case -EBADMSG:
		return "its message is malformed";
	default:
		return NULL;
	}
}

static int no_answer(struct err *err)
{
	return err_set(err, ERR_TIMEOUT, -ETIMEDOUT, "no answer in time");
}

static int lost(struct bus *b, int r, struct err *err)
{
	const char *why = unreadable(r);

	disconnect(b);
	if (why)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s", why);
	if (r == -ETIMEDOUT)
		return no_answer(err);
	if (r == -ECONNRESET || r == -EPIPE)
		return err_set(err, ERR_SYSTEM, -ECONNRESET, "the connection was closed");
	return err_set(err, ERR_SYSTEM, r, "D-Bus connection: %s", strerror(-r));
}

/* Return: 1 ready, 0 the deadline has passed, or -errno */
static int wait_for(const struct bus *b, short events, usec_t deadline)
{
	struct pollfd p = { .fd = b->fd, .events = events };

	for (;;) {
		int n = poll(&p, 1, deadline_poll_ms(deadline));

		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

static int reserve(struct bus *b, size_t n)
{
	uint8_t *grown;
	size_t cap;

	if (b->begin == b->end)
		b->begin = b->end = 0;
	if (b->cap - b->end >= n)
		return 0;
	if (b->begin) {
		memmove(b->bytes, b->bytes + b->begin, b->end - b->begin);
		b->end -= b->begin;
		b->begin = 0;
	}
	if (b->cap - b->end >= n)
		return 0;
	cap = b->cap * 2 > b->end + n ? b->cap * 2 : b->end + n;
	grown = realloc(b->bytes, cap);
	if (!grown)
		return -ENOMEM;
	b->bytes = grown;
	b->cap = cap;
	return 0;
}

/* What has arrived, once. Return: 1 some; 0 nothing is there; -ECONNRESET, other -errno */
static int receive(struct bus *b)
{
	int r = reserve(b, READ_SIZE);
	ssize_t n;

	if (r < 0)
		return r;
	n = recv(b->fd, b->bytes + b->end, b->cap - b->end, MSG_DONTWAIT);
	if (n > 0)
		b->end += (size_t)n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return -errno;
	return n > 0 ? 1 : -ECONNRESET;
}

static int send_all(struct bus *b, const void *bytes, size_t len, const struct bus_writer *body,
		    usec_t deadline)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * BUS_FDS_MAX)];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (body && body->n_fds) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * body->n_fds);
		memcpy(CMSG_DATA(&control.head), body->fds, sizeof(int) * body->n_fds);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * body->n_fds);
	}
	while (iov.iov_len) {
		ssize_t n = sendmsg(b->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r;

		if (n >= 0) {
			/* The fds went along with the first byte. */
			msg.msg_control = NULL;
			msg.msg_controllen = 0;
			iov.iov_base = (char *)iov.iov_base + n;
			iov.iov_len -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(b, POLLOUT, deadline);
		if (r <= 0)
			return r < 0 ? r : -ETIMEDOUT;
	}
	return 0;
}

/* Return: 1 the last line is there and all lines are used up; 0 not yet; -EACCES, -EBADMSG */
static int read_auth(struct bus *b)
{
	for (;;) {
		const char *line = (const char *)b->bytes + b->begin;
		size_t have = b->end - b->begin;
		const char *end = have ? memmem(line, have, "\r\n", 2) : NULL;
		size_t len = end ? (size_t)(end - line) : 0;

		if (!end)
			return have < AUTH_MAX ? 0 : -EBADMSG;
		b->begin += len + 2;
		if (len == strlen("AGREE_UNIX_FD") && memcmp(line, "AGREE_UNIX_FD", len) == 0)
			return 1;
		if (len >= strlen("REJECTED") && memcmp(line, "REJECTED", 8) == 0)
			return -EACCES;
		/* "DATA" asks for what we have sent already; "OK" is followed by an id that says nothing. */
		if (!(len == 4 && memcmp(line, "DATA", 4) == 0) &&
		    !(len > 3 && memcmp(line, "OK ", 3) == 0))
			return -EBADMSG;
	}
}

static int authenticate(struct bus *b, usec_t deadline, struct err *err)
{
	size_t received = 0;
	int r = send_all(b, auth_lines, sizeof(auth_lines) - 1, NULL, deadline);

	while (r == 0) {
		size_t before = b->end - b->begin;

		r = wait_for(b, POLLIN, deadline);
		if (r == 0)
			r = -ETIMEDOUT;
		if (r > 0)
			r = receive(b);
		received += r > 0 ? b->end - b->begin - before : 0;
		if (r > 0)
			r = read_auth(b);
		/* Once AGREE_UNIX_FD is there, any number of bytes may be behind it. */
		if (r == 0 && received > AUTH_MAX)
			r = -EBADMSG;
	}
	if (r > 0)
		return 0;
	if (r == -EACCES || r == -ECONNRESET || r == -EPIPE) {
		disconnect(b);
		return err_set(err, ERR_AUTH, -EACCES, "refused at authentication");
	}
	return lost(b, r, err);
}

int bus_open(int fd, bus_signal_fn on_signal, void *arg, usec_t deadline, struct bus **ret,
	     struct err *err)
{
	AUTO_PTR(bus) b = calloc(1, sizeof(*b));
	int r;

	if (!b) {
		(void)close(fd);
		return err_oom(err);
	}
	b->fd = fd;
	b->on_signal = on_signal;
	b->arg = arg;
	r = authenticate(b, deadline, err);
	if (r < 0)
		return r;
	*ret = MOVE_PTR(b);
	return 0;
}

struct view {
	const uint8_t *bytes;
	size_t len;
	struct bus_header head;
	struct bus_reader body;
};

/* The next message, if it is there as a whole. Return: 1, 0, or -errno */
static int next_message(struct bus *b, struct view *ret)
{
	size_t have = b->end - b->begin, len;
	const uint8_t *at;
	int r;

	if (have < BUS_FIXED_HEADER)
		return 0;
	at = b->bytes + b->begin;
	r = bus_message_size(at, &len);
	if (r < 0)
		return r;
	if (have < len)
		return 0;
	*ret = (struct view){ .bytes = at, .len = len };
	r = bus_message_parse(at, len, &ret->head, &ret->body);
	return r < 0 ? r : 1;
}

static void drop_message(struct bus *b, const struct view *v)
{
	b->begin += v->len;
	if (b->begin == b->end && b->cap > KEEP_SIZE) {
		free(b->bytes);
		b->bytes = NULL;
		b->begin = b->end = b->cap = 0;
	}
}

/* A message, waited for. The clock is looked at whether or not bytes come. Return: 1; 0 the deadline has passed; -errno */
static int await_message(struct bus *b, usec_t deadline, struct view *ret)
{
	for (;;) {
		int r = next_message(b, ret);

		if (r != 0)
			return r;
		/* What has arrived already is read even after the deadline, once. */
		r = receive(b);
		if (r < 0)
			return r;
		if (r > 0 && deadline_poll_ms(deadline) != 0)
			continue;
		if (r > 0)
			return next_message(b, ret);
		r = wait_for(b, POLLIN, deadline);
		if (r <= 0)
			return r;
	}
}

static void deliver(struct bus *b, struct view *v)
{
	if (v->head.type == BUS_SIGNAL && b->on_signal)
		b->on_signal(b->arg, &v->head, &v->body);
}

int bus_wait(struct bus *b, usec_t deadline, struct err *err)
{
	bool signalled = false;
	struct view v;
	int r;

	if (b->fd < 0)
		return err_set(err, ERR_SYSTEM, -ENOTCONN, "not connected");
	/* All that is there, so that nothing is left inside; bounded by one buffer's worth. */
	for (size_t used = 0; used < BUS_MESSAGE_MAX;) {
		r = await_message(b, signalled ? 0 : deadline, &v);
		if (r < 0)
			return lost(b, r, err);
		if (r == 0)
			return signalled;
		signalled |= v.head.type == BUS_SIGNAL;
		used += v.len;
		deliver(b, &v);
		drop_message(b, &v);
		if (!signalled && deadline != 0 && deadline_poll_ms(deadline) == 0)
			return 0;
	}
	return signalled;
}

/* "Unit x.service not found." without the full stop, made safe */
static int error_reply(const struct view *v, struct err *err)
{
	int code = bus_error_code(v->head.error);
	struct bus_reader body = v->body;
	char text[ERR_MSG_MAX];
	const char *said;
	size_t len;

	if (bus_read_text(&body, 's', &said) < 0 || !*said)
		said = v->head.error;
	(void)quote_plain(text, sizeof(text), said);
	len = strlen(text);
	if (len && text[len - 1] == '.')
		text[len - 1] = '\0';
	return err_set(err, kind_of(code), code, "%s", text);
}

static int copy_message(const struct view *v, struct bus_message *ret, struct err *err)
{
	struct bus_message m = { .bytes = malloc(v->len) };
	int r;

	if (!m.bytes)
		return err_oom(err);
	memcpy(m.bytes, v->bytes, v->len);
	r = bus_message_parse(m.bytes, v->len, &m.head, &m.body);
	if (r < 0) {
		bus_message_done(&m);
		return err_set(err, ERR_CORRUPT, r, "its message is malformed");
	}
	*ret = m;
	return 0;
}

static int await_reply(struct bus *b, uint32_t serial, usec_t deadline, struct bus_message *ret,
		       struct err *err)
{
	for (;;) {
		struct view v;
		bool ours;
		int r = await_message(b, deadline, &v);

		if (r < 0)
			return lost(b, r, err);
		if (r == 0)
			return no_answer(err);
		ours = (v.head.type == BUS_REPLY || v.head.type == BUS_ERROR) &&
		       v.head.reply_serial == serial;
		if (ours && v.head.type == BUS_ERROR)
			r = error_reply(&v, err);
		else if (ours)
			r = ret ? copy_message(&v, ret, err) : 0;
		else
			deliver(b, &v);
		drop_message(b, &v);
		if (ours)
			return r;
		if (deadline_poll_ms(deadline) == 0)
			return no_answer(err);
	}
}

int bus_call(struct bus *b, const struct bus_call *call, usec_t deadline, struct bus_message *ret,
	     struct err *err)
{
	const struct bus_writer empty = BUS_WRITER_INIT;
	const struct bus_writer *body = call->body ? call->body : &empty;
	struct bus_header head = { .type = BUS_CALL,
				   .destination = call->destination,
				   .path = call->path,
				   .interface = call->interface,
				   .member = call->member,
				   .signature = call->signature };
	AUTO(strbuf) bytes = { 0 };
	int r;

	if (b->fd < 0)
		return err_set(err, ERR_SYSTEM, -ENOTCONN, "not connected");
	/* 0 is no serial; it takes 2^32 calls to come round. */
	head.serial = ++b->serial ? b->serial : ++b->serial;
	r = bus_message_seal(&head, body, &bytes);
	if (r == -EILSEQ)
		return err_set(err, ERR_USAGE, r, "text that is not UTF-8 cannot be sent");
	if (r == -E2BIG)
		return err_set(err, ERR_USAGE, r, "too long to be sent");
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "write a message: %s", strerror(-r));
	r = send_all(b, strbuf_str(&bytes), bytes.len, body, deadline);
	if (r < 0)
		return lost(b, r, err);
	return await_reply(b, head.serial, deadline, ret, err);
}
