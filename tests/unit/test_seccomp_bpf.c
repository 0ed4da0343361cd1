// SPDX-License-Identifier: MIT
/* Filter programs, run by an interpreter: every comparison at its edges, runs, gaps, far jumps, machines. */
#include "runtime/seccomp_bpf.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/seccomp_profile.h"
#include "tests/unit/bpf_run.h"

#define ALLOW SECCOMP_RET_ALLOW
#define DENY (SECCOMP_RET_ERRNO | EPERM)
#define NOSYS (SECCOMP_RET_ERRNO | ENOSYS)
#define BAD SECCOMP_RET_KILL_THREAD

struct filter {
	struct sock_filter *insns;
	size_t n;
};

static void filter_done(struct filter *f)
{
	free(f->insns);
}

static struct filter compile(const struct seccomp_table *tables, size_t n)
{
	struct seccomp_tables policy = { tables, n, DENY, BAD };
	struct filter f = { 0 };
	struct err err = { 0 };

	if (seccomp_bpf_compile(&policy, &f.insns, &f.n, &err) != 0)
		fail_msg("%s", err.msg);
	assert_true(f.n > 0 && f.n <= BPF_MAXINSNS);
	return f;
}

static uint32_t ask(const struct filter *f, uint32_t arch, uint32_t number, uint64_t arg0,
		    uint64_t arg5)
{
	struct seccomp_data data = { .arch = arch, .nr = (int)number, .args = { arg0 } };

	data.args[5] = arg5;
	return bpf_run(f->insns, f->n, &data);
}

static bool holds(enum seccomp_op op, uint64_t arg, uint64_t value, uint64_t value_two)
{
	switch (op) {
	case SECCOMP_OP_NE:
		return arg != value;
	case SECCOMP_OP_LT:
		return arg < value;
	case SECCOMP_OP_LE:
		return arg <= value;
	case SECCOMP_OP_EQ:
		return arg == value;
	case SECCOMP_OP_GE:
		return arg >= value;
	case SECCOMP_OP_GT:
		return arg > value;
	case SECCOMP_OP_MASKED_EQ:
		return (arg & value) == value_two;
	case SECCOMP_OP_MAX:
		break;
	}
	fail();
	return false;
}

/* All operators, on all pairs of numbers around the edges of both halves. */
static void test_operators(void **state)
{
	static const uint64_t edges[] = {
		0,
		1,
		2,
		0x7fffffff,
		0x80000000,
		0xfffffffe,
		0xffffffff,
		0x100000000,
		0x100000001,
		0x1ffffffff,
		0x200000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0xffffffff00000000,
		0xfffffffffffffffe,
		0xffffffffffffffff,
	};

	(void)state;
	for (unsigned int op = 0; op < SECCOMP_OP_MAX; op++) {
		for (size_t v = 0; v < ARRAY_SIZE(edges); v++) {
			struct seccomp_rule rule = { .name = "x", .action = ALLOW, .n_args = 1 };
			struct seccomp_entry entry = { 5, &rule };
			struct seccomp_table table = { AUDIT_ARCH_X86_64, 0, &entry, 1 };
			uint64_t two = edges[v] & 0x8000000180000001;

			rule.args[0] =
				(struct seccomp_arg){ 5, edges[v], two, (enum seccomp_op)op };
			{
				AUTO(filter) f = compile(&table, 1);

				for (size_t a = 0; a < ARRAY_SIZE(edges); a++) {
					bool want =
						holds((enum seccomp_op)op, edges[a], edges[v], two);

					assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 5, 0, edges[a]),
							 want ? ALLOW : DENY);
				}
				assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 4, 0, edges[v]), DENY);
				assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 6, 0, edges[v]), DENY);
			}
		}
	}
}

/* A mask of no bits, and a value outside of its mask, are as they are written. */
static void test_odd_masks(void **state)
{
	struct seccomp_rule always = { .name = "x", .action = ALLOW, .n_args = 1 };
	struct seccomp_rule never = always;
	struct seccomp_entry entries[] = { { 1, &always }, { 2, &never } };
	struct seccomp_table table = { AUDIT_ARCH_X86_64, 0, entries, 2 };

	(void)state;
	always.args[0] = (struct seccomp_arg){ 0, 0, 0, SECCOMP_OP_MASKED_EQ };
	never.args[0] = (struct seccomp_arg){ 0, 1, 2, SECCOMP_OP_MASKED_EQ };
	{
		AUTO(filter) f = compile(&table, 1);

		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 1, 12345, 0), ALLOW);
		for (uint64_t arg = 0; arg < 4; arg++)
			assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 2, arg, 0), DENY);
	}
}

/* Several rules of one call: the first that matches; conditions of one rule: all of them. */
static void test_several_rules(void **state)
{
	struct seccomp_rule rules[] = {
		{ .name = "x",
		  .action = ALLOW,
		  .args = { { 0, 1, 0, SECCOMP_OP_EQ }, { 5, 2, 0, SECCOMP_OP_EQ } },
		  .n_args = 2 },
		{ .name = "x",
		  .action = NOSYS,
		  .args = { { 0, 1, 0, SECCOMP_OP_EQ } },
		  .n_args = 1 },
		{ .name = "x",
		  .action = ALLOW,
		  .args = { { 0, 3, 0, SECCOMP_OP_EQ } },
		  .n_args = 1 },
		{ .name = "x", .action = SECCOMP_RET_LOG },
		{ .name = "x", .action = DENY },
	};
	struct seccomp_entry entries[ARRAY_SIZE(rules) + 3];
	struct seccomp_table table = { AUDIT_ARCH_X86_64, 0, entries, ARRAY_SIZE(entries) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		entries[i] = (struct seccomp_entry){ 9, &rules[i] };
	for (size_t i = 0; i < 3; i++)
		entries[ARRAY_SIZE(rules) + i] = (struct seccomp_entry){ 10, &rules[i] };
	{
		AUTO(filter) f = compile(&table, 1);

		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 9, 1, 2), ALLOW);
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 9, 1, 3), NOSYS);
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 9, 3, 0), ALLOW);
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 9, 4, 2), SECCOMP_RET_LOG);
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 10, 1, 2), ALLOW);
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 10, 4, 2), DENY);
	}
}

