/* SPDX-License-Identifier: MIT */
/*
 * A command run as a transient service of a machine's systemd, with the caller's own file descriptors: `exec --as-unit`.
 * Deadlines and errors: systemd_manager.h.
 */
#ifndef RUNTIME_SYSTEMD_TRANSIENT_H
#define RUNTIME_SYSTEMD_TRANSIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "runtime/systemd_unit.h"

struct systemd;

/* Exit codes with which a child of systemd's says that it did not come to execute its command. */
#define SYSTEMD_OWN_CODE_FIRST 200
#define SYSTEMD_OWN_CODE_LAST 245

/* A property beyond those of struct systemd_command. All borrowed. */
struct systemd_property {
	const char *name; /* "MemoryMax" */
	char type; /* D-Bus: 's' text, 'b' boolean and 'u', 'i', 't' in number, 'a' list (as) */
	const char *text;
	uint64_t number;
	const char *const *list;
};

/* What to run. All borrowed, needed only during systemd_run_start(). */
struct systemd_command {
	const char *const *
		argv; /* argv[0]: absolute path inside the machine. Handed over byte for byte; must be UTF-8 */
	const char *const *env; /* NAME=VALUE; NULL: only what systemd gives a service */
	const char *user, *group, *workdir, *description, *slice; /* NULL: systemd's default */
	const char *unit; /* "name.service"; NULL: a unique name "racker-....service" */
	const char *
		tty; /* path inside the machine of the terminal that takes the place of stdio[]; NULL: none */
	int stdio[3]; /* handed over; below 0: /dev/null */
	bool early; /* do not wait for the machine's basic start (DefaultDependencies=no) */
	const struct systemd_property *properties;
	size_t n_properties;
};

/* What of a command could make systemd fail before it executes it. */
#define SYSTEMD_RUN_WORKDIR 1U
#define SYSTEMD_RUN_USER 2U
#define SYSTEMD_RUN_TTY 4U
#define SYSTEMD_RUN_PROPERTIES 8U

struct systemd_run {
	char unit[SYSTEMD_NAME_MAX];
	unsigned settings; /* SYSTEMD_RUN_* */
	uint32_t job; /* the start job; 0: not known */
	uint32_t looked_at; /* on which connection it was looked at last, */
	usec_t looked; /* and when */
};

enum systemd_end {
	SYSTEMD_EXITED, /* @value: exit code */
	SYSTEMD_KILLED, /* @value: signal; also SIGKILL for oom-kill, the signal that ended it for a timeout */
	SYSTEMD_NOT_EXECUTED, /* @value: an exit code as docker gives it: 126, 127, else 125; err has the reason */
};

struct systemd_run_result {
	enum systemd_end how;
	int value;
	bool core_dumped;
	struct err
		why; /* for SYSTEMD_NOT_EXECUTED: kind ERR_EXEC_NOT_FOUND, ERR_EXEC_DENIED or ERR_SYSTEM, message ready to print */
	char result[SYSTEMD_WORD_MAX]; /* systemd's word: success exit-code signal oom-kill timeout ... */
};

/**
 * systemd_run_start() - hand the command to PID 1; returns when it has been accepted, not when it runs
 * @ret: plain data; what it names in the machine lasts until systemd_run_end()
 * A session follows one unit at a time: do not mix this with systemd_wait_unit() before the end.
 * Return: 0; ERR_EXEC_NOT_FOUND or ERR_EXEC_DENIED (argv[0], in docker's words), -EILSEQ/ERR_USAGE (an argument is no UTF-8),
 * -EEXIST/ERR_CONFLICT (the given name is in use), -EINVAL/ERR_USAGE (PID 1 does not take a value), see systemd_manager.h
 */
int systemd_run_start(struct systemd *s, const struct systemd_command *cmd, usec_t deadline,
		      struct systemd_run *ret, struct err *err);

/**
 * systemd_run_wait() - until the command has ended; USEC_INFINITY is allowed
 * The result cannot be lost: the unit stays until systemd_run_end(), also when the connection is made anew.
 * Return: 0; -ETIMEDOUT (still running), -ESRCH (the machine has ended)
 */
int systemd_run_wait(struct systemd *s, struct systemd_run *run, usec_t deadline,
		     struct systemd_run_result *ret, struct err *err);

/**
 * systemd_run_poll() - for poll loops: serve what systemd_fd() has; call it once before polling, and again at least every 2 s
 * Blocks for up to 2 s only when the connection has to be made anew.
 * Return: 1 ended, *ret is filled; 0 still running, as far as is known; -ESRCH, -EBADMSG
 */
int systemd_run_poll(struct systemd *s, struct systemd_run *run, struct systemd_run_result *ret,
		     struct err *err);

/** systemd_run_end() - stop what is left of the unit (SIGTERM, as systemd does) and forget it. Call it once, whatever happened. Return: 0 or -errno */
int systemd_run_end(struct systemd *s, const struct systemd_run *run, usec_t deadline,
		    struct err *err);

/**
 * systemd_run_result_of() - what a state of a transient unit means
 * @version:  of systemd
 * @settings: of the command, SYSTEMD_RUN_*
 * systemd tells of its own failures before the exec by exit codes 200 to 245, which a command may return just as well. They are taken
 * for systemd's if the unit was never active (since 240, Type=exec, it is from the exec on; but in 252 not always when the command ends
 * at once) and if there was something in the command that could have failed so. What remains: a command that ends at once with 203.
 * Return: true if the command is over and *ret filled
 * Source: systemd.exec(5) "Process Exit Codes"
 */
bool systemd_run_result_of(const struct systemd_unit_state *state, unsigned version,
			   unsigned settings, struct systemd_run_result *ret);

#endif
