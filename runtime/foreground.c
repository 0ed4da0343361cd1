// SPDX-License-Identifier: MIT
/*
 * A container in the foreground (see foreground.h).
 *
 * Sequence: block signals; seccomp filters (from the cache); cgroup; launch, and beside it: sweep what killed runs left, state file; serve;
 * remove cgroup and state. Without a terminal this process is the container's parent and hands it its own fds. With one, a monitor
 * (monitor.c) stands between, so that the user can detach; it releases then, and this process only if the monitor was killed.
 */
#include "runtime/foreground.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/sigfd.h"
#include "base/sigreset.h"
#include "runtime/caps.h"
#include "runtime/cgroup.h"
#include "runtime/fault.h"
#include "runtime/launch.h"
#include "runtime/monitor.h"
#include "runtime/policy.h"
#include "runtime/pty_forward.h"
#include "runtime/resources.h"
#include "runtime/seccomp.h"
#include "runtime/state.h"
#include "runtime/stdin_guard.h"
#include "runtime/supervise.h"

/* Of run_terminal()'s monitor, which becomes the container's owner. */
struct terminal_run {
	const struct launch_request *launch;
	struct resources *res;
};

static int terminal_launch(void *arg, struct container *ret, struct err *err)
{
	const struct terminal_run *run = arg;

	return container_launch(run->launch, ret, err);
}

static void terminal_release(void *arg)
{
	const struct terminal_run *run = arg;

	resources_release(run->res);
}

static int run_terminal(const struct foreground_request *req, const struct launch_request *launch,
			int signal_fd, struct resources *res, struct exit_info *ret,
			struct err *err)
{
	struct terminal_run run = { launch, res };
	const struct monitor_job job = { terminal_launch, terminal_release, &run };
	struct monitor m = MONITOR_NONE;
	struct detach_keys detach;
	int r = detach_keys_parse(req->detach_keys ? req->detach_keys : "", &detach, err);

	if (r < 0) {
		resources_release(res);
		return r;
	}
	r = monitor_start(&job, &m, err);
	if (r < 0)
		return r;
	cleanup_close(res->hold_fd);
	*res->hold_fd = -EBADF;
	sigreset_for_signalfd();
	r = supervise_terminal(&m, signal_fd, req->spec->interactive, &detach, ret, err);
	monitor_done(&m);
	/* The monitor releases, unless it was killed: then its state file is unlocked and says what to clear away. */
	if (r < 0)
		(void)state_sweep(req->state_dir, NULL);
	return r;
}

static int run_direct(const struct launch_request *launch, int signal_fd, struct resources *res,
		      struct exit_info *ret, struct err *err)
{
	struct container c;
	int r = container_launch(launch, &c, err);

	if (r >= 0) {
		sigreset_for_signalfd();
		r = supervise_direct(&c, signal_fd, ret, err);
		container_done(&c);
	}
	resources_release(res);
	return r;
}

/* With all signals blocked and coming through @signal_fd. */
static int run_blocked(const struct foreground_request *req, int *hold_fd, int signal_fd,
		       struct exit_info *ret, struct err *err)
{
	AUTO(seccomp_filters) filters = { 0 };
	struct resources res;
	struct winsize size;
	struct launch_request launch = { .spec = req->spec,
					 .cgroup = &res.cgroup,
					 .scratch_dir = req->state_dir,
					 .root_ns_fd = -EBADF,
					 .beside = resources_register,
					 .started = resources_started,
					 .beside_arg = &res };
	int r;

	r = policy_load(req, &launch, &filters, err);
	if (r < 0)
		return r;
	r = resources_begin(req, launch.caps, hold_fd, &res, err);
	if (r < 0)
		return r;
	launch.userns_base = res.ids.base;
	if (req->spec->tty && pty_forward_winsize(&size) == 0)
		launch.winsize = &size;
	if (req->spec->tty)
		return run_terminal(req, &launch, signal_fd, &res, ret, err);
	return run_direct(&launch, signal_fd, &res, ret, err);
}

int foreground_run(const struct foreground_request *req, struct exit_info *ret, struct err *err)
{
	AUTO_CLOSE int hold_fd = req->hold_fd;
	AUTO_CLOSE int signal_fd = -EBADF;
	sigset_t old;
	int r = container_spec_validate(req->spec, err);

	if (r < 0)
		return r;
	if (mkdir(req->state_dir, 0700) < 0 && errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "make state directory %s", QUOTE(req->state_dir));
	if (req->spec->tty && req->spec->interactive)
		pty_forward_wait_foreground();
	if (!req->spec->tty) {
		r = stdin_protect(req->spec->interactive, err);
		if (r < 0)
			return r;
	}
	signal_fd = sigfd_open(&old, err);
	if (signal_fd < 0)
		return MOVE_FD(signal_fd);
	r = run_blocked(req, &hold_fd, signal_fd, ret, err);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}
