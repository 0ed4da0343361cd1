// SPDX-License-Identifier: MIT
/*
 * A command run as a unit (see unit_run.h). The unit gets our own descriptors; or with a terminal the path of a pty of the machine's own devpts,
 * of which we hold the other end; or pipes, where its output is to be in the journal too. PID 1 tells us over its socket when it has ended.
 */
#include "runtime/unit_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/path_at.h"
#include "base/sigfd.h"
#include "base/strv.h"
#include "runtime/console.h"
#include "runtime/journal_tee.h"
#include "runtime/pty_forward.h"
#include "runtime/root_view.h"
#include "runtime/systemd_manager.h"
#include "runtime/systemd_transient.h"

#define ANSWER (5 * USEC_PER_SEC)
#define LOOK_AGAIN (2 * USEC_PER_SEC) /* see systemd_run_poll() */
#define DRAIN (USEC_PER_SEC)

struct unit_session {
	const struct unit_run_request *req;
	struct systemd *systemd;
	struct systemd_run run;
	struct systemd_run_result result;
	int signal_fd;
	int pty, pty_slave; /* -EBADF: no terminal */
	char tty[32]; /* its path in the machine */
	struct pty_forward f;
	struct journal_tee tee;
	bool fed; /* the journal's side of @tee has been started */
	bool detached;
};

static int open_tty(struct unit_session *s, struct err *err)
{
	AUTO(root_view) view = { .root_fd = -EBADF };
	AUTO_CLOSE int pts = -EBADF;
	unsigned int number;
	int r = root_view_open(s->req->pidfd, s->req->command->container->pid, &view, err);

	if (r < 0)
		return r;
	pts = path_at_open_beneath(view.root_fd, "dev/pts", O_PATH | O_DIRECTORY, 0);
	if (pts < 0) {
		errno = -pts;
		return err_sys(err, ERR_SYSTEM, "open the machine's /dev/pts");
	}
	r = console_open(pts, &s->pty, &s->pty_slave, err);
	if (r < 0)
		return r;
	if (ioctl(s->pty, TIOCGPTN, &number) < 0)
		return err_sys(err, ERR_SYSTEM, "number of the pseudo-terminal");
	(void)snprintf(s->tty, sizeof(s->tty), "/dev/pts/%u", number);
	return 0;
}

static int start(struct unit_session *s, struct err *err)
{
	const struct exec_request *x = s->req->command;
	struct systemd_command cmd = {
		.argv = (const char *const *)x->argv,
		.env = (const char *const *)x->env,
		.user = x->user && *x->user && strcmp(x->user, "root") != 0 ? x->user : NULL,
		.workdir = x->workdir && *x->workdir ? x->workdir : NULL,
		.description = "command of racker",
		.unit = s->req->unit,
		.tty = x->tty ? s->tty : NULL,
		.stdio = { x->interactive ? STDIN_FILENO : -1, STDOUT_FILENO, STDERR_FILENO },
	};
	int r;

	if (s->req->journal) {
		cmd.stdio[1] = s->tee.unit_ends[TEE_STDOUT];
		cmd.stdio[2] = s->tee.unit_ends[TEE_STDERR];
	}
	r = systemd_open(x->container->pid, s->req->pidfd, now_usec() + ANSWER, &s->systemd, err);
	if (r >= 0)
		r = systemd_run_start(s->systemd, &cmd, now_usec() + ANSWER, &s->run, err);
	journal_tee_handed(&s->tee);
	return r;
}

static void serve_signal(struct unit_session *s)
{
	int sig = sigfd_read(s->signal_fd);

	if (sig == 0)
		return;
	if (s->pty >= 0 && sig == SIGWINCH) {
		pty_forward_resize(&s->f);
		return;
	}
	if (s->pty >= 0 && sig == SIGCONT)
		pty_forward_resume(&s->f);
	if (sig != SIGCHLD && sig != SIGPIPE && sig != SIGURG)
		(void)systemd_unit_kill(s->systemd, s->run.unit, false, sig, now_usec() + ANSWER,
					NULL);
}

static void serve_keys(struct unit_session *s, const struct pollfd *p)
{
	switch (pty_forward_serve(&s->f, p)) {
	case PTY_KEYS_DETACH:
		s->detached = true;
		break;
	case PTY_KEYS_KILL:
		(void)systemd_unit_kill(s->systemd, s->run.unit, true, SIGKILL, now_usec() + ANSWER,
					NULL);
		break;
	case PTY_KEYS_NONE:
		break;
	}
}

/* The unit's cgroup is there once the unit has written something. */
static void serve_tee(struct unit_session *s, const struct pollfd *p)
{
	const struct exec_request *x = s->req->command;
	bool wrote = p[TEE_STDOUT].revents || p[TEE_STDERR].revents;

	if (wrote && !s->fed)
		journal_tee_feed(&s->tee, x->container, s->run.unit, x->argv[0], x->cache_dir);
	s->fed = s->fed || wrote;
	(void)journal_tee_serve(&s->tee, p);
}

