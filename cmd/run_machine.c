// SPDX-License-Identifier: MIT
/*
 * racker run, where a machine is booted (see run_machine.h).
 *
 * Sequence: the monitor boots it; we wait until it is up; the command enters from outside, or the terminal is joined to the console; the
 * machine is ended. Signals are blocked from before the boot on and come through a signalfd, so that there is no moment in which a Ctrl-C
 * would end us and leave the rest to the monitor.
 */
#include "cmd/run_machine.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/quote.h"
#include "base/sigfd.h"
#include "cmd/console_text.h"
#include "cmd/exit_status.h"
#include "cmd/machine_report.h"
#include "provision/wait_for.h"
#include "runtime/boot_spec.h"
#include "runtime/exec.h"
#include "runtime/machine.h"
#include "runtime/machine_console.h"
#include "runtime/machine_power.h"
#include "runtime/root_view.h"
#include "runtime/unit_run.h"
#include "runtime/user.h"

#define BOOT_TIMEOUT (30 * USEC_PER_SEC)
#define STOP_TIMEOUT (10 * USEC_PER_SEC)
/* A command that dies by a signal may do so because the machine goes down: that shows soon after. */
#define GOING_DOWN (300 * USEC_PER_MSEC)

struct run_session {
	const struct context *ctx;
	const struct run_options *o;
	const struct run_request *run;
	const struct foreground_request *req;
	struct machine m;
	int signal_fd;
	usec_t boot_deadline;
};

static usec_t deadline_in(usec_t given, usec_t otherwise)
{
	usec_t span = given ? given : otherwise;

	return span == USEC_INFINITY ? USEC_INFINITY : now_usec() + span;
}

static int find_state(struct run_session *s, struct container_state *ret, struct err *err)
{
	return state_find(s->req->state_dir, s->req->spec->id, ret, err);
}

/* What does not end in time, or cannot be asked, is killed. */
static int stop(struct run_session *s, struct err *err)
{
	AUTO(container_state) state = { 0 };
	int r = 0;

	if (s->o->stop == MACHINE_STOP_CLEAN && !s->m.ended && s->m.pidfd >= 0 &&
	    find_state(s, &state, NULL) >= 0 &&
	    machine_power(&state, s->m.pidfd, MACHINE_POWER_OFF, s->req->cache_dir, NULL) >= 0)
		r = machine_wait_end(&s->m, deadline_in(s->o->stop_timeout, STOP_TIMEOUT), err);
	return r < 0 || s->m.ended ? r : machine_kill(&s->m, err);
}

/* The reason why there is no machine goes before what happens to be left of it. */
static int give_up(struct run_session *s, int r)
{
	(void)machine_kill(&s->m, NULL);
	return r;
}

static int serve_console(struct run_session *s, struct exit_info *ret, struct err *err)
{
	struct detach_keys detach;
	const struct console_request console = { .terminal = s->run->tty,
						 .interactive = s->run->interactive,
						 .detach = &detach };
	enum console_end end;
	int sig = 0;
	int r = detach_keys_parse(s->o->detach_keys ? s->o->detach_keys : DETACH_KEYS_DEFAULT,
				  &detach, err);

	if (r >= 0)
		r = machine_console(&s->m, &console, s->signal_fd, &end, &sig, err);
	if (r < 0)
		return r;
	*ret = s->m.exit;
	if (end == CONSOLE_ENDED)
		return 0;
	if (end == CONSOLE_DETACHED) {
		*ret = (struct exit_info){ .how = EXIT_HOW_DETACHED };
		return machine_detach(&s->m, err);
	}
	r = stop(s, err);
	*ret = sig ? (struct exit_info){ EXIT_HOW_SIGNALED, sig } :
		     (struct exit_info){ EXIT_HOW_EXITED, 0 };
	return r;
}

