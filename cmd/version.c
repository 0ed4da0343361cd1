// SPDX-License-Identifier: MIT
/* racker version: which program this is, on what. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/version.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/print_err.h"
#include "oci/platform.h"

#define OUTPUT_BYTES_MAX ((size_t)1 << 16)

struct version_options {
	char *format;
};

static const struct option_spec options[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct version_options, format), "string",
	  "Format output: \"json\"", NULL },
};

static void version_options_done(void *target)
{
	struct version_options *o = target;

	free(o->format);
}

static int print_json(const struct platform *p, const struct utsname *u, struct err *err)
{
	__attribute__((cleanup(strbuf_done))) struct strbuf out = STRBUF_INIT(OUTPUT_BYTES_MAX);
	struct json_writer *w;

	if (json_write_begin(&out, false, &w) < 0)
		return err_oom(err);
	jw_object(w);
	jw_key(w, "Client");
	jw_object(w);
	jw_key(w, "Version");
	jw_string(w, RACKER_VERSION);
	jw_key(w, "Os");
	jw_string(w, p->os);
	jw_key(w, "Arch");
	jw_string(w, p->arch);
	jw_key(w, "KernelVersion");
	jw_string(w, u->release);
	jw_object_end(w);
	jw_object_end(w);
	if (json_write_end(w) < 0)
		return err_oom(err);
	(void)puts(strbuf_str(&out));
	return 0;
}

static int version_main(const struct context *ctx, void *target, char *const *operands)
{
	const struct version_options *o = target;
	struct platform p;
	struct utsname u = { 0 };
	struct err err = { 0 };
	int r = common_check_format(o->format, NULL, &err);

	(void)operands;
	platform_native(&p);
	(void)uname(&u);
	if (r >= 0 && o->format)
		r = print_json(&p, &u, &err);
	else if (r >= 0)
		(void)printf("Client: racker\n Version:   %s\n OS/Arch:   %s/%s\n Kernel:    %s\n",
			     RACKER_VERSION, p.os, p.arch, u.release);
	if (r >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_version = {
	.name = "version",
	.usage = "[OPTIONS]",
	.summary = "Show the version information",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.main = version_main,
	.options_size = sizeof(struct version_options),
	.options_done = version_options_done,
};
