// SPDX-License-Identifier: MIT
/*
 * Jobs (see systemd_job.h).
 *
 * PID 1 tells of each job that ends by a signal, JobRemoved, which may come before the reply that names the job. The session keeps the
 * last ones by number, so the order does not matter. What a lost connection did not tell is asked for: a job that is not known any more
 * has ended, and the unit's state says how.
 */
#include "runtime/systemd_job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/systemd_session.h"
#include "runtime/systemd_unit.h"

static const char *const result_names[] = {
	[SYSTEMD_JOB_DONE] = "done",
	[SYSTEMD_JOB_CANCELED] = "canceled",
	[SYSTEMD_JOB_TIMEOUT] = "timeout",
	[SYSTEMD_JOB_FAILED] = "failed",
	[SYSTEMD_JOB_DEPENDENCY] = "dependency",
	[SYSTEMD_JOB_SKIPPED] = "skipped",
};

const char *systemd_job_result_name(enum systemd_job_result result)
{
	return (size_t)result < ARRAY_SIZE(result_names) ? result_names[result] : "other";
}

enum systemd_job_result systemd_job_result_parse(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(result_names); i++)
		if (strcmp(result_names[i], word) == 0)
			return (enum systemd_job_result)i;
	return SYSTEMD_JOB_OTHER;
}

static int queue(struct systemd *s, enum systemd_job_kind kind, const char *unit, usec_t deadline,
		 uint32_t *ret, struct err *err)
{
	static const char *const methods[] = {
		[SYSTEMD_START] = "StartUnit",
		[SYSTEMD_STOP] = "StopUnit",
		[SYSTEMD_RESTART] = "RestartUnit",
		[SYSTEMD_RELOAD_OR_RESTART] = "ReloadOrRestartUnit",
	};
	struct bus_writer body = BUS_WRITER_INIT;
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = methods[kind],
				       .signature = "ss",
				       .body = &body,
				       .retry = SYSTEMD_ACT };
	AUTO(bus_message) m = { 0 };
	const char *path;
	int r;

	bus_put_string(&body, unit);
	bus_put_string(&body, "replace");
	r = systemd_call(s, &req, deadline, &m, err);
	bus_writer_done(&body);
	if (r < 0)
		return r;
	if (bus_read_text(&m.body, 'o', &path) < 0)
		return systemd_bad_answer(methods[kind], err);
	*ret = systemd_job_id(path);
	return *ret ? 0 : systemd_bad_answer(methods[kind], err);
}

/* Return: 1 it is still known, 0 it is not, or -errno */
static int job_exists(struct systemd *s, uint32_t id, usec_t deadline, struct err *err)
{
	AUTO(bus_message) m = { 0 };
	struct bus_reader value;
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), SYSTEMD_PATH "/job/%u", id);
	r = systemd_get(s, path, "org.freedesktop.systemd1.Job", "State", deadline, &m, &value,
			err);
	if (r == -ENXIO || r == -ENOENT || r == -EOPNOTSUPP)
		return 0;
	return r < 0 ? r : 1;
}

/* How a job must have ended whose end we missed. */
static int guess_result(struct systemd *s, enum systemd_job_kind kind, const char *unit,
			usec_t deadline, enum systemd_job_result *ret, struct err *err)
{
	struct systemd_unit_state state = { 0 };
	int r = systemd_unit_state_get(s, unit, deadline, &state, err);
	bool up;

	if (r < 0)
		return r;
	up = strcmp(state.active, "active") == 0 || strcmp(state.active, "reloading") == 0 ||
	     systemd_unit_is_done(&state);
	*ret = up != (kind == SYSTEMD_STOP) ? SYSTEMD_JOB_DONE : SYSTEMD_JOB_FAILED;
	return 0;
}

int systemd_job_run(struct systemd *s, enum systemd_job_kind kind, const char *unit,
		    usec_t deadline, enum systemd_job_result *ret, struct err *err)
{
	uint32_t id = 0, connections;
	usec_t look;
	int r = queue(s, kind, unit, deadline, &id, err);

	if (r < 0 || !ret)
		return r;
	connections = s->connections;
	look = now_usec() + SYSTEMD_LOOK_ANEW;
	for (;;) {
		s->changed = false;
		if (systemd_removed_job(s, id, ret))
			return 0;
		if (s->connections != connections || now_usec() >= look) {
			connections = s->connections;
			look = now_usec() + SYSTEMD_LOOK_ANEW;
			r = job_exists(s, id, deadline, err);
			/* Its end may have been told while we asked. */
			if (r == 0 && systemd_removed_job(s, id, ret))
				return 0;
			if (r == 0)
				return guess_result(s, kind, unit, deadline, ret, err);
			if (r < 0)
				return r;
		}
		r = systemd_await(s, deadline, err);
		if (r < 0)
			return r;
		if (r == 0)
			return err_set(err, ERR_TIMEOUT, -ETIMEDOUT, "the job is not over in time");
	}
}

void systemd_jobs_done(struct systemd_jobs *j)
{
	free(j->list);
	free(j->reply);
	*j = (struct systemd_jobs){ 0 };
}

static int read_job(struct bus_reader *r, struct systemd_job_entry *ret)
{
	int e = bus_read_open(r);

	if (e == 0)
		e = bus_read_u32(r, &ret->id);
	if (e == 0)
		e = bus_read_text(r, 's', &ret->unit);
	if (e == 0)
		e = bus_read_text(r, 's', &ret->type);
	if (e == 0)
		e = bus_read_text(r, 's', &ret->state);
	return e < 0 ? e : bus_read_close(r);
}

int systemd_jobs_list(struct systemd *s, usec_t deadline, struct systemd_jobs *ret, struct err *err)
{
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = "ListJobs",
				       .retry = SYSTEMD_ASK };
	AUTO(systemd_jobs) jobs = { 0 };
	AUTO(bus_message) m = { 0 };
	struct bus_reader array;
	int r = systemd_call(s, &req, deadline, &m, err);

	if (r < 0)
		return r;
	if (bus_read_array(&m.body, "(usssoo)", &array) < 0)
		return systemd_bad_answer(req.member, err);
	while (bus_reader_more(&array)) {
		struct systemd_job_entry job;

		if (read_job(&array, &job) < 0)
			return systemd_bad_answer(req.member, err);
		if ((jobs.n & (jobs.n - 1)) == 0) {
			void *grown =
				realloc(jobs.list, sizeof(*jobs.list) * (jobs.n ? jobs.n * 2 : 1));

			if (!grown)
				return err_oom(err);
			jobs.list = grown;
		}
		jobs.list[jobs.n++] = job;
	}
	jobs.reply = MOVE_PTR(m.bytes);
	*ret = jobs;
	jobs = (struct systemd_jobs){ 0 };
	return 0;
}
