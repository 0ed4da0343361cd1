// SPDX-License-Identifier: MIT
/* The command table and the way to a command (see dispatch.h). */
#include "cmd/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/strv.h"
#include "base/version.h"
#include "cmd/commands.h"
#include "cmd/exit_status.h"
#include "cmd/help.h"
#include "cmd/print_err.h"

/* clang-format off */
static const struct command *const racker_commands[] = {
	&command_run,
	&command_exec,
	&command_pull,
	&command_images,
	&command_rmi,
	&command_inspect,
	&command_prune,
	&command_unpack,
	&command_machines,
	&command_status,
	&command_shell,
	&command_login,
	&command_journal,
	&command_wait,
	&command_poweroff,
	&command_reboot,
	&command_terminate,
	&command_copy_to,
	&command_copy_from,
	&command_info,
	&command_version,
	NULL,
};
/* clang-format on */

static const struct command *const postroj_commands[] = {
	&command_list_images,
	&command_postroj_pull,
	NULL,
};

static const struct program programs[] = {
	{ "racker", "Run operating system containers and container images", racker_commands,
	  EXIT_STATUS_USAGE, EXIT_STATUS_FAILED },
	{ "postroj", "Provide operating system images to test software on", postroj_commands,
	  EXIT_STATUS_POSTROJ_USAGE, EXIT_STATUS_POSTROJ_USAGE },
};

struct globals {
	char *root;
	bool verbose, debug, strict_tty, version, help;
};

static const struct option_spec global_options[] = {
	{ "root", 0, OPT_STRING, offsetof(struct globals, root), "string",
	  "Keep images and state below this directory (or RACKER_ROOT)", NULL },
	{ "verbose", 0, OPT_FLAG, offsetof(struct globals, verbose), NULL, "Say what is done",
	  NULL },
	{ "debug", 'D', OPT_FLAG, offsetof(struct globals, debug), NULL, "Enable debug mode",
	  NULL },
	{ "strict-tty", 0, OPT_FLAG, offsetof(struct globals, strict_tty), NULL,
	  "Refuse --tty when stdin is no terminal, as docker does (or RACKER_STRICT=1)", NULL },
	{ "version", 'v', OPT_FLAG, offsetof(struct globals, version), NULL,
	  "Print version information and quit", NULL },
	{ "help", 'h', OPT_FLAG, offsetof(struct globals, help), NULL, NULL, NULL },
};

static void globals_done(struct globals *g)
{
	free(g->root);
}

static const struct program *find_program(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash ? slash + 1 : argv0;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	return &programs[0];
}

