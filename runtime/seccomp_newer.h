/* SPDX-License-Identifier: MIT */
/* System calls that are newer than the libseccomp at hand, or than the policy: a few instructions ahead of the compiled filter. */
#ifndef RUNTIME_SECCOMP_NEWER_H
#define RUNTIME_SECCOMP_NEWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sock_filter;

#define SECCOMP_NEWER_MAX 64 /* numbers in one filter */
#define SECCOMP_NEWER_ARCHES_MAX 8
/* Most instructions that seccomp_newer_emit() writes. */
#define SECCOMP_NEWER_INSNS_MAX (8 + SECCOMP_NEWER_ARCHES_MAX + 2 * SECCOMP_NEWER_MAX)

/* From this number on a system call has the same number on every machine but MIPS and Alpha. */
#define SECCOMP_NEWER_UNIFIED 424

struct seccomp_newer {
	uint32_t arches[SECCOMP_NEWER_ARCHES_MAX]; /* AUDIT_ARCH_*, of the unified numbering */
	size_t n_arches;
	struct {
		uint32_t number, action;
	} calls[SECCOMP_NEWER_MAX]; /* what libseccomp could not be told */
	size_t n_calls;
	uint32_t last; /* greatest number that the policy speaks of; 0: do not tell newer ones apart */
};

/** seccomp_newer_number() - of a system call that came after libseccomp 2.5.4. Return: number, or -ENOENT */
int seccomp_newer_number(const char *name);

/**
 * seccomp_newer_emit() - instructions that decide the calls of @newer, answer ENOSYS for those above its last, and else fall through
 * Why ENOSYS: a C library that is newer than the policy tries a new call first and falls back to the old one on ENOSYS alone. So does
 * docker's runtime.
 * @ret: room for SECCOMP_NEWER_INSNS_MAX
 * Return: number of instructions (0: nothing to decide)
 */
size_t seccomp_newer_emit(const struct seccomp_newer *newer, struct sock_filter *ret);

#endif
