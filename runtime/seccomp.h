/* SPDX-License-Identifier: MIT */
/* The system call filters of a container: made ahead of the clone, installed by the child just before exec. */
#ifndef RUNTIME_SECCOMP_H
#define RUNTIME_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* One program, of struct sock_filter. Borrowed from the struct seccomp_filters it is in. */
struct seccomp_filter {
	const void *bpf;
	size_t len_bytes;
};

struct seccomp_filters {
	struct seccomp_filter tty; /* config/seccomp-tty.json */
	struct seccomp_filter
		policy; /* config/seccomp-default.json or seccomp-boot.json; installed last */
	struct seccomp_filter sync; /* config/seccomp-sync.json; of no length: none */
	void *image; /* owns them */
};
void seccomp_filters_done(struct seccomp_filters *filters);

enum seccomp_policy {
	SECCOMP_POLICY_DEFAULT, /* docker's: a command */
	SECCOMP_POLICY_BOOT, /* docker's and systemd-nspawn's: an init, and all that a distribution's services do */
};

struct seccomp_request {
	enum seccomp_policy policy;
	bool suppress_sync; /* sync(2), fsync(2) and their kin do nothing, and say that they did it */
	uint64_t bounding_caps; /* mask of the container's bounding set */
};

/**
 * seccomp_filters_load() - the policy for a container with these capabilities, and the filters beside it
 * @cache_dir: compiled filters are kept in its directory "seccomp" (both made 0700 if missing); NULL: nowhere. A cache that cannot be
 *             read, trusted or written only costs the milliseconds of compiling.
 * @ret: owned: seccomp_filters_done()
 * Return: 0 or -errno
 */
int seccomp_filters_load(const char *cache_dir, const struct seccomp_request *req,
			 struct seccomp_filters *ret, struct err *err);

/**
 * seccomp_install() - put this process and its children under the filters, for good
 * Needs CAP_SYS_ADMIN in the user namespace, or no_new_privs. No heap use: may run between clone and exec. Either policy
 * allows what a child does from then on (credentials, exec), but not mounting.
 * Return: 0 or -errno
 * Source: seccomp(2)
 */
int seccomp_install(const struct seccomp_filters *filters, struct err *err);

#endif