enum {
	POLL_SYSTEMD,
	POLL_SIGNAL,
	POLL_PTY,
	POLL_TEE = POLL_PTY + PTY_POLL_N,
	POLL_N = POLL_TEE + TEE_STREAMS
};

static void fill(const struct unit_session *s, struct pollfd p[static POLL_N])
{
	for (int i = 0; i < POLL_N; i++)
		p[i] = (struct pollfd){ .fd = -1 };
	p[POLL_SYSTEMD] = (struct pollfd){ .fd = systemd_fd(s->systemd), .events = POLLIN };
	p[POLL_SIGNAL] = (struct pollfd){ .fd = s->signal_fd, .events = POLLIN };
	if (s->pty >= 0)
		pty_forward_poll(&s->f, p + POLL_PTY);
	journal_tee_poll(&s->tee, p + POLL_TEE);
}

/* Return: 1 it has ended, 0 detached from, -errno */
static int serve(struct unit_session *s, struct err *err)
{
	for (;;) {
		struct pollfd p[POLL_N];
		int r = systemd_run_poll(s->systemd, &s->run, &s->result, err);

		if (r != 0)
			return r;
		fill(s, p);
		if (poll(p, POLL_N, (int)(LOOK_AGAIN / USEC_PER_MSEC)) <= 0)
			continue;
		if (p[POLL_SIGNAL].revents)
			serve_signal(s);
		if (s->pty >= 0)
			serve_keys(s, p + POLL_PTY);
		serve_tee(s, p + POLL_TEE);
		if (s->detached)
			return 0;
	}
}

/* What it wrote before it ended. Processes that it left may hold the other ends open: not for long then. */
static void drain(struct unit_session *s)
{
	usec_t deadline = now_usec() + DRAIN;

	cleanup_close(&s->pty_slave);
	s->pty_slave = -EBADF;
	while (now_usec() < deadline) {
		struct pollfd p[POLL_N];
		bool more = s->pty >= 0 && !pty_forward_drain(&s->f);

		fill(s, p);
		p[POLL_SYSTEMD].fd = p[POLL_SIGNAL].fd = p[POLL_PTY + PTY_POLL_STDIN].fd = -1;
		if (!more && s->tee.ends[TEE_STDOUT] < 0 && s->tee.ends[TEE_STDERR] < 0)
			return;
		if (poll(p, POLL_N, deadline_poll_ms(deadline)) <= 0)
			return;
		if (more)
			(void)pty_forward_serve(&s->f, p + POLL_PTY);
		serve_tee(s, p + POLL_TEE);
	}
}

static int map_result(const struct unit_session *s, struct exit_info *ret, struct err *err)
{
	switch (s->result.how) {
	case SYSTEMD_EXITED:
		*ret = (struct exit_info){ EXIT_HOW_EXITED, s->result.value };
		return 0;
	case SYSTEMD_KILLED:
		*ret = (struct exit_info){ EXIT_HOW_SIGNALED, s->result.value };
		return 0;
	case SYSTEMD_NOT_EXECUTED:
		break;
	}
	if (err)
		*err = s->result.why;
	return s->result.why.code < 0 ? s->result.why.code : -EIO;
}

static int run(struct unit_session *s, struct exit_info *ret, struct err *err)
{
	int r = start(s, err);

	if (r < 0)
		return r;
	r = serve(s, err);
	if (r == 0) {
		*ret = (struct exit_info){ .how = EXIT_HOW_DETACHED };
		return 0;
	}
	drain(s);
	/* The machine ended under it. */
	if (r == -ESRCH) {
		*ret = (struct exit_info){ EXIT_HOW_SIGNALED, SIGKILL };
		return 0;
	}
	(void)systemd_run_end(s->systemd, &s->run, now_usec() + ANSWER, NULL);
	return r < 0 ? r : map_result(s, ret, err);
}

static int prepare(struct unit_session *s, struct err *err)
{
	const struct exec_request *x = s->req->command;
	struct detach_keys detach;
	int r;

	if (s->req->journal)
		return journal_tee_open(&s->tee, err);
	if (!x->tty)
		return 0;
	r = detach_keys_parse(x->detach_keys ? x->detach_keys : "", &detach, err);
	if (r >= 0)
		r = open_tty(s, err);
	if (r >= 0)
		r = pty_forward_begin(&s->f, s->pty, x->interactive, &detach, err);
	if (r >= 0)
		pty_forward_resize(&s->f);
	return r;
}

int unit_run(const struct unit_run_request *req, int signal_fd, struct exit_info *ret,
	     struct err *err)
{
	struct unit_session s = { .req = req,
				  .signal_fd = signal_fd,
				  .pty = -EBADF,
				  .pty_slave = -EBADF,
				  .tee = JOURNAL_TEE_NONE };
	int r = prepare(&s, err);

	if (r >= 0)
		r = run(&s, ret, err);
	pty_forward_end(&s.f);
	journal_tee_done(&s.tee);
	systemd_free(s.systemd);
	cleanup_close(&s.pty);
	cleanup_close(&s.pty_slave);
	return r;
}