/* Its last words are all that there is to tell why. */
static int ended_early(const struct run_session *s, struct err *err)
{
	console_text_tail(&s->m, stderr);
	if (s->m.exit.how == EXIT_HOW_SIGNALED)
		return err_set(
			err, ERR_SYSTEM, -ECANCELED,
			"the machine ended before it was up: its init was killed by signal %d",
			s->m.exit.value);
	return err_set(err, ERR_SYSTEM, -ECANCELED,
		       "the machine ended before it was up: its init left with exit code %d",
		       s->m.exit.value);
}

/* The time is over: what it is that takes so long. */
static int late(struct run_session *s, struct err *err)
{
	AUTO(container_state) state = { 0 };
	const char *name = s->req->spec->name;
	usec_t span = s->o->boot_timeout ? s->o->boot_timeout : BOOT_TIMEOUT;

	if (s->m.pidfd >= 0 && find_state(s, &state, NULL) >= 0)
		machine_report(s->ctx, &state, s->m.pidfd, NULL);
	return err_set(
		err, ERR_TIMEOUT, -ETIMEDOUT,
		"machine %s is not up after %.3g seconds: its init has not notified us (see --boot-timeout; an init other than systemd never does, and needs --wait=none)",
		name, (double)span / (double)USEC_PER_SEC);
}

/* Return: 0 when it is up; -EINTR with the signal in ret->value; other -errno */
static int wait_up(struct run_session *s, struct exit_info *ret, struct err *err)
{
	struct console_text text = { .to = stderr, .mark = "console: " };
	int sig = 0, r;

	if (s->o->console) {
		s->m.show = console_text_add;
		s->m.show_arg = &text;
	}
	r = machine_wait(&s->m, s->o->wait, s->boot_deadline, s->signal_fd, &sig, err);
	console_text_end(&text);
	s->m.show = NULL;
	if (r == -EINTR)
		ret->value = sig;
	if (r == -ETIMEDOUT)
		return late(s, err);
	if (r >= 0 && s->m.ended)
		return ended_early(s, err);
	return r;
}

/* What --wait asks for beside the boot. Return: as wait_up() */
static int wait_more(struct run_session *s, struct exit_info *ret, struct err *err)
{
	AUTO(container_state) state = { 0 };
	struct wait_for_machine where = { .state = &state,
					  .pidfd = s->m.pidfd,
					  .deadline = s->boot_deadline,
					  .signal_fd = s->signal_fd };
	int r = s->o->conditions ? find_state(s, &state, err) : 0;

	for (char **c = s->o->conditions; r >= 0 && c && *c; c++) {
		struct wait_for what;

		r = wait_for_parse(*c, &what, err);
		if (r >= 0)
			r = wait_for(&where, &what, err);
		if (r == -EINTR)
			ret->value = where.signal;
		if (r == -ETIMEDOUT || r == -ECANCELED) {
			machine_report(s->ctx, &state, s->m.pidfd,
				       what.kind == WAIT_FOR_UNIT ? what.text : NULL);
			return err_prefix(err, r, "wait for %s in machine %s", QUOTE_PLAIN(*c),
					  s->req->spec->name);
		}
	}
	return r;
}

/* A command that a signal ended may have been ended by the machine's own end, which is then what happened. Return: 1 if so, 0, -errno */
static int went_down(struct run_session *s, const struct exit_info *info, struct err *err)
{
	unsigned int boots = s->m.boots;
	usec_t deadline = now_usec() + GOING_DOWN;
	int r = 0;

	if (info->how != EXIT_HOW_SIGNALED && info->value < EXIT_STATUS_SIGNAL)
		return 0;
	while (r == 0 && !s->m.ended && s->m.boots == boots && s->m.pid != 0) {
		struct pollfd p = { .fd = s->m.sock, .events = POLLIN };

		if (s->m.notify.stopping)
			deadline = USEC_INFINITY;
		if (poll(&p, 1, deadline_poll_ms(deadline)) == 0)
			return 0;
		r = machine_next(&s->m, err);
	}
	return r < 0 ? r : 1;
}

