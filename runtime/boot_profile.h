/* SPDX-License-Identifier: MIT */
/* What of a machine's own boot is left out, since a container cannot use it. */
#ifndef RUNTIME_BOOT_PROFILE_H
#define RUNTIME_BOOT_PROFILE_H

#include "base/err.h"

struct boot_profile {
	char **masked_units;
	char **masked_generators;
};
void boot_profile_done(struct boot_profile *p);

/** boot_profile_load() - "default", or "full", which leaves out nothing. Return: 0 or -ENOMEM */
int boot_profile_load(const char *name, struct boot_profile *ret, struct err *err);

#endif