static const struct command *find_command(const struct program *program, const char *name)
{
	for (const struct command *const *c = program->commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

/* One command's words: its options in memory of their own, its operands. */
struct call {
	const struct context *ctx;
	const struct program *program;
	const struct command *cmd;
	char *options; /* the command's struct, then struct extra */
	struct extra *extra; /* inside options */
	char **operands; /* vector owned, strings borrowed */
};

/* What dispatch itself reads from every command line. */
struct extra {
	bool help;
	struct later_value {
		char *value;
		bool on;
	} later[];
};

static size_t extra_offset(const struct command *cmd)
{
	size_t align = _Alignof(struct extra);

	return (cmd->options_size + align - 1) / align * align;
}

static void call_done(struct call *call)
{
	if (call->options && call->cmd->options_done)
		call->cmd->options_done(call->options);
	for (size_t i = 0; call->extra && i < call->cmd->n_later; i++)
		free(call->extra->later[i].value);
	free(call->options);
	free(call->operands);
}

/* The command's own table, with the flags to come and --help behind it. */
static struct option_spec *build_table(const struct command *cmd, size_t *ret_n)
{
	size_t n = cmd->n_options, base = extra_offset(cmd);
	struct option_spec *table = calloc(n + cmd->n_later + 1, sizeof(*table));

	if (!table)
		return NULL;
	if (n)
		memcpy(table, cmd->options, n * sizeof(*table));
	for (size_t i = 0; i < cmd->n_later; i++) {
		const struct later_flag *l = &cmd->later[i];
		size_t slot = base + offsetof(struct extra, later) + i * sizeof(struct later_value);

		table[n++] = (struct option_spec){
			.name = l->name,
			.letter = l->letter,
			.type = l->takes_value ? OPT_STRING : OPT_FLAG,
			.offset = slot + (l->takes_value ? offsetof(struct later_value, value) :
							   offsetof(struct later_value, on)),
		};
	}
	table[n++] = (struct option_spec){ .name = "help",
					   .type = OPT_FLAG,
					   .offset = base + offsetof(struct extra, help) };
	*ret_n = n;
	return table;
}

static int check_later(const struct call *call, struct err *err)
{
	for (size_t i = 0; i < call->cmd->n_later; i++) {
		const struct later_flag *l = &call->cmd->later[i];
		const struct later_value *v = &call->extra->later[i];

		if (l->takes_value ? v->value != NULL : v->on != l->is_on)
			return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
				       "--%s is not supported yet", l->name);
	}
	return 0;
}

/* Flags may stand between operands, unless the command's operands bring flags of their own. */
static int call_parse(struct call *call, char *const *argv, struct err *err)
{
	const struct command *cmd = call->cmd;
	size_t n_rows = 0, n = 0;
	AUTO_FREE struct option_spec *table = build_table(cmd, &n_rows);

	call->options = calloc(1, extra_offset(cmd) + sizeof(struct extra) +
					  cmd->n_later * sizeof(struct later_value));
	call->operands = calloc(strv_len(argv) + 1, sizeof(*call->operands));
	if (!table || !call->options || !call->operands)
		return err_oom(err);
	call->extra = (struct extra *)(void *)(call->options + extra_offset(cmd));
	for (size_t i = 0; i < cmd->n_later; i++)
		call->extra->later[i].on = cmd->later[i].is_on;
	while (*argv) {
		int r = options_parse(table, n_rows, argv, call->options, err);
		bool rest;

		if (r < 0)
			return r;
		rest = cmd->stop_at_operand || (r > 0 && strcmp(argv[r - 1], "--") == 0);
		argv += r;
		do {
			if (*argv)
				call->operands[n++] = *argv++;
		} while (rest && *argv);
	}
	return 0;
}

/* Docker's words for a wrong number of operands. */
static int check_operands(const struct call *call)
{
	const struct command *cmd = call->cmd;
	int n = (int)strv_len(call->operands);
	int want = cmd->min_operands;

	if (n >= cmd->min_operands && (cmd->max_operands < 0 || n <= cmd->max_operands))
		return EXIT_SUCCESS;
	if (cmd->max_operands == 0) {
		(void)fprintf(stderr, "%s: '%s %s' accepts no arguments", call->ctx->program,
			      call->ctx->program, cmd->name);
	} else {
		const char *how = "requires";

		if (n > cmd->max_operands && cmd->max_operands > 0) {
			want = cmd->max_operands;
			how = cmd->min_operands == want ? "requires" : "requires at most";
		} else if (cmd->max_operands != cmd->min_operands) {
			how = "requires at least";
		}
		(void)fprintf(stderr, "%s: '%s %s' %s %d argument%s", call->ctx->program,
			      call->ctx->program, cmd->name, how, want, want == 1 ? "" : "s");
	}
	(void)fprintf(stderr, "\n\nUsage:  %s %s %s\n\nSee '%s %s --help' for more information\n",
		      call->ctx->program, cmd->name, cmd->usage, call->ctx->program, cmd->name);
	return call->program->operands_status;
}

static int run_command(const struct context *ctx, const struct program *program,
		       const struct command *cmd, char *const *argv)
{
	AUTO(call) call = { .ctx = ctx, .program = program, .cmd = cmd };
	struct err err = { 0 };
	int status;

	if (call_parse(&call, argv, &err) < 0) {
		print_usage_err(ctx, cmd, &err);
		return program->usage_status;
	}
	if (call.extra->help) {
		help_command(ctx->program, cmd);
		return EXIT_SUCCESS;
	}
	if (check_later(&call, &err) < 0) {
		print_err_help(ctx, cmd, &err);
		return program->usage_status;
	}
	status = check_operands(&call);
	if (status != EXIT_SUCCESS)
		return status;
	return cmd->main(ctx, call.options, call.operands);
}

static int unknown_command(const struct program *program, const char *name)
{
	(void)fprintf(stderr,
		      "%s: unknown command: %s %s\n\nRun '%s --help' for more information\n",
		      program->name, program->name, QUOTE_PLAIN(name), program->name);
	return program->operands_status;
}

static int with_globals(const struct program *program, const struct globals *g, char *const *argv)
{
	struct context ctx = { .program = program->name };
	const struct command *cmd;
	struct err err = { 0 };
	int status;

	if (g->version) {
		(void)printf("%s version %s\n", program->name, RACKER_VERSION);
		return EXIT_SUCCESS;
	}
	if (g->help || !*argv || strcmp(*argv, "help") == 0) {
		cmd = *argv && argv[1] ? find_command(program, argv[1]) : NULL;
		if (cmd)
			help_command(program->name, cmd);
		else
			help_program(program, global_options, ARRAY_SIZE(global_options));
		return EXIT_SUCCESS;
	}
	cmd = find_command(program, *argv);
	if (!cmd)
		return unknown_command(program, *argv);
	if (settings_init(g->root, &ctx.settings, &err) < 0) {
		print_err(&ctx, &err);
		return program->usage_status;
	}
	ctx.settings.verbose = g->verbose;
	ctx.settings.debug = g->debug;
	ctx.settings.strict_tty = ctx.settings.strict_tty || g->strict_tty;
	log_set_program(program->name);
	if (g->verbose)
		log_set_level(LOG_LEVEL_INFO);
	if (g->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	status = run_command(&ctx, program, cmd, argv + 1);
	settings_done(&ctx.settings);
	return status;
}

int dispatch(char *const *argv)
{
	const struct program *program = find_program(argv[0]);
	AUTO(globals) globals = { 0 };
	struct err err = { 0 };
	int r = options_parse(global_options, ARRAY_SIZE(global_options), argv + 1, &globals, &err),
	    status;

	if (r < 0) {
		(void)fprintf(stderr,
			      "%s\n\nUsage:  %s [OPTIONS] COMMAND [ARG...]\n\n"
			      "Run '%s --help' for more information\n",
			      err.msg, program->name, program->name);
		return program->usage_status;
	}
	status = with_globals(program, &globals, argv + 1 + r);
	/* What could not be written is a failure, unless there is a worse one. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_SUCCESS)
		return EXIT_STATUS_FAILED;
	return status;
}
