// SPDX-License-Identifier: MIT
/* Units of a machine's systemd: state, lists, waiting, signals, links (see systemd_unit.h). */
#include "runtime/systemd_unit.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/quote.h"
#include "runtime/systemd_manager.h"
#include "runtime/systemd_session.h"

/* A word of systemd's, or "?": it goes into messages and JSON as it is. */
static void copy_word(char to[static SYSTEMD_WORD_MAX], const char *from)
{
	size_t len = strlen(from);

	if (len >= SYSTEMD_WORD_MAX ||
	    strspn(from, "abcdefghijklmnopqrstuvwxyz0123456789-_") != len) {
		from = "?";
		len = 1;
	}
	memcpy(to, from, len + 1);
}

static void copy_name(char to[static SYSTEMD_NAME_MAX], const char *from)
{
	size_t len = strlen(from);

	if (len >= SYSTEMD_NAME_MAX ||
	    strspn(from, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@") !=
		    len) {
		from = "?";
		len = 1;
	}
	memcpy(to, from, len + 1);
}

enum field_kind {
	FIELD_WORD,
	FIELD_NAME,
	FIELD_JOB,
	FIELD_BOOL,
	FIELD_U32,
	FIELD_I32,
	FIELD_U64,
};

#define FIELD(property, kind, member)                                       \
	{                                                                   \
		property, kind, offsetof(struct systemd_unit_state, member) \
	}

static const struct field {
	const char *property;
	enum field_kind kind;
	size_t offset;
} fields[] = {
	FIELD("Id", FIELD_NAME, id),
	FIELD("LoadState", FIELD_WORD, load),
	FIELD("ActiveState", FIELD_WORD, active),
	FIELD("SubState", FIELD_WORD, sub),
	FIELD("UnitFileState", FIELD_WORD, file),
	FIELD("Result", FIELD_WORD, result),
	FIELD("Type", FIELD_WORD, type),
	FIELD("Job", FIELD_JOB, job),
	FIELD("NRestarts", FIELD_U32, n_restarts),
	FIELD("MainPID", FIELD_U32, main_pid),
	FIELD("ExecMainCode", FIELD_I32, exec_code),
	FIELD("ExecMainStatus", FIELD_I32, exec_status),
	FIELD("ConditionResult", FIELD_BOOL, condition),
	FIELD("ConditionTimestamp", FIELD_U64, condition_usec),
	FIELD("StateChangeTimestamp", FIELD_U64, state_change_usec),
	FIELD("InactiveExitTimestamp", FIELD_U64, inactive_exit_usec),
	FIELD("ActiveEnterTimestamp", FIELD_U64, active_enter_usec),
};

static int read_number_field(struct bus_reader *v, enum field_kind kind, void *to)
{
	static const char types[] = {
		[FIELD_BOOL] = 'b', [FIELD_U32] = 'u', [FIELD_I32] = 'i', [FIELD_U64] = 't'
	};
	uint64_t number;
	int e = bus_read_number(v, types[kind], &number);

	if (e < 0)
		return e;
	if (kind == FIELD_BOOL)
		*(bool *)to = number;
	else if (kind == FIELD_U32)
		*(uint32_t *)to = (uint32_t)number;
	else if (kind == FIELD_I32)
		*(int32_t *)to = (int32_t)(uint32_t)number;
	else
		*(uint64_t *)to = number;
	return 0;
}

static int read_field(struct bus_reader *v, const struct field *f, struct systemd_unit_state *state)
{
	void *to = (char *)state + f->offset;
	const char *text;
	int e;

	if (f->kind == FIELD_JOB) {
		e = bus_read_open(v);
		return e < 0 ? e : bus_read_u32(v, to);
	}
	if (f->kind != FIELD_WORD && f->kind != FIELD_NAME)
		return read_number_field(v, f->kind, to);
	e = bus_read_text(v, 's', &text);
	if (e < 0)
		return e;
	if (f->kind == FIELD_WORD)
		copy_word(to, text);
	else
		copy_name(to, text);
	return 0;
}

int systemd_unit_merge(struct bus_reader *dict, struct systemd_unit_state *state)
{
	while (bus_reader_more(dict)) {
		struct bus_reader value;
		const char *property = "";
		int e = bus_read_open(dict);

		if (e == 0)
			e = bus_read_text(dict, 's', &property);
		if (e == 0)
			e = bus_read_variant(dict, &value);
		if (e == 0)
			e = bus_read_close(dict);
		for (size_t i = 0; e == 0 && i < ARRAY_SIZE(fields); i++)
			if (strcmp(fields[i].property, property) == 0)
				e = read_field(&value, &fields[i], state);
		if (e < 0)
			return e;
	}
	return 0;
}

int systemd_unit_state_get(struct systemd *s, const char *unit, usec_t deadline,
			   struct systemd_unit_state *ret, struct err *err)
{
	struct systemd_unit_state state = { 0 };
	struct bus_writer body = BUS_WRITER_INIT;
	char path[SYSTEMD_UNIT_PATH_MAX];
	struct systemd_request req = { .path = systemd_unit_path(path, unit),
				       .interface = SYSTEMD_PROPERTIES,
				       .member = "GetAll",
				       .signature = "s",
				       .body = &body,
				       .retry = SYSTEMD_ASK };
	AUTO(bus_message) m = { 0 };
	struct bus_reader dict;
	int r;

	/* No interface: those of all, of one moment. */
	bus_put_string(&body, "");
	r = systemd_call(s, &req, deadline, &m, err);
	bus_writer_done(&body);
	if (r < 0)
		return r;
	if (bus_read_array(&m.body, "{sv}", &dict) < 0 || systemd_unit_merge(&dict, &state) < 0)
		return systemd_bad_answer("GetAll", err);
	*ret = state;
	return 0;
}

bool systemd_unit_is_done(const struct systemd_unit_state *state)
{
	return strcmp(state->type, "oneshot") == 0 && strcmp(state->active, "inactive") == 0 &&
	       strcmp(state->result, "success") == 0 && !state->job && state->condition &&
	       state->inactive_exit_usec;
}

void systemd_units_done(struct systemd_units *u)
{
	free(u->list);
	free(u->reply);
	*u = (struct systemd_units){ 0 };
}

static int read_entry(struct bus_reader *r, struct systemd_unit_entry *ret)
{
	int e = bus_read_open(r);

	if (e == 0)
		e = bus_read_text(r, 's', &ret->name);
	if (e == 0)
		e = bus_read_text(r, 's', &ret->description);
	if (e == 0)
		e = bus_read_text(r, 's', &ret->load);
	if (e == 0)
		e = bus_read_text(r, 's', &ret->active);
	if (e == 0)
		e = bus_read_text(r, 's', &ret->sub);
	return e < 0 ? e : bus_read_close(r);
}

int systemd_units_list(struct systemd *s, const char *const *states, usec_t deadline,
		       struct systemd_units *ret, struct err *err)
{
	struct bus_writer body = BUS_WRITER_INIT;
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = "ListUnitsFiltered",
				       .signature = "as",
				       .body = &body,
				       .retry = SYSTEMD_ASK };
	AUTO(systemd_units) units = { 0 };
	AUTO(bus_message) m = { 0 };
	struct bus_reader array;
	int r;

	bus_put_strings(&body, states);
	r = systemd_call(s, &req, deadline, &m, err);
	bus_writer_done(&body);
	if (r < 0)
		return r;
	if (bus_read_array(&m.body, "(ssssssouso)", &array) < 0)
		return systemd_bad_answer(req.member, err);
	while (bus_reader_more(&array)) {
		struct systemd_unit_entry entry;

		if (read_entry(&array, &entry) < 0)
			return systemd_bad_answer(req.member, err);
		if ((units.n & (units.n - 1)) == 0) {
			void *grown = realloc(units.list,
					      sizeof(*units.list) * (units.n ? units.n * 2 : 1));

			if (!grown)
				return err_oom(err);
			units.list = grown;
		}
		units.list[units.n++] = entry;
	}
	units.reply = MOVE_PTR(m.bytes);
	*ret = units;
	units = (struct systemd_units){ 0 };
	return 0;
}

