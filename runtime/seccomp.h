/* SPDX-License-Identifier: MIT */
/* The default system call filters of a container: made ahead of the clone, installed by the child just before exec. */
#ifndef RUNTIME_SECCOMP_H
#define RUNTIME_SECCOMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* One program, of struct sock_filter. Borrowed from the struct seccomp_filters it is in. */
struct seccomp_filter {
	const void *bpf;
	size_t len_bytes;
};

struct seccomp_filters {
	struct seccomp_filter tty; /* config/seccomp-tty.json; installed first */
	struct seccomp_filter policy; /* config/seccomp-default.json */
	void *image; /* owns both */
};
void seccomp_filters_done(struct seccomp_filters *filters);

/**
 * seccomp_default_filters() - docker's default policy for a container with these capabilities, and the one against terminal push-back
 * @cache_dir: compiled filters are kept in its directory "seccomp" (both made 0700 if missing); NULL: nowhere. A cache that cannot be
 *             read, trusted or written only costs the milliseconds of compiling.
 * @bounding_caps: mask of the container's bounding set
 * @ret: owned: seccomp_filters_done()
 * Return: 0 or -errno
 */
int seccomp_default_filters(const char *cache_dir, uint64_t bounding_caps,
			    struct seccomp_filters *ret, struct err *err);

/**
 * seccomp_install() - put this process and its children under both filters, for good
 * Needs CAP_SYS_ADMIN in the user namespace, or no_new_privs. No heap use: may run between clone and exec. The policy allows
 * what a child does from then on (credentials, exec), but not mounting.
 * Return: 0 or -errno
 * Source: seccomp(2)
 */
int seccomp_install(const struct seccomp_filters *filters, struct err *err);

#endif
