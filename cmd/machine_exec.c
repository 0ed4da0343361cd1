// SPDX-License-Identifier: MIT
/* A program of the machine itself (see machine_exec.h). */
#include "cmd/machine_exec.h"

#include <signal.h>

#include "base/cleanup.h"
#include "base/sigfd.h"
#include "base/sigreset.h"
#include "base/strv.h"
#include "runtime/detach.h"
#include "runtime/exec.h"
#include "runtime/pty_forward.h"

int exec_foreground(const struct exec_request *req, struct exit_info *ret, struct err *err)
{
	AUTO_CLOSE int signal_fd = -EBADF;
	sigset_t old;
	int r;

	if (req->tty && req->interactive)
		pty_forward_wait_foreground();
	signal_fd = sigfd_open(&old, err);
	if (signal_fd < 0)
		return MOVE_FD(signal_fd);
	r = exec_run(req, signal_fd, ret, err);
	/* The signal is pending still: we end as it says, also where the caller had us ignore it (a shell's background job: INT, QUIT). */
	if (r == -EINTR) {
		sigreset_for_signalfd();
		(void)sigprocmask(SIG_SETMASK, &old, NULL);
	}
	return r;
}

int machine_exec(const struct context *ctx, const struct machine_exec *x, struct exit_info *ret,
		 struct err *err)
{
	AUTO_STRV env = NULL;
	struct exec_request req = { .container = x->state,
				    .cache_dir = ctx->settings.cache_dir,
				    .argv = x->argv,
				    .workdir = x->workdir ? x->workdir : "/",
				    .user = x->user ? x->user : "root",
				    .detach_keys = x->detach_keys ? x->detach_keys :
								    DETACH_KEYS_DEFAULT,
				    .tty = x->tty,
				    .interactive = x->interactive };

	if (exec_env(x->state, x->env, x->tty, &env) < 0)
		return err_oom(err);
	req.env = env;
	return exec_foreground(&req, ret, err);
}
