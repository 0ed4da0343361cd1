// SPDX-License-Identifier: MIT
/* Serving a command in a container that runs (see exec.h): our own fds and signals, or a terminal behind a monitor. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sigreset.h"
#include "base/strv.h"
#include "runtime/exec.h"
#include "runtime/monitor.h"
#include "runtime/stdin_guard.h"
#include "runtime/supervise.h"

/* Of the monitor. */
struct job {
	const struct exec_request *req;
	struct exec_process p;
};

static int job_launch(void *arg, struct container *ret, struct err *err)
{
	struct job *job = arg;
	int r = exec_start(job->req, -EBADF, &job->p, err);

	*ret = job->p.c;
	job->p.c = CONTAINER_NONE;
	return r;
}

static void job_release(void *arg)
{
	struct job *job = arg;

	exec_process_done(&job->p);
}

static int run_monitored(const struct exec_request *req, int signal_fd, struct exit_info *ret,
			 struct err *err)
{
	struct job job = { .req = req, .p = EXEC_PROCESS_NONE };
	const struct monitor_job monitored = { job_launch, job_release, &job };
	struct monitor m = MONITOR_NONE;
	struct detach_keys detach;
	int r = detach_keys_parse(req->detach_keys ? req->detach_keys : "", &detach, err);

	if (r < 0)
		return r;
	r = monitor_start(&monitored, &m, err);
	if (r < 0)
		return r;
	if (req->detach) {
		*ret = (struct exit_info){ .how = EXIT_HOW_DETACHED };
		r = monitor_detach(&m, err);
	} else {
		sigreset_for_signalfd();
		r = supervise_terminal(&m, signal_fd, req->interactive, &detach, ret, err);
	}
	monitor_done(&m);
	return r;
}

static int run_direct(const struct exec_request *req, int signal_fd, struct exit_info *ret,
		      struct err *err)
{
	struct exec_process p = EXEC_PROCESS_NONE;
	int r = stdin_protect(req->interactive, err);

	if (r >= 0)
		r = exec_start(req, signal_fd, &p, err);
	if (r < 0)
		return r;
	sigreset_for_signalfd();
	r = supervise_direct(&p.c, signal_fd, ret, err);
	exec_process_done(&p);
	return r;
}

int exec_run(const struct exec_request *req, int signal_fd, struct exit_info *ret, struct err *err)
{
	if (req->tty || req->detach)
		return run_monitored(req, signal_fd, ret, err);
	return run_direct(req, signal_fd, ret, err);
}

int exec_env(const struct container_state *container, char *const *changes, bool tty, char ***ret)
{
	AUTO_STRV env = NULL;
	int r = strv_copy(container->env, &env);

	if (r >= 0 && tty)
		r = strv_env_set(&env, "TERM=xterm");
	for (size_t i = 0; r >= 0 && i < strv_len(changes); i++)
		r = strv_env_apply(&env, changes[i]);
	if (r >= 0)
		*ret = MOVE_PTR(env);
	return r;
}
