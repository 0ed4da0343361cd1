// SPDX-License-Identifier: MIT
/* racker poweroff, reboot, terminate: the end of a machine, from outside. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/quote.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/machine_find.h"
#include "cmd/print_err.h"
#include "runtime/machine_power.h"

struct power_options {
	bool no_wait;
	int64_t time; /* 0: the default */
};

static const struct option_spec options[] = {
	{ "no-wait", 0, OPT_FLAG, offsetof(struct power_options, no_wait), NULL,
	  "Return when the machine has been told, not when it has done it", NULL },
	{ "time", 't', OPT_INT, offsetof(struct power_options, time), "seconds",
	  "How long to wait for it (default 90)", NULL },
};

#define WAIT_SECONDS 90

enum power { POWER_OFF, POWER_REBOOT, POWER_TERMINATE };

static int tell(const struct context *ctx, const struct found_machine *m, enum power what,
		struct err *err)
{
	int r;

	if (what != POWER_TERMINATE)
		return machine_power(&m->state, m->pidfd,
				     what == POWER_OFF ? MACHINE_POWER_OFF : MACHINE_POWER_REBOOT,
				     ctx->settings.cache_dir, err);
	/* It takes all others along. */
	r = fd_pidfd_signal(m->pidfd, SIGKILL);
	if (r >= 0 || r == -ESRCH)
		return 0;
	errno = -r;
	return err_sys(err, ERR_SYSTEM, "kill machine %s", QUOTE_PLAIN(m->state.name));
}

/* Return: 0 when PID 1 has ended, -ETIMEDOUT */
static int wait_end(const struct found_machine *m, usec_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = m->pidfd, .events = POLLIN };
		int left = deadline_poll_ms(deadline);

		if (poll(&p, 1, left) > 0)
			return 0;
		if (left == 0)
			return -ETIMEDOUT;
	}
}

static int one(const struct context *ctx, const struct power_options *o, enum power what,
	       const char *name, struct err *err)
{
	AUTO(found_machine) m = { .pidfd = -EBADF };
	AUTO_CLOSE int watch = -EBADF;
	int64_t seconds = o->time > 0 ? o->time : WAIT_SECONDS;
	int r = machine_find(ctx, name, &m, err);

	if (r < 0)
		return r;
	watch = state_watch(ctx->settings.state_dir, &m.state);
	r = tell(ctx, &m, what, err);
	if (r < 0)
		return r;
	if (o->no_wait) {
		(void)puts(name);
		return 0;
	}
	if (wait_end(&m, now_usec() + (usec_t)seconds * USEC_PER_SEC) < 0)
		return err_set(
			err, ERR_TIMEOUT, -ETIMEDOUT,
			"machine %s did not go down within %lld seconds; `racker terminate` ends it at once",
			QUOTE_PLAIN(m.state.name), (long long)seconds);
	/* And until its monitor has cleared up. One that reboots keeps it. */
	if (watch >= 0 && what != POWER_REBOOT)
		(void)flock(watch, LOCK_SH);
	(void)puts(name);
	return 0;
}

static int all(const struct context *ctx, const struct power_options *o, enum power what,
	       char *const *names)
{
	int status = EXIT_SUCCESS;
	struct err err = { 0 };

	if (common_require_root(&err) < 0) {
		print_err(ctx, &err);
		return EXIT_STATUS_FAILED;
	}
	for (; *names; names++)
		if (one(ctx, o, what, *names, &err) < 0) {
			print_err(ctx, &err);
			status = EXIT_STATUS_FAILED;
		}
	return status;
}

static int poweroff_main(const struct context *ctx, void *target, char *const *operands)
{
	return all(ctx, target, POWER_OFF, operands);
}

static int reboot_main(const struct context *ctx, void *target, char *const *operands)
{
	return all(ctx, target, POWER_REBOOT, operands);
}

static int terminate_main(const struct context *ctx, void *target, char *const *operands)
{
	return all(ctx, target, POWER_TERMINATE, operands);
}

const struct command command_poweroff = {
	.name = "poweroff",
	.usage = "[OPTIONS] MACHINE [MACHINE...]",
	.summary = "Shut machines down in order",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = -1,
	.main = poweroff_main,
	.options_size = sizeof(struct power_options),
};

const struct command command_reboot = {
	.name = "reboot",
	.usage = "[OPTIONS] MACHINE [MACHINE...]",
	.summary = "Restart machines; what was written in them stays",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = -1,
	.main = reboot_main,
	.options_size = sizeof(struct power_options),
};

const struct command command_terminate = {
	.name = "terminate",
	.usage = "[OPTIONS] MACHINE [MACHINE...]",
	.summary = "End machines at once",
	.details = "Nothing in the machine is asked or told.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = -1,
	.main = terminate_main,
	.options_size = sizeof(struct power_options),
};
