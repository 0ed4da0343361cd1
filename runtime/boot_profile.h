/* SPDX-License-Identifier: MIT */
/* What of a machine's own boot is left out, since a container cannot use it (config/boot-profile.json, doc/boot-profile.md). */
#ifndef RUNTIME_BOOT_PROFILE_H
#define RUNTIME_BOOT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct boot_profile {
	char **masks; /* paths below /run, each to become a link to /dev/null before PID 1 starts; NULL: none */
	char **idle_generators; /* names for boot_generators_mask(); NULL: none */
};
void boot_profile_done(struct boot_profile *p);

/**
 * boot_profile_load() - one of the profiles
 * @credentials: the machine is given system credentials: what does nothing but read them is not left out
 * @ret: owned: boot_profile_done()
 * Return: 0; -ENOENT/ERR_USAGE naming those that there are; -ENOMEM
 */
int boot_profile_load(const char *name, bool credentials, struct boot_profile *ret,
		      struct err *err);

/** boot_profile_parse() - the same, of another text. Return: also -EBADMSG/ERR_CORRUPT naming what is wrong in it */
int boot_profile_parse(const char *text, size_t len, const char *name, bool credentials,
		       struct boot_profile *ret, struct err *err);

#endif
