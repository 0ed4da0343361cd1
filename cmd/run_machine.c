// SPDX-License-Identifier: MIT
/*
 * racker run, where a machine is booted (see run_machine.h).
 *
 * Sequence: the monitor boots it; we wait until it is up; the command enters from outside, or the terminal is joined to the console; the
 * machine is ended. Signals are blocked from before the boot on and come through a signalfd, so that there is no moment in which a Ctrl-C
 * would end us and leave the rest to the monitor.
 */
#include "cmd/run_machine.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/quote.h"
#include "base/sigreset.h"
#include "base/strv.h"
#include "cmd/console_text.h"
#include "runtime/boot_spec.h"
#include "runtime/machine.h"
#include "runtime/machine_console.h"

#define BOOT_TIMEOUT (30 * USEC_PER_SEC)
#define STOP_TIMEOUT (10 * USEC_PER_SEC)
/* A command that dies by a signal may do so because the machine goes down: that shows soon after. */
#define GOING_DOWN (300 * USEC_PER_MSEC)

struct run_session {
	const struct run_options *o;
	const struct run_request *run;
	const struct foreground_request *req;
	struct machine m;
	int signal_fd;
};

static usec_t deadline_in(usec_t given, usec_t otherwise)
{
	usec_t span = given ? given : otherwise;

	return span == USEC_INFINITY ? USEC_INFINITY : now_usec() + span;
}

/* SIGRTMIN+4 means power-off to systemd (systemd(1) "Signals"); what does not end in time is killed. */
static int stop(struct run_session *s, struct err *err)
{
	int r = 0;

	if (s->o->stop == MACHINE_STOP_CLEAN && !s->m.ended && s->m.pidfd >= 0) {
		(void)fd_pidfd_signal(s->m.pidfd, SIGRTMIN + 4);
		r = machine_wait_end(&s->m, deadline_in(s->o->stop_timeout, STOP_TIMEOUT), err);
	}
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

static int run_in(struct run_session *s, struct exit_info *ret, struct err *err)
{
	const struct machine_command *cmd = &s->req->spec->boot->command;
	struct console_text text = { .to = stderr };
	int sig = 0, r;

	if (s->o->console) {
		s->m.show = console_text_add;
		s->m.show_arg = &text;
	}
	r = machine_wait(&s->m, s->o->wait, deadline_in(s->o->boot_timeout, BOOT_TIMEOUT),
			 s->signal_fd, &sig, err);

	console_text_end(&text);
	s->m.show = NULL;
	if (r < 0) {
		if (r == -EINTR)
			ret->value = sig;
		return give_up(s, r);
	}
	if (s->m.ended)
		return ended_early(s, err);
	if (s->o->detach) {
		(void)printf("%s\n", s->req->spec->id);
		*ret = (struct exit_info){ .how = EXIT_HOW_DETACHED };
		return machine_detach(&s->m, err);
	}
	(void)cmd;
	(void)GOING_DOWN;
	return serve_console(s, ret, err);
}

int run_machine(const struct run_options *o, const struct run_request *run,
		const struct foreground_request *req, struct exit_info *ret, struct err *err)
{
	struct run_session s = {
		.o = o, .run = run, .req = req, .m = MACHINE_NONE, .signal_fd = -EBADF
	};
	sigset_t all, old;
	int r;

	(void)sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &old) < 0)
		return err_sys(err, ERR_SYSTEM, "block signals");
	s.signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	r = s.signal_fd < 0 ? err_sys(err, ERR_SYSTEM, "receive signals") :
			      machine_start(req, &s.m, err);
	if (r >= 0)
		r = run_in(&s, ret, err);
	machine_done(&s.m);
	cleanup_close(&s.signal_fd);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}
