/* SPDX-License-Identifier: MIT */
/* What the host's apt knows that a bootstrap needs: the Debian mirror in use, and proxies. */
#ifndef PROVISION_APT_CONFIG_H
#define PROVISION_APT_CONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"

#define APT_FILE_BYTES_MAX ((size_t)1 << 20)
#define APT_DEFAULT_MIRROR "http://deb.debian.org/debian"

struct apt_mirror {
	char *uri;
	char *signed_by; /* absolute path of a keyring; NULL: apt's own */
};
void apt_mirror_done(struct apt_mirror *m);

/*
 * The first binary source of a main Debian archive (its URI ends in "/debian", its components have "main"): in sources.list(5)'s one-line
 * form, and in its deb822 form. Return: 1 with *ret, 0 if there is none, -ENOMEM
 */
int apt_mirror_from_list(const char *text, struct apt_mirror *ret);
int apt_mirror_from_deb822(const char *text, struct apt_mirror *ret);

/** apt_mirror_find() - from @apt_dir (/etc/apt): sources.list, sources.list.d/; APT_DEFAULT_MIRROR if there is none. Return: 0 or -ENOMEM */
int apt_mirror_find(const char *apt_dir, struct apt_mirror *ret, struct err *err);

/**
 * apt_network_options() - "KEY \"VALUE\"" of the host's Acquire::http and Acquire::https settings (proxies, certificates)
 * A host without apt-config has none.
 * Return: 0 with *ret owned (strv_free), or -errno
 */
int apt_network_options(char ***ret, struct err *err);
/** apt_network_options_parse() - from lines "KEY=VALUE" as apt-config dump gives them. Return: 0 or -ENOMEM */
int apt_network_options_parse(const char *text, char ***ret);

#endif
