// SPDX-License-Identifier: MIT
/* The flags of `racker run` (see run_options.h). */
#include "cmd/run_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"
#include "cmd/seconds.h"
#include "provision/wait_for.h"

/* Checked while parsing, as docker does; pflag's message names the flag. */
static int add_env(void *target, const char *value, struct err *err)
{
	struct run_options *o = target;

	if (!*value || *value == '=')
		return err_set(err, ERR_USAGE, -EINVAL, "invalid environment variable: %s",
			       QUOTE_PLAIN(value));
	return strv_add(&o->env, value) < 0 ? err_oom(err) : 0;
}

static int set_boot(void *target, const char *value, struct err *err)
{
	struct run_options *o = target;

	return boot_mode_parse(value ? value : "always", &o->boot, err);
}

static int set_wait(void *target, const char *value, struct err *err)
{
	static const char *const names[] = {
		[MACHINE_WAIT_READY] = "ready", [MACHINE_WAIT_BASIC] = "basic", [MACHINE_WAIT_NONE] = "none"
	};
	struct run_options *o = target;
	struct wait_for what;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(value, names[i]) == 0) {
			o->wait = (enum machine_wait)i;
			return 0;
		}
	r = wait_for_parse(value, &what, NULL);
	if (r < 0)
		return err_set(
			err, ERR_USAGE, r,
			"must be \"ready\", \"basic\", \"none\", or as of racker wait --for");
	return strv_add(&o->conditions, value) < 0 ? err_oom(err) : 0;
}

static int set_stop(void *target, const char *value, struct err *err)
{
	struct run_options *o = target;

	if (strcmp(value, "kill") != 0 && strcmp(value, "clean") != 0)
		return err_set(err, ERR_USAGE, -EINVAL, "must be \"kill\" or \"clean\"");
	o->stop = strcmp(value, "kill") == 0 ? MACHINE_STOP_KILL : MACHINE_STOP_CLEAN;
	return 0;
}

/* A range of ids chosen by us is the one map so far. */
static int set_userns(void *target, const char *value, struct err *err)
{
	struct run_options *o = target;

	if (strcmp(value, "auto") != 0 && strcmp(value, "host") != 0)
		return err_set(err, ERR_USAGE, -EINVAL, "must be \"auto\" or \"host\"");
	o->userns = strcmp(value, "auto") == 0;
	return 0;
}

static int set_suppress_sync(void *target, const char *value, struct err *err)
{
	static const char *const names[] = {
		[SUPPRESS_SYNC_AUTO] = "auto", [SUPPRESS_SYNC_YES] = "yes", [SUPPRESS_SYNC_NO] = "no"
	};
	struct run_options *o = target;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(value, names[i]) == 0) {
			o->suppress_sync = (enum suppress_sync)i;
			return 0;
		}
	return err_set(err, ERR_USAGE, -EINVAL, "must be \"auto\", \"yes\" or \"no\"");
}

static int set_boot_timeout(void *target, const char *value, struct err *err)
{
	return seconds_parse(value, &((struct run_options *)target)->boot_timeout, err);
}

static int set_stop_timeout(void *target, const char *value, struct err *err)
{
	return seconds_parse(value, &((struct run_options *)target)->stop_timeout, err);
}

#define ROW(long_name, letter, type, member, metavar, help)                                        \
	{                                                                                          \
		long_name, letter, type, offsetof(struct run_options, member), metavar, help, NULL \
	}

const struct option_spec run_option_specs[RUN_OPTIONS] = {
	ROW("as-unit", 0, OPT_FLAG, as_unit, NULL,
	    "Run COMMAND as a transient unit of a machine's systemd"),
	{ "boot", 0, OPT_CALL, 0, NULL,
	  "Boot the image's init and run COMMAND in it (\"auto\", \"always\", \"never\", \"app\")",
	  set_boot },
	ROW("boot-profile", 0, OPT_STRING, boot_profile, "string",
	    "What of a machine's own boot is left out (\"default\", \"full\": nothing)"),
	{ "boot-timeout", 0, OPT_CALL, 0, "seconds",
	  "How long a machine may take to come up (default 30)", set_boot_timeout },
	ROW("console", 0, OPT_FLAG, console, NULL,
	    "Show on stderr what a machine writes to its console while it boots"),
	ROW("detach", 'd', OPT_FLAG, detach, NULL,
	    "Leave the machine running in background and print its ID"),
	ROW("detach-keys", 0, OPT_STRING, detach_keys, "string",
	    "Override the key sequence for detaching a container"),
	ROW("entrypoint", 0, OPT_STRING, entrypoint, "string",
	    "Overwrite the default ENTRYPOINT of the image"),
	{ "env", 'e', OPT_CALL, 0, "list", "Set environment variables", add_env },
	ROW("hostname", 'h', OPT_STRING, hostname, "string", "Container host name"),
	ROW("init", 0, OPT_FLAG, init, NULL,
	    "Run an init inside the container that forwards signals and reaps processes"),
	ROW("interactive", 'i', OPT_FLAG, interactive, NULL, "Keep STDIN open"),
	ROW("journal", 0, OPT_STRING, journal, "dir", "Keep a machine's journal in this directory"),
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
	ROW("set-credential", 0, OPT_STRV, credentials, "name:value",
	    "Pass a credential to the machine's systemd"),
	{ "stop", 0, OPT_CALL, 0, "string",
	  "How a machine is ended: at once, or its services in order (\"kill\", \"clean\") (default "
	  "\"kill\")",
	  set_stop },
	{ "stop-timeout", 0, OPT_CALL, 0, "seconds",
	  "How long a clean stop may take before the machine is killed (default 10)",
	  set_stop_timeout },
	ROW("strict-tty", 0, OPT_FLAG, strict_tty, NULL,
	    "Refuse --tty when stdin is no terminal, as docker does"),
	{ "suppress-sync", 0, OPT_CALL, 0, "string",
	  "Let a machine's sync(2) do nothing (\"auto\": where all that it can write is volatile, "
	  "\"yes\", \"no\") (default \"auto\")",
	  set_suppress_sync },
	ROW("tty", 't', OPT_FLAG, tty, NULL, "Allocate a pseudo-TTY"),
	ROW("user", 'u', OPT_STRING, user, "string",
	    "Username or UID (format: <name|uid>[:<group|gid>])"),
	{ "userns", 0, OPT_CALL, 0, "string",
	  "User namespace to use (\"auto\": of its own, \"host\") (default \"host\")", set_userns },
	ROW("volume", 'v', OPT_STRV, volumes, "list", "Bind mount a volume"),
	{ "wait", 0, OPT_CALL, 0, "string",
	  "When a machine is up: \"ready\", \"basic\", \"none\" (default \"ready\"); more to wait for, as "
	  "of racker wait --for",
	  set_wait },
	ROW("workdir", 'w', OPT_STRING, workdir, "string",
	    "Working directory inside the container"),
};

void run_options_done(void *target)
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
	free(o->boot_profile);
	free(o->journal);
	strv_free(o->credentials);
	strv_free(o->conditions);
	strv_free(o->env);
	strv_free(o->volumes);
}
