// SPDX-License-Identifier: MIT
/* racker pull: an image into the store, progress on stdout. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/interrupt.h"
#include "cmd/print_err.h"
#include "provision/image_ensure.h"
#include "provision/image_name.h"

struct pull_options {
	bool quiet;
	char *platform;
};

static const struct option_spec options[] = {
	{ "platform", 0, OPT_STRING, offsetof(struct pull_options, platform), "string",
	  "Set platform if the image has several", NULL },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct pull_options, quiet), NULL,
	  "Suppress verbose output", NULL },
};

static const struct later_flag later[] = {
	{ "all-tags", 'a', false, false },
	{ "disable-content-trust", 0, false, true },
};

static void pull_options_done(void *target)
{
	struct pull_options *o = target;

	free(o->platform);
}

static int announce_tag(const struct pull_options *o, const char *word, struct err *err)
{
	AUTO(image_name) name = { 0 };
	int r = image_name_parse(word, &name, err);

	if (r >= 0 && name.implied_tag && !o->quiet) {
		(void)puts("Using default tag: latest");
		(void)fflush(stdout);
	}
	return r;
}

static int pull(const struct context *ctx, const struct pull_options *o, const char *word,
		struct err *err)
{
	AUTO(store) store = { 0 };
	AUTO(image) image = { 0 };
	struct image_request request = {
		.settings = &ctx->settings,
		.name = word,
		.policy = PULL_ALWAYS,
		.quiet = o->quiet,
		.progress = stdout,
		.interrupted = interrupt_flag(),
	};
	struct platform platform;
	int r = announce_tag(o, word, err);

	if (r >= 0)
		r = common_platform(o->platform, &platform, &request.platform, err);
	if (r >= 0)
		r = common_require_root(err);
	if (r >= 0)
		r = store_open(ctx->settings.store_dir, true, &store, err);
	if (r < 0)
		return r;
	interrupt_catch();
	r = image_ensure(&request, &store, &image, err);
	if (r >= 0)
		(void)puts(QUOTE_PLAIN(image.record.name));
	return r;
}

static int pull_main(const struct context *ctx, void *target, char *const *operands)
{
	struct err err = { 0 };

	if (pull(ctx, target, operands[0], &err) >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_pull = {
	.name = "pull",
	.usage = "[OPTIONS] NAME[:TAG|@DIGEST]",
	.summary = "Download an image from a registry",
	.details = "NAME may also be a label such as debian-bookworm, or oci:DIR[:REF].",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.later = later,
	.n_later = ARRAY_SIZE(later),
	.min_operands = 1,
	.max_operands = 1,
	.main = pull_main,
	.options_size = sizeof(struct pull_options),
	.options_done = pull_options_done,
};
