// SPDX-License-Identifier: MIT
/*
 * Commands as transient services (see systemd_transient.h).
 *
 * So that the end cannot be missed, the unit is made to outlive its command (RemainAfterExit=yes): it is "active (exited)" until
 * systemd_run_end() stops it. A command that fails would leave it "failed" instead, and the whole machine "degraded" for that moment;
 * so every exit code and signal is declared a success, but those codes with which systemd itself says that there was no command.
 * (Its "ignore-failure" would hide these as well.) What failed before the command ran leaves the unit failed, or gone with only its
 * job's result.
 */
#include "runtime/systemd_transient.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"
#include "runtime/systemd_manager.h"
#include "runtime/systemd_program.h"
#include "runtime/systemd_session.h"

#define VERSION_TYPE_EXEC 240
#define VERSION_EXEC_START_EX 243

static void begin_property(struct bus_writer *w, const char *name, const char *signature)
{
	bus_put_struct(w);
	bus_put_string(w, name);
	bus_put_signature(w, signature);
}

static void put_text(struct bus_writer *w, const char *name, const char *value)
{
	if (!value)
		return;
	begin_property(w, name, "s");
	bus_put_string(w, value);
}

static void put_bool(struct bus_writer *w, const char *name, bool value)
{
	begin_property(w, name, "b");
	bus_put_bool(w, value);
}

static void put_list(struct bus_writer *w, const char *name, const char *const *value)
{
	if (!value || !*value)
		return;
	begin_property(w, name, "as");
	bus_put_strings(w, value);
}

static void put_extra(struct bus_writer *w, const struct systemd_property *p)
{
	const char signature[] = { p->type, '\0' };

	switch (p->type) {
	case 's':
		put_text(w, p->name, p->text);
		break;
	case 'b':
		put_bool(w, p->name, p->number);
		break;
	case 'u':
	case 'i':
		begin_property(w, p->name, signature);
		bus_put_u32(w, (uint32_t)p->number);
		break;
	case 't':
		begin_property(w, p->name, signature);
		bus_put_u64(w, p->number);
		break;
	case 'a':
		put_list(w, p->name, p->list);
		break;
	default:
		w->error = -EINVAL;
	}
}

/* Before 243 a command line is expanded like that of a unit file: "$$" is how it says "$". */
static int escape_dollars(const char *const *argv, char ***ret)
{
	AUTO_STRV v = NULL;

	for (; *argv; argv++) {
		struct strbuf b = STRBUF_INIT(BUS_MESSAGE_MAX);
		int r = strbuf_adds(&b, "");

		for (const char *p = *argv; r == 0 && *p; p++) {
			r = strbuf_addc(&b, *p);
			if (r == 0 && *p == '$')
				r = strbuf_addc(&b, '$');
		}
		if (r == 0)
			r = strv_take(&v, strbuf_steal(&b));
		strbuf_done(&b);
		if (r < 0)
			return r;
	}
	*ret = MOVE_PTR(v);
	return 0;
}

static void put_exec(struct bus_writer *w, unsigned version, const char *program,
		     const char *const *argv)
{
	static const char *const flags[] = { "no-env-expand", NULL };
	bool extended = version >= VERSION_EXEC_START_EX;
	AUTO_STRV escaped = NULL;
	size_t mark;
	int r;

	begin_property(w, extended ? "ExecStartEx" : "ExecStart",
		       extended ? "a(sasas)" : "a(sasb)");
	mark = bus_array_begin(w, '(');
	bus_put_struct(w);
	bus_put_string(w, program);
	if (extended) {
		bus_put_strings(w, argv);
		bus_put_strings(w, flags);
	} else {
		r = escape_dollars(argv, &escaped);
		if (r < 0)
			w->error = r;
		else
			bus_put_strings(w, (const char *const *)escaped);
		bus_put_bool(w, false); /* a failure is one */
	}
	bus_array_end(w, mark, '(');
}

/* All but systemd's own codes; a command's exit with one of those is no success, yet told apart all the same. */
static void put_success(struct bus_writer *w)
{
	size_t mark;

	begin_property(w, "SuccessExitStatus", "(aiai)");
	bus_put_struct(w);
	mark = bus_array_begin(w, 'i');
	for (uint32_t code = 1; code <= UINT8_MAX; code++)
		if (code < SYSTEMD_OWN_CODE_FIRST || code > SYSTEMD_OWN_CODE_LAST)
			bus_put_u32(w, code);
	bus_array_end(w, mark, 'i');
	mark = bus_array_begin(w, 'i');
	for (uint32_t sig = 1; sig < 65; sig++)
		if (sig != 32 && sig != 33)
			bus_put_u32(w, sig);
	bus_array_end(w, mark, 'i');
}

