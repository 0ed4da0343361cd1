// SPDX-License-Identifier: MIT
/* racker prune: what no image needs, what killed containers and pulls left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/human.h"
#include "cmd/print_err.h"
#include "provision/image_ensure.h"
#include "provision/mmdebstrap.h"
#include "runtime/state.h"

#define SIZE_DIGITS 4

struct prune_options {
	bool force;
};

static const struct option_spec options[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct prune_options, force), NULL,
	  "Do not prompt for confirmation", NULL },
};

static const struct later_flag later[] = {
	{ "all", 'a', false, false },
	{ "filter", 0, true, false },
	{ "volumes", 0, false, false },
};

static bool confirmed(void)
{
	char answer[16] = "";

	(void)fputs("WARNING! This will remove layers that no image needs, and what interrupted "
		    "pulls and killed containers left.\n"
		    "Are you sure you want to continue? [y/N] ",
		    stdout);
	(void)fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0 || strcmp(answer, "yes") == 0;
}

static int prune(const struct context *ctx, struct store_collected *ret, struct err *err)
{
	AUTO(container_list) containers = { 0 };
	AUTO(store) store = { 0 };
	AUTO_FREE struct digest *in_use = NULL;
	AUTO_FREE char *bootstrap = NULL;
	size_t n = 0;
	int r = store_open(ctx->settings.store_dir, true, &store, err);

	if (r >= 0)
		r = store_lock(&store, STORE_LOCK_EXCLUSIVE, err);
	if (r >= 0)
		r = state_sweep(ctx->settings.state_dir, err);
	if (r >= 0)
		r = common_list_containers(ctx, &containers, err);
	if (r >= 0)
		r = common_layers_in_use(&containers, &in_use, &n, err);
	/* First: it refuses while a record is damaged, and then nothing of the store is touched. */
	if (r >= 0)
		r = store_collect(&store, in_use, n, ret, err);
	if (r >= 0)
		r = store_sweep(&store, err);
	if (r >= 0)
		r = image_bootstrap_dir(&ctx->settings, &bootstrap, err);
	if (r >= 0)
		mmdebstrap_sweep(bootstrap);
	return r;
}

static int prune_main(const struct context *ctx, void *target, char *const *operands)
{
	const struct prune_options *o = target;
	struct store_collected gone = { 0 };
	struct err err = { 0 };
	char size[HUMAN_MAX];

	(void)operands;
	if (!o->force && !confirmed()) {
		(void)fputs("prune has been cancelled\n", stderr);
		return EXIT_STATUS_FAILED;
	}
	if (prune(ctx, &gone, &err) < 0) {
		print_err(ctx, &err);
		return exit_status_of_command(&err);
	}
	(void)printf("Total reclaimed space: %s\n", human_size(size, gone.bytes, SIZE_DIGITS));
	return EXIT_SUCCESS;
}

const struct command command_prune = {
	.name = "prune",
	.usage = "[OPTIONS]",
	.summary = "Remove unused data",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.later = later,
	.n_later = ARRAY_SIZE(later),
	.main = prune_main,
	.options_size = sizeof(struct prune_options),
};
