// SPDX-License-Identifier: MIT
/* What is asked of a machine's systemd, against a PID 1 that answers well, late, in another order, or nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "runtime/systemd_job.h"
#include "runtime/systemd_manager.h"
#include "runtime/systemd_unit.h"
#include "tests/unit/fake_systemd.h"

#define UNIT_PATH SYSTEMD_PATH "/unit/a_2eservice"

static void test_unit_path(void **state)
{
	char path[SYSTEMD_UNIT_PATH_MAX], name[2000];

	(void)state;
	assert_string_equal(systemd_unit_path(path, "a.service"), UNIT_PATH);
	assert_string_equal(systemd_unit_path(path, "9x@\xc3.mount"),
			    SYSTEMD_PATH "/unit/_39x_40_c3_2emount");
	assert_string_equal(systemd_unit_path(path, ""), SYSTEMD_PATH "/unit/_");
	memset(name, '-', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(strlen(systemd_unit_path(path, name)),
			 strlen(SYSTEMD_PATH "/unit/") + 3 * (SYSTEMD_NAME_MAX - 1));
}

static void test_job_id(void **state)
{
	(void)state;
	assert_int_equal(systemd_job_id(SYSTEMD_PATH "/job/4711"), 4711);
	assert_int_equal(systemd_job_id(SYSTEMD_PATH "/job/4294967295"), UINT32_MAX);
	assert_int_equal(systemd_job_id(SYSTEMD_PATH "/job/4294967296"), 0);
	assert_int_equal(systemd_job_id(SYSTEMD_PATH "/job/"), 0);
	assert_int_equal(systemd_job_id(SYSTEMD_PATH "/job/-1"), 0);
	assert_int_equal(systemd_job_id(SYSTEMD_PATH "/job/1x"), 0);
	assert_int_equal(systemd_job_id("/"), 0);
}

static void answer_states(int fd, struct fake_call *call, unsigned n)
{
	static const char *const words[] = { "initializing", "starting", "running", "degraded",
					     "maintenance",  "stopping", "\033[31m" };

	if (n < ARRAY_SIZE(words))
		answer_text(fd, call, words[n]);
	else
		answer_number(fd, call, 'u', 1);
}

static void test_states(void **state)
{
	struct fake_systemd f;
	enum systemd_state st;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_states);
	for (int want = SYSTEMD_INITIALIZING; want <= SYSTEMD_STOPPING; want++) {
		assert_int_equal(systemd_state_get(&f.session, in_ms(5000), &st, &e), 0);
		assert_int_equal(st, want);
	}
	assert_int_equal(systemd_state_get(&f.session, in_ms(5000), &st, &e), 0);
	assert_int_equal(st, SYSTEMD_UNKNOWN);
	assert_int_equal(systemd_state_get(&f.session, in_ms(5000), &st, &e), -EBADMSG);
	assert_int_equal(e.kind, ERR_CORRUPT);
	fake_systemd_end(&f);
}

static void answer_status(int fd, struct fake_call *call, unsigned n)
{
	const char *interface, *property = "";

	(void)n;
	if (bus_read_text(&call->body, 's', &interface) < 0 ||
	    bus_read_text(&call->body, 's', &property) < 0)
		_exit(1);
	if (strcmp(property, "SystemState") == 0)
		answer_text(fd, call, "degraded");
	else if (strcmp(property, "Version") == 0)
		answer_text(fd, call, "252\033[2J.39-1~\"deb12\"");
	else if (strcmp(property, "NFailedUnits") == 0)
		answer_number(fd, call, 'u', 3);
	else if (strcmp(property, "NJobs") == 0)
		answer_number(fd, call, 'u', 4);
	else
		answer_number(fd, call, 't', property[0] == 'U' ? 1700000000000000 : 0);
}

static void test_status(void **state)
{
	struct systemd_status st;
	struct fake_systemd f;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_status);
	assert_int_equal(systemd_status_get(&f.session, in_ms(5000), &st, &e), 0);
	assert_int_equal(st.state, SYSTEMD_DEGRADED);
	assert_int_equal(st.version, 252);
	assert_string_equal(st.version_text, "252[2J.39-1~deb12");
	assert_int_equal(st.n_failed_units, 3);
	assert_int_equal(st.n_jobs, 4);
	assert_int_equal(st.userspace_usec, 1700000000000000);
	assert_int_equal(st.finished_usec, 0);
	fake_systemd_end(&f);
}

static void put_unit(struct bus_writer *w)
{
	put_text_property(w, "Id", "a.service");
	put_text_property(w, "LoadState", "loaded");
	put_text_property(w, "ActiveState", "activating");
	put_text_property(w, "SubState", "auto-restart");
	put_text_property(w, "UnitFileState", "");
	put_text_property(w, "Result", "\033[31mred");
	put_text_property(w, "Type", "a-word-that-is-much-longer-than-any-of-systemd");
	put_text_property(w, "Unheard", "of");
	put_number_property(w, "NRestarts", 'u', 5);
	put_number_property(w, "ExecMainStatus", 'i', (uint64_t)-1);
	put_number_property(w, "ConditionResult", 'b', 1);
	put_number_property(w, "StateChangeTimestamp", 't', 1234567890123456);
	bus_put_struct(w);
	bus_put_string(w, "Job");
	bus_put_signature(w, "(uo)");
	bus_put_struct(w);
	bus_put_u32(w, 77);
	bus_put_string(w, SYSTEMD_PATH "/job/77");
}

static void put_wrong_unit(struct bus_writer *w)
{
	put_text_property(w, "Id", "a.service");
	put_number_property(w, "ActiveState", 'u', 1);
}

static void answer_unit(int fd, struct fake_call *call, unsigned n)
{
	if (strcmp(call->head.path, UNIT_PATH) != 0 || strcmp(call->head.member, "GetAll") != 0)
		_exit(1);
	answer_properties(fd, call, n ? put_wrong_unit : put_unit);
}

static void test_unit_state(void **state)
{
	struct systemd_unit_state st;
	struct fake_systemd f;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_unit);
	assert_int_equal(systemd_unit_state_get(&f.session, "a.service", in_ms(5000), &st, &e), 0);
	assert_string_equal(st.id, "a.service");
	assert_string_equal(st.load, "loaded");
	assert_string_equal(st.active, "activating");
	assert_string_equal(st.sub, "auto-restart");
	assert_string_equal(st.file, "");
	assert_string_equal(st.result, "?");
	assert_string_equal(st.type, "?");
	assert_int_equal(st.n_restarts, 5);
	assert_int_equal(st.exec_status, -1);
	assert_true(st.condition);
	assert_int_equal(st.state_change_usec, 1234567890123456);
	assert_int_equal(st.job, 77);
	assert_int_equal(systemd_unit_state_get(&f.session, "a.service", in_ms(5000), &st, &e),
			 -EBADMSG);
	fake_systemd_end(&f);
}

static void answer_units(int fd, struct fake_call *call, unsigned n)
{
	struct bus_writer w = BUS_WRITER_INIT;
	size_t mark = bus_array_begin(&w, '(');

	for (uint32_t i = 0; i < n * 3; i++) {
		static const char *const words[] = { "a.service", "Text", "loaded",
						     "failed",	  "dead", "" };

		bus_put_struct(&w);
		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			bus_put_string(&w, words[k]);
		bus_put_string(&w, UNIT_PATH);
		bus_put_u32(&w, i);
		bus_put_string(&w, "");
		bus_put_string(&w, "/");
	}
	bus_array_end(&w, mark, '(');
	fake_peer_reply(fd, call->head.serial, NULL, n < 2 ? "a(ssssssouso)" : "a(ssssssousu)", &w);
	bus_writer_done(&w);
}

static void test_units_list(void **state)
{
	struct systemd_units units;
	struct fake_systemd f;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_units);
	assert_int_equal(systemd_units_list(&f.session, NULL, in_ms(5000), &units, &e), 0);
	assert_int_equal(units.n, 0);
	systemd_units_done(&units);
	assert_int_equal(systemd_units_list(&f.session, NULL, in_ms(5000), &units, &e), 0);
	assert_int_equal(units.n, 3);
	assert_string_equal(units.list[2].name, "a.service");
	assert_string_equal(units.list[2].description, "Text");
	assert_string_equal(units.list[2].load, "loaded");
	assert_string_equal(units.list[2].active, "failed");
	assert_string_equal(units.list[2].sub, "dead");
	systemd_units_done(&units);
	assert_int_equal(systemd_units_list(&f.session, NULL, in_ms(5000), &units, &e), -EBADMSG);
	fake_systemd_end(&f);
}

static void answer_jobs(int fd, struct fake_call *call, unsigned n)
{
	struct bus_writer w = BUS_WRITER_INIT;
	size_t mark = bus_array_begin(&w, '(');

	(void)n;
	for (uint32_t id = 10; id < 12; id++) {
		bus_put_struct(&w);
		bus_put_u32(&w, id);
		bus_put_string(&w, "a.service");
		bus_put_string(&w, "start");
		bus_put_string(&w, "running");
		bus_put_string(&w, "/j");
		bus_put_string(&w, "/u");
	}
	bus_array_end(&w, mark, '(');
	fake_peer_reply(fd, call->head.serial, NULL, "a(usssoo)", &w);
	bus_writer_done(&w);
}

static void test_jobs_list(void **state)
{
	struct systemd_jobs jobs;
	struct fake_systemd f;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_jobs);
	assert_int_equal(systemd_jobs_list(&f.session, in_ms(5000), &jobs, &e), 0);
	assert_int_equal(jobs.n, 2);
	assert_int_equal(jobs.list[1].id, 11);
	assert_string_equal(jobs.list[1].unit, "a.service");
	assert_string_equal(jobs.list[1].type, "start");
	assert_string_equal(jobs.list[1].state, "running");
	systemd_jobs_done(&jobs);
	fake_systemd_end(&f);
}

/* The end of a job is told before the reply that names it, or after it, among those of others; or never. */
static void answer_job_run(int fd, struct fake_call *call, unsigned n)
{
	static const char *const results[] = { "done", "failed", "dependency", "collected" };
	char path[64];

	if (n == ARRAY_SIZE(results)) {
		answer_path(fd, call, SYSTEMD_PATH "/job/99");
		return;
	}
	if (n > ARRAY_SIZE(results)) {
		answer_path(fd, call, "/nonsense");
		return;
	}
	(void)snprintf(path, sizeof(path), SYSTEMD_PATH "/job/%u", n + 1);
	if (n % 2)
		signal_job_removed(fd, n + 1, "a.service", results[n]);
	signal_job_removed(fd, 50, "b.service", "timeout");
	answer_path(fd, call, path);
	signal_job_removed(fd, 51, "b.service", "canceled");
	(void)poll(NULL, 0, 20);
	if (n % 2 == 0)
		signal_job_removed(fd, n + 1, "a.service", results[n]);
}

