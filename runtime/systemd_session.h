/* SPDX-License-Identifier: MIT */
/* What the systemd_*.c files share: the session itself, calls that survive a lost connection, what signals have said. */
#ifndef RUNTIME_SYSTEMD_SESSION_H
#define RUNTIME_SYSTEMD_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "base/err.h"
#include "runtime/bus.h"
#include "runtime/systemd_job.h"
#include "runtime/systemd_unit.h"

#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT "org.freedesktop.systemd1.Unit"
#define SYSTEMD_PROPERTIES "org.freedesktop.DBus.Properties"

#define SYSTEMD_REMOVED_MAX 512
#define SYSTEMD_UNIT_PATH_MAX 1024 /* a byte of the name takes up to three */

/* A waiting caller looks anew after so long a silence, whatever the signals say. */
#define SYSTEMD_LOOK_ANEW (2 * USEC_PER_SEC)

struct systemd_removed_job {
	uint32_t id;
	enum systemd_job_result result;
};

struct systemd {
	pid_t leader;
	int pidfd; /* borrowed */
	struct bus *bus; /* NULL: not connected */
	const char *destination; /* NULL on the private socket */
	unsigned version;
	uint32_t connections; /* how often we connected */
	usec_t silent_since; /* when the first call was made that has no answer, with none answered after it; 0: all are */
	struct systemd_removed_job
		removed[SYSTEMD_REMOVED_MAX]; /* a ring of the last jobs that ended */
	size_t n_removed; /* ever */
	char watched[SYSTEMD_UNIT_PATH_MAX]; /* object path of the unit that a caller waits for, or "" */
	struct systemd_unit_state seen; /* what its signals told; as read last, if it was read */
	bool changed; /* since this was cleared: the watched unit, a job or the boot as a whole */
};

/* What may be done when there is no answer. */
enum systemd_retry {
	SYSTEMD_ASK, /* changes nothing: ask anew after 2, 4, 8... s, on a new connection */
	SYSTEMD_ACT, /* may take its time; again only when the connection was lost */
	SYSTEMD_ONCE,
};

struct systemd_request {
	const char *path, *interface, *member, *signature;
	const struct bus_writer *body;
	enum systemd_retry retry;
};

/** systemd_has_ended() - is the machine's PID 1 gone? */
bool systemd_has_ended(const struct systemd *s);

/** systemd_call() - call PID 1, connecting first if need be. @ret: bus_message_done(), or NULL. Return: 0 or -errno as systemd_manager.h says */
int systemd_call(struct systemd *s, const struct systemd_request *req, usec_t deadline,
		 struct bus_message *ret, struct err *err);

/**
 * systemd_get() - one property of an object
 * @ret_message: bus_message_done(); @ret_value points into it
 * Return: 0 or -errno
 */
int systemd_get(struct systemd *s, const char *path, const char *interface, const char *property,
		usec_t deadline, struct bus_message *ret_message, struct bus_reader *ret_value,
		struct err *err);

/**
 * systemd_await() - wait until something may have changed
 * Clear @changed before looking at the machine, and then call this: what happened in between is not lost.
 * Return: 1 look again; 0 the deadline has passed; -ESRCH, -EBADMSG, ...
 */
int systemd_await(struct systemd *s, usec_t deadline, struct err *err);

/** systemd_signal() - take note of what a signal tells; the bus_signal_fn of every session, @arg is the struct systemd */
void systemd_signal(void *arg, const struct bus_header *head, struct bus_reader *body);

/** systemd_bad_answer() - an answer that has not the form it should have. Return: -EBADMSG */
int systemd_bad_answer(const char *member, struct err *err);

/** systemd_job_result_parse() - from systemd's word */
enum systemd_job_result systemd_job_result_parse(const char *word);
/** systemd_removed_job() - has this job ended, as far as signals have told? */
bool systemd_removed_job(const struct systemd *s, uint32_t id, enum systemd_job_result *ret);
/** systemd_job_id() - of an object path. Return: 0 for one that is no job */
uint32_t systemd_job_id(const char *path);

/** systemd_unit_path() - object path of a unit; names longer than SYSTEMD_NAME_MAX are cut. Return: @buf of SYSTEMD_UNIT_PATH_MAX bytes */
const char *systemd_unit_path(char *buf, const char *unit);
/** systemd_watch() - follow the signals of this unit from now on, and of no other; nothing is known of it yet */
void systemd_watch(struct systemd *s, const char *unit);
/** systemd_unit_merge() - take over the properties in @dict (of type {sv}) that belong to a unit's state. Return: 0 or -EBADMSG */
int systemd_unit_merge(struct bus_reader *dict, struct systemd_unit_state *state);

#endif