static void test_newest(void **state)
{
	struct seccomp_rule allow = { .name = "x", .action = ALLOW };
	struct seccomp_entry entries[] = { { 0, &allow },
					   { 7, &allow },
					   { 500, &allow },
					   { SECCOMP_X32_BIT + 7, &allow },
					   { UINT32_MAX, &allow } };
	struct seccomp_table table = { AUDIT_ARCH_X86_64, 7, entries, ARRAY_SIZE(entries) };
	static const struct {
		uint32_t number, want;
	} cases[] = { { 0, ALLOW },
		      { 1, DENY },
		      { 6, DENY },
		      { 7, ALLOW },
		      { 8, NOSYS },
		      { 499, NOSYS },
		      { 500, ALLOW },
		      { 501, NOSYS },
		      { SECCOMP_X32_BIT - 1, NOSYS },
		      { SECCOMP_X32_BIT, DENY },
		      { SECCOMP_X32_BIT + 7, ALLOW },
		      { SECCOMP_X32_BIT + 8, DENY },
		      { UINT32_MAX - 1, DENY },
		      { UINT32_MAX, ALLOW } };

	(void)state;
	AUTO(filter) f = compile(&table, 1);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, cases[i].number, 0, 0), cases[i].want);
}

static void test_empty(void **state)
{
	struct seccomp_table table = { AUDIT_ARCH_X86_64, 0, NULL, 0 };

	(void)state;
	{
		AUTO(filter) f = compile(&table, 1);

		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, 0, 0, 0), DENY);
		assert_int_equal(ask(&f, AUDIT_ARCH_X86_64, UINT32_MAX, 0, 0), DENY);
		assert_int_equal(ask(&f, AUDIT_ARCH_I386, 0, 0, 0), BAD);
	}
	AUTO(filter) none = compile(&table, 0);

	assert_int_equal(ask(&none, AUDIT_ARCH_X86_64, 0, 0, 0), BAD);
}

#define MANY 600

/* Random tables against the plainest reading of them; long enough for jumps that do not reach. */
static void test_random(void **state)
{
	static struct seccomp_entry entries[3][MANY];
	struct seccomp_rule rules[12];
	static const uint32_t actions[] = { ALLOW, NOSYS, SECCOMP_RET_LOG, DENY };
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64 };
	unsigned int seed = 4711;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		rules[i] = (struct seccomp_rule){ .name = "x", .action = actions[i % 4] };
		rules[i].n_args = i < 4 ? 0 : 1;
		rules[i].args[0] = (struct seccomp_arg){ 0, i / 3, i / 3,
							 (enum seccomp_op)(i % SECCOMP_OP_MAX) };
	}
	for (int round = 0; round < 30; round++) {
		struct seccomp_table tables[3];

		for (size_t t = 0; t < 3; t++) {
			uint32_t number = 0;

			for (size_t i = 0; i < MANY; i++) {
				int dice = rand_r(&seed);

				number += dice % 7 == 0 ? 2 : dice % 31 == 0 ? 0 : 1;
				entries[t][i] = (struct seccomp_entry){
					number, &rules[(size_t)rand_r(&seed) %
						       (round % 2 ? 3 : ARRAY_SIZE(rules))]
				};
			}
			tables[t] = (struct seccomp_table){ arches[t], number, entries[t], MANY };
		}
		AUTO(filter) f = compile(tables, 3);

		for (size_t t = 0; t < 3; t++) {
			for (uint32_t number = 0; number < tables[t].newest + 2; number++) {
				uint32_t want = number > tables[t].newest ? NOSYS : DENY;
				uint64_t arg = (uint64_t)rand_r(&seed) % 5;

				for (size_t i = 0; i < MANY; i++) {
					const struct seccomp_rule *rule = entries[t][i].rule;

					if (entries[t][i].number != number)
						continue;
					if (rule->n_args &&
					    !holds(rule->args[0].op, arg, rule->args[0].value,
						   rule->args[0].value_two))
						continue;
					want = rule->action;
					break;
				}
				assert_int_equal(ask(&f, arches[t], number, arg, 0), want);
			}
		}
	}
}

static void test_too_big(void **state)
{
	static struct seccomp_rule rules[3000];
	static struct seccomp_entry entries[ARRAY_SIZE(rules)];
	struct seccomp_table table = { AUDIT_ARCH_X86_64, 0, entries, ARRAY_SIZE(entries) };
	struct seccomp_tables policy = { &table, 1, DENY, BAD };
	struct sock_filter *insns = NULL;
	struct err err = { 0 };
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		rules[i] = (struct seccomp_rule){ .name = "x", .action = ALLOW, .n_args = 1 };
		rules[i].args[0].value = i;
		entries[i] = (struct seccomp_entry){ (uint32_t)i, &rules[i] };
	}
	assert_int_equal(seccomp_bpf_compile(&policy, &insns, &n, &err), -E2BIG);
	assert_null(insns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operators),     cmocka_unit_test(test_odd_masks),
		cmocka_unit_test(test_several_rules), cmocka_unit_test(test_newest),
		cmocka_unit_test(test_empty),	      cmocka_unit_test(test_random),
		cmocka_unit_test(test_too_big),
	};

	return cmocka_run_group_tests_name("seccomp_bpf", tests, NULL, NULL);
}