static void test_job_run(void **state)
{
	static const enum systemd_job_result want[] = { SYSTEMD_JOB_DONE, SYSTEMD_JOB_FAILED,
							SYSTEMD_JOB_DEPENDENCY, SYSTEMD_JOB_OTHER };
	enum systemd_job_result result;
	struct fake_systemd f;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_job_run);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(systemd_job_run(&f.session, SYSTEMD_START, "a.service",
						 in_ms(5000), &result, &e),
				 0);
		assert_int_equal(result, want[i]);
	}
	assert_int_equal(systemd_job_run(&f.session, SYSTEMD_START, "a.service", in_ms(100),
					 &result, &e),
			 -ETIMEDOUT);
	assert_int_equal(e.kind, ERR_TIMEOUT);
	assert_int_equal(systemd_job_run(&f.session, SYSTEMD_STOP, "a.service", in_ms(5000), NULL,
					 &e),
			 -EBADMSG);
	fake_systemd_end(&f);
}

static void answer_startup(int fd, struct fake_call *call, unsigned n)
{
	answer_text(fd, call, n ? "running" : "starting");
	if (n)
		return;
	(void)poll(NULL, 0, 50);
	fake_peer_signal(fd, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartupFinished", "", NULL);
}

static void answer_starting(int fd, struct fake_call *call, unsigned n)
{
	(void)n;
	answer_text(fd, call, "starting");
}

static void test_wait_startup(void **state)
{
	usec_t begin = now_usec();
	enum systemd_state st;
	struct fake_systemd f;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_startup);
	assert_int_equal(systemd_wait_startup(&f.session, in_ms(5000), &st, &e), 0);
	assert_int_equal(st, SYSTEMD_RUNNING);
	/* by the signal, not by looking again after a silence */
	assert_true(now_usec() - begin < USEC_PER_SEC + USEC_PER_SEC / 2);
	fake_systemd_end(&f);
	fake_systemd_start(&f, 252, answer_starting);
	assert_int_equal(systemd_wait_startup(&f.session, in_ms(100), &st, &e), -ETIMEDOUT);
	assert_non_null(strstr(e.msg, "starting"));
	fake_systemd_end(&f);
}