enum verdict {
	GO_ON,
	IS_UP,
	IS_FAILED,
};

/* @job: one that was queued for the unit when it was last looked at, or 0 */
static enum verdict judge(const struct systemd *s, const struct systemd_unit_state *state,
			  uint32_t job)
{
	enum systemd_job_result result;

	if (strcmp(state->active, "active") == 0 || strcmp(state->active, "reloading") == 0 ||
	    strcmp(state->active, "refreshing") == 0 || systemd_unit_is_done(state))
		return IS_UP;
	if (strcmp(state->active, "failed") == 0)
		return IS_FAILED;
	if (strcmp(state->active, "inactive") != 0 || state->job)
		return GO_ON;
	if (state->condition_usec && !state->condition)
		return IS_FAILED;
	/* A unit whose dependency failed has never been touched: only its job tells. */
	if (job && systemd_removed_job(s, job, &result) && result != SYSTEMD_JOB_DONE)
		return IS_FAILED;
	return GO_ON;
}

/* Can it ever become active? Return: 0 or -errno */
static int check_loaded(const char *unit, const struct systemd_unit_state *state, struct err *err)
{
	if (strcmp(state->load, "not-found") == 0)
		return err_set(err, ERR_NOT_FOUND, -ENOENT, "there is no unit %s", QUOTE(unit));
	if (strcmp(state->load, "masked") == 0)
		return err_set(err, ERR_CONFLICT, -ERFKILL, "unit %s is masked", QUOTE(unit));
	return 0;
}

