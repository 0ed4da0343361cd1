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
#include "cmd/run_machine.h"
#include "cmd/run_options.h"
#include "cmd/seconds.h"
#include "oci/platform.h"
#include "provision/image_ensure.h"
#include "provision/image_name.h"
#include "provision/machine_spec.h"
#include "provision/names.h"
#include "provision/run_spec.h"
#include "provision/wait_for.h"
#include "runtime/detach.h"
#include "runtime/foreground.h"
#include "runtime/state.h"

#define MACHINES_MAX 100000 /* of one image at once: an end for the counting */

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
		.userns = o->userns,
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

/* One try to run the image; its start takes the store's lock along. */
struct job {
	const struct context *ctx;
	const struct run_options *o;
	struct run_request run;
	enum boot_mode boot;
	unsigned int name; /* which of the names that racker gives is to be tried, at least */
	struct store
		store; /* its shared lock keeps `racker prune` from the layers until the container has its state file */
	struct image image;
};

static void job_done(struct job *job)
{
	image_done(&job->image);
	store_done(&job->store);
}

/* Signals are the caller's own again when this returns. */
static int fetch(struct job *job, const struct image_request *request, struct err *err)
{
	int r = store_open(job->ctx->settings.store_dir, true, &job->store, err);

	if (r < 0)
		return r;
	interrupt_catch();
	r = image_ensure(request, &job->store, &job->image, err);
	interrupt_release();
	if (r >= 0 && interrupt_signal())
		r = err_set(err, ERR_INTERRUPTED, -EINTR, "interrupted");
	return r;
}

/* Fills what a start needs beside its specification. */
static int prepare(struct job *job, struct container_spec *spec, struct foreground_request *ret,
		   struct err *err)
{
	int r = run_spec_build(&job->run, &job->store, &job->image.record, &job->image.config, spec,
			       err);

	if (r < 0)
		return r;
	*ret = (struct foreground_request){
		.spec = spec,
		.state_dir = job->ctx->settings.state_dir,
		.cache_dir = job->ctx->settings.cache_dir,
		.image = job->image.record.name,
		.layers = job->image.record.layers,
		.n_layers = job->image.record.n_layers,
		.hold_fd = MOVE_FD(job->store.lock_fd),
		.detach_keys = job->o->detach_keys ? job->o->detach_keys : DETACH_KEYS_DEFAULT,
	};
	return 0;
}

static int run_direct(struct job *job, struct exit_info *ret, struct err *err)
{
	AUTO(container_spec) spec = { 0 };
	struct foreground_request foreground;
	int r;

	if (job->o->detach)
		return err_set(
			err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			"--detach is not supported yet for a command (it is for a machine, see --boot)");
	job->run.machine = NULL;
	r = prepare(job, &spec, &foreground, err);
	if (r < 0)
		return r;
	return foreground_run(&foreground, ret, err);
}

static bool is_named(const struct job *job)
{
	return job->run.name && *job->run.name;
}

/* The first name of ours that nobody has, as far as can be seen now. */
static int choose_name(struct job *job, char ret[static CONTAINER_NAME_MAX], struct err *err)
{
	struct container_state *list = NULL;
	size_t n = 0, i;
	int r = state_list(job->ctx->settings.state_dir, &list, &n, err);

	if (r < 0)
		return r;
	do {
		container_name_automatic(job->image.record.name, ++job->name, ret);
		for (i = 0; i < n && strcmp(list[i].name, ret) != 0; i++)
			;
	} while (i < n);
	container_states_free(list, n);
	return 0;
}

static int run_booted(struct job *job, const struct machine_request *machine, struct exit_info *ret,
		      struct err *err)
{
	AUTO(container_spec) spec = { 0 };
	struct foreground_request request;
	struct run_request run = job->run;
	char name[CONTAINER_NAME_MAX];
	int r = is_named(job) ? 0 : choose_name(job, name, err);

