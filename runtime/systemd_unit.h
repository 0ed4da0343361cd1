/* SPDX-License-Identifier: MIT */
/* Units of a machine's systemd: their state, lists of them, waiting for one, signals, enabling. Deadlines and errors: systemd_manager.h. */
#ifndef RUNTIME_SYSTEMD_UNIT_H
#define RUNTIME_SYSTEMD_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"

struct systemd;

#define SYSTEMD_WORD_MAX 32
#define SYSTEMD_NAME_MAX 256 /* a unit's name has at most 255 bytes */

/* One moment's state. The words are systemd's own ("active", "auto-restart"): only a-z, 0-9, '-' and '_', else "?"; "" where a unit has none. */
struct systemd_unit_state {
	char id[SYSTEMD_NAME_MAX]; /* the primary name, whichever alias was asked for */
	char load[SYSTEMD_WORD_MAX]; /* loaded not-found bad-setting error masked */
	char active[SYSTEMD_WORD_MAX]; /* active reloading inactive failed activating deactivating */
	char sub[SYSTEMD_WORD_MAX]; /* running exited dead auto-restart start-pre ... */
	char file[SYSTEMD_WORD_MAX]; /* enabled disabled static masked generated transient ... */
	char result[SYSTEMD_WORD_MAX]; /* success exit-code signal core-dump timeout oom-kill start-limit-hit ... */
	char type[SYSTEMD_WORD_MAX]; /* of a service: simple exec oneshot notify ... */
	uint32_t job; /* id of the job that is queued for it; 0: none */
	uint32_t n_restarts; /* of a service */
	uint32_t main_pid; /* of a service, as seen inside the machine; 0: none */
	int32_t exec_code; /* of a service's main process: 0 or CLD_EXITED, CLD_KILLED, CLD_DUMPED */
	int32_t exec_status; /* exit code or signal */
	bool condition; /* its conditions held when it was last to be started */
	uint64_t condition_usec; /* CLOCK_REALTIME of that; 0: never */
	uint64_t state_change_usec; /* CLOCK_REALTIME of the last change of "active"; 0: never */
	uint64_t inactive_exit_usec; /* when it last began to start; 0: never */
	uint64_t active_enter_usec; /* when it last became active; 0: never */
};

/** systemd_unit_state_get() - a unit that does not exist is no error: its load state says "not-found". Return: 0 or -errno */
int systemd_unit_state_get(struct systemd *s, const char *unit, usec_t deadline,
			   struct systemd_unit_state *ret, struct err *err);

/** systemd_unit_is_done() - is it a oneshot service that has done its work well, and is inactive again? */
bool systemd_unit_is_done(const struct systemd_unit_state *state);

struct systemd_unit_entry {
	const char *name, *description, *load, *active, *sub; /* guest's text: QUOTE() it */
};
struct systemd_units {
	struct systemd_unit_entry *list;
	size_t n;
	void *reply; /* what the strings point into */
};
void systemd_units_done(struct systemd_units *u);

/**
 * systemd_units_list() - the units in memory, as `systemctl list-units --all`
 * @states: NULL-terminated words of which load, active or sub state must be one ("failed", "activating"); NULL: all
 * @ret: systemd_units_done()
 * Return: 0 or -errno
 */
int systemd_units_list(struct systemd *s, const char *const *states, usec_t deadline,
		       struct systemd_units *ret, struct err *err);

enum systemd_wait {
	SYSTEMD_WAIT_ACTIVE, /* it is active; or it was a oneshot service that has done its work */
	SYSTEMD_WAIT_FAILED, /* it is in state "failed", its start job went wrong (a dependency), or a condition of it does not hold */
};

/**
 * systemd_wait_unit() - until a unit is active, or failed; it starts nothing
 * A unit that is not started waits for somebody to start it, a service between two restarts for the next try.
 * @ret: the last state seen; also filled on -ETIMEDOUT if it was ever known
 * Return: enum systemd_wait; -ENOENT (no such unit), -ERFKILL (masked), -ETIMEDOUT
 */
int systemd_wait_unit(struct systemd *s, const char *unit, usec_t deadline,
		      struct systemd_unit_state *ret, struct err *err);

/** systemd_unit_kill() - send @sig to the unit's main process, or with @all to every process of it. Return: 0 or -errno */
int systemd_unit_kill(struct systemd *s, const char *unit, bool all, int sig, usec_t deadline,
		      struct err *err);
/** systemd_unit_reset_failed() - forget failure and start limit; NULL: of all units. Return: 0 or -errno */
int systemd_unit_reset_failed(struct systemd *s, const char *unit, usec_t deadline,
			      struct err *err);

enum systemd_file_change {
	SYSTEMD_ENABLE,
	SYSTEMD_DISABLE,
	SYSTEMD_MASK,
	SYSTEMD_UNMASK,
};

/**
 * systemd_unit_files_change() - change the links of units, then reload as systemctl does
 * @units: NULL-terminated
 * @runtime: in /run, gone with the next boot. SYSTEMD_UNMASK of a mask in /run (the boot profile's) needs it.
 * A SysV script alone cannot be enabled so: -ENOENT.
 * Return: 0 or -errno
 */
int systemd_unit_files_change(struct systemd *s, enum systemd_file_change what,
			      const char *const *units, bool runtime, usec_t deadline,
			      struct err *err);

#endif
