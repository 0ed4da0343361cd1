// SPDX-License-Identifier: MIT
/* Docker's merge of image configuration and command line (see run_spec.h; moby daemon/create.go, runconfig "merge"). */
#include "provision/run_spec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"
#include "provision/etc_files.h"
#include "provision/host_dir.h"
#include "provision/machine_spec.h"
#include "provision/names.h"
#include "provision/volume.h"
#include "runtime/boot_spec.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define HOSTNAME_MAX 64 /* sethostname(2) */

static int copy_string(const char *s, char **ret, struct err *err)
{
	*ret = strdup(s);
	return *ret ? 0 : err_oom(err);
}

/* Docker shows names with a leading slash, and takes them so. */
static const char *bare_name(const char *name)
{
	return name + (name[0] == '/');
}

/* --name '' is no name: the container gets a random one. */
static bool has_name(const struct run_request *req)
{
	return req->name && *req->name;
}

static int check_workdir(const char *dir, struct err *err)
{
	if (dir[0] == '/')
		return 0;
	return err_set(err, ERR_USAGE, -EINVAL,
		       "the working directory '%s' is invalid, it needs to be an absolute path",
		       QUOTE_PLAIN(dir));
}

static int check_hostname(const char *name, struct err *err)
{
	if (strlen(name) <= HOSTNAME_MAX && !strpbrk(name, " \t\r\n"))
		return 0;
	return err_set(err, ERR_USAGE, -EINVAL, "invalid hostname: %s", QUOTE(name));
}

static int build_identity(const struct run_request *req, struct container_spec *spec,
			  struct err *err)
{
	struct container_names random;
	int r = container_names_random(&random, err);

	if (r >= 0)
		r = copy_string(random.id, &spec->id, err);
	if (r >= 0)
		r = copy_string(has_name(req) ? bare_name(req->name) : random.name, &spec->name,
				err);
	return r;
}

static int build_hostname(const struct run_request *req, struct container_spec *spec,
			  struct err *err)
{
	char name[HOSTNAME_MAX + 1] = { 0 };

	if (req->hostname && *req->hostname)
		return copy_string(req->hostname, &spec->hostname, err);
	/* A machine is somebody of its own, also on the host's network. */
	if (req->machine) {
		(void)snprintf(name, sizeof(name), "%s", spec->name);
	} else if (req->network == NETWORK_HOST) {
		if (gethostname(name, sizeof(name) - 1) < 0)
			return err_sys(err, ERR_SYSTEM, "get hostname");
	} else {
		memcpy(name, spec->id, CONTAINER_SHORT_ID_LEN);
	}
	return copy_string(name, &spec->hostname, err);
}

static int build_env(const struct run_request *req, const struct image_config *config,
		     struct container_spec *spec, struct err *err)
{
	AUTO_FREE char *hostname = NULL;
	int r = strv_add(&spec->env, DEFAULT_PATH);

	if (asprintf(&hostname, "HOSTNAME=%s", spec->hostname) < 0) {
		hostname = NULL;
		r = -ENOMEM;
	}
	if (r >= 0)
		r = strv_add(&spec->env, hostname);
	if (r >= 0 && req->tty)
		r = strv_add(&spec->env, "TERM=xterm");
	for (size_t i = 0; r >= 0 && i < strv_len(config->env); i++)
		/* An entry without '=' is no assignment; docker passes over it too. */
		if (strchr(config->env[i], '='))
			r = strv_env_set(&spec->env, config->env[i]);
	for (size_t i = 0; r >= 0 && i < strv_len(req->env); i++)
		r = strv_env_apply(&spec->env, req->env[i]);
	return r < 0 ? err_oom(err) : 0;
}

