// SPDX-License-Identifier: MIT
/* postroj pull: curated images, one or all of them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/quote.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/interrupt.h"
#include "cmd/print_err.h"
#include "provision/catalog.h"
#include "provision/image_ensure.h"

struct postroj_pull_options {
	bool all;
};

static const struct option_spec options[] = {
	{ "all", 0, OPT_FLAG, offsetof(struct postroj_pull_options, all), NULL,
	  "Pull all curated images", NULL },
};

static int pull_label(const struct context *ctx, const char *label, struct err *err)
{
	AUTO(store) store = { 0 };
	AUTO(image) image = { 0 };
	const struct image_request request = {
		.settings = &ctx->settings,
		.name = label,
		.policy = PULL_ALWAYS,
		.progress = stderr,
		.interrupted = interrupt_flag(),
	};
	int r = store_open(ctx->settings.store_dir, true, &store, err);

	return r < 0 ? r : image_ensure(&request, &store, &image, err);
}

static int pull_one(const struct context *ctx, const struct catalog *catalog, const char *name,
		    struct err *err)
{
	const struct catalog_entry *entry = name ? catalog_find(catalog, name) : NULL;

	if (!name)
		return err_set(err, ERR_USAGE, -EINVAL, "need image name or --all");
	if (!entry)
		return err_set(err, ERR_USAGE, -ENOENT, "unknown image label: %s",
			       QUOTE_PLAIN(name));
	return pull_label(ctx, entry->label, err);
}

/* One failure does not keep the others from being pulled; the last one is the result. */
static int pull_all(const struct context *ctx, const struct catalog *catalog, struct err *err)
{
	int result = 0;

	for (size_t i = 0; i < catalog->n && !interrupt_signal(); i++) {
		struct err one = { 0 };
		int r = pull_label(ctx, catalog->entries[i].label, &one);

		if (r >= 0)
			continue;
		log_error("%s", one.msg);
		result = err_set(err, one.kind, r, "not all images could be pulled");
	}
	return result;
}

static int postroj_pull_main(const struct context *ctx, void *target, char *const *operands)
{
	const struct postroj_pull_options *o = target;
	AUTO(catalog) catalog = { 0 };
	struct err err = { 0 };
	int r = catalog_load(&catalog, &err);

	if (r >= 0)
		r = common_require_root(&err);
	if (r >= 0) {
		interrupt_catch();
		r = o->all ? pull_all(ctx, &catalog, &err) :
			     pull_one(ctx, &catalog, operands[0], &err);
	}
	if (r >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_postroj(&err);
}

const struct command command_postroj_pull = {
	.name = "pull",
	.usage = "[OPTIONS] [LABEL]",
	.summary = "Download curated operating system images",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.max_operands = 1,
	.main = postroj_pull_main,
	.options_size = sizeof(struct postroj_pull_options),
};
