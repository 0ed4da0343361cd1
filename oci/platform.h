/* SPDX-License-Identifier: MIT */
/* Platforms: os/architecture[/variant], which entry of an index fits which host. */
#ifndef OCI_PLATFORM_H
#define OCI_PLATFORM_H

#include "base/err.h"

struct platform {
	char os[32], arch[32],
		variant[32]; /* Go's names: linux, amd64, arm64, v8; "" for unknown */
};

/** platform_native() - of the running kernel (uname(2)) */
void platform_native(struct platform *ret);
/** platform_parse() - "os/arch[/variant]", or "arch" alone with os linux; aliases (x86_64, aarch64, armhf…) normalised.
 *  Return: 0 or -EINVAL/ERR_USAGE */
int platform_parse(const char *text, struct platform *ret, struct err *err);
/** platform_normalize() - aliases and default variants as containerd's platforms package: arm64/v8 is arm64, arm is arm/v7 */
void platform_normalize(struct platform *p);
/**
 * platform_rank() - how well @have serves @want
 * Return: 0 does not run there; higher is better: the exact variant, then lower variants of arm (v7 runs v6, v5) and
 * microarchitecture levels of amd64 (v3 runs v2, v1)
 */
int platform_rank(const struct platform *want, const struct platform *have);
#define PLATFORM_STR_MAX 100
/** platform_str() - "linux/arm/v7" in @buf, which it returns */
const char *platform_str(const struct platform *p, char buf[static PLATFORM_STR_MAX]);

#endif
