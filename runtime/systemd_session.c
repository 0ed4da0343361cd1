// SPDX-License-Identifier: MIT
/*
 * The session with a machine's PID 1 (see systemd_session.h).
 *
 * A connection counts as one only when the first call on it was answered: systemd 252 sometimes accepts one made during a daemon-reload,
 * authenticates it and then says nothing more. That first call has little patience, and more with each try. Later a connection may be
 * lost as well (daemon-reexec closes it): whoever needs it next makes a new one.
 *
 * /run/systemd/private comes first. It exists before anything else does in a booting machine, and there PID 1 talks to us directly. Where
 * it is missing or refuses us, the system bus is tried.
 */
#include "runtime/systemd_session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/bus_connect.h"
#include "runtime/systemd_manager.h"

#define PRIVATE_SOCKET "/run/systemd/private"
#define BUS_SOCKET "/run/dbus/system_bus_socket"
#define NAME "org.freedesktop.systemd1"
#define MATCH "type='signal',sender='" NAME "',path_namespace='" SYSTEMD_PATH "'"

#define PROBE_PATIENCE (1 * USEC_PER_SEC)
#define PATIENCE_MAX (16 * USEC_PER_SEC)
#define PAUSE_MIN (2 * USEC_PER_MSEC)
#define PAUSE_MAX (20 * USEC_PER_MSEC)

