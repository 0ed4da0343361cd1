// SPDX-License-Identifier: MIT
/* A connection to a peer that behaves, and to peers that do not: nothing hangs, nothing grows, each failure has its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/bus.h"
#include "tests/unit/fake_peer.h"

static usec_t in_ms(unsigned ms)
{
	return now_usec() + ms * USEC_PER_MSEC;
}

static void pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static void count_signal(void *arg, const struct bus_header *head, struct bus_reader *body)
{
	uint32_t u32;

	if (strcmp(head->member, "Tick") == 0 && bus_read_u32(body, &u32) == 0)
		*(unsigned *)arg += u32;
}

static struct bus *open_bus(struct fake_peer *p, unsigned *signals)
{
	struct err e = { 0 };
	struct bus *b = NULL;

	if (bus_open(p->fd, signals ? count_signal : NULL, signals, in_ms(5000), &b, &e) < 0)
		fail_msg("%s", e.msg);
	return b;
}

static int ask(struct bus *b, unsigned ms, struct bus_message *ret, struct err *e)
{
	const struct bus_call call = { .path = "/p", .interface = "i.f", .member = "Ask" };

	return bus_call(b, &call, in_ms(ms), ret, e);
}

static void tick(int fd, uint32_t n)
{
	struct bus_writer w = BUS_WRITER_INIT;

	bus_put_u32(&w, n);
	fake_peer_signal(fd, "/p", "i.f", "Tick", "u", &w);
	bus_writer_done(&w);
}

static void reply_text(int fd, uint32_t serial, const char *error, const char *text)
{
	struct bus_writer w = BUS_WRITER_INIT;

	bus_put_string(&w, text);
	fake_peer_reply(fd, serial, error, "s", &w);
	bus_writer_done(&w);
}

/* Replies with signals around and with replies to calls that nobody made. */
static void serve_honest(int fd, void *arg)
{
	struct fake_call call;

	(void)arg;
	fake_peer_auth(fd);
	while (fake_peer_read(fd, &call)) {
		tick(fd, 1);
		reply_text(fd, call.head.serial + 1, NULL, "not yours");
		reply_text(fd, call.head.serial + 2, "a.b.Error", "not yours");
		tick(fd, 10);
		reply_text(fd, call.head.serial, NULL, call.head.member);
		tick(fd, 100);
	}
}

static void test_calls_and_signals(void **state)
{
	struct fake_peer p = fake_peer_start(serve_honest, NULL);
	unsigned signals = 0;
	struct bus *b = open_bus(&p, &signals);
	struct err e = { 0 };
	const char *text;

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		struct bus_message m = { 0 };

		assert_int_equal(ask(b, 5000, &m, &e), 0);
		assert_int_equal(bus_read_text(&m.body, 's', &text), 0);
		assert_string_equal(text, "Ask");
		bus_message_done(&m);
		while (signals < i * 111)
			assert_int_equal(bus_wait(b, in_ms(5000), &e), 1);
		assert_int_equal(signals, i * 111);
	}
	assert_int_equal(bus_wait(b, in_ms(30), &e), 0);
	assert_true(bus_fd(b) >= 0);
	bus_free(b);
	fake_peer_end(&p);
}

/* One byte at a time. */
static void serve_slowly(int fd, void *arg)
{
	struct bus_header head = {
		.type = BUS_REPLY, .serial = 1, .reply_serial = 1, .signature = "s"
	};
	struct bus_writer w = BUS_WRITER_INIT;
	struct strbuf b = { 0 };
	struct fake_call call;

	(void)arg;
	fake_peer_auth(fd);
	(void)fake_peer_read(fd, &call);
	bus_put_string(&w, "in pieces");
	(void)bus_message_seal(&head, &w, &b);
	for (size_t i = 0; i < b.len; i++) {
		fake_peer_write(fd, b.text + i, 1);
		pause_ms(1);
	}
	(void)fake_peer_read(fd, &call);
}

static void test_pieces(void **state)
{
	struct fake_peer p = fake_peer_start(serve_slowly, NULL);
	struct bus *b = open_bus(&p, NULL);
	struct bus_message m = { 0 };
	struct err e = { 0 };
	const char *text;

	(void)state;
	assert_int_equal(ask(b, 5000, &m, &e), 0);
	assert_int_equal(bus_read_text(&m.body, 's', &text), 0);
	assert_string_equal(text, "in pieces");
	bus_message_done(&m);
	bus_free(b);
	fake_peer_end(&p);
}

