/* SPDX-License-Identifier: MIT */
/* What makes a container a machine: PID 1 is the image's own init, and gets what systemd's Container Interface promises it. */
#ifndef RUNTIME_BOOT_SPEC_H
#define RUNTIME_BOOT_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define MACHINE_ID_LEN 32 /* hex digits of machine-id(5), without dashes */
#define BOOT_ID_LEN 37 /* a UUID with dashes, and a newline */

/* A system credential (systemd.exec(5) "Credentials"), handed over in memory that never reaches a disk. */
struct credential {
	char *name;
	char *data;
	size_t len;
};

/* What a command that is run in the machine gets, unless it says otherwise (docker's merge of image and flags). */
struct machine_command {
	char **argv; /* NULL: there is none, the machine runs for its own sake */
	char **env;
	char *workdir, *user; /* as in container_spec */
};

struct boot_spec {
	char machine_id[MACHINE_ID_LEN + 1]; /* of /etc/machine-id and container_uuid */
	char boot_id[BOOT_ID_LEN +
		     1]; /* text of /proc/sys/kernel/random/boot_id; new with each boot */
	char *os_release; /* text of the host's os-release; NULL: unknown */
	char **masks; /* paths below /run that become links to /dev/null (boot_profile.h) */
	char **idle_generators; /* masked while it boots, unless they find something in the image (boot_generators.h) */
	struct credential *credentials;
	size_t n_credentials;
	struct machine_command command;
	bool suppress_sync; /* sync(2) and its kin do nothing inside: nothing that is written there is to last */
};

void boot_spec_done(struct boot_spec *boot);
/** boot_spec_new() - with random IDs and the host's os-release; *ret owned: boot_spec_free(). Return: 0 or -errno */
int boot_spec_new(struct boot_spec **ret, struct err *err);
/** boot_spec_renew() - another boot ID, before a machine boots again. Return: 0 or -errno */
int boot_spec_renew(struct boot_spec *boot, struct err *err);
void boot_spec_free(struct boot_spec *boot);

/**
 * boot_spec_add_credential() - one more, copied
 * @name: a plain file name (letters, digits, "._-@:" and the like; not ".", ".." or with a slash)
 * Return: 0; -EINVAL/ERR_USAGE for a bad name, -EEXIST/ERR_USAGE for one given before, -E2BIG/ERR_USAGE over 1 MiB in all
 */
int boot_spec_add_credential(struct boot_spec *boot, const char *name, const char *data, size_t len,
			     struct err *err);

#endif