bool systemd_has_ended(const struct systemd *s)
{
	struct pollfd p = { .fd = s->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* At most @length, or until the machine ends. */
static void pause_for(const struct systemd *s, usec_t length)
{
	struct pollfd p = { .fd = s->pidfd, .events = POLLIN };

	(void)poll(&p, 1, deadline_poll_ms(now_usec() + length));
}

static usec_t earlier(usec_t a, usec_t b)
{
	return a < b ? a : b;
}

int systemd_bad_answer(const char *member, struct err *err)
{
	return err_set(err, ERR_CORRUPT, -EBADMSG, "the answer to %s is malformed", member);
}

uint32_t systemd_job_id(const char *path)
{
	static const char prefix[] = SYSTEMD_PATH "/job/";
	unsigned long id;
	char *end;

	if (strncmp(path, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	path += sizeof(prefix) - 1;
	if (*path < '0' || *path > '9')
		return 0;
	errno = 0;
	id = strtoul(path, &end, 10);
	return *end || errno || id > UINT32_MAX ? 0 : (uint32_t)id;
}

const char *systemd_unit_path(char *buf, const char *unit)
{
	static const char prefix[] = SYSTEMD_PATH "/unit/";
	size_t n = sizeof(prefix) - 1;

	memcpy(buf, prefix, sizeof(prefix));
	if (!*unit) {
		memcpy(buf + n, "_", 2);
		return buf;
	}
	for (size_t i = 0; i < SYSTEMD_NAME_MAX - 1 && unit[i]; i++) {
		unsigned char c = (unsigned char)unit[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (i > 0 && c >= '0' && c <= '9');

		n += (size_t)snprintf(buf + n, SYSTEMD_UNIT_PATH_MAX - n, plain ? "%c" : "_%02x",
				      c);
	}
	return buf;
}

static void note_removed(struct systemd *s, struct bus_reader *body)
{
	struct systemd_removed_job job;
	const char *path, *unit, *word;

	if (bus_read_u32(body, &job.id) < 0 || bus_read_text(body, 'o', &path) < 0 ||
	    bus_read_text(body, 's', &unit) < 0 || bus_read_text(body, 's', &word) < 0)
		return;
	job.result = systemd_job_result_parse(word);
	s->removed[s->n_removed++ % SYSTEMD_REMOVED_MAX] = job;
	s->changed = true;
}

bool systemd_removed_job(const struct systemd *s, uint32_t id, enum systemd_job_result *ret)
{
	size_t n = s->n_removed < SYSTEMD_REMOVED_MAX ? s->n_removed : SYSTEMD_REMOVED_MAX;

	for (size_t i = 1; i <= n; i++) {
		const struct systemd_removed_job *job =
			&s->removed[(s->n_removed - i) % SYSTEMD_REMOVED_MAX];

		if (job->id != id)
			continue;
		*ret = job->result;
		return true;
	}
	return false;
}

void systemd_watch(struct systemd *s, const char *unit)
{
	(void)systemd_unit_path(s->watched, unit);
	s->seen = (struct systemd_unit_state){ 0 };
	s->changed = true;
}

/* Of its two interfaces the general one comes last: what has been told then belongs together. */
static void note_change(struct systemd *s, struct bus_reader *body)
{
	struct bus_reader dict;
	const char *interface;

	if (bus_read_text(body, 's', &interface) < 0 || bus_read_array(body, "{sv}", &dict) < 0 ||
	    systemd_unit_merge(&dict, &s->seen) < 0)
		return;
	if (strcmp(interface, SYSTEMD_UNIT) == 0)
		s->changed = true;
}

void systemd_signal(void *arg, const struct bus_header *head, struct bus_reader *body)
{
	struct systemd *s = arg;

	if (strcmp(head->interface, SYSTEMD_MANAGER) == 0) {
		if (strcmp(head->member, "JobRemoved") == 0)
			note_removed(s, body);
		else if (strcmp(head->member, "StartupFinished") == 0)
			s->changed = true;
	} else if (strcmp(head->interface, SYSTEMD_PROPERTIES) == 0) {
		if (strcmp(head->member, "PropertiesChanged") == 0 &&
		    strcmp(head->path, s->watched) == 0)
			note_change(s, body);
	}
}

static void disconnect(struct systemd *s)
{
	bus_free(s->bus);
	s->bus = NULL;
}

/* A call to the bus itself, with one text at most. */
static int call_bus(struct bus *bus, const char *member, const char *text, usec_t deadline,
		    struct err *err)
{
	struct bus_writer body = BUS_WRITER_INIT;
	struct bus_call call = { .destination = "org.freedesktop.DBus",
				 .path = "/org/freedesktop/DBus",
				 .interface = "org.freedesktop.DBus",
				 .member = member,
				 .signature = text ? "s" : "",
				 .body = &body };
	int r;

	if (text)
		bus_put_string(&body, text);
	r = bus_call(bus, &call, deadline, NULL, err);
	bus_writer_done(&body);
	return r;
}

static unsigned version_number(const char *text)
{
	size_t skip = strcspn(text, "0123456789");
	unsigned long n = strtoul(text + skip, NULL, 10);

	return n < 100000 ? (unsigned)n : 0;
}

/* Subscribe is the probe; a peer that does not know it has answered, too. */
static int greet(struct systemd *s, usec_t deadline, struct err *err)
{
	struct bus_call subscribe = { .destination = s->destination,
				      .path = SYSTEMD_PATH,
				      .interface = SYSTEMD_MANAGER,
				      .member = "Subscribe" };
	int r = 0;

	if (s->destination) {
		r = call_bus(s->bus, "Hello", NULL, deadline, err);
		if (r == 0)
			r = call_bus(s->bus, "AddMatch", MATCH, deadline, err);
		if (r < 0)
			return r;
	}
	r = bus_call(s->bus, &subscribe, deadline, NULL, err);
	return r == -ETIMEDOUT || (r < 0 && bus_fd(s->bus) < 0) ? r : 0;
}

static int attach(struct systemd *s, const char *path, const char *destination, usec_t deadline,
		  struct err *err)
{
	int fd, r = bus_connect(s->leader, s->pidfd, path, deadline, &fd, err);

	if (r < 0)
		return r;
	r = bus_open(fd, systemd_signal, s, deadline, &s->bus, err);
	if (r < 0)
		return err_prefix(err, r, "%s in the machine", path);
	s->destination = destination;
	r = greet(s, deadline, err);
	if (r < 0) {
		disconnect(s);
		return err_prefix(err, r, "%s in the machine", path);
	}
	s->connections++;
	s->silent_since = 0;
	s->changed = true;
	return 0;
}

static int attach_any(struct systemd *s, usec_t deadline, struct err *err)
{
	int r = attach(s, PRIVATE_SOCKET, NULL, deadline, err);
	int other;

	if (r != -ENOENT && r != -ECONNREFUSED && r != -EACCES)
		return r;
	/* When neither will do, what is wrong with the first is told. */
	other = attach(s, BUS_SOCKET, NAME, deadline, NULL);
	return other == 0 ? 0 : r;
}

/* Errors that only say that it is too early, or that this one connection did not work. */
static bool may_pass(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -EACCES || r == -EAGAIN ||
	       r == -ETIMEDOUT || r == -ECONNRESET;
}

static int connect_machine(struct systemd *s, usec_t deadline, struct err *err)
{
	usec_t pause = PAUSE_MIN, patience = PROBE_PATIENCE;
	struct err last = { 0 };

	disconnect(s);
	for (;;) {
		usec_t begin = now_usec();
		int r = attach_any(s, earlier(deadline, begin + patience), &last);

		if (r == 0)
			return 0;
		if (systemd_has_ended(s))
			return err_set(err, ERR_NOT_FOUND, -ESRCH, "the machine has ended");
		if (!may_pass(r)) {
			if (err)
				*err = last;
			return r;
		}
		if (now_usec() >= deadline)
			return err_set(err, ERR_TIMEOUT, -ETIMEDOUT, "no answer in time: %s",
				       last.msg);
		if (r == -ETIMEDOUT)
			patience = earlier(patience * 2, PATIENCE_MAX);
		pause_for(s, earlier(pause, deadline - now_usec()));
		pause = earlier(pause + pause / 2, PAUSE_MAX);
	}
}

static bool is_connected(const struct systemd *s)
{
	return s->bus && bus_fd(s->bus) >= 0;
}

/* The connection was lost with error @r, already in @err. Return: 0 if the call may be made again */
static int judge_loss(struct systemd *s, int r, enum systemd_retry retry, usec_t deadline,
		      struct err *err)
{
	bool again = (retry == SYSTEMD_ASK && r == -ETIMEDOUT) ||
		     (retry != SYSTEMD_ONCE && r == -ECONNRESET);

	if (systemd_has_ended(s))
		return err_set(err, ERR_NOT_FOUND, -ESRCH, "the machine has ended");
	if (!again)
		return r;
	if (now_usec() >= deadline)
		return err_set(err, ERR_TIMEOUT, -ETIMEDOUT, "no answer in time");
	/* Not at once: a PID 1 that closes every connection must not keep us busy. */
	pause_for(s, PAUSE_MIN);
	return 0;
}

/* A connection is given up when nothing has been answered on it for so long; a caller may have asked more than once meanwhile. */
static void note_silence(struct systemd *s, usec_t asked, usec_t patience)
{
	if (!s->silent_since)
		s->silent_since = asked;
	if (now_usec() >= s->silent_since + patience)
		disconnect(s);
}

int systemd_call(struct systemd *s, const struct systemd_request *req, usec_t deadline,
		 struct bus_message *ret, struct err *err)
{
	usec_t patience = SYSTEMD_LOOK_ANEW;

	for (;;) {
		struct bus_call call = { .path = req->path,
					 .interface = req->interface,
					 .member = req->member,
					 .signature = req->signature,
					 .body = req->body };
		usec_t asked, until = deadline;
		int r = is_connected(s) ? 0 : connect_machine(s, deadline, err);

		if (r < 0)
			return r;
		asked = now_usec();
		if (req->retry == SYSTEMD_ASK)
			until = earlier(deadline, asked + patience);
		call.destination = s->destination;
		r = bus_call(s->bus, &call, until, ret, err);
		if (r == -ETIMEDOUT)
			note_silence(s, asked, patience);
		else
			s->silent_since = 0;
		if (r == 0 || is_connected(s))
			return r;
		r = judge_loss(s, r, req->retry, deadline, err);
		if (r < 0)
			return err_prefix(err, r, "%s", req->member);
		patience = earlier(patience * 2, PATIENCE_MAX);
	}
}

int systemd_get(struct systemd *s, const char *path, const char *interface, const char *property,
		usec_t deadline, struct bus_message *ret_message, struct bus_reader *ret_value,
		struct err *err)
{
	struct bus_writer body = BUS_WRITER_INIT;
	struct systemd_request req = { .path = path,
				       .interface = SYSTEMD_PROPERTIES,
				       .member = "Get",
				       .signature = "ss",
				       .body = &body,
				       .retry = SYSTEMD_ASK };
	AUTO(bus_message) m = { 0 };
	int r;

	bus_put_string(&body, interface);
	bus_put_string(&body, property);
	r = systemd_call(s, &req, deadline, &m, err);
	bus_writer_done(&body);
	if (r < 0)
		return err_prefix(err, r, "%s", property);
	if (bus_read_variant(&m.body, ret_value) < 0)
		return systemd_bad_answer(property, err);
	*ret_message = m;
	m.bytes = NULL;
	return 0;
}

int systemd_await(struct systemd *s, usec_t deadline, struct err *err)
{
	usec_t until = earlier(deadline, now_usec() + SYSTEMD_LOOK_ANEW);

	while (!s->changed) {
		int r = is_connected(s) ? bus_wait(s->bus, until, err) :
					  connect_machine(s, deadline, err);

		if (r < 0 && is_connected(s))
			return r;
		if (r == -EBADMSG || r == -ESRCH || r == -ETIMEDOUT)
			return r;
		if (r < 0 && systemd_has_ended(s))
			return err_set(err, ERR_NOT_FOUND, -ESRCH, "the machine has ended");
		if (now_usec() >= until)
			break;
	}
	return now_usec() < deadline;
}

static int read_version(struct systemd *s, usec_t deadline, struct err *err)
{
	AUTO(bus_message) m = { 0 };
	struct bus_reader value;
	const char *text;
	int r = systemd_get(s, SYSTEMD_PATH, SYSTEMD_MANAGER, "Version", deadline, &m, &value, err);

	if (r < 0)
		return r;
	if (bus_read_text(&value, 's', &text) < 0)
		return systemd_bad_answer("Version", err);
	s->version = version_number(text);
	return 0;
}

int systemd_open(pid_t leader, int pidfd, usec_t deadline, struct systemd **ret, struct err *err)
{
	AUTO_PTR(systemd) s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_oom(err);
	s->leader = leader;
	s->pidfd = pidfd;
	r = connect_machine(s, deadline, err);
	if (r < 0)
		return r;
	r = read_version(s, deadline, err);
	if (r < 0)
		return r;
	*ret = MOVE_PTR(s);
	return 0;
}

void systemd_free(struct systemd *s)
{
	if (!s)
		return;
	disconnect(s);
	free(s);
}

int systemd_fd(const struct systemd *s)
{
	return s->bus ? bus_fd(s->bus) : -EBADF;
}

unsigned systemd_version(const struct systemd *s)
{
	return s->version;
}
