// SPDX-License-Identifier: MIT
/* racker exec: a command in a container that runs, plain or a machine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/machine_exec.h"
#include "cmd/print_err.h"
#include "runtime/detach.h"
#include "runtime/exec.h"

struct exec_options {
	bool interactive, tty, detach, strict_tty;
	char *workdir, *user, *detach_keys;
	char **env;
};

/* Checked while parsing, as docker does; pflag's message names the flag. */
static int add_env(void *target, const char *value, struct err *err)
{
	struct exec_options *o = target;

	if (!*value || *value == '=')
		return err_set(err, ERR_USAGE, -EINVAL, "invalid environment variable: %s",
			       QUOTE_PLAIN(value));
	return strv_add(&o->env, value) < 0 ? err_oom(err) : 0;
}

#define ROW(long_name, letter, type, member, metavar, help)                                    \
	{                                                                                      \
		long_name, letter, type, offsetof(struct exec_options, member), metavar, help, \
			NULL                                                                   \
	}

static const struct option_spec options[] = {
	ROW("detach", 'd', OPT_FLAG, detach, NULL, "Detached mode: run command in the background"),
	ROW("detach-keys", 0, OPT_STRING, detach_keys, "string",
	    "Override the key sequence for detaching a container"),
	{ "env", 'e', OPT_CALL, 0, "list", "Set environment variables", add_env },
	ROW("interactive", 'i', OPT_FLAG, interactive, NULL, "Keep STDIN open"),
	ROW("strict-tty", 0, OPT_FLAG, strict_tty, NULL,
	    "Refuse --tty when stdin is no terminal, as docker does"),
	ROW("tty", 't', OPT_FLAG, tty, NULL, "Allocate a pseudo-TTY"),
	ROW("user", 'u', OPT_STRING, user, "string",
	    "Username or UID (format: <name|uid>[:<group|gid>])"),
	ROW("workdir", 'w', OPT_STRING, workdir, "string",
	    "Working directory inside the container"),
};

static const struct later_flag later[] = {
	{ "env-file", 0, true, false },
	{ "privileged", 0, false, false },
};

static void exec_options_done(void *target)
{
	struct exec_options *o = target;

	free(o->workdir);
	free(o->user);
	free(o->detach_keys);
	strv_free(o->env);
}

static int check(const struct exec_options *o, struct err *err)
{
	struct detach_keys keys;
	int r = o->detach_keys ? detach_keys_parse(o->detach_keys, &keys, err) : 0;

	return r < 0 ? r : common_require_root(err);
}

static int execute(const struct context *ctx, const struct exec_options *o,
		   const struct container_state *container, char *const *argv,
		   struct exit_info *ret, struct err *err)
{
	AUTO_STRV env = NULL;
	struct exec_request req = {
		.container = container,
		.cache_dir = ctx->settings.cache_dir,
		.argv = argv,
		.workdir = o->workdir,
		.user = o->user,
		.detach_keys = o->detach_keys ? o->detach_keys : DETACH_KEYS_DEFAULT,
		.tty = o->tty,
		.interactive = o->interactive,
		.detach = o->detach,
	};

	if (!*argv[0])
		return err_set(err, ERR_EXEC_NOT_FOUND, -ENOENT,
			       "exec: \"\": executable file not found in $PATH");
	if (o->workdir && *o->workdir && *o->workdir != '/')
		return err_set(err, ERR_EXEC_DENIED, -EINVAL, "Cwd must be an absolute path");
	if (exec_env(container, o->env, o->tty, &env) < 0)
		return err_oom(err);
	req.env = env;
	return exec_foreground(&req, ret, err);
}

static int exec_main(const struct context *ctx, void *target, char *const *operands)
{
	struct exec_options *o = target;
	AUTO(container_state) container = { 0 };
	struct exit_info info = { 0 };
	struct err err = { 0 };

	if (check(o, &err) < 0) {
		print_err_help(ctx, &command_exec, &err);
		return EXIT_STATUS_OURS;
	}
	if (!o->detach && !common_settle_tty(ctx, o->strict_tty, o->interactive, &o->tty))
		return EXIT_STATUS_FAILED;
	if (state_find(ctx->settings.state_dir, operands[0], &container, &err) < 0) {
		print_err(ctx, &err);
		return EXIT_STATUS_FAILED;
	}
	if (execute(ctx, o, &container, operands + 1, &info, &err) < 0) {
		print_err(ctx, &err);
		return exit_status_of_exec(&err);
	}
	return exit_status_of_container(&info);
}

const struct command command_exec = {
	.name = "exec",
	.usage = "[OPTIONS] CONTAINER COMMAND [ARG...]",
	.summary = "Execute a command in a running container",
	.details =
		"CONTAINER is a name, an ID or the beginning of one. The command has the container's\n"
		"capabilities and system call policy, and the environment of its first command.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.later = later,
	.n_later = ARRAY_SIZE(later),
	.stop_at_operand = true,
	.min_operands = 2,
	.max_operands = -1,
	.main = exec_main,
	.options_size = sizeof(struct exec_options),
	.options_done = exec_options_done,
};
