// SPDX-License-Identifier: MIT
/* racker journal: what a machine's journald has, through the machine's own journalctl. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/machine_exec.h"
#include "cmd/machine_find.h"
#include "cmd/print_err.h"

struct journal_options {
	bool follow, reverse;
	char **units;
	char *lines, *output, *since, *grep, *priority;
};

static const struct option_spec options[] = {
	{ "follow", 'f', OPT_FLAG, offsetof(struct journal_options, follow), NULL,
	  "Go on with what is written from now on", NULL },
	{ "grep", 'g', OPT_STRING, offsetof(struct journal_options, grep), "pattern",
	  "Only messages that match", NULL },
	{ "lines", 'n', OPT_STRING, offsetof(struct journal_options, lines), "number",
	  "The last lines (\"all\": all of them)", NULL },
	{ "output", 'o', OPT_STRING, offsetof(struct journal_options, output), "string",
	  "Form of the lines, as of journalctl (\"short\", \"cat\", \"json\", ...)", NULL },
	{ "priority", 'p', OPT_STRING, offsetof(struct journal_options, priority), "string",
	  "Only messages of this priority and above (\"err\", \"warning\", ...)", NULL },
	{ "reverse", 'r', OPT_FLAG, offsetof(struct journal_options, reverse), NULL,
	  "The newest first", NULL },
	{ "since", 0, OPT_STRING, offsetof(struct journal_options, since), "time",
	  "Nothing older (\"-5min\", \"2026-01-31 12:00\")", NULL },
	{ "unit", 'u', OPT_STRV, offsetof(struct journal_options, units), "list",
	  "Only messages of this unit", NULL },
};

static void journal_options_done(void *target)
{
	struct journal_options *o = target;

	strv_free(o->units);
	free(o->lines);
	free(o->output);
	free(o->since);
	free(o->grep);
	free(o->priority);
}

static int add_option(char ***argv, const char *name, const char *value)
{
	AUTO_FREE char *word = NULL;

	if (!value)
		return 0;
	if (asprintf(&word, "--%s=%s", name, value) < 0) {
		word = NULL;
		return -ENOMEM;
	}
	return strv_add(argv, word);
}

static int build_argv(const struct journal_options *o, char ***argv)
{
	int r = strv_add(argv, "journalctl");

	if (r >= 0)
		r = strv_add(argv, "--no-pager");
	if (r >= 0 && o->follow)
		r = strv_add(argv, "--follow");
	if (r >= 0 && o->reverse)
		r = strv_add(argv, "--reverse");
	for (size_t i = 0; r >= 0 && i < strv_len(o->units); i++)
		r = add_option(argv, "unit", o->units[i]);
	if (r >= 0)
		r = add_option(argv, "lines", o->lines);
	if (r >= 0)
		r = add_option(argv, "output", o->output);
	if (r >= 0)
		r = add_option(argv, "since", o->since);
	if (r >= 0)
		r = add_option(argv, "grep", o->grep);
	return r < 0 ? r : add_option(argv, "priority", o->priority);
}

static int show(const struct context *ctx, const struct journal_options *o, const char *name,
		struct exit_info *ret, struct err *err)
{
	AUTO(found_machine) m = { .pidfd = -EBADF };
	AUTO_STRV argv = NULL;
	int r = common_require_root(err);

	if (r >= 0)
		r = machine_find(ctx, name, &m, err);
	if (r < 0)
		return r;
	if (build_argv(o, &argv) < 0)
		return err_oom(err);
	r = machine_exec(ctx, &(struct machine_exec){ .state = &m.state, .argv = argv }, ret, err);
	if (r < 0 && err->kind == ERR_EXEC_NOT_FOUND)
		return err_set(err, ERR_UNSUPPORTED, r, "machine %s has no journal: %s",
			       QUOTE_PLAIN(name), "there is no journalctl in it");
	return r;
}

static int journal_main(const struct context *ctx, void *target, char *const *operands)
{
	struct exit_info info = { 0 };
	struct err err = { 0 };

	if (show(ctx, target, operands[0], &info, &err) >= 0)
		return exit_status_of_container(&info);
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_journal = {
	.name = "journal",
	.usage = "[OPTIONS] MACHINE",
	.summary = "Show the journal of a machine",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = 1,
	.main = journal_main,
	.options_size = sizeof(struct journal_options),
	.options_done = journal_options_done,
};
