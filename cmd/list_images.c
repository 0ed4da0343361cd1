// SPDX-License-Identifier: MIT
/* postroj list-images: the curated labels, as JSON. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cmd/commands.h"
#include "cmd/exit_status.h"
#include "cmd/print_err.h"
#include "provision/catalog.h"

static int list_images_main(const struct context *ctx, void *target, char *const *operands)
{
	AUTO(catalog) catalog = { 0 };
	struct err err = { 0 };

	(void)target;
	(void)operands;
	if (catalog_load(&catalog, &err) < 0) {
		print_err(ctx, &err);
		return exit_status_of_postroj(&err);
	}
	/* Labels are plain words of our own: nothing in them needs escaping. */
	(void)puts("[");
	for (size_t i = 0; i < catalog.n; i++)
		(void)printf("  \"%s\"%s\n", catalog.entries[i].label,
			     i + 1 < catalog.n ? "," : "");
	(void)puts("]");
	return EXIT_SUCCESS;
}

const struct command command_list_images = {
	.name = "list-images",
	.usage = "",
	.summary = "List the labels of curated operating system images",
	.main = list_images_main,
};