static void put_stdio(struct bus_writer *w, const struct systemd_command *cmd)
{
	static const char *const streams[] = { "StandardInput", "StandardOutput", "StandardError" };
	static const char *const fds[] = { "StandardInputFileDescriptor",
					   "StandardOutputFileDescriptor",
					   "StandardErrorFileDescriptor" };

	for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
		if (cmd->tty) {
			put_text(w, streams[i], "tty");
		} else if (cmd->stdio[i] < 0) {
			put_text(w, streams[i], "null");
		} else {
			begin_property(w, fds[i], "h");
			bus_put_fd(w, cmd->stdio[i]);
		}
	if (!cmd->tty)
		return;
	put_text(w, "TTYPath", cmd->tty);
	/* A shell ends when its terminal does. */
	put_bool(w, "SendSIGHUP", true);
}

static void put_properties(struct bus_writer *w, unsigned version,
			   const struct systemd_command *cmd, const char *program)
{
	size_t mark = bus_array_begin(w, '(');

	put_text(w, "Description", cmd->description);
	put_text(w, "Slice", cmd->slice);
	put_text(w, "Type", version >= VERSION_TYPE_EXEC ? "exec" : "simple");
	put_bool(w, "RemainAfterExit", true);
	put_bool(w, "IgnoreSIGPIPE", false);
	if (version >= VERSION_EXEC_START_EX)
		put_success(w);
	if (cmd->early)
		put_bool(w, "DefaultDependencies", false);
	put_text(w, "User", cmd->user);
	put_text(w, "Group", cmd->group);
	put_text(w, "WorkingDirectory", cmd->workdir);
	put_list(w, "Environment", cmd->env);
	put_stdio(w, cmd);
	for (size_t i = 0; i < cmd->n_properties; i++)
		put_extra(w, &cmd->properties[i]);
	put_exec(w, version, program, cmd->argv);
	bus_array_end(w, mark, '(');
}

static int choose_name(const struct systemd_command *cmd, char ret[static SYSTEMD_NAME_MAX],
		       struct err *err)
{
	uint64_t random;
	int n;

	if (cmd->unit)
		n = snprintf(ret, SYSTEMD_NAME_MAX, "%s", cmd->unit);
	else if (getrandom(&random, sizeof(random), 0) == (ssize_t)sizeof(random))
		n = snprintf(ret, SYSTEMD_NAME_MAX, "racker-%016" PRIx64 ".service", random);
	else
		return err_sys(err, ERR_SYSTEM, "random numbers");
	if (n >= SYSTEMD_NAME_MAX)
		return err_set(err, ERR_USAGE, -ENAMETOOLONG, "unit name %s is too long",
			       QUOTE(cmd->unit));
	return 0;
}

static int submit(struct systemd *s, const struct bus_writer *body, usec_t deadline, uint32_t *ret,
		  struct err *err)
{
	struct systemd_request req = { .path = SYSTEMD_PATH,
				       .interface = SYSTEMD_MANAGER,
				       .member = "StartTransientUnit",
				       .signature = "ssa(sv)a(sa(sv))",
				       .body = body,
				       .retry = SYSTEMD_ACT };
	uint32_t connections = s->connections;
	AUTO(bus_message) m = { 0 };
	const char *path;
	int r = systemd_call(s, &req, deadline, &m, err);

	/* The first try did it, and only its answer was lost. */
	if (r == -EEXIST && s->connections != connections) {
		*ret = 0;
		return 0;
	}
	if (r == -EROFS)
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "the machine's systemd %u does not know a property", s->version);
	if (r < 0)
		return r;
	if (bus_read_text(&m.body, 'o', &path) < 0)
		return systemd_bad_answer(req.member, err);
	*ret = systemd_job_id(path);
	return *ret ? 0 : systemd_bad_answer(req.member, err);
}

int systemd_run_start(struct systemd *s, const struct systemd_command *cmd, usec_t deadline,
		      struct systemd_run *ret, struct err *err)
{
	struct bus_writer body = BUS_WRITER_INIT;
	struct systemd_run run = { 0 };
	AUTO_FREE char *program = NULL;
	int r = choose_name(cmd, run.unit, err);