/* A user that the machine does not know is a mistake in our own command line, as without a machine; no program was denied. */
static int check_user(struct run_session *s, const struct exec_request *req, int r, struct err *err)
{
	AUTO(root_view) view = { .root_fd = -EBADF };
	AUTO(user_ids) ids = { 0 };
	struct err why = { 0 };

	if (err->kind != ERR_EXEC_DENIED ||
	    root_view_open(s->m.pidfd, req->container->pid, &view, NULL) < 0 ||
	    user_lookup(view.root_fd, req->user, &ids, &why) >= 0)
		return r;
	*err = why;
	return why.code;
}

/* Return: 1 to run the command again, since the machine reboots under a user's terminal; 0 with *ret; -errno */
static int run_once(struct run_session *s, struct exit_info *ret, struct err *err)
{
	const struct machine_command *cmd = &s->req->spec->boot->command;
	AUTO(container_state) state = { 0 };
	struct exec_request req = { .container = &state,
				    .cache_dir = s->req->cache_dir,
				    .argv = cmd->argv,
				    .env = cmd->env,
				    .workdir = cmd->workdir,
				    .user = cmd->user,
				    .detach_keys = s->req->detach_keys,
				    .tty = s->run->tty,
				    .interactive = s->run->interactive };
	const struct unit_run_request unit = { .command = &req,
					       .pidfd = s->m.pidfd,
					       .unit = s->o->boot == BOOT_APP ? "app.service" :
										NULL,
					       .journal = s->o->boot == BOOT_APP && !s->run->tty };
	int r = find_state(s, &state, err);

	if (r >= 0)
		r = s->o->as_unit || s->o->boot == BOOT_APP ?
			    unit_run(&unit, s->signal_fd, ret, err) :
			    exec_run(&req, s->signal_fd, ret, err);
	if (r < 0)
		return check_user(s, &req, r, err);
	if (ret->how == EXIT_HOW_DETACHED)
		return 0;
	r = went_down(s, ret, err);
	if (r <= 0)
		return r;
	if (s->m.ended) {
		*ret = s->m.exit;
		return 0;
	}
	return s->run->tty;
}

static int run_command(struct run_session *s, struct exit_info *ret, struct err *err)
{
	int r;

	while ((r = run_once(s, ret, err)) > 0) {
		(void)fputs("\r\nThe machine reboots.\r\n", stderr);
		s->boot_deadline = deadline_in(s->o->boot_timeout, BOOT_TIMEOUT);
		r = wait_up(s, ret, err);
		if (r < 0)
			break;
	}
	if (r >= 0 && ret->how == EXIT_HOW_DETACHED)
		return machine_detach(&s->m, err);
	/* How the command ended is what counts, and it has been waited for. */
	if (r >= 0)
		return stop(s, err);
	return give_up(s, r);
}

static int serve(struct run_session *s, struct exit_info *ret, struct err *err)
{
	int r;

	if (!s->req->spec->boot->command.argv && !s->o->detach)
		return serve_console(s, ret, err);
	r = wait_up(s, ret, err);
	if (r >= 0)
		r = wait_more(s, ret, err);
	if (r < 0)
		return give_up(s, r);
	if (!s->o->detach)
		return run_command(s, ret, err);
	(void)printf("%s\n", s->req->spec->id);
	*ret = (struct exit_info){ .how = EXIT_HOW_DETACHED };
	return machine_detach(&s->m, err);
}

int run_machine(const struct context *ctx, const struct run_options *o,
		const struct run_request *run, const struct foreground_request *req,
		struct exit_info *ret, struct err *err)
{
	struct run_session s = {
		.ctx = ctx, .o = o, .run = run, .req = req, .m = MACHINE_NONE, .signal_fd = -EBADF
	};
	sigset_t old;
	int r;

	s.signal_fd = sigfd_open(&old, err);
	if (s.signal_fd < 0)
		return s.signal_fd;
	r = machine_start(req, &s.m, err);
	s.boot_deadline = deadline_in(o->boot_timeout, BOOT_TIMEOUT);
	if (r >= 0)
		r = serve(&s, ret, err);
	machine_done(&s.m);
	cleanup_close(&s.signal_fd);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}
