// SPDX-License-Identifier: MIT
/* A program of the machine itself (see machine_exec.h). */
#include "cmd/machine_exec.h"

#include <signal.h>
#include <sys/signalfd.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "cmd/run_machine.h"
#include "runtime/exec.h"

int machine_exec(const struct context *ctx, const struct machine_exec *x, struct exit_info *ret,
		 struct err *err)
{
	AUTO_STRV env = NULL;
	AUTO_CLOSE int signal_fd = -EBADF;
	struct exec_request req = { .container = x->state,
				    .cache_dir = ctx->settings.cache_dir,
				    .argv = x->argv,
				    .workdir = x->workdir ? x->workdir : "/",
				    .user = x->user ? x->user : "root",
				    .detach_keys = x->detach_keys ? x->detach_keys :
								    DETACH_KEYS_DEFAULT,
				    .tty = x->tty,
				    .interactive = x->interactive };
	sigset_t all, old;
	int r;

	if (exec_env(x->state, x->env, x->tty, &env) < 0)
		return err_oom(err);
	req.env = env;
	(void)sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &old) < 0)
		return err_sys(err, ERR_SYSTEM, "block signals");
	signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	r = signal_fd < 0 ? err_sys(err, ERR_SYSTEM, "receive signals") :
			    exec_run(&req, signal_fd, ret, err);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}
