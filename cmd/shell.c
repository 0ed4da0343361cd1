// SPDX-License-Identifier: MIT
/* racker shell and login: a user's session in a machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/machine_exec.h"
#include "cmd/machine_find.h"
#include "cmd/print_err.h"
#include "runtime/root_view.h"
#include "runtime/user.h"

struct shell_options {
	char **env;
	char *user, *detach_keys;
};

static const struct option_spec options[] = {
	{ "detach-keys", 0, OPT_STRING, offsetof(struct shell_options, detach_keys), "string",
	  "Override the key sequence for detaching", NULL },
	{ "env", 'e', OPT_STRV, offsetof(struct shell_options, env), "list",
	  "Set environment variables", NULL },
	{ "user", 'u', OPT_STRING, offsetof(struct shell_options, user), "string",
	  "Username or UID (default \"root\")", NULL },
};

static void shell_options_done(void *target)
{
	struct shell_options *o = target;

	strv_free(o->env);
	free(o->user);
	free(o->detach_keys);
}

/* "USER@MACHINE", as machinectl takes it, or the machine alone. *ret_user: owned */
static const char *split_user(const char *operand, const char *flag, char **ret_user)
{
	const char *at = strchr(operand, '@');

	*ret_user = at && at > operand ? strndup(operand, (size_t)(at - operand)) :
					 strdup(flag && *flag ? flag : "root");
	return at ? at + 1 : operand;
}

/* The user's own shell, as a login shell, in his home directory. */
static int login_shell(const struct found_machine *m, const char *user, char ***ret_argv,
		       char **ret_home, struct err *err)
{
	AUTO(root_view) view = { .root_fd = -EBADF };
	AUTO(user_ids) ids = { 0 };
	int r = root_view_open(m->pidfd, m->state.pid, &view, err);

	if (r >= 0)
		r = user_lookup(view.root_fd, user, &ids, err);
	if (r < 0)
		return r;
	*ret_home = strdup(ids.home);
	if (!*ret_home || strv_add(ret_argv, ids.shell) < 0 || strv_add(ret_argv, "-l") < 0)
		return err_oom(err);
	return 0;
}

static int run_shell(const struct context *ctx, const struct shell_options *o,
		     char *const *operands, struct exit_info *ret, struct err *err)
{
	AUTO(found_machine) m = { .pidfd = -EBADF };
	AUTO_FREE char *user = NULL, *home = NULL;
	AUTO_STRV argv = NULL;
	const char *name = split_user(operands[0], o->user, &user);
	struct machine_exec x = { .state = &m.state,
				  .env = o->env,
				  .detach_keys = o->detach_keys,
				  .tty = isatty(STDIN_FILENO),
				  .interactive = true };
	int r = common_require_root(err);

	if (!user)
		return err_oom(err);
	if (r >= 0)
		r = machine_find(ctx, name, &m, err);
	if (r >= 0 && !operands[1])
		r = login_shell(&m, user, &argv, &home, err);
	if (r < 0)
		return r;
	x.user = user;
	x.workdir = home;
	x.argv = operands[1] ? operands + 1 : argv;
	return machine_exec(ctx, &x, ret, err);
}

static int run_login(const struct context *ctx, const struct shell_options *o, const char *name,
		     struct exit_info *ret, struct err *err)
{
	AUTO(found_machine) m = { .pidfd = -EBADF };
	static char program[] = "login";
	char *const argv[] = { program, NULL };
	int r = common_require_root(err);

	if (r >= 0 && !isatty(STDIN_FILENO))
		r = err_set(err, ERR_USAGE, -ENOTTY, "login needs a terminal; see racker exec");
	if (r >= 0)
		r = machine_find(ctx, name, &m, err);
	if (r < 0)
		return r;
	return machine_exec(ctx,
			    &(struct machine_exec){ .state = &m.state,
						    .argv = argv,
						    .detach_keys = o->detach_keys,
						    .tty = true,
						    .interactive = true },
			    ret, err);
}

static int finish(const struct context *ctx, int r, const struct exit_info *info,
		  const struct err *err)
{
	if (r >= 0)
		return exit_status_of_container(info);
	print_err(ctx, err);
	return exit_status_of_run(err) == EXIT_STATUS_OURS ? exit_status_of_command(err) :
							     exit_status_of_run(err);
}

static int shell_main(const struct context *ctx, void *target, char *const *operands)
{
	struct exit_info info = { 0 };
	struct err err = { 0 };
	int r = run_shell(ctx, target, operands, &info, &err);

	return finish(ctx, r, &info, &err);
}

static int login_main(const struct context *ctx, void *target, char *const *operands)
{
	struct exit_info info = { 0 };
	struct err err = { 0 };
	int r = run_login(ctx, target, operands[0], &info, &err);

	return finish(ctx, r, &info, &err);
}

const struct command command_shell = {
	.name = "shell",
	.usage = "[OPTIONS] [USER@]MACHINE [COMMAND] [ARG...]",
	.summary = "Start a shell, or run a command, as a user of a machine",
	.details = "Without COMMAND it is the user's own login shell. Exit codes as of racker run.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.stop_at_operand = true,
	.min_operands = 1,
	.max_operands = -1,
	.main = shell_main,
	.options_size = sizeof(struct shell_options),
	.options_done = shell_options_done,
};

const struct command command_login = {
	.name = "login",
	.usage = "[OPTIONS] MACHINE",
	.summary = "Log in to a machine, with its own login prompt",
	.options = options,
	.n_options = 1,
	.min_operands = 1,
	.max_operands = 1,
	.main = login_main,
	.options_size = sizeof(struct shell_options),
	.options_done = shell_options_done,
};
