// SPDX-License-Identifier: MIT
/* racker run: flags, an image that is there, a container in the foreground. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/strv.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/interrupt.h"
#include "cmd/print_err.h"
#include "cmd/run_later.h"
#include "oci/platform.h"
#include "provision/image_ensure.h"
#include "provision/run_spec.h"
#include "runtime/detach.h"
#include "runtime/foreground.h"

#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

struct run_options {
	bool interactive, tty, rm, read_only, init, quiet, strict_tty, boot;
	char *name, *workdir, *user, *entrypoint, *hostname, *network, *platform, *pull,
		*detach_keys;
	char **env, **volumes;
};

/* Checked while parsing, as docker does; pflag's message names the flag. */
static int add_env(void *target, const char *value, struct err *err)
{
	struct run_options *o = target;

	if (!*value || *value == '=')
		return err_set(err, ERR_USAGE, -EINVAL, "invalid environment variable: %s",
			       QUOTE_PLAIN(value));
	return strv_add(&o->env, value) < 0 ? err_oom(err) : 0;
}

/* --boot[=never]: nothing boots yet, so "never" is what happens anyway. */
static int set_boot(void *target, const char *value, struct err *err)
{
	struct run_options *o = target;

	if (value && (strcmp(value, "never") == 0 || strcmp(value, "false") == 0)) {
		o->boot = false;
		return 0;
	}
	if (value && strcmp(value, "always") != 0 && strcmp(value, "true") != 0)
		return err_set(err, ERR_USAGE, -EINVAL, "must be \"always\" or \"never\"");
	o->boot = true;
	return 0;
}

#define ROW(long_name, letter, type, member, metavar, help)                                        \
	{                                                                                          \
		long_name, letter, type, offsetof(struct run_options, member), metavar, help, NULL \
	}

static const struct option_spec options[] = {
	{ "boot", 0, OPT_CALL, 0, NULL, NULL, set_boot },
	ROW("detach-keys", 0, OPT_STRING, detach_keys, "string",
	    "Override the key sequence for detaching a container"),
	ROW("entrypoint", 0, OPT_STRING, entrypoint, "string",
	    "Overwrite the default ENTRYPOINT of the image"),
	{ "env", 'e', OPT_CALL, 0, "list", "Set environment variables", add_env },
	ROW("hostname", 'h', OPT_STRING, hostname, "string", "Container host name"),
	ROW("init", 0, OPT_FLAG, init, NULL,
	    "Run an init inside the container that forwards signals and reaps processes"),
	ROW("interactive", 'i', OPT_FLAG, interactive, NULL, "Keep STDIN open"),
	ROW("name", 0, OPT_STRING, name, "string", "Assign a name to the container"),
	ROW("net", 0, OPT_STRING, network, "network", NULL),
	ROW("network", 0, OPT_STRING, network, "network",
	    "Connect a container to a network (\"host\", \"none\") (default \"host\")"),
	ROW("platform", 0, OPT_STRING, platform, "string", "Set platform if the image has several"),
	ROW("pull", 0, OPT_STRING, pull, "string",
	    "Pull image before running (\"always\", \"missing\", \"never\") (default "
	    "\"missing\")"),
	ROW("quiet", 'q', OPT_FLAG, quiet, NULL, "Suppress the pull output"),
	ROW("read-only", 0, OPT_FLAG, read_only, NULL,
	    "Mount the container's root filesystem as read only"),
	ROW("rm", 0, OPT_FLAG, rm, NULL,
	    "Automatically remove the container when it exits (always the case in this version)"),
	ROW("strict-tty", 0, OPT_FLAG, strict_tty, NULL,
	    "Refuse --tty when stdin is no terminal, as docker does"),
	ROW("tty", 't', OPT_FLAG, tty, NULL, "Allocate a pseudo-TTY"),
	ROW("user", 'u', OPT_STRING, user, "string",
	    "Username or UID (format: <name|uid>[:<group|gid>])"),
	ROW("volume", 'v', OPT_STRV, volumes, "list", "Bind mount a volume"),
	ROW("workdir", 'w', OPT_STRING, workdir, "string",
	    "Working directory inside the container"),
};

static void run_options_done(void *target)
{
	struct run_options *o = target;

	free(o->name);
	free(o->workdir);
	free(o->user);
	free(o->entrypoint);
	free(o->hostname);
	free(o->network);
	free(o->platform);
	free(o->pull);
	free(o->detach_keys);
	strv_free(o->env);
	strv_free(o->volumes);
}

static int parse_policy(const char *text, enum pull_policy *ret, struct err *err)
{
	static const char *const names[] = {
		[PULL_MISSING] = "missing", [PULL_ALWAYS] = "always", [PULL_NEVER] = "never"
	};

	*ret = PULL_MISSING;
	if (!text || !*text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum pull_policy)i;
			return 0;
		}
	return err_set(err, ERR_USAGE, -EINVAL,
		       "invalid pull option: '%s': must be one of \"always\", \"missing\" or "
		       "\"never\"",
		       QUOTE_PLAIN(text));
}

static int parse_network(const char *text, enum network_mode *ret, struct err *err)
{
	*ret = NETWORK_HOST;
	if (!text || !*text || strcmp(text, "host") == 0)
		return 0;
	if (strcmp(text, "none") == 0) {
		*ret = NETWORK_NONE;
		return 0;
	}
	if (strcmp(text, "bridge") == 0 || strcmp(text, "default") == 0 ||
	    strncmp(text, "container:", 10) == 0 || strncmp(text, "ns:", 3) == 0)
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "--network %s is not supported yet (use host or none)",
			       QUOTE_PLAIN(text));
	return err_set(err, ERR_NOT_FOUND, -ENOENT, "network %s not found", QUOTE_PLAIN(text));
}