static int append(char ***v, char *const *more)
{
	for (size_t i = 0; i < strv_len(more); i++) {
		int r = strv_add(v, more[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --entrypoint, even an empty one, drops the image's CMD; words after IMAGE replace CMD alone. */
int run_spec_argv(const struct run_request *req, const struct image_config *config, char ***ret,
		  struct err *err)
{
	AUTO_STRV argv = NULL;
	int r = 0;

	if (!req->entrypoint)
		r = append(&argv, config->entrypoint);
	else if (*req->entrypoint)
		r = strv_add(&argv, req->entrypoint);
	if (r >= 0 && strv_len(req->cmd) > 0)
		r = append(&argv, req->cmd);
	else if (r >= 0 && !req->entrypoint)
		r = append(&argv, config->cmd);
	if (r < 0)
		return err_oom(err);
	*ret = MOVE_PTR(argv);
	return 0;
}

static int build_argv(const struct run_request *req, const struct image_config *config,
		      struct container_spec *spec, struct err *err)
{
	int r = run_spec_argv(req, config, &spec->argv, err);

	if (r >= 0 && strv_len(spec->argv) == 0 && !req->machine)
		return err_set(err, ERR_USAGE, -EINVAL, "no command specified");
	return r;
}

static int build_workdir(const struct run_request *req, const struct image_config *config,
			 struct container_spec *spec, struct err *err)
{
	const char *dir = req->workdir && *req->workdir ? req->workdir : config->workdir;
	int r;

	if (!dir || !*dir)
		dir = "/";
	r = check_workdir(dir, err);
	return r < 0 ? r : copy_string(dir, &spec->workdir, err);
}

static int build_binds(const struct run_request *req, struct container_spec *spec, struct err *err)
{
	size_t n = strv_len(req->volumes);

	if (n == 0)
		return 0;
	spec->binds = calloc(n, sizeof(*spec->binds));
	if (!spec->binds)
		return err_oom(err);
	for (size_t i = 0; i < n; i++) {
		int r = volume_parse(req->volumes[i], &spec->binds[i], err);

		if (r < 0)
			return r;
		spec->n_binds++;
		for (size_t j = 0; j < i; j++)
			if (strcmp(spec->binds[j].target, spec->binds[i].target) == 0)
				return err_set(err, ERR_USAGE, -EINVAL, "Duplicate mount point: %s",
					       QUOTE_PLAIN(spec->binds[i].target));
	}
	return 0;
}

static bool occurs_above(const struct image_record *record, size_t i)
{
	for (size_t j = i + 1; j < record->n_layers; j++)
		if (digest_equal(&record->layers[i], &record->layers[j]))
			return true;
	return false;
}

/*
 * The record has the bottom layer first, an overlay's lowerdir the top one. A layer that an image has twice is hidden by its upper
 * occurrence, and overlayfs refuses the same directory twice.
 */
static int build_lower_dirs(const struct store *store, const struct image_record *record,
			    struct container_spec *spec, struct err *err)
{
	size_t n = 0;

	spec->lower_dirs = calloc(record->n_layers + 1, sizeof(*spec->lower_dirs));
	if (!spec->lower_dirs)
		return err_oom(err);
	for (size_t i = record->n_layers; i-- > 0;) {
		if (occurs_above(record, i))
			continue;
		if (asprintf(&spec->lower_dirs[n], "%s/layers/%s/fs", store->path,
			     record->layers[i].hex) < 0) {
			spec->lower_dirs[n] = NULL;
			return err_oom(err);
		}
		n++;
	}
	return 0;
}

static int build_user(const struct run_request *req, const struct image_config *config,
		      struct container_spec *spec, struct err *err)
{
	const char *user = req->user && *req->user ? req->user : config->user;

	return user ? copy_string(user, &spec->user, err) : 0;
}

static int build(const struct run_request *req, const struct image_config *config,
		 struct container_spec *spec, struct err *err)
{
	int r = build_identity(req, spec, err);

	if (r >= 0)
		r = build_hostname(req, spec, err);
	if (r >= 0)
		r = build_env(req, config, spec, err);
	if (r >= 0)
		r = build_argv(req, config, spec, err);
	if (r >= 0)
		r = build_workdir(req, config, spec, err);
	if (r >= 0)
		r = build_user(req, config, spec, err);
	if (r >= 0)
		r = build_binds(req, spec, err);
	if (r >= 0 && req->machine)
		r = machine_spec_apply(req->machine, spec, err);
	if (r >= 0)
		r = etc_files_add(spec, req->network == NETWORK_HOST,
				  spec->boot ? spec->boot->machine_id : NULL, err);
	return r;
}

int run_spec_check(const struct run_request *req, struct err *err)
{
	AUTO(container_spec) spec = { 0 };
	int r = 0;

	if (has_name(req))
		r = container_name_check(bare_name(req->name), err);
	if (r >= 0 && req->hostname)
		r = check_hostname(req->hostname, err);
	if (r >= 0 && req->workdir && *req->workdir)
		r = check_workdir(req->workdir, err);
	if (r >= 0)
		r = build_binds(req, &spec, err);
	return r;
}

int run_spec_build(const struct run_request *req, const struct store *store,
		   const struct image_record *record, const struct image_config *config,
		   struct container_spec *ret, struct err *err)
{
	AUTO(container_spec) spec = { 0 };
	int r = run_spec_check(req, err);

	if (r < 0)
		return r;
	if (container_spec_defaults(&spec) < 0)
		return err_oom(err);
	spec.readonly_rootfs = req->read_only;
	spec.tty = req->tty;
	spec.interactive = req->interactive;
	spec.init = req->init;
	spec.userns = req->userns;
	spec.namespaces[NS_NET] = req->network == NETWORK_NONE ? NAMESPACE_NEW : NAMESPACE_HOST;
	r = build(req, config, &spec, err);
	if (r >= 0)
		r = build_lower_dirs(store, record, &spec, err);
	if (r >= 0)
		r = container_spec_validate(&spec, err);
	/* Last, so that a command line that is refused leaves no directories behind. */
	for (size_t i = 0; r >= 0 && i < spec.n_binds; i++)
		r = host_dir_make(spec.binds[i].source, err);
	if (r < 0)
		return r;
	*ret = spec;
	spec = (struct container_spec){ 0 };
	return 0;
}