static void serve_errors(int fd, void *arg)
{
	static const char *const names[] = { "org.freedesktop.systemd1.NoSuchUnit",
					     "org.freedesktop.systemd1.UnitMasked",
					     "org.freedesktop.DBus.Error.UnknownMethod",
					     "com.example.Odd" };
	struct fake_call call;

	(void)arg;
	fake_peer_auth(fd);
	for (size_t i = 0; fake_peer_read(fd, &call); i++)
		reply_text(fd, call.head.serial, names[i % ARRAY_SIZE(names)],
			   "Unit \033[31mx not found.");
}

static void test_error_replies(void **state)
{
	struct fake_peer p = fake_peer_start(serve_errors, NULL);
	struct bus *b = open_bus(&p, NULL);
	struct bus_message m = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ask(b, 5000, &m, &e), -ENOENT);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	/* nothing of it may reach a terminal as it is, and our sentences have no full stop */
	assert_string_equal(e.msg, "Unit \\x1b[31mx not found");
	assert_int_equal(ask(b, 5000, &m, &e), -ERFKILL);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_int_equal(ask(b, 5000, &m, &e), -EOPNOTSUPP);
	assert_int_equal(ask(b, 5000, &m, &e), -EREMOTEIO);
	assert_null(m.bytes);
	assert_true(bus_fd(b) >= 0);
	bus_free(b);
	fake_peer_end(&p);
}

/* What is sent arrives: values and descriptors. */
static void serve_fds(int fd, void *arg)
{
	struct fake_call call;
	uint64_t index[3];
	bool good;

	(void)arg;
	fake_peer_auth(fd);
	good = fake_peer_read(fd, &call) && call.head.n_fds == 2 && call.n_fds == 2;
	for (int i = 0; i < 3; i++)
		good = good && bus_read_number(&call.body, 'h', &index[i]) == 0;
	good = good && index[0] == 0 && index[1] == 1 && index[2] == 0;
	if (good)
		(void)dprintf(call.fds[1], "through the fd");
	reply_text(fd, call.head.serial, NULL, good ? "good" : "bad");
}

static void test_fds(void **state)
{
	struct fake_peer p = fake_peer_start(serve_fds, NULL);
	struct bus *b = open_bus(&p, NULL);
	struct bus_writer w = BUS_WRITER_INIT;
	struct bus_call call = { .path = "/p", .member = "Fds", .signature = "hhh", .body = &w };
	struct bus_message m = { 0 };
	struct err e = { 0 };
	const char *text;
	char read_back[32] = "";
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	bus_put_fd(&w, fds[0]);
	bus_put_fd(&w, fds[1]);
	bus_put_fd(&w, fds[0]);
	assert_int_equal(bus_call(b, &call, in_ms(5000), &m, &e), 0);
	assert_int_equal(bus_read_text(&m.body, 's', &text), 0);
	assert_string_equal(text, "good");
	assert_int_equal(read(fds[0], read_back, sizeof(read_back) - 1), 14);
	assert_string_equal(read_back, "through the fd");
	bus_message_done(&m);
	bus_writer_done(&w);
	(void)close(fds[0]);
	(void)close(fds[1]);
	bus_free(b);
	fake_peer_end(&p);
}

/* Peers that break off or talk nonsense after authentication, by name. */
struct misbehaviour {
	const char *bytes;
	size_t len;
	bool stay; /* silent, but there */
	int result;
};

static void serve_misbehaviour(int fd, void *arg)
{
	const struct misbehaviour *how = arg;
	struct fake_call call;

	fake_peer_auth(fd);
	(void)fake_peer_read(fd, &call);
	fake_peer_write(fd, how->bytes, how->len);
	if (how->stay)
		pause_ms(10000);
}

#define TEXT(s) s, sizeof(s) - 1

