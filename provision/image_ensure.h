/* SPDX-License-Identifier: MIT */
/* From a name to an image in the store: curated label, OCI layout or image reference; pulled or built if need be (decisions 1, 4). */
#ifndef PROVISION_IMAGE_ENSURE_H
#define PROVISION_IMAGE_ENSURE_H

#include <stdbool.h>
#include <stdio.h>

#include "oci/image_config.h"
#include "oci/store.h"
#include "provision/settings.h"

enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

struct image_request {
	const struct settings *settings;
	const char *name; /* as the user typed it */
	enum pull_policy policy;
	const struct platform *platform; /* NULL: the native one */
	bool quiet;
	FILE *progress; /* where docker's lines go: stdout for pull, stderr for run */
	bool announce_missing; /* "Unable to find image 'X' locally" first, as run does */
	const volatile int *interrupted;
};

struct image {
	struct image_record record;
	struct image_config config;
};
void image_done(struct image *i);

/**
 * image_ensure() - have the image in the store and read its record and config
 * @s: open store; the shared lock is taken and kept for the caller (the layers must not go before the container has its state file)
 */
int image_ensure(const struct image_request *req, struct store *s, struct image *ret,
		 struct err *err);
/** image_find() - only look; by name, or by image ID (a unique prefix of the config digest). Return: 0, -ENOENT "No such image: X" */
int image_find(struct store *s, const char *name, struct image *ret, struct err *err);

/** image_bootstrap_dir() - where root file systems are built; owned. Return: 0 or -ENOMEM */
int image_bootstrap_dir(const struct settings *settings, char **ret, struct err *err);

#endif