	if (r == 0)
		r = systemd_program_find(s->leader, s->pidfd, cmd->argv[0], cmd->env, &program,
					 err);
	if (r < 0)
		return r;
	systemd_watch(s, run.unit);
	bus_put_string(&body, run.unit);
	bus_put_string(&body, "fail");
	put_properties(&body, s->version, cmd, program);
	bus_array_end(&body, bus_array_begin(&body, '('), '(');
	r = submit(s, &body, deadline, &run.job, err);
	bus_writer_done(&body);
	if (r < 0)
		return r;
	run.settings = (cmd->workdir ? SYSTEMD_RUN_WORKDIR : 0) |
		       (cmd->user || cmd->group ? SYSTEMD_RUN_USER : 0) |
		       (cmd->tty ? SYSTEMD_RUN_TTY : 0) |
		       (cmd->n_properties ? SYSTEMD_RUN_PROPERTIES : 0);
	/* Its signals have all come on this connection; they are looked for before anything is asked. */
	run.looked_at = run.job ? s->connections : 0;
	run.looked = now_usec();
	*ret = run;
	return 0;
}

/* Asked for what signals have not told, or may not have told: after a new connection, a failed job, a long silence. */
static int look(struct systemd *s, struct systemd_run *run, usec_t deadline, struct err *err)
{
	struct systemd_unit_state state;
	int r = systemd_unit_state_get(s, run->unit, deadline, &state, err);

	if (r < 0)
		return r;
	run->looked_at = s->connections;
	run->looked = now_usec();
	if (strcmp(state.load, "not-found") != 0)
		s->seen = state;
	else
		/* Stopped from inside and forgotten at once. What its signals told before still holds. */
		memcpy(s->seen.active, "inactive", sizeof("inactive"));
	return 0;
}

/* It never began: what its job says is all there is to know. */
static void not_started(const struct systemd_run *run, enum systemd_job_result result,
			struct systemd_run_result *ret)
{
	*ret = (struct systemd_run_result){ .how = SYSTEMD_NOT_EXECUTED, .value = 125 };
	(void)err_set(&ret->why, ERR_SYSTEM, -ECANCELED,
		      "%s was not started: its job ended as \"%s\"", run->unit,
		      systemd_job_result_name(result));
}

/* Return: 1 over, 0 not, or -errno */
static int judge(struct systemd *s, struct systemd_run *run, usec_t deadline,
		 struct systemd_run_result *ret, struct err *err)
{
	enum systemd_job_result result = SYSTEMD_JOB_OTHER;
	bool ended, looked = false;
	int r;

	s->changed = false;
	ended = run->job && systemd_removed_job(s, run->job, &result);
	if (systemd_run_result_of(&s->seen, s->version, run->settings, ret))
		return 1;
	if (s->connections != run->looked_at || now_usec() >= run->looked + SYSTEMD_LOOK_ANEW ||
	    (ended && result != SYSTEMD_JOB_DONE)) {
		r = look(s, run, deadline, err);
		if (r < 0)
			return r;
		looked = true;
	}
	if (looked && systemd_run_result_of(&s->seen, s->version, run->settings, ret))
		return 1;
	if (!looked || strcmp(s->seen.active, "inactive") != 0 || s->seen.job)
		return 0;
	not_started(run, result, ret);
	return 1;
}

int systemd_run_poll(struct systemd *s, struct systemd_run *run, struct systemd_run_result *ret,
		     struct err *err)
{
	/* More than one round when a question brought signals along; a machine that has ever more must not keep us. */
	for (int round = 0; round < 8; round++) {
		int r = systemd_fd(s) >= 0 ? bus_wait(s->bus, 0, err) : 0;

		if (r == -EBADMSG)
			return r;
		if (systemd_fd(s) >= 0 && !s->changed &&
		    now_usec() < run->looked + SYSTEMD_LOOK_ANEW)
			return 0;
		r = judge(s, run, now_usec() + SYSTEMD_LOOK_ANEW, ret, err);
		if (r == -ETIMEDOUT)
			return 0;
		if (r != 0)
			return r;
	}
	return 0;
}

int systemd_run_wait(struct systemd *s, struct systemd_run *run, usec_t deadline,
		     struct systemd_run_result *ret, struct err *err)
{
	for (;;) {
		int r = judge(s, run, deadline, ret, err);

		if (r != 0)
			return r < 0 ? r : 0;
		r = systemd_await(s, deadline, err);
		if (r < 0)
			return r;
		if (r == 0)
			return err_set(err, ERR_TIMEOUT, -ETIMEDOUT, "%s is still running",
				       run->unit);
	}
}

int systemd_run_end(struct systemd *s, const struct systemd_run *run, usec_t deadline,
		    struct err *err)
{
	int r = systemd_job_run(s, SYSTEMD_STOP, run->unit, deadline, NULL, err);

	/* A failed one stays until it is told to be forgotten. */
	if (r == 0 && strcmp(s->seen.active, "failed") == 0)
		r = systemd_unit_reset_failed(s, run->unit, deadline, err);
	return r == -ENOENT ? 0 : r;
}
