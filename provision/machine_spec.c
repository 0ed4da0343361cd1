// SPDX-License-Identifier: MIT
/* From a command's specification to a machine's (see machine_spec.h). */
#include "provision/machine_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"
#include "provision/os_release.h"
#include "runtime/boot_profile.h"
#include "runtime/boot_spec.h"
#include "runtime/boot_tree.h"
#include "runtime/caps.h"

/* systemd mounts these itself where it finds their directories empty; what they show is the host's. */
static const char *const host_only[] = { "/sys/kernel/debug", "/sys/kernel/tracing" };

static int add_credentials(const struct machine_request *req, struct boot_spec *boot,
			   struct err *err)
{
	for (size_t i = 0; i < strv_len(req->credentials); i++) {
		const char *text = req->credentials[i];
		const char *colon = strchr(text, ':');
		AUTO_FREE char *name = NULL;
		int r;

		if (!colon)
			return err_set(err, ERR_USAGE, -EINVAL,
				       "invalid credential: %s: must be NAME:VALUE", QUOTE(text));
		name = strndup(text, (size_t)(colon - text));
		if (!name)
			return err_oom(err);
		r = boot_spec_add_credential(boot, name, colon + 1, strlen(colon + 1), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_env(char ***env, const char *name, const char *value, struct err *err)
{
	AUTO_FREE char *assignment = NULL;

	if (asprintf(&assignment, "%s=%s", name, value) < 0) {
		assignment = NULL;
		return err_oom(err);
	}
	return strv_env_set(env, assignment) < 0 ? err_oom(err) : 0;
}

/* container_host_*: which system the machine runs on (CONTAINER_INTERFACE "Environment Variables"). */
static int add_host_env(const struct boot_spec *boot, char ***env, struct err *err)
{
	static const char *const fields[][2] = {
		{ "ID", "container_host_id" },
		{ "VERSION_ID", "container_host_version_id" },
		{ "BUILD_ID", "container_host_build_id" },
		{ "VARIANT_ID", "container_host_variant_id" },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && boot->os_release && i < ARRAY_SIZE(fields); i++) {
		AUTO_FREE char *value = NULL;

		r = os_release_get(boot->os_release, fields[i][0], &value, err);
		if (r == 0 && value)
			r = set_env(env, fields[i][1], value, err);
	}
	return r;
}

/* PID 1 gets what docker gives a command, and what systemd looks for. HOSTNAME and TERM are its own affair. */
static int init_env(const struct boot_spec *boot, char ***env, struct err *err)
{
	int r;

	strv_env_unset(*env, "HOSTNAME");
	r = set_env(env, "TERM", "dumb", err);
	if (r >= 0)
		r = set_env(env, "container", "racker", err);
	if (r >= 0)
		r = set_env(env, "container_uuid", boot->machine_id, err);
	if (r >= 0)
		r = set_env(env, "NOTIFY_SOCKET", BOOT_NOTIFY_PATH, err);
	if (r >= 0 && boot->n_credentials > 0)
		r = set_env(env, "CREDENTIALS_DIRECTORY", BOOT_CREDENTIALS_PATH, err);
	return r < 0 ? r : add_host_env(boot, env, err);
}

/* What the user asked for goes to the command; PID 1 gets a copy of the environment, and the rest from its own files. */
static int move_command(const struct machine_request *req, struct container_spec *spec,
			struct err *err)
{
	struct machine_command *c = &spec->boot->command;

	if (!req->command_is_init) {
		c->argv = MOVE_PTR(spec->argv);
		if (req->no_command) {
			strv_free(c->argv);
			c->argv = NULL;
		}
	}
	c->workdir = MOVE_PTR(spec->workdir);
	c->user = MOVE_PTR(spec->user);
	spec->tty = spec->interactive = spec->init = false;
	return strv_copy(spec->env, &c->env) < 0 ? err_oom(err) : 0;
}

static int load_profile(const struct machine_request *req, struct boot_spec *boot, struct err *err)
{
	AUTO(boot_profile) profile = { 0 };
	int r = boot_profile_load(req->profile ? req->profile : "default", boot->n_credentials > 0,
				  &profile, err);

	if (r < 0)
		return r;
	boot->masks = MOVE_PTR(profile.masks);
	boot->idle_generators = MOVE_PTR(profile.idle_generators);
	return 0;
}

/* The root always is volatile; what a volume brings in is the host's. */
static bool suppresses_sync(const struct machine_request *req, const struct container_spec *spec)
{
	if (req->suppress_sync != SUPPRESS_SYNC_AUTO)
		return req->suppress_sync == SUPPRESS_SYNC_YES;
	for (size_t i = 0; i < spec->n_binds; i++)
		if (!spec->binds[i].readonly)
			return false;
	return true;
}

static int fill(const struct machine_request *req, struct boot_spec *boot, struct err *err)
{
	int r = add_credentials(req, boot, err);

	return r < 0 ? r : load_profile(req, boot, err);
}

/* The directory makes journald store its journal, once it is told that the disk is there: which the profile has left out as useless. */
static int keep_journal(const char *dir, struct container_spec *spec, struct err *err)
{
	static const char flush[] =
		"systemd/system.control/sysinit.target.wants/systemd-journal-flush.service";
	struct bind_spec *grown =
		reallocarray(spec->binds, spec->n_binds + 1, sizeof(*spec->binds));
	AUTO_FREE char *cwd = dir[0] == '/' ? strdup("") : get_current_dir_name();
	struct bind_spec bind = { 0 };

	if (!grown || !cwd)
		return err_oom(err);
	spec->binds = grown;
	bind.target = strdup("/var/log/journal");
	if (asprintf(&bind.source, "%s%s%s", cwd, *cwd ? "/" : "", dir) < 0)
		bind.source = NULL;
	spec->binds[spec->n_binds++] = bind;
	strv_remove(spec->boot->masks, flush);
	return bind.target && bind.source ? 0 : err_oom(err);
}

int machine_spec_check(const struct machine_request *req, struct err *err)
{
	AUTO(boot_spec) boot = { 0 };

	return fill(req, &boot, err);
}

int machine_spec_apply(const struct machine_request *req, struct container_spec *spec,
		       struct err *err)
{
	uint64_t caps;
	int r = boot_spec_new(&spec->boot, err);

	if (r >= 0)
		r = fill(req, spec->boot, err);
	if (r >= 0 && req->journal_dir)
		r = keep_journal(req->journal_dir, spec, err);
	if (r >= 0)
		r = move_command(req, spec, err);
	if (r >= 0)
		r = init_env(spec->boot, &spec->env, err);
	if (r >= 0)
		r = caps_boot(spec->namespaces[NS_NET] == NAMESPACE_NEW, &caps, err);
	if (r < 0)
		return r;
	spec->boot->suppress_sync = suppresses_sync(req, spec);
	spec->caps = (struct cap_sets){ .bounding = caps, .effective = caps, .permitted = caps };
	for (size_t i = 0; i < ARRAY_SIZE(host_only); i++)
		if (strv_add(&spec->masked_paths, host_only[i]) < 0)
			return err_oom(err);
	return 0;
}