static void test_misbehaviour(void **state)
{
	static const struct misbehaviour all[] = {
		{ TEXT(""), true, -ETIMEDOUT },
		{ TEXT(""), false, -ECONNRESET },
		{ TEXT("l\2\0\1"), true, -ETIMEDOUT },
		{ TEXT("l\2\0\1"), false, -ECONNRESET },
		{ TEXT("HTTP/1.1 400 Bad Request\r\n"), true, -EBADMSG },
		/* a body of 4 GiB, one of 15 MiB that never comes, header fields of 4 GiB, the other byte order */
		{ TEXT("l\2\0\1\xff\xff\xff\xff\1\0\0\0\0\0\0\0"), true, -EBADMSG },
		{ TEXT("l\2\0\1\0\0\xf0\0\1\0\0\0\0\0\0\0"), true, -ETIMEDOUT },
		{ TEXT("l\2\0\1\0\0\0\0\1\0\0\0\xff\xff\xff\xff"), true, -EBADMSG },
		{ TEXT("B\2\0\1\0\0\0\0\0\0\0\1\0\0\0\0"), true, -EBADMSG },
		/* a reply to no call */
		{ TEXT("l\2\0\1\0\0\0\0\1\0\0\0\0\0\0\0"), true, -EBADMSG },
	};

	(void)state;
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct misbehaviour how = all[i];
		struct fake_peer p = fake_peer_start(serve_misbehaviour, &how);
		struct bus *b = open_bus(&p, NULL);
		struct err e = { 0 };
		usec_t begin = now_usec();

		assert_int_equal(ask(b, 200, NULL, &e), how.result);
		assert_true(now_usec() - begin < 3 * USEC_PER_SEC);
		/* It is over with this connection, unless an answer may yet come. */
		if (how.result == -ETIMEDOUT) {
			assert_true(bus_fd(b) >= 0);
			assert_int_equal(bus_wait(b, in_ms(10), &e), 0);
		} else {
			assert_int_equal(bus_fd(b), -EBADF);
			assert_int_equal(ask(b, 200, NULL, &e), -ENOTCONN);
			assert_int_equal(bus_wait(b, in_ms(200), &e), -ENOTCONN);
		}
		bus_free(b);
		fake_peer_end(&p);
	}
}

static void serve_late(int fd, void *arg)
{
	struct fake_call call;

	(void)arg;
	fake_peer_auth(fd);
	while (fake_peer_read(fd, &call)) {
		pause_ms(call.head.serial == 1 ? 200 : 0);
		reply_text(fd, call.head.serial, NULL, call.head.serial == 1 ? "late" : "next");
	}
}

/* A caller that did not wait for an answer does not get it in place of another. */
static void test_late_answer(void **state)
{
	struct fake_peer p = fake_peer_start(serve_late, NULL);
	struct bus *b = open_bus(&p, NULL);
	struct bus_message m = { 0 };
	struct err e = { 0 };
	const char *text;

	(void)state;
	assert_int_equal(ask(b, 20, &m, &e), -ETIMEDOUT);
	assert_int_equal(ask(b, 5000, &m, &e), 0);
	assert_int_equal(bus_read_text(&m.body, 's', &text), 0);
	assert_string_equal(text, "next");
	bus_message_done(&m);
	bus_free(b);
	fake_peer_end(&p);
}

static void serve_flood(int fd, void *arg)
{
	struct bus_header head = { .type = BUS_SIGNAL,
				   .serial = 1,
				   .path = "/p",
				   .interface = "i.f",
				   .member = "Noise",
				   .signature = "s" };
	struct bus_writer w = BUS_WRITER_INIT;
	static char noise[100001];
	struct strbuf b = { 0 };

	memset(noise, 'n', *(const size_t *)arg);
	bus_put_string(&w, noise);
	(void)bus_message_seal(&head, &w, &b);
	fake_peer_auth(fd);
	for (;;)
		fake_peer_write(fd, b.text, b.len);
}

/* Signals without end: neither a call nor a wait outlasts its deadline, and memory stays where it was. */
static void test_flood(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 100000; len += 99999) {
		struct fake_peer p = fake_peer_start(serve_flood, &len);
		struct bus *b = open_bus(&p, NULL);
		struct rusage before, after;
		struct err e = { 0 };
		usec_t begin;

		assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
		begin = now_usec();
		assert_int_equal(bus_wait(b, in_ms(5000), &e), 1);
		assert_int_equal(ask(b, 300, NULL, &e), -ETIMEDOUT);
		assert_true(now_usec() - begin < 10 * USEC_PER_SEC);
		assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
		assert_true(after.ru_maxrss - before.ru_maxrss < 32 * 1024);
		bus_free(b);
		fake_peer_end(&p);
	}
}

