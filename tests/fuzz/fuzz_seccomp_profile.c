// SPDX-License-Identifier: MIT
/* Fuzzer of seccomp policies: decoded, compiled with made-up numbers, and run against a plain reading of the rules. */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/seccomp_bpf.h"
#include "runtime/seccomp_profile.h"
#include "tests/unit/bpf_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RULES_MAX 200 /* more take long and show nothing new */
#define SAME_NUMBER 3 /* rules */

static bool holds(const struct seccomp_arg *c, const struct seccomp_data *data)
{
	uint64_t arg = data->args[c->index];

	switch (c->op) {
	case SECCOMP_OP_NE:
		return arg != c->value;
	case SECCOMP_OP_LT:
		return arg < c->value;
	case SECCOMP_OP_LE:
		return arg <= c->value;
	case SECCOMP_OP_EQ:
		return arg == c->value;
	case SECCOMP_OP_GE:
		return arg >= c->value;
	case SECCOMP_OP_GT:
		return arg > c->value;
	case SECCOMP_OP_MASKED_EQ:
		return (arg & c->value) == c->value_two;
	case SECCOMP_OP_MAX:
		break;
	}
	abort();
}

static uint32_t read_plainly(const struct seccomp_profile *p, const struct seccomp_data *data)
{
	for (size_t i = (size_t)data->nr * SAME_NUMBER; i < p->n_rules; i++) {
		bool all = true;

		if (i / SAME_NUMBER != (size_t)data->nr)
			break;
		for (size_t k = 0; k < p->rules[i].n_args; k++)
			all = all && holds(&p->rules[i].args[k], data);
		if (all)
			return p->rules[i].action;
	}
	return p->default_action;
}

static void compile_and_compare(const struct seccomp_profile *p)
{
	static struct seccomp_entry entries[RULES_MAX];
	struct seccomp_table table = { AUDIT_ARCH_X86_64, 0, entries, p->n_rules };
	struct seccomp_tables policy = { &table, 1, p->default_action, SECCOMP_RET_KILL_THREAD };
	AUTO_FREE struct sock_filter *insns = NULL;
	struct err err = { 0 };
	size_t n;

	for (size_t i = 0; i < p->n_rules; i++)
		entries[i] = (struct seccomp_entry){ (uint32_t)(i / SAME_NUMBER), &p->rules[i] };
	if (seccomp_bpf_compile(&policy, &insns, &n, &err) < 0)
		return;
	for (size_t i = 0; i < p->n_rules + SAME_NUMBER; i++) {
		for (int delta = -1; delta <= 1; delta++) {
			struct seccomp_data data = { .nr = (int)(i / SAME_NUMBER),
						     .arch = AUDIT_ARCH_X86_64 };

			for (size_t k = 0; i < p->n_rules && k < p->rules[i].n_args; k++)
				data.args[p->rules[i].args[k].index] =
					p->rules[i].args[k].value + (uint64_t)delta;
			if (bpf_run(insns, n, &data) != read_plainly(p, &data))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct seccomp_target targets[] = {
		{ UINT64_MAX, "amd64", "SCMP_ARCH_X86_64", 6, 1 },
		{ 0, "arm64", "SCMP_ARCH_AARCH64", 4, 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		AUTO(seccomp_profile) profile = { 0 };
		struct err err = { 0 };
		int r = seccomp_profile_decode((const char *)data, size, &targets[i], &profile,
					       &err);

		if ((r < 0) != (err.code < 0))
			abort();
		if (r == 0 && profile.n_sub_arches > SECCOMP_ARCHES_MAX)
			abort();
		if (r == 0 && profile.n_rules <= RULES_MAX)
			compile_and_compare(&profile);
	}
	return 0;
}
