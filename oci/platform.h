/* SPDX-License-Identifier: MIT */
/* Platforms: os/architecture[/variant], which entry of an index fits which host. */
#ifndef OCI_PLATFORM_H
#define OCI_PLATFORM_H

#include <stdbool.h>

#include "base/err.h"

#define PLATFORM_PART_MAX 32

/* Each part is empty or of [A-Za-z0-9_.-], so it can be printed as it is. */
struct platform {
	char os[PLATFORM_PART_MAX], arch[PLATFORM_PART_MAX],
		variant[PLATFORM_PART_MAX]; /* Go's names: linux, amd64, arm64, v8; "" for unknown */
};

/** platform_native() - of the running kernel (uname(2)) */
void platform_native(struct platform *ret);
/** platform_parse() - "os/arch[/variant]", "arch" alone with os linux, or "linux" alone with the native architecture; aliases
 *  (x86_64, aarch64, armhf…) normalised. Return: 0 or -EINVAL/ERR_USAGE */
int platform_parse(const char *text, struct platform *ret, struct err *err);
/**
 * platform_set() - from the parts a document gives, normalised
 * @os, @arch, @variant: NULL is ""
 * Return: 0, or -EINVAL for a part that is too long or not of the characters above
 */
int platform_set(struct platform *ret, const char *os, const char *arch, const char *variant);
/** platform_is_set() - false: a document named no platform */
bool platform_is_set(const struct platform *p);
/** platform_normalize() - aliases and default variants as containerd's platforms package: arm64/v8 is arm64, arm is arm/v7, amd64/v1 is
 *  amd64, an architecture without an os is of linux */
void platform_normalize(struct platform *p);
/**
 * platform_rank() - how well @have serves @want
 * Return: 0 does not run there; higher is better: the exact variant, then lower variants of arm (v7 runs v6, v5), of arm64 (v9.0 runs
 * v8.5) and microarchitecture levels of amd64 (v3 runs v2, v1). Another architecture never serves, not even 386 on amd64.
 */
int platform_rank(const struct platform *want, const struct platform *have);
#define PLATFORM_STR_MAX 100
/** platform_str() - "linux/arm/v7" in @buf, which it returns; "unknown" if no part is set */
const char *platform_str(const struct platform *p, char buf[static PLATFORM_STR_MAX]);
#define PLATFORM_STR(p) platform_str((p), (char[PLATFORM_STR_MAX]){ 0 })

#endif
