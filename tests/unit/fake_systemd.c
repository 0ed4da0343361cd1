// SPDX-License-Identifier: MIT
/* A PID 1 played by a test (see fake_systemd.h). */
#include "tests/unit/fake_systemd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

usec_t in_ms(unsigned ms)
{
	return now_usec() + ms * USEC_PER_MSEC;
}

static void serve(int fd, void *arg)
{
	fake_answer_fn answer = *(fake_answer_fn *)arg;
	struct fake_call call;

	fake_peer_auth(fd);
	for (unsigned n = 0; fake_peer_read(fd, &call); n++)
		answer(fd, &call, n);
}

void fake_systemd_start(struct fake_systemd *f, unsigned version, fake_answer_fn answer)
{
	struct err e = { 0 };

	memset(f, 0, sizeof(*f));
	f->peer = fake_peer_start(serve, &answer);
	f->session.leader = f->peer.pid;
	f->session.pidfd = fd_pidfd_open(f->peer.pid);
	f->session.version = version;
	f->session.connections = 1;
	if (bus_open(f->peer.fd, systemd_signal, &f->session, in_ms(5000), &f->session.bus, &e) < 0)
		fail_msg("%s", e.msg);
}

void fake_systemd_end(struct fake_systemd *f)
{
	bus_free(f->session.bus);
	(void)close(f->session.pidfd);
	fake_peer_end(&f->peer);
}

void answer_text(int fd, const struct fake_call *call, const char *text)
{
	struct bus_writer w = BUS_WRITER_INIT;

	bus_put_signature(&w, "s");
	bus_put_string(&w, text);
	fake_peer_reply(fd, call->head.serial, NULL, "v", &w);
	bus_writer_done(&w);
}

static void put_number(struct bus_writer *w, char type, uint64_t number)
{
	bus_put_signature(w, (const char[]){ type, '\0' });
	if (type == 't')
		bus_put_u64(w, number);
	else
		bus_put_u32(w, (uint32_t)number);
}

void answer_number(int fd, const struct fake_call *call, char type, uint64_t number)
{
	struct bus_writer w = BUS_WRITER_INIT;

	put_number(&w, type, number);
	fake_peer_reply(fd, call->head.serial, NULL, "v", &w);
	bus_writer_done(&w);
}

void answer_path(int fd, const struct fake_call *call, const char *path)
{
	struct bus_writer w = BUS_WRITER_INIT;

	bus_put_string(&w, path);
	fake_peer_reply(fd, call->head.serial, NULL, "o", &w);
	bus_writer_done(&w);
}

void put_text_property(struct bus_writer *w, const char *name, const char *text)
{
	bus_put_struct(w);
	bus_put_string(w, name);
	bus_put_signature(w, "s");
	bus_put_string(w, text);
}

void put_number_property(struct bus_writer *w, const char *name, char type, uint64_t number)
{
	bus_put_struct(w);
	bus_put_string(w, name);
	put_number(w, type, number);
}

void signal_job_removed(int fd, uint32_t id, const char *unit, const char *result)
{
	struct bus_writer w = BUS_WRITER_INIT;
	char path[64];

	(void)snprintf(path, sizeof(path), SYSTEMD_PATH "/job/%u", id);
	bus_put_u32(&w, id);
	bus_put_string(&w, path);
	bus_put_string(&w, unit);
	bus_put_string(&w, result);
	fake_peer_signal(fd, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved", "uoss", &w);
	bus_writer_done(&w);
}

void signal_changed(int fd, const char *path, const char *kind, void (*put)(struct bus_writer *w))
{
	struct bus_writer w = BUS_WRITER_INIT;
	char interface[64];
	size_t mark;

	(void)snprintf(interface, sizeof(interface), "org.freedesktop.systemd1.%s", kind);
	bus_put_string(&w, interface);
	mark = bus_array_begin(&w, '{');
	put(&w);
	bus_array_end(&w, mark, '{');
	bus_put_strings(&w, NULL);
	fake_peer_signal(fd, path, SYSTEMD_PROPERTIES, "PropertiesChanged", "sa{sv}as", &w);
	bus_writer_done(&w);
}

void answer_properties(int fd, const struct fake_call *call, void (*put)(struct bus_writer *w))
{
	struct bus_writer w = BUS_WRITER_INIT;
	size_t mark = bus_array_begin(&w, '{');

	put(&w);
	bus_array_end(&w, mark, '{');
	fake_peer_reply(fd, call->head.serial, NULL, "a{sv}", &w);
	bus_writer_done(&w);
}
