/* SPDX-License-Identifier: MIT */
/* Where things are kept and how much is said: global flags and the environment (decisions 11). */
#ifndef PROVISION_SETTINGS_H
#define PROVISION_SETTINGS_H

#include <stdbool.h>

#include "base/err.h"

struct settings {
	char *store_dir; /* images: /var/lib/postroj, DIR with --root DIR */
	char *cache_dir; /* downloads, compiled filters: /var/cache/postroj, DIR/cache */
	char *state_dir; /* running containers: /run/racker, DIR/run */
	bool verbose, debug;
	bool strict_tty; /* RACKER_STRICT=1 or --strict-tty */
};

/** settings_init() - @root: --root or NULL (then RACKER_ROOT, then the defaults of this uid). Return: 0 or -errno */
int settings_init(const char *root, struct settings *ret, struct err *err);
void settings_done(struct settings *s);

#endif
