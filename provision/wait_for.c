// SPDX-License-Identifier: MIT
/*
 * Waiting for something in a machine (see wait_for.h).
 *
 * All of it happens in slices of a tenth of a second at most, between which signals and the machine's end are seen. What systemd tells is
 * told within the slice, so that nothing is late by it.
 */
#include "provision/wait_for.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path_at.h"
#include "base/quote.h"
#include "base/sigfd.h"
#include "provision/wait_log.h"
#include "runtime/port_probe.h"
#include "runtime/root_view.h"
#include "runtime/systemd_manager.h"
#include "runtime/systemd_unit.h"

#define SLICE (100 * USEC_PER_MSEC)
#define OPEN_SLICE USEC_PER_SEC
#define LOOK_AGAIN (10 * USEC_PER_MSEC)

static const struct {
	const char *prefix;
	enum wait_for_kind kind;
} words[] = {
	{ "unit=", WAIT_FOR_UNIT },
	{ "port=", WAIT_FOR_PORT },
	{ "file=", WAIT_FOR_FILE },
	{ "log=", WAIT_FOR_LOG },
};

static int parse_port(const char *text, unsigned int *ret, struct err *err)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || *text < '0' || *text > '9' || n == 0 || n > 65535)
		return err_set(err, ERR_USAGE, -EINVAL, "invalid port: %s", QUOTE_PLAIN(text));
	*ret = (unsigned int)n;
	return 0;
}

int wait_for_parse(const char *text, struct wait_for *ret, struct err *err)
{
	*ret = (struct wait_for){ 0 };
	if (strcmp(text, "ready") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i].prefix);

		if (strncmp(text, words[i].prefix, len) != 0 || !text[len])
			continue;
		ret->kind = words[i].kind;
		ret->text = text + len;
		if (ret->kind == WAIT_FOR_FILE && ret->text[0] != '/')
			return err_set(err, ERR_USAGE, -EINVAL,
				       "invalid path: %s: must be absolute",
				       QUOTE_PLAIN(ret->text));
		if (ret->kind == WAIT_FOR_LOG)
			return wait_log_check(ret->text, err);
		return ret->kind == WAIT_FOR_PORT ? parse_port(ret->text, &ret->port, err) : 0;
	}
	return err_set(
		err, ERR_USAGE, -EINVAL,
		"cannot wait for %s: must be ready, unit=NAME, port=NUMBER, file=PATH or log=REGEX",
		QUOTE_PLAIN(text));
}

static usec_t slice_end(const struct wait_for_machine *m)
{
	usec_t end = now_usec() + SLICE;

	return end < m->deadline ? end : m->deadline;
}

/* A connection that is given up is begun anew: on a busy host one needs longer than a slice. */
static usec_t open_end(const struct wait_for_machine *m)
{
	usec_t end = now_usec() + OPEN_SLICE;

	return end < m->deadline ? end : m->deadline;
}

/* Between two slices; at most until @until. Return: 0 to go on, -EINTR, -ESRCH, -ETIMEDOUT */
static int pause_until(struct wait_for_machine *m, usec_t until, struct err *err)
{
	struct pollfd p[] = { { .fd = m->pidfd, .events = POLLIN },
			      { .fd = m->signal_fd, .events = POLLIN } };
	int n = poll(p, ARRAY_SIZE(p), deadline_poll_ms(until));
	int sig;

	if (n > 0 && p[0].revents)
		return err_set(err, ERR_NOT_FOUND, -ESRCH, "the machine has ended");
	sig = n > 0 && p[1].revents ? sigfd_read(m->signal_fd) : 0;
	if (sigfd_is_stop(sig)) {
		m->signal = sig;
		return err_set(err, ERR_INTERRUPTED, -EINTR, "interrupted");
	}
	if (m->deadline <= now_usec())
		return err_set(err, ERR_TIMEOUT, -ETIMEDOUT, "it did not happen in time");
	return 0;
}

