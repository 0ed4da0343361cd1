// SPDX-License-Identifier: MIT
/* racker info: where things are kept, and what this host lets us do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/spawn.h"
#include "base/version.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/human.h"
#include "cmd/print_err.h"
#include "oci/platform.h"
#include "runtime/caps.h"
#include "runtime/cgroup.h"

#define OUTPUT_BYTES_MAX ((size_t)1 << 16)
#define SIZE_DIGITS 4

struct info_options {
	char *format;
};

static const struct option_spec options[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct info_options, format), "string",
	  "Format output: \"json\"", NULL },
};

struct info {
	size_t images, containers;
	struct utsname kernel;
	struct platform platform;
	const char *cgroup;
	bool seccomp, mmdebstrap;
	char capabilities[32]; /* bounding set, hexadecimal */
	int64_t memory;
	int cpus;
};

static void info_options_done(void *target)
{
	struct info_options *o = target;

	free(o->format);
}

/* What a container can be given at most, hexadecimal. */
static void read_capabilities(char ret[static 32])
{
	uint64_t caps;

	if (caps_read_bounding(&caps, NULL) < 0)
		(void)snprintf(ret, 32, "unknown");
	else
		(void)snprintf(ret, 32, "%016llx", (unsigned long long)caps);
}

static int gather(const struct context *ctx, struct info *ret, struct err *err)
{
	AUTO(container_list) containers = { 0 };
	AUTO(record_list) records = { 0 };
	AUTO(store) store = { 0 };
	struct sysinfo system = { 0 };
	int r = common_list_records(ctx, &store, &records, err);

	if (r >= 0)
		r = common_list_containers(ctx, &containers, err);
	if (r < 0)
		return r;
	ret->images = records.n;
	ret->containers = containers.n;
	(void)uname(&ret->kernel);
	platform_native(&ret->platform);
	ret->cgroup = cgroup_mode();
	ret->seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
	ret->mmdebstrap = spawn_in_path("mmdebstrap");
	read_capabilities(ret->capabilities);
	if (sysinfo(&system) == 0)
		ret->memory = (int64_t)system.totalram * system.mem_unit;
	ret->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	return 0;
}

static void print_text(const struct context *ctx, const struct info *info)
{
	char memory[HUMAN_MAX];

	(void)printf("Client:\n Version: %s\n\nServer: none (racker has no daemon)\n",
		     RACKER_VERSION);
	(void)printf(" Containers Running: %zu\n Images: %zu\n", info->containers, info->images);
	(void)printf(" Storage Driver: overlay\n Store Dir: %s\n Cache Dir: %s\n State Dir: %s\n",
		     QUOTE_PLAIN(ctx->settings.store_dir), QUOTE_PLAIN(ctx->settings.cache_dir),
		     QUOTE_PLAIN(ctx->settings.state_dir));
	(void)printf(" Cgroup Version: %s\n Security Options: %s\n Capabilities: %s\n",
		     info->cgroup, info->seccomp ? "seccomp (docker's default policy)" : "none",
		     info->capabilities);
	(void)printf(" Bootstrap: %s\n", info->mmdebstrap ? "mmdebstrap" : "none");
	(void)printf(" Kernel Version: %s\n OSType: %s\n Architecture: %s\n CPUs: %d\n"
		     " Total Memory: %s\n",
		     info->kernel.release, info->platform.os, info->kernel.machine, info->cpus,
		     human_size(memory, info->memory, SIZE_DIGITS));
}

static void put_string(struct json_writer *w, const char *key, const char *value)
{
	jw_key(w, key);
	jw_string(w, value);
}

static void put_int(struct json_writer *w, const char *key, int64_t value)
{
	jw_key(w, key);
	jw_int(w, value);
}

static int print_json(const struct context *ctx, const struct info *info, struct err *err)
{
	__attribute__((cleanup(strbuf_done))) struct strbuf out = STRBUF_INIT(OUTPUT_BYTES_MAX);
	struct json_writer *w;

	if (json_write_begin(&out, false, &w) < 0)
		return err_oom(err);
	jw_object(w);
	put_string(w, "ClientVersion", RACKER_VERSION);
	put_int(w, "ContainersRunning", (int64_t)info->containers);
	put_int(w, "Images", (int64_t)info->images);
	put_string(w, "Driver", "overlay");
	put_string(w, "StoreDir", ctx->settings.store_dir);
	put_string(w, "CacheDir", ctx->settings.cache_dir);
	put_string(w, "StateDir", ctx->settings.state_dir);
	put_string(w, "CgroupVersion", info->cgroup);
	jw_key(w, "Seccomp");
	jw_bool(w, info->seccomp);
	put_string(w, "Capabilities", info->capabilities);
	jw_key(w, "Mmdebstrap");
	jw_bool(w, info->mmdebstrap);
	put_string(w, "KernelVersion", info->kernel.release);
	put_string(w, "OSType", info->platform.os);
	put_string(w, "Architecture", info->kernel.machine);
	put_int(w, "NCPU", info->cpus);
	put_int(w, "MemTotal", info->memory);
	jw_object_end(w);
	if (json_write_end(w) < 0)
		return err_oom(err);
	(void)puts(strbuf_str(&out));
	return 0;
}

static int info_main(const struct context *ctx, void *target, char *const *operands)
{
	const struct info_options *o = target;
	struct info info = { 0 };
	struct err err = { 0 };
	int r = common_check_format(o->format, NULL, &err);

	(void)operands;
	if (r >= 0)
		r = gather(ctx, &info, &err);
	if (r >= 0 && o->format)
		r = print_json(ctx, &info, &err);
	else if (r >= 0)
		print_text(ctx, &info);
	if (r >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_info = {
	.name = "info",
	.usage = "[OPTIONS]",
	.summary = "Display system-wide information",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.main = info_main,
	.options_size = sizeof(struct info_options),
	.options_done = info_options_done,
};
