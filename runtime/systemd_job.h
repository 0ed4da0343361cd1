/* SPDX-License-Identifier: MIT */
/* Jobs of a machine's systemd: starting and stopping units and how that ended. Deadlines and errors: systemd_manager.h. */
#ifndef RUNTIME_SYSTEMD_JOB_H
#define RUNTIME_SYSTEMD_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"

struct systemd;

enum systemd_job_kind {
	SYSTEMD_START,
	SYSTEMD_STOP,
	SYSTEMD_RESTART,
	SYSTEMD_RELOAD_OR_RESTART,
};

enum systemd_job_result {
	SYSTEMD_JOB_DONE,
	SYSTEMD_JOB_CANCELED, /* by a job that conflicts */
	SYSTEMD_JOB_TIMEOUT, /* its own JobTimeoutSec= */
	SYSTEMD_JOB_FAILED,
	SYSTEMD_JOB_DEPENDENCY, /* a unit it requires failed */
	SYSTEMD_JOB_SKIPPED, /* it does not apply in this state */
	SYSTEMD_JOB_OTHER, /* invalid, assert, unsupported, collected, once, frozen, ... */
};

/** systemd_job_result_name() - "done", as systemd writes it. Static. */
const char *systemd_job_result_name(enum systemd_job_result result);

/**
 * systemd_job_run() - queue a job (mode "replace") and wait until it is over
 * How it ended is a result, not an error: look at the unit for the reason. After -ETIMEDOUT the job is still there.
 * @ret: NULL: do not wait, only queue
 * Return: 0; -ENOENT (no such unit), -ERFKILL (masked), -ETIMEDOUT, see systemd_manager.h
 */
int systemd_job_run(struct systemd *s, enum systemd_job_kind kind, const char *unit,
		    usec_t deadline, enum systemd_job_result *ret, struct err *err);

struct systemd_job_entry {
	uint32_t id;
	const char *unit, *type, *state; /* guest's text: "start", "waiting" or "running" */
};
struct systemd_jobs {
	struct systemd_job_entry *list;
	size_t n;
	void *reply; /* what the strings point into */
};
void systemd_jobs_done(struct systemd_jobs *j);

/** systemd_jobs_list() - what is queued or running: what a boot still waits for. @ret: systemd_jobs_done(). Return: 0 or -errno */
int systemd_jobs_list(struct systemd *s, usec_t deadline, struct systemd_jobs *ret,
		      struct err *err);

#endif
