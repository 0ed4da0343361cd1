// SPDX-License-Identifier: MIT
/* A machine's systemd as a whole: state, version, end of the boot, reload, power (see systemd_manager.h). */
#include "runtime/systemd_manager.h"

#include <errno.h>
#include <string.h>

#include "runtime/systemd_session.h"

static const char *const state_names[] = {
	[SYSTEMD_UNKNOWN] = "unknown",	 [SYSTEMD_INITIALIZING] = "initializing",
	[SYSTEMD_STARTING] = "starting", [SYSTEMD_RUNNING] = "running",
	[SYSTEMD_DEGRADED] = "degraded", [SYSTEMD_MAINTENANCE] = "maintenance",
	[SYSTEMD_STOPPING] = "stopping",
};

const char *systemd_state_name(enum systemd_state state)
{
	return (size_t)state < ARRAY_SIZE(state_names) ? state_names[state] : "unknown";
}

static enum systemd_state parse_state(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(state_names); i++)
		if (strcmp(state_names[i], word) == 0)
			return (enum systemd_state)i;
	return SYSTEMD_UNKNOWN;
}

int systemd_state_get(struct systemd *s, usec_t deadline, enum systemd_state *ret, struct err *err)
{
	AUTO(bus_message) m = { 0 };
	struct bus_reader value;
	const char *word;
	int r = systemd_get(s, SYSTEMD_PATH, SYSTEMD_MANAGER, "SystemState", deadline, &m, &value,
			    err);

	if (r < 0)
		return r;
	if (bus_read_text(&value, 's', &word) < 0)
		return systemd_bad_answer("SystemState", err);
	*ret = parse_state(word);
	return 0;
}

/* What is printable ASCII and no quoting character, cut to size. */
static void copy_plain(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n < size - 1; from++)
		if (*from >= ' ' && *from <= '~' && !strchr("\"'\\`", *from))
			to[n++] = *from;
	to[n] = '\0';
}

static int get_text(struct systemd *s, const char *property, usec_t deadline, char *ret,
		    size_t size, struct err *err)
{
	AUTO(bus_message) m = { 0 };
	struct bus_reader value;
	const char *text;
	int r = systemd_get(s, SYSTEMD_PATH, SYSTEMD_MANAGER, property, deadline, &m, &value, err);

	if (r < 0)
		return r;
	if (bus_read_text(&value, 's', &text) < 0)
		return systemd_bad_answer(property, err);
	copy_plain(ret, size, text);
	return 0;
}

static int get_number(struct systemd *s, const char *property, char type, usec_t deadline,
		      uint64_t *ret, struct err *err)
{
	AUTO(bus_message) m = { 0 };
	struct bus_reader value;
	int r = systemd_get(s, SYSTEMD_PATH, SYSTEMD_MANAGER, property, deadline, &m, &value, err);

	if (r < 0)
		return r;
	if (bus_read_number(&value, type, ret) < 0)
		return systemd_bad_answer(property, err);
	return 0;
}

int systemd_status_get(struct systemd *s, usec_t deadline, struct systemd_status *ret,
		       struct err *err)
{
	struct systemd_status st = { 0 };
	uint64_t failed = 0, jobs = 0;
	int r = systemd_state_get(s, deadline, &st.state, err);

	if (r == 0)
		r = get_text(s, "Version", deadline, st.version_text, sizeof(st.version_text), err);
	if (r == 0)
		r = get_number(s, "NFailedUnits", 'u', deadline, &failed, err);
	if (r == 0)
		r = get_number(s, "NJobs", 'u', deadline, &jobs, err);
	if (r == 0)
		r = get_number(s, "UserspaceTimestamp", 't', deadline, &st.userspace_usec, err);
	if (r == 0)
		r = get_number(s, "FinishTimestamp", 't', deadline, &st.finished_usec, err);
	if (r < 0)
		return r;
	st.version = s->version;
	st.n_failed_units = (uint32_t)failed;
	st.n_jobs = (uint32_t)jobs;
	*ret = st;
	return 0;
}

int systemd_wait_startup(struct systemd *s, usec_t deadline, enum systemd_state *ret,
			 struct err *err)
{
	for (;;) {
		enum systemd_state state = SYSTEMD_UNKNOWN;
		int r;

		s->changed = false;
		r = systemd_state_get(s, deadline, &state, err);
		if (r < 0)
			return r;
		if (state >= SYSTEMD_RUNNING) {
			*ret = state;
			return 0;
		}
		r = systemd_await(s, deadline, err);
		if (r < 0)
			return r;
		if (r == 0)
			return err_set(err, ERR_TIMEOUT, -ETIMEDOUT,
				       "the boot is not finished: systemd says \"%s\"",
				       systemd_state_name(state));
	}
}

int systemd_reload(struct systemd *s, usec_t deadline, struct err *err)
{
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = "Reload",
				       .retry = SYSTEMD_ACT };

	return systemd_call(s, &req, deadline, NULL, err);
}

static int set_exit_code(struct systemd *s, uint8_t exit_code, usec_t deadline, struct err *err)
{
	struct bus_writer body = BUS_WRITER_INIT;
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = "SetExitCode",
				       .signature = "y",
				       .body = &body,
				       .retry = SYSTEMD_ACT };
	int r;

	bus_put_byte(&body, exit_code);
	r = systemd_call(s, &req, deadline, NULL, err);
	bus_writer_done(&body);
	return r;
}

int systemd_power(struct systemd *s, enum systemd_power what, bool force, uint8_t exit_code,
		  usec_t deadline, struct err *err)
{
	static const struct {
		const char *target, *method;
	} ways[] = {
		[SYSTEMD_POWEROFF] = { "poweroff.target", "PowerOff" },
		[SYSTEMD_REBOOT] = { "reboot.target", "Reboot" },
		[SYSTEMD_HALT] = { "halt.target", "Halt" },
		[SYSTEMD_EXIT] = { "exit.target", "Exit" },
	};
	struct bus_writer body = BUS_WRITER_INIT;
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = force ? ways[what].method : "StartUnit",
				       .signature = force ? "" : "ss",
				       .body = &body,
				       .retry = SYSTEMD_ONCE };
	int r = what == SYSTEMD_EXIT ? set_exit_code(s, exit_code, deadline, err) : 0;

	if (r < 0)
		return r;
	if (!force) {
		bus_put_string(&body, ways[what].target);
		bus_put_string(&body, "replace-irreversibly");
	}
	r = systemd_call(s, &req, deadline, NULL, err);
	bus_writer_done(&body);
	/* It may be gone before it could answer. */
	return r == -ECONNRESET || r == -ESRCH ? 0 : r;
}