/* As systemctl takes it: a name without a type is a service's. */
static void unit_name(const char *text, char ret[static SYSTEMD_NAME_MAX])
{
	static const char *const types[] = { ".service",   ".socket", ".target", ".mount",
					     ".automount", ".timer",  ".path",	 ".slice",
					     ".scope",	   ".device", ".swap" };
	size_t len = strlen(text);
	bool typed = false;

	for (size_t i = 0; i < ARRAY_SIZE(types) && !typed; i++) {
		size_t n = strlen(types[i]);

		typed = len > n && strcmp(text + len - n, types[i]) == 0;
	}
	(void)snprintf(ret, SYSTEMD_NAME_MAX, "%s%s", text, typed ? "" : ".service");
}

/* One slice of a question to systemd. Return: 1 so it is, 0 not yet, -errno */
static int ask(struct systemd *s, const struct wait_for *what, usec_t until, struct err *err)
{
	struct systemd_unit_state unit = { 0 };
	char name[SYSTEMD_NAME_MAX];
	enum systemd_state state;
	int r;

	if (what->kind == WAIT_FOR_READY) {
		r = systemd_wait_startup(s, until, &state, err);
		return r == -ETIMEDOUT ? 0 : r < 0 ? r : 1;
	}
	unit_name(what->text, name);
	r = systemd_wait_unit(s, name, until, &unit, err);
	if (r == -ETIMEDOUT)
		return 0;
	if (r == SYSTEMD_WAIT_FAILED)
		return err_set(err, ERR_CONFLICT, -ECANCELED, "unit %s has failed: %s",
			       QUOTE_PLAIN(what->text), unit.result);
	return r < 0 ? r : 1;
}

/* The connection is made anew whenever it fails: early in a boot nobody listens, and a reload may lose it. */
static int wait_systemd(struct wait_for_machine *m, const struct wait_for *what, struct err *err)
{
	AUTO_PTR(systemd) s = NULL;
	int r = 0;

	while (r == 0) {
		struct err why = { 0 };

		if (!s)
			r = systemd_open(m->state->pid, m->pidfd, open_end(m), &s, &why);
		if (r == 0)
			r = ask(s, what, slice_end(m), &why);
		if (r > 0)
			return 0;
		if (r < 0 && r != -ETIMEDOUT) {
			if (err)
				*err = why;
			return r;
		}
		r = pause_until(m, now_usec(), err);
	}
	return r;
}

/* Return: 1, 0, -errno */
static int look(struct wait_for_machine *m, const struct wait_for *what, const struct root_view *v,
		struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;

	if (what->kind == WAIT_FOR_PORT)
		return port_probe(m->pidfd, what->port, err);
	fd = path_at_open(v->root_fd, what->text, O_PATH, 0);
	return fd >= 0;
}

static int wait_looking(struct wait_for_machine *m, const struct wait_for *what, struct err *err)
{
	AUTO(root_view) view = { .root_fd = -EBADF };
	int r = root_view_open(m->pidfd, m->state->pid, &view, err);

	while (r >= 0) {
		r = look(m, what, &view, err);
		if (r > 0)
			return 0;
		if (r == 0)
			r = pause_until(m, now_usec() + LOOK_AGAIN, err);
	}
	return r;
}

static int wait_reading(struct wait_for_machine *m, const struct wait_for *what, struct err *err)
{
	AUTO(wait_log) log = { .fd = -EBADF };
	int r = wait_log_begin(m->state, what->text, &log, err);

	while (r == 0) {
		r = wait_log_read(&log, slice_end(m), err);
		if (r == 0)
			r = pause_until(m, now_usec(), err);
	}
	return r > 0 ? 0 : r;
}

int wait_for(struct wait_for_machine *m, const struct wait_for *what, struct err *err)
{
	int r;

	m->signal = 0;
	switch (what->kind) {
	case WAIT_FOR_READY:
	case WAIT_FOR_UNIT:
		r = wait_systemd(m, what, err);
		break;
	case WAIT_FOR_LOG:
		r = wait_reading(m, what, err);
		break;
	default:
		r = wait_looking(m, what, err);
		break;
	}
	return r;
}
