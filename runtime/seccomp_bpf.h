/* SPDX-License-Identifier: MIT */
/*
 * Rules and system call numbers to a filter program that is small. The kernel checks, translates and probes a filter when it is installed:
 * 0.4 ms for docker's policy as libseccomp writes it (1277 instructions), which every start would pay. Allowed numbers come in runs,
 * so a binary search over runs is a fifth of that. doc/design.md
 */
#ifndef RUNTIME_SECCOMP_BPF_H
#define RUNTIME_SECCOMP_BPF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct seccomp_rule;
struct sock_filter;

/* Numbers from here on are x32's, which shares x86-64's AUDIT_ARCH. */
#define SECCOMP_X32_BIT UINT32_C(0x40000000)

struct seccomp_entry {
	uint32_t number;
	const struct seccomp_rule *rule; /* borrowed */
};

/* One numbering of system calls, as the kernel tells them apart. */
struct seccomp_table {
	uint32_t audit_arch; /* AUDIT_ARCH_* */
	/* Greatest number of the common numbering (x32's without its bit) that the policy speaks of, an entry's: later ones give ENOSYS, which is
	 * what makes a C library newer than the policy fall back to older calls; docker's runtime does so too. 0: the default action. */
	uint32_t newest;
	struct seccomp_entry *
		entries; /* by number; several of one number in the policy's order, of which the first match decides */
	size_t n_entries;
};

struct seccomp_tables {
	const struct seccomp_table *tables;
	size_t n_tables;
	uint32_t default_action; /* SECCOMP_RET_* with its data */
	uint32_t bad_arch_action; /* for a system call of a machine without a table */
};

/**
 * seccomp_bpf_compile() - a program for seccomp(2)
 * @ret: owned: free(); @ret_n: instructions, at most BPF_MAXINSNS
 * Return: 0, -E2BIG, -ENOMEM
 */
int seccomp_bpf_compile(const struct seccomp_tables *policy, struct sock_filter **ret,
			size_t *ret_n, struct err *err);

#endif