static void serve_deaf(int fd, void *arg)
{
	(void)arg;
	fake_peer_auth(fd);
	pause_ms(10000);
}

/* It reads nothing: what does not fit into the socket must not keep us. */
static void test_deaf(void **state)
{
	struct fake_peer p = fake_peer_start(serve_deaf, NULL);
	struct bus *b = open_bus(&p, NULL);
	struct bus_writer w = BUS_WRITER_INIT;
	struct bus_call call = { .path = "/p", .member = "Much", .signature = "s", .body = &w };
	char *much = calloc(1, 4000001);
	struct err e = { 0 };

	(void)state;
	assert_non_null(much);
	memset(much, 'm', 4000000);
	bus_put_string(&w, much);
	assert_int_equal(bus_call(b, &call, in_ms(200), NULL, &e), -ETIMEDOUT);
	/* Half a message has gone: nothing else can follow it. */
	assert_int_equal(bus_fd(b), -EBADF);
	bus_writer_done(&w);
	free(much);
	bus_free(b);
	fake_peer_end(&p);
}

static void serve_auth(int fd, void *arg)
{
	const struct misbehaviour *how = arg;

	fake_peer_write(fd, how->bytes, how->len);
	if (how->stay)
		pause_ms(10000);
}

static void serve_endless_auth(int fd, void *arg)
{
	for (;;)
		fake_peer_write(fd, arg, strlen(arg));
}

static void test_auth_failures(void **state)
{
	static char junk[5000];
	static const struct misbehaviour all[] = {
		{ TEXT(""), true, -ETIMEDOUT },
		{ TEXT(""), false, -EACCES },
		{ TEXT("REJECTED EXTERNAL\r\n"), true, -EACCES },
		{ TEXT("DATA\r\nREJECTED\r\n"), true, -EACCES },
		{ TEXT("DATA\r\nOK 00\r\nERROR\r\n"), true, -EBADMSG },
		{ TEXT("HTTP/1.1 400 Bad Request\r\n"), true, -EBADMSG },
		{ TEXT("DATA\r\nOK 00\r\nAGREE_UNIX_F"), true, -ETIMEDOUT },
		{ junk, sizeof(junk), true, -EBADMSG },
	};

	(void)state;
	memset(junk, 'j', sizeof(junk));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct misbehaviour how = all[i];
		struct fake_peer p = fake_peer_start(serve_auth, &how);
		struct err e = { 0 };
		struct bus *b = NULL;

		assert_int_equal(bus_open(p.fd, NULL, NULL, in_ms(200), &b, &e), how.result);
		assert_null(b);
		/* The fd went with it. */
		assert_int_equal(fcntl(p.fd, F_GETFD), -1);
		fake_peer_end(&p);
	}
}

static void test_endless_auth(void **state)
{
	static char ok[] = "OK 00\r\n", data[] = "DATA\r\n";
	char *const lines[] = { ok, data };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct fake_peer p = fake_peer_start(serve_endless_auth, lines[i]);
		struct err e = { 0 };
		struct bus *b = NULL;

		assert_int_equal(bus_open(p.fd, NULL, NULL, in_ms(2000), &b, &e), -EBADMSG);
		fake_peer_end(&p);
	}
}

static void test_our_text(void **state)
{
	struct fake_peer p = fake_peer_start(serve_honest, NULL);
	struct bus *b = open_bus(&p, NULL);
	struct bus_writer w = BUS_WRITER_INIT;
	struct bus_call call = { .path = "/p", .member = "Say", .signature = "s", .body = &w };
	struct err e = { 0 };

	(void)state;
	bus_put_string(&w, "\xff");
	assert_int_equal(bus_call(b, &call, in_ms(5000), NULL, &e), -EILSEQ);
	assert_int_equal(e.kind, ERR_USAGE);
	bus_writer_done(&w);
	/* It was never sent: the connection still is good. */
	assert_int_equal(ask(b, 5000, NULL, &e), 0);
	bus_free(b);
	fake_peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_and_signals),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_error_replies),
		cmocka_unit_test(test_fds),
		cmocka_unit_test(test_misbehaviour),
		cmocka_unit_test(test_late_answer),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_deaf),
		cmocka_unit_test(test_auth_failures),
		cmocka_unit_test(test_endless_auth),
		cmocka_unit_test(test_our_text),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
