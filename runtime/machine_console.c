// SPDX-License-Identifier: MIT
/* The user's terminal on a machine's console (see machine_console.h). */
#include "runtime/machine_console.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sigfd.h"
#include "runtime/pty_forward.h"

struct session {
	struct machine *m;
	const struct console_request *req;
	struct pty_forward *f; /* NULL: not joined to a terminal */
	int signal_fd;
	int signal;
	enum console_end end;
};

/* Return: true when the session is over */
static bool serve_signal(struct session *s)
{
	int sig = sigfd_read(s->signal_fd);

	if (s->f && sig == SIGWINCH)
		pty_forward_resize(s->f);
	if (s->f && sig == SIGCONT)
		pty_forward_resume(s->f);
	if (!sigfd_is_stop(sig))
		return false;
	s->signal = sig;
	s->end = CONSOLE_STOP;
	return true;
}

/* What typed keys ask for. Return: true when the session is over */
static bool serve_terminal(struct session *s, const struct pollfd *p)
{
	switch (pty_forward_serve(s->f, p)) {
	case PTY_KEYS_DETACH:
		s->end = CONSOLE_DETACHED;
		return true;
	case PTY_KEYS_KILL:
		s->end = CONSOLE_STOP;
		return true;
	default:
		return false;
	}
}

/* One boot. Return: 1 when the session is over, 0 when the machine boots again, -errno */
static int serve_boot(struct session *s, struct err *err)
{
	unsigned int boot = s->m->boots;

	while (!s->m->ended && s->m->boots == boot) {
		enum { POLL_MONITOR, POLL_SIGNAL, POLL_PTY, POLL_N = POLL_PTY + PTY_POLL_N };
		struct pollfd p[POLL_N] = {
			[POLL_MONITOR] = { .fd = s->m->sock, .events = POLLIN },
			[POLL_SIGNAL] = { .fd = s->signal_fd, .events = POLLIN },
		};
		int r;

		if (s->f)
			pty_forward_poll(s->f, p + POLL_PTY);
		if (poll(p, s->f ? POLL_N : POLL_PTY, -1) < 0)
			continue;
		if (p[POLL_SIGNAL].revents && serve_signal(s))
			return 1;
		if (s->f && serve_terminal(s, p + POLL_PTY))
			return 1;
		/* Output first: what was written before the end is shown before it. */
		if (s->f && p[POLL_PTY + PTY_POLL_MASTER].revents & POLLIN)
			continue;
		r = p[POLL_MONITOR].revents ? machine_next(s->m, err) : 0;
		if (r < 0)
			return r;
	}
	return s->m->ended;
}

/* The console message follows the one that says that a boot has started. */
static int next_console(struct machine *m, struct err *err)
{
	int r = 0;

	while (r == 0 && !m->ended && m->console < 0)
		r = machine_next(m, err);
	return r;
}

static int serve_joined(struct session *s, struct err *err)
{
	struct pty_forward f = { 0 };
	int r = next_console(s->m, err);

	if (r < 0 || s->m->ended)
		return r < 0 ? r : 1;
	r = pty_forward_begin(&f, s->m->console, s->req->interactive, s->req->detach, err);
	if (r < 0)
		return r;
	s->f = &f;
	pty_forward_resize(&f);
	machine_take_console(s->m, true);
	r = serve_boot(s, err);
	(void)pty_forward_drain(&f);
	pty_forward_end(&f);
	machine_take_console(s->m, false);
	s->f = NULL;
	return r;
}

int machine_console(struct machine *m, const struct console_request *req, int signal_fd,
		    enum console_end *ret, int *ret_signal, struct err *err)
{
	struct session s = { .m = m, .req = req, .signal_fd = signal_fd, .end = CONSOLE_ENDED };
	int r;

	do
		r = req->terminal ? serve_joined(&s, err) : serve_boot(&s, err);
	while (r == 0);
	if (r < 0)
		return r;
	*ret = s.end;
	*ret_signal = s.signal;
	return 0;
}
