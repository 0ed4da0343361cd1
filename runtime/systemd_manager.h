/* SPDX-License-Identifier: MIT */
/*
 * A session with the systemd that is PID 1 of a machine: connecting, reconnecting, the state of the whole, ready, power.
 *
 * Everything here and in systemd_unit.h, systemd_job.h and systemd_transient.h takes an absolute @deadline on the clock of now_usec()
 * and fails with ERR_TIMEOUT/-ETIMEDOUT when that passes. The machine is not trusted: all its answers are bounded and checked; names
 * and descriptions in them are its own text, to be printed with QUOTE(). Errors callers branch on, the same everywhere:
 * -ETIMEDOUT/ERR_TIMEOUT, -ENOENT/ERR_NOT_FOUND (no such unit), -ESRCH/ERR_NOT_FOUND (the machine has ended), -ERFKILL/ERR_CONFLICT (the
 * unit is masked), -EACCES/ERR_AUTH (PID 1 refuses us), -EBADMSG/ERR_CORRUPT (its answer is not what it should be),
 * -EOPNOTSUPP/ERR_UNSUPPORTED (this systemd is too old for it), -ESHUTDOWN/ERR_SYSTEM (it is on its way down); any other answer is
 * -EREMOTEIO/ERR_SYSTEM in PID 1's words.
 */
#ifndef RUNTIME_SYSTEMD_MANAGER_H
#define RUNTIME_SYSTEMD_MANAGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/err.h"

struct systemd;

enum systemd_state {
	SYSTEMD_UNKNOWN = 0, /* a word we do not know; "offline" too */
	SYSTEMD_INITIALIZING,
	SYSTEMD_STARTING,
	SYSTEMD_RUNNING,
	SYSTEMD_DEGRADED, /* up, with failed units */
	SYSTEMD_MAINTENANCE, /* rescue or emergency */
	SYSTEMD_STOPPING,
};

/* What `systemctl status` says of the whole. */
struct systemd_status {
	enum systemd_state state;
	unsigned version; /* 252 */
	char version_text[64]; /* "252.39-1~deb12u2": printable ASCII without quotes or backslash */
	uint32_t n_failed_units;
	uint32_t n_jobs; /* jobs queued or running */
	uint64_t userspace_usec; /* CLOCK_REALTIME when PID 1 began; 0: not said */
	uint64_t finished_usec; /* CLOCK_REALTIME when the boot was finished; 0: not yet */
};

enum systemd_power {
	SYSTEMD_POWEROFF,
	SYSTEMD_REBOOT,
	SYSTEMD_HALT,
	SYSTEMD_EXIT, /* end with an exit code, as `systemctl exit N` */
};

/**
 * systemd_open() - connect to a machine's PID 1, waiting until it listens (early in the boot it does not yet)
 * @leader: the machine's PID 1 in our PID namespace
 * @pidfd:  of the same process (borrowed, must stay open as long as the session)
 * Needs about 1.5 ms. /run/systemd/private is tried first, then the system bus. The session reads nothing of its own accord: PID 1 sends
 * a signal for whatever happens inside, so do not keep an idle one; either serve systemd_fd() or close and open again.
 * Return: 0; -ESRCH, -ETIMEDOUT (also when nobody listened until the deadline, or all refused), see above
 * Source: systemd's org.freedesktop.systemd1(5)
 */
int systemd_open(pid_t leader, int pidfd, usec_t deadline, struct systemd **ret, struct err *err);
/** systemd_free() - close; NULL allowed. Nothing in the machine is touched. */
void systemd_free(struct systemd *s);
DEFINE_AUTO_PTR(systemd)

/** systemd_state_name() - "running", as systemctl prints it. Static. */
const char *systemd_state_name(enum systemd_state state);
/** systemd_state_get() - state of the whole, one question. Return: 0 or -errno */
int systemd_state_get(struct systemd *s, usec_t deadline, enum systemd_state *ret, struct err *err);
/** systemd_status_get() - state, version, counts. Return: 0 or -errno */
int systemd_status_get(struct systemd *s, usec_t deadline, struct systemd_status *ret,
		       struct err *err);
/** systemd_version() - the major version that the machine said when we connected ("252"); 0 for one that says none */
unsigned systemd_version(const struct systemd *s);

/**
 * systemd_wait_startup() - until the boot is finished: SYSTEMD_RUNNING, _DEGRADED, _MAINTENANCE or _STOPPING
 * Survives a daemon-reexec. When the deadline has passed, systemd_jobs_list() tells what is still starting.
 * Return: 0; -ETIMEDOUT, -ESRCH
 */
int systemd_wait_startup(struct systemd *s, usec_t deadline, enum systemd_state *ret,
			 struct err *err);

/** systemd_reload() - `systemctl daemon-reload`; 0.1 to 0.2 s. Return: 0 or -errno */
int systemd_reload(struct systemd *s, usec_t deadline, struct err *err);

/**
 * systemd_power() - ask for the end; returns when PID 1 has accepted, the caller then waits for the machine's leader
 * @force: do not stop units in order, as `systemctl --force`
 * @exit_code: for SYSTEMD_EXIT
 * Return: 0 (also when PID 1 hung up instead of answering) or -errno
 */
int systemd_power(struct systemd *s, enum systemd_power what, bool force, uint8_t exit_code,
		  usec_t deadline, struct err *err);

/* For a caller with a poll loop of its own, such as one that waits for a transient unit beside a terminal. */

/** systemd_fd() - to be polled for POLLIN; -EBADF while disconnected. May change with every call that takes the session. */
int systemd_fd(const struct systemd *s);

#endif