	if (r < 0)
		return r;
	if (!is_named(job))
		job->run.name = name;
	job->run.machine = machine;
	r = prepare(job, &spec, &request, err);
	job->run = run;
	return r < 0 ? r : run_machine(job->ctx, job->o, &job->run, &request, ret, err);
}

static bool is_curated(const char *name)
{
	AUTO(image_name) parsed = { 0 };

	return image_name_parse(name, &parsed, NULL) == 0 && parsed.kind == IMAGE_NAME_LABEL;
}

static struct machine_request machine_asked(const struct run_options *o, bool no_command)
{
	return (struct machine_request){ .profile = o->boot_profile,
					 .credentials = o->credentials,
					 .suppress_sync = o->suppress_sync,
					 .journal_dir = o->journal,
					 .no_command = no_command };
}

/* Direct or booted: see boot_rule.h. Return: 0; -EAGAIN to try again, from the image on; -errno */
static int run_image(struct job *job, const char *name, struct exit_info *ret, struct err *err)
{
	AUTO_STRV argv = NULL;
	struct machine_request machine = machine_asked(job->o, job->o->detach && !*job->run.cmd);
	enum boot_plan plan;
	int r = run_spec_argv(&job->run, &job->image.config, &argv, err);

	if (r < 0)
		return r;
	plan = boot_rule(job->boot, is_curated(name), argv ? argv[0] : NULL);
	if (plan == BOOT_PLAN_DIRECT)
		return run_direct(job, ret, err);
	machine.command_is_init = plan == BOOT_PLAN_INIT;
	r = run_booted(job, &machine, ret, err);
	/* Somebody took the name meanwhile. */
	if (r == -EEXIST && err->kind == ERR_CONFLICT && !is_named(job) && job->name < MACHINES_MAX)
		return -EAGAIN;
	if (r >= 0 || err->kind != ERR_NO_INIT)
		return r;
	if (plan != BOOT_PLAN_LIKELY || job->o->detach)
		return err_set(
			err, ERR_NO_INIT, r,
			"%s cannot be booted: there is no init (such as systemd) in the image; `postroj provision`, which is to install one, is not there yet",
			QUOTE_PLAIN(name));
	log_warning("%s has no init yet: running the command without booting", QUOTE_PLAIN(name));
	job->boot = BOOT_NEVER;
	return -EAGAIN;
}

static int run_job(const struct context *ctx, const struct run_options *o,
		   const struct image_request *request, const struct run_request *run,
		   struct exit_info *ret, struct err *err)
{
	enum boot_mode boot = o->boot;
	unsigned int name = 0;
	int r;

	do {
		AUTO(job)
		job = { .ctx = ctx,
			.o = o,
			.run = *run,
			.boot = boot,
			.name = name,
			.store = STORE_NONE };

		r = fetch(&job, request, err);
		if (r >= 0)
			r = run_image(&job, request->name, ret, err);
		boot = job.boot;
		name = job.name;
	} while (r == -EAGAIN);
	return r;
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
	/* Before a pull, whether or not it comes to a boot. */
	if (r >= 0) {
		const struct machine_request machine = machine_asked(o, false);

		r = machine_spec_check(&machine, &err);
	}
	if (r < 0) {
		print_err_help(ctx, &command_run, &err);
		return EXIT_STATUS_OURS;
	}
	if (!common_settle_tty(ctx, o->strict_tty, run.interactive, &run.tty))
		return EXIT_STATUS_FAILED;
	image.settings = &ctx->settings;
	image.interrupted = interrupt_flag();
	if (run_job(ctx, o, &image, &run, &info, &err) < 0) {
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
		"In this version a container's changes are never kept, with --rm or without.\n\n" BOOT_RULE_HELP,
	.options = run_option_specs,
	.n_options = RUN_OPTIONS,
	.later = run_later_flags,
	.n_later = RUN_LATER_FLAGS,
	.stop_at_operand = true,
	.min_operands = 1,
	.max_operands = -1,
	.main = run_main,
	.options_size = sizeof(struct run_options),
	.options_done = run_options_done,
};