static int parse(const struct run_options *o, char *const *operands, struct run_request *run,
		 struct image_request *image, struct err *err)
{
	struct detach_keys keys;
	int r;

	*run = (struct run_request){
		.interactive = o->interactive,
		.tty = o->tty,
		.init = o->init,
		.read_only = o->read_only,
		.cmd = operands + 1,
		.entrypoint = o->entrypoint,
		.env = o->env,
		.volumes = o->volumes,
		.workdir = o->workdir,
		.user = o->user,
		.hostname = o->hostname,
		.name = o->name,
	};
	*image = (struct image_request){
		.name = operands[0],
		.quiet = o->quiet,
		.progress = stderr,
		.announce_missing = true,
	};
	if (o->boot)
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP, "--boot is not supported yet");
	r = parse_policy(o->pull, &image->policy, err);
	if (r >= 0)
		r = parse_network(o->network, &run->network, err);
	/* Before a pull, and without --tty too; what they mean is settled where the terminal is. */
	if (r >= 0 && o->detach_keys)
		r = detach_keys_parse(o->detach_keys, &keys, err);
	if (r >= 0)
		r = run_spec_check(run, err);
	return r;
}

/*
 * A terminal is wanted, but stdin is none: go on without one, so that pipelines work as with the original racker; docker refuses.
 * Return: false to refuse
 */
static bool settle_tty(const struct context *ctx, const struct run_options *o,
		       struct run_request *run)
{
	if (!run->tty || isatty(STDIN_FILENO))
		return true;
	if (!o->strict_tty && !ctx->settings.strict_tty) {
		log_info("stdin is not a terminal: going on without --tty");
		run->tty = false;
		return true;
	}
	/* With -t alone docker makes a terminal that nobody types into. */
	if (!run->interactive)
		return true;
	(void)fputs("the input device is not a TTY\n", stderr);
	return false;
}

/*
 * The image and the specification; signals are the caller's own again when this returns.
 * @ret_lock: holds the store's shared lock, so that no `racker prune` takes the layers before the container has its state file; owned
 */
static int prepare(const struct context *ctx, const struct image_request *request,
		   const struct run_request *run, struct image *ret_image,
		   struct container_spec *ret_spec, int *ret_lock, struct err *err)
{
	AUTO(store) store = { 0 };
	int r = store_open(ctx->settings.store_dir, true, &store, err);

	if (r < 0)
		return r;
	interrupt_catch();
	r = image_ensure(request, &store, ret_image, err);
	interrupt_release();
	if (r >= 0 && interrupt_signal())
		r = err_set(err, ERR_INTERRUPTED, -EINTR, "interrupted");
	if (r >= 0)
		r = run_spec_build(run, &store, &ret_image->record, &ret_image->config, ret_spec,
				   err);
	if (r >= 0)
		*ret_lock = MOVE_FD(store.lock_fd);
	return r;
}

static int run_container(const struct context *ctx, const struct run_options *o,
			 const struct image_request *request, const struct run_request *run,
			 struct exit_info *ret, struct err *err)
{
	AUTO(container_spec) spec = { 0 };
	AUTO(image) image = { 0 };
	struct foreground_request foreground = {
		.spec = &spec,
		.state_dir = ctx->settings.state_dir,
		.hold_fd = -EBADF,
		.cache_dir = ctx->settings.cache_dir,
		.detach_keys = o->detach_keys ? o->detach_keys : DETACH_KEYS_DEFAULT,
	};
	int r = prepare(ctx, request, run, &image, &spec, &foreground.hold_fd, err);

	if (r < 0)
		return r;
	foreground.image = image.record.name;
	foreground.layers = image.record.layers;
	foreground.n_layers = image.record.n_layers;
	return foreground_run(&foreground, ret, err);
}

static int run_main(const struct context *ctx, void *target, char *const *operands)
{
	const struct run_options *o = target;
	struct image_request image;
	struct run_request run;
	struct platform platform;
	struct exit_info info = { 0 };
	struct err err = { 0 };
	int r = parse(o, operands, &run, &image, &err);

	if (r >= 0)
		r = common_platform(o->platform, &platform, &image.platform, &err);
	if (r >= 0)
		r = common_require_root(&err);
	if (r < 0) {
		print_err_help(ctx, &command_run, &err);
		return EXIT_STATUS_OURS;
	}
	if (!settle_tty(ctx, o, &run))
		return EXIT_STATUS_FAILED;
	image.settings = &ctx->settings;
	image.interrupted = interrupt_flag();
	if (run_container(ctx, o, &image, &run, &info, &err) < 0) {
		print_err_help(ctx, &command_run, &err);
		return exit_status_of_run(&err);
	}
	return exit_status_of_container(&info);
}

const struct command command_run = {
	.name = "run",
	.usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
	.summary = "Create and run a new container from an image",
	.details =
		"IMAGE is a label such as debian-bookworm, a reference such as debian:12-slim or\n"
		"registry.example:5000/app@sha256:..., or oci:DIR[:REF]. It is pulled if missing.\n"
		"In this version a container's changes are never kept, with --rm or without.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.later = run_later_flags,
	.n_later = RUN_LATER_FLAGS,
	.stop_at_operand = true,
	.min_operands = 1,
	.max_operands = -1,
	.main = run_main,
	.options_size = sizeof(struct run_options),
	.options_done = run_options_done,
};