/* A unit that is waited for: what the questions about it are answered with, one after the other. */
struct moment {
	const char *load, *active, *result, *type;
	uint32_t job;
	bool condition;
	uint64_t tried;
};
static const struct moment *moments;

static void put_moment(struct bus_writer *w, const struct moment *m)
{
	put_text_property(w, "Id", "a.service");
	put_text_property(w, "LoadState", m->load);
	put_text_property(w, "ActiveState", m->active);
	put_text_property(w, "SubState", "x");
	put_text_property(w, "Result", m->result);
	put_text_property(w, "Type", m->type);
	put_number_property(w, "ConditionResult", 'b', m->condition);
	put_number_property(w, "ConditionTimestamp", 't', m->tried);
	put_number_property(w, "InactiveExitTimestamp", 't', m->condition ? m->tried : 0);
	bus_put_struct(w);
	bus_put_string(w, "Job");
	bus_put_signature(w, "(uo)");
	bus_put_struct(w);
	bus_put_u32(w, m->job);
	bus_put_string(w, "/");
}

static void put_first_moment(struct bus_writer *w)
{
	put_moment(w, &moments[0]);
}

static void put_second_moment(struct bus_writer *w)
{
	put_moment(w, &moments[1]);
}

static void answer_moments(int fd, struct fake_call *call, unsigned n)
{
	answer_properties(fd, call, n ? put_second_moment : put_first_moment);
	if (n)
		return;
	(void)poll(NULL, 0, 20);
	if (moments[0].job)
		signal_job_removed(fd, moments[0].job, "a.service", "dependency");
	signal_changed(fd, UNIT_PATH, "Unit", put_second_moment);
}