int systemd_wait_unit(struct systemd *s, const char *unit, usec_t deadline,
		      struct systemd_unit_state *ret, struct err *err)
{
	char id[SYSTEMD_NAME_MAX] = "";
	uint32_t job = 0;

	systemd_watch(s, unit);
	for (;;) {
		enum verdict verdict;
		int r;

		s->changed = false;
		r = systemd_unit_state_get(s, unit, deadline, ret, err);
		if (r < 0)
			return r;
		verdict = judge(s, ret, job);
		if (verdict != GO_ON)
			return verdict == IS_UP ? SYSTEMD_WAIT_ACTIVE : SYSTEMD_WAIT_FAILED;
		r = check_loaded(unit, ret, err);
		if (r < 0)
			return r;
		/* Signals come from its primary name; it is looked at again, because some may have come already. */
		if (!*id && strcmp(unit, ret->id) != 0) {
			memcpy(id, ret->id, sizeof(id));
			unit = id;
			systemd_watch(s, unit);
			continue;
		}
		if (ret->job)
			job = ret->job;
		r = systemd_await(s, deadline, err);
		if (r < 0)
			return r;
		if (r == 0)
			return err_set(err, ERR_TIMEOUT, -ETIMEDOUT,
				       "unit %s is not active in time: %s (%s)", QUOTE(unit),
				       ret->active, ret->sub);
	}
}

int systemd_unit_kill(struct systemd *s, const char *unit, bool all, int sig, usec_t deadline,
		      struct err *err)
{
	struct bus_writer body = BUS_WRITER_INIT;
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = "KillUnit",
				       .signature = "ssi",
				       .body = &body,
				       .retry = SYSTEMD_ONCE };
	int r;

	bus_put_string(&body, unit);
	bus_put_string(&body, all ? "all" : "main");
	bus_put_u32(&body, (uint32_t)sig);
	r = systemd_call(s, &req, deadline, NULL, err);
	bus_writer_done(&body);
	return r;
}

int systemd_unit_reset_failed(struct systemd *s, const char *unit, usec_t deadline, struct err *err)
{
	struct bus_writer body = BUS_WRITER_INIT;
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = unit ? "ResetFailedUnit" : "ResetFailed",
				       .signature = unit ? "s" : "",
				       .body = &body,
				       .retry = SYSTEMD_ACT };
	int r;

	if (unit)
		bus_put_string(&body, unit);
	r = systemd_call(s, &req, deadline, NULL, err);
	bus_writer_done(&body);
	return r;
}

int systemd_unit_files_change(struct systemd *s, enum systemd_file_change what,
			      const char *const *units, bool runtime, usec_t deadline,
			      struct err *err)
{
	static const struct {
		const char *method, *signature;
	} ways[] = {
		[SYSTEMD_ENABLE] = { "EnableUnitFiles", "asbb" },
		[SYSTEMD_DISABLE] = { "DisableUnitFiles", "asb" },
		[SYSTEMD_MASK] = { "MaskUnitFiles", "asbb" },
		[SYSTEMD_UNMASK] = { "UnmaskUnitFiles", "asb" },
	};
	struct bus_writer body = BUS_WRITER_INIT;
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = ways[what].method,
				       .signature = ways[what].signature,
				       .body = &body,
				       .retry = SYSTEMD_ACT };
	int r;

	bus_put_strings(&body, units);
	bus_put_bool(&body, runtime);
	if (what == SYSTEMD_ENABLE || what == SYSTEMD_MASK)
		bus_put_bool(&body, false); /* force */
	r = systemd_call(s, &req, deadline, NULL, err);
	bus_writer_done(&body);
	return r < 0 ? r : systemd_reload(s, deadline, err);
}
