/* SPDX-License-Identifier: MIT */
/* Docker's JSON format of a seccomp policy, decoded for one set of capabilities, machine and kernel. Pure: asks nothing of the system. */
#ifndef RUNTIME_SECCOMP_PROFILE_H
#define RUNTIME_SECCOMP_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SECCOMP_RULES_MAX 8192 /* rules that apply, each for one system call */
#define SECCOMP_ARGS_MAX 6 /* arguments of a system call */
#define SECCOMP_ARCHES_MAX 8 /* sub-architectures of a machine */

struct json;

/* What includes, excludes and archMap are held against. */
struct seccomp_target {
	uint64_t caps; /* of the container, a mask */
	const char *arch; /* docker's name, "amd64" */
	const char *scmp_arch; /* its name in archMap, "SCMP_ARCH_X86_64" */
	unsigned int kernel_major, kernel_minor;
};

enum seccomp_op {
	SECCOMP_OP_NE,
	SECCOMP_OP_LT,
	SECCOMP_OP_LE,
	SECCOMP_OP_EQ,
	SECCOMP_OP_GE,
	SECCOMP_OP_GT,
	SECCOMP_OP_MASKED_EQ, /* (argument & value) == value_two */
	SECCOMP_OP_MAX,
};

/* A condition on all 64 bits of an argument. */
struct seccomp_arg {
	unsigned int index; /* 0..5; at most one condition an argument */
	uint64_t value, value_two;
	enum seccomp_op op;
};

struct seccomp_rule {
	const char *name; /* of a system call; belongs to the profile */
	uint32_t action; /* as the filter returns it: SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM */
	struct seccomp_arg args[SECCOMP_ARGS_MAX]; /* all of them must hold */
	size_t n_args;
};

struct seccomp_profile {
	struct json *doc; /* the names live here */
	uint32_t default_action; /* for a system call that no rule matches */
	const char *sub_arches
		[SECCOMP_ARCHES_MAX]; /* "SCMP_ARCH_X86": filtered too, since the machine runs them */
	size_t n_sub_arches;
	struct seccomp_rule *rules; /* that apply to the target, in document order */
	size_t n_rules;
};
void seccomp_profile_done(struct seccomp_profile *profile);

/**
 * seccomp_profile_decode() - the rules of a policy that apply to @target
 * includes: all caps, one of arches and minKernel must match; excludes: any of them that matches drops the rule. An errno that is not
 * given is EPERM. Unknown members are passed over.
 * @ret: owned: seccomp_profile_done()
 * Return: 0, -EBADMSG/ERR_CORRUPT naming what is wrong, -E2BIG, -ENOMEM
 * Source: moby profiles/seccomp, runtime-spec config-linux.md "Seccomp"
 */
int seccomp_profile_decode(const char *text, size_t len, const struct seccomp_target *target,
			   struct seccomp_profile *ret, struct err *err);

#endif