static int wait_for_moments(const struct moment *m, struct err *e)
{
	struct systemd_unit_state st;
	struct fake_systemd f;
	usec_t begin = now_usec();
	int r;

	moments = m;
	fake_systemd_start(&f, 252, answer_moments);
	r = systemd_wait_unit(&f.session, "a.service", in_ms(1000), &st, e);
	fake_systemd_end(&f);
	if (r >= 0)
		assert_true(now_usec() - begin < USEC_PER_SEC);
	return r;
}

static void test_wait_unit(void **state)
{
	static const struct {
		struct moment m[2];
		int want;
	} all[] = {
		{ { { "loaded", "inactive", "success", "simple", 0, false, 0 },
		    { "loaded", "active", "success", "simple", 0, true, 5 } },
		  SYSTEMD_WAIT_ACTIVE },
		{ { { "loaded", "activating", "success", "simple", 0, true, 5 },
		    { "loaded", "failed", "exit-code", "simple", 0, true, 5 } },
		  SYSTEMD_WAIT_FAILED },
		{ { { "loaded", "activating", "success", "oneshot", 0, true, 5 },
		    { "loaded", "inactive", "success", "oneshot", 0, true, 5 } },
		  SYSTEMD_WAIT_ACTIVE },
		{ { { "loaded", "inactive", "success", "simple", 7, false, 0 },
		    { "loaded", "inactive", "success", "simple", 0, false, 0 } },
		  SYSTEMD_WAIT_FAILED },
		{ { { "loaded", "inactive", "success", "simple", 0, false, 0 },
		    { "loaded", "inactive", "success", "simple", 0, false, 5 } },
		  SYSTEMD_WAIT_FAILED },
		{ { { "not-found", "inactive", "success", "", 0, false, 0 } }, -ENOENT },
		{ { { "masked", "inactive", "success", "", 0, false, 0 } }, -ERFKILL },
		{ { { "masked", "active", "success", "simple", 0, true, 5 } },
		  SYSTEMD_WAIT_ACTIVE },
		{ { { "loaded", "inactive", "success", "simple", 0, false, 0 },
		    { "loaded", "inactive", "success", "simple", 0, false, 0 } },
		  -ETIMEDOUT },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(wait_for_moments(all[i].m, &e), all[i].want);
}

static void answer_power(int fd, struct fake_call *call, unsigned n)
{
	const char *unit, *mode;
	uint64_t code;
	bool good;

	if (n == 0)
		good = strcmp(call->head.member, "SetExitCode") == 0 &&
		       bus_read_number(&call->body, 'y', &code) == 0 && code == 42;
	else
		good = strcmp(call->head.member, "StartUnit") == 0 &&
		       bus_read_text(&call->body, 's', &unit) == 0 &&
		       bus_read_text(&call->body, 's', &mode) == 0 &&
		       strcmp(unit, "exit.target") == 0 &&
		       strcmp(mode, "replace-irreversibly") == 0;
	if (!good)
		fake_peer_reply(fd, call->head.serial, "a.b.Bad", "", NULL);
	else if (n == 0)
		fake_peer_reply(fd, call->head.serial, NULL, "", NULL);
	else
		_exit(0); /* it is gone before it answers */
}

static void test_power(void **state)
{
	struct fake_systemd f;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_power);
	assert_int_equal(systemd_power(&f.session, SYSTEMD_EXIT, false, 42, in_ms(5000), &e), 0);
	fake_systemd_end(&f);
	fake_systemd_start(&f, 252, answer_power);
	assert_int_equal(systemd_power(&f.session, SYSTEMD_EXIT, false, 41, in_ms(5000), &e),
			 -EREMOTEIO);
	fake_systemd_end(&f);
}

