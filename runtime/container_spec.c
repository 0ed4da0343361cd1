// SPDX-License-Identifier: MIT
/* The description of a container: docker's defaults, what can be checked without the host, release. */
#include "runtime/container_spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"
#include "runtime/boot_spec.h"
#include "runtime/caps.h"

#define SHM_SIZE_DEFAULT ((uint64_t)64 << 20)

/* Docker's default lists (features: security defaults). A path that a kernel lacks is passed over. */
static const char *const default_masked[] = {
	"/proc/acpi",	     "/proc/asound",  "/proc/interrupts",
	"/proc/kcore",	     "/proc/keys",    "/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi",    "/proc/timer_list",
	"/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap",
};
static const char *const default_readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static int add_all(char ***v, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = strv_add(v, names[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One directory a CPU, on machines that have them (power readings leak other tenants' work); cpu0 tells whether any is there. */
static int add_thermal_throttle(char ***masked)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	for (long i = 0; i < cpus; i++) {
		char *path = NULL;
		int r;

		if (asprintf(&path, "/sys/devices/system/cpu/cpu%ld/thermal_throttle", i) < 0)
			return -ENOMEM;
		if (i == 0 && access(path, F_OK) < 0) {
			free(path);
			return 0;
		}
		r = strv_take(masked, path);
		if (r < 0)
			return r;
	}
	return 0;
}

int container_spec_defaults(struct container_spec *ret)
{
	struct container_spec spec = { .shm_size = SHM_SIZE_DEFAULT, .seccomp_default = true };
	uint64_t caps = caps_default();

	for (size_t i = 0; i < NS_MAX; i++)
		spec.namespaces[i] = NAMESPACE_NEW;
	/* Inheritable and ambient stay empty: CVE-2022-24769 and its kin. */
	spec.caps = (struct cap_sets){ .bounding = caps, .effective = caps, .permitted = caps };
	if (add_all(&spec.masked_paths, default_masked, ARRAY_SIZE(default_masked)) < 0 ||
	    add_thermal_throttle(&spec.masked_paths) < 0 ||
	    add_all(&spec.readonly_paths, default_readonly, ARRAY_SIZE(default_readonly)) < 0) {
		container_spec_done(&spec);
		return -ENOMEM;
	}
	*ret = spec;
	return 0;
}

int container_spec_validate(const struct container_spec *spec, struct err *err)
{
	if (strv_len(spec->argv) == 0 && !spec->boot)
		return err_set(err, ERR_USAGE, -EINVAL, "no command specified");
	if (strv_len(spec->argv) > 0 && !spec->argv[0][0])
		return err_set(err, ERR_USAGE, -EINVAL, "the command is an empty string");
	if (strv_len(spec->lower_dirs) == 0)
		return err_set(err, ERR_USAGE, -EINVAL, "the container has no root file system");
	if (spec->workdir && spec->workdir[0] != '/')
		return err_set(
			err, ERR_USAGE, -EINVAL,
			"the working directory '%s' is invalid, it needs to be an absolute path",
			QUOTE_PLAIN(spec->workdir));
	for (size_t i = 0; i < spec->n_binds; i++)
		if (spec->binds[i].source[0] != '/' || spec->binds[i].target[0] != '/')
			return err_set(err, ERR_USAGE, -EINVAL,
				       "invalid mount path: %s: mount path must be absolute",
				       QUOTE(spec->binds[i].target));
	return 0;
}

void container_spec_done(struct container_spec *spec)
{
	free(spec->id);
	free(spec->name);
	free(spec->hostname);
	strv_free(spec->lower_dirs);
	for (size_t i = 0; i < spec->n_binds; i++) {
		free(spec->binds[i].source);
		free(spec->binds[i].target);
	}
	free(spec->binds);
	for (size_t i = 0; i < spec->n_files; i++) {
		free(spec->files[i].target);
		free(spec->files[i].text);
	}
	free(spec->files);
	strv_free(spec->masked_paths);
	strv_free(spec->readonly_paths);
	strv_free(spec->argv);
	strv_free(spec->env);
	free(spec->workdir);
	free(spec->user);
	boot_spec_free(spec->boot);
	*spec = (struct container_spec){ 0 };
}
