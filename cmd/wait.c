// SPDX-License-Identifier: MIT
/* racker wait: until something is so in a machine. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/machine_find.h"
#include "cmd/machine_report.h"
#include "cmd/print_err.h"
#include "cmd/seconds.h"
#include "provision/wait_for.h"

struct wait_options {
	char **conditions;
	usec_t timeout; /* 0: the default; USEC_INFINITY: none */
};

#define TIMEOUT (30 * USEC_PER_SEC)

static int set_timeout(void *target, const char *value, struct err *err)
{
	return seconds_parse(value, &((struct wait_options *)target)->timeout, err);
}

static const struct option_spec options[] = {
	{ "for", 0, OPT_STRV, offsetof(struct wait_options, conditions), "list",
	  "What for: \"ready\", \"unit=NAME\", \"port=NUMBER\", \"file=PATH\", \"log=REGEX\" (default \"ready\")",
	  NULL },
	{ "timeout", 0, OPT_CALL, 0, "seconds", "How long at most (default 30; 0: for ever)",
	  set_timeout },
};

static void wait_options_done(void *target)
{
	strv_free(((struct wait_options *)target)->conditions);
}

static int wait_all(const struct context *ctx, const struct wait_options *o, const char *name,
		    struct err *err)
{
	static char ready[] = "ready";
	char *const by_default[] = { ready, NULL };
	char *const *conditions = o->conditions ? o->conditions : by_default;
	AUTO(found_machine) m = { .pidfd = -EBADF };
	struct wait_for_machine where = { .state = &m.state, .signal_fd = -EBADF };
	usec_t span = o->timeout ? o->timeout : TIMEOUT;
	struct wait_for what;
	int r = common_require_root(err);

	for (size_t i = 0; r >= 0 && conditions[i]; i++)
		r = wait_for_parse(conditions[i], &what, err);
	if (r >= 0)
		r = machine_find(ctx, name, &m, err);
	where.pidfd = m.pidfd;
	where.deadline = span == USEC_INFINITY ? USEC_INFINITY : now_usec() + span;
	for (size_t i = 0; r >= 0 && conditions[i]; i++) {
		(void)wait_for_parse(conditions[i], &what, err);
		r = wait_for(&where, &what, err);
		if (r == -ETIMEDOUT || r == -ECANCELED) {
			machine_report(ctx, &m.state, m.pidfd,
				       what.kind == WAIT_FOR_UNIT ? what.text : NULL);
			return err_prefix(err, r, "wait for %s in machine %s",
					  QUOTE_PLAIN(conditions[i]), QUOTE_PLAIN(name));
		}
	}
	return r;
}

static int wait_main(const struct context *ctx, void *target, char *const *operands)
{
	struct err err = { 0 };

	if (wait_all(ctx, target, operands[0], &err) >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_wait = {
	.name = "wait",
	.usage = "[OPTIONS] MACHINE",
	.summary = "Wait until a machine is ready, or something in it is",
	.details =
		"Several --for are waited for one after the other. A unit that fails ends the wait with 1,\n"
		"and its last journal lines are shown.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = 1,
	.main = wait_main,
	.options_size = sizeof(struct wait_options),
	.options_done = wait_options_done,
};