static void answer_slowly(int fd, struct fake_call *call, unsigned n)
{
	(void)n;
	(void)poll(NULL, 0, 150);
	answer_text(fd, call, "running");
}

static void answer_never(int fd, struct fake_call *call, unsigned n)
{
	(void)fd;
	(void)call;
	(void)n;
}

/* A caller that asks in slices shorter than the answer takes: it gets there, on the same connection. One that never answers is given up. */
static void test_slices(void **state)
{
	enum systemd_state st = SYSTEMD_UNKNOWN;
	struct fake_systemd f;
	struct err e = { 0 };
	usec_t begin;
	int r = -ETIMEDOUT;

	(void)state;
	fake_systemd_start(&f, 252, answer_slowly);
	assert_int_equal(systemd_state_get(&f.session, in_ms(50), &st, &e), -ETIMEDOUT);
	assert_true(systemd_fd(&f.session) >= 0);
	assert_true(f.session.silent_since != 0);
	assert_int_equal(systemd_state_get(&f.session, in_ms(2000), &st, &e), 0);
	assert_int_equal(st, SYSTEMD_RUNNING);
	assert_int_equal(f.session.silent_since, 0);
	fake_systemd_end(&f);
	fake_systemd_start(&f, 252, answer_never);
	begin = now_usec();
	while (r == -ETIMEDOUT && systemd_fd(&f.session) >= 0 &&
	       now_usec() < begin + 5 * USEC_PER_SEC)
		r = systemd_state_get(&f.session, in_ms(100), &st, &e);
	assert_int_equal(r, -ETIMEDOUT);
	assert_int_equal(systemd_fd(&f.session), -EBADF);
	assert_true(now_usec() - begin >= SYSTEMD_LOOK_ANEW);
	fake_systemd_end(&f);
}

static void answer_by_dying(int fd, struct fake_call *call, unsigned n)
{
	(void)fd;
	(void)call;
	(void)n;
	_exit(0);
}

static void test_machine_ends(void **state)
{
	enum systemd_job_result result;
	enum systemd_state st;
	struct fake_systemd f;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_by_dying);
	(void)systemd_state_get(&f.session, in_ms(1000), &st, &e);
	/* The pidfd says so a little after the socket does. */
	assert_int_equal(poll(&(struct pollfd){ .fd = f.session.pidfd, .events = POLLIN }, 1, 5000),
			 1);
	assert_int_equal(systemd_state_get(&f.session, in_ms(5000), &st, &e), -ESRCH);
	assert_int_equal(systemd_job_run(&f.session, SYSTEMD_START, "x.service", in_ms(5000),
					 &result, &e),
			 -ESRCH);
	assert_string_equal(e.msg, "the machine has ended");
	fake_systemd_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unit_path),    cmocka_unit_test(test_job_id),
		cmocka_unit_test(test_states),	     cmocka_unit_test(test_status),
		cmocka_unit_test(test_unit_state),   cmocka_unit_test(test_units_list),
		cmocka_unit_test(test_jobs_list),    cmocka_unit_test(test_job_run),
		cmocka_unit_test(test_wait_startup), cmocka_unit_test(test_wait_unit),
		cmocka_unit_test(test_power),	     cmocka_unit_test(test_slices),
		cmocka_unit_test(test_machine_ends),
	};

	return cmocka_run_group_tests_name("systemd", tests, NULL, NULL);
}
