// SPDX-License-Identifier: MIT
/*
 * Writing filter programs from their end to their beginning: jumps only go forward, so every target is known when a jump is written.
 *
 *	load arch; is it this one? go to its table; ... ; bad arch
 *	table: load number; binary search over runs of numbers with one fate; at the leaves: return, or conditions on arguments
 */
#include "runtime/seccomp_bpf.h"

#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/seccomp_profile.h"

/* Conditional jumps reach 255 instructions; a few less, as bringing one target near pushes the other away. */
#define REACH 250
/* A return is used again while it is so near that what is written until the jump will hardly get it out of reach. */
#define REUSE 160
#define RETURNS_MAX 8
/* Conditional runs that may be found again: machines differ in the numbers of clone, socket and personality, not in their conditions. */
#define SHARED_MAX 16

/* Numbers from @start up to the next run's share their fate. */
struct run {
	uint32_t start;
	uint32_t action; /* if no condition holds */
	const struct seccomp_entry *conditions;
	size_t n_conditions;
};

/* Counted from the program's end: label n is the instruction that was written n-th, from 0. */
struct program {
	struct sock_filter *insns; /* BPF_MAXINSNS */
	size_t n;
	bool full;
	struct {
		uint32_t action;
		size_t label;
	} returns[RETURNS_MAX];
	size_t n_returns;
	struct {
		struct run run;
		size_t label;
	} shared[SHARED_MAX];
	size_t n_shared;
};

struct runs {
	struct run *list;
	size_t n;
};

static void runs_done(struct runs *runs)
{
	free(runs->list);
}

static size_t emit(struct program *p, uint16_t code, uint32_t k)
{
	if (p->n == BPF_MAXINSNS) {
		p->full = true;
		return 0;
	}
	p->insns[p->n] = (struct sock_filter){ .code = code, .k = k };
	return p->n++;
}

static size_t emit_return(struct program *p, uint32_t action)
{
	size_t label, i;

	for (i = 0; i < p->n_returns; i++) {
		if (p->returns[i].action != action)
			continue;
		if (p->n - p->returns[i].label <= REUSE)
			return p->returns[i].label;
		break;
	}
	label = emit(p, BPF_RET | BPF_K, action);
	if (i < RETURNS_MAX) {
		p->returns[i].action = action;
		p->returns[i].label = label;
		if (i == p->n_returns)
			p->n_returns++;
	}
	return label;
}

/* The label itself, or if it is far, of an instruction that does the same. */
static size_t bring_near(struct program *p, size_t label)
{
	if (p->n - label <= REACH)
		return label;
	if (p->insns[label].code == (BPF_RET | BPF_K))
		return emit_return(p, p->insns[label].k);
	return emit(p, BPF_JMP | BPF_JA, (uint32_t)(p->n - label - 1));
}

static size_t emit_jump(struct program *p, uint16_t test, uint32_t k, size_t yes, size_t no)
{
	size_t label;

	if (yes == no)
		return yes;
	yes = bring_near(p, yes);
	no = bring_near(p, no);
	label = emit(p, (uint16_t)(BPF_JMP | BPF_K | test), k);
	p->insns[label].jt = (uint8_t)(label - yes - 1);
	p->insns[label].jf = (uint8_t)(label - no - 1);
	return label;
}

/* An instruction that is followed by the one at @next. */
static size_t emit_then(struct program *p, uint16_t code, uint32_t k, size_t next)
{
	if (next + 1 != p->n)
		(void)emit(p, BPF_JMP | BPF_JA, (uint32_t)(p->n - next - 1));
	return emit(p, code, k);
}

static size_t emit_load(struct program *p, size_t offset, size_t next)
{
	return emit_then(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, next);
}

static size_t half_offset(const struct seccomp_arg *arg, bool high)
{
	size_t offset = offsetof(struct seccomp_data, args) + arg->index * sizeof(uint64_t);

	return offset + (high == (__BYTE_ORDER == __LITTLE_ENDIAN) ? sizeof(uint32_t) : 0);
}

/* (one half of the argument & @mask) == @value */
static size_t emit_half(struct program *p, const struct seccomp_arg *arg, bool high, uint64_t mask,
			uint64_t value, size_t yes, size_t no)
{
	uint32_t m = (uint32_t)(high ? mask >> 32 : mask);
	uint32_t v = (uint32_t)(high ? value >> 32 : value);
	size_t next;

	if (m == 0)
		return v == 0 ? yes : no;
	next = emit_jump(p, BPF_JEQ, v, yes, no);
	if (m != UINT32_MAX)
		next = emit_then(p, BPF_ALU | BPF_AND | BPF_K, m, next);
	return emit_load(p, half_offset(arg, high), next);
}

static size_t emit_equal(struct program *p, const struct seccomp_arg *arg, uint64_t mask,
			 uint64_t value, size_t yes, size_t no)
{
	size_t low = emit_half(p, arg, false, mask, value, yes, no);

	return emit_half(p, arg, true, mask, value, low, no);
}

/* argument > value, or with BPF_JGE for @test, >= */
static size_t emit_greater(struct program *p, const struct seccomp_arg *arg, uint16_t test,
			   size_t yes, size_t no)
{
	uint32_t high = (uint32_t)(arg->value >> 32);
	size_t next = emit_jump(p, test, (uint32_t)arg->value, yes, no);

	next = emit_load(p, half_offset(arg, false), next);
	next = emit_jump(p, BPF_JEQ, high, next, no);
	next = emit_jump(p, BPF_JGT, high, yes, next);
	return emit_load(p, half_offset(arg, true), next);
}

static size_t emit_condition(struct program *p, const struct seccomp_arg *arg, size_t yes,
			     size_t no)
{
	switch (arg->op) {
	case SECCOMP_OP_NE:
		return emit_equal(p, arg, UINT64_MAX, arg->value, no, yes);
	case SECCOMP_OP_LT:
		return emit_greater(p, arg, BPF_JGE, no, yes);
	case SECCOMP_OP_LE:
		return emit_greater(p, arg, BPF_JGT, no, yes);
	case SECCOMP_OP_GE:
		return emit_greater(p, arg, BPF_JGE, yes, no);
	case SECCOMP_OP_GT:
		return emit_greater(p, arg, BPF_JGT, yes, no);
	case SECCOMP_OP_MASKED_EQ:
		return emit_equal(p, arg, arg->value, arg->value_two, yes, no);
	case SECCOMP_OP_EQ:
	case SECCOMP_OP_MAX:
		break;
	}
	return emit_equal(p, arg, UINT64_MAX, arg->value, yes, no);
}

static bool same_conditions(const struct run *a, const struct run *b)
{
	if (a->action != b->action || a->n_conditions != b->n_conditions)
		return false;
	for (size_t i = 0; i < a->n_conditions; i++) {
		if (a->conditions[i].rule != b->conditions[i].rule)
			return false;
	}
	return true;
}

/* The rules of a run, first to last; all conditions of a rule must hold. */
static size_t emit_run(struct program *p, const struct run *run)
{
	size_t next;

	for (size_t i = 0; i < p->n_shared; i++) {
		if (same_conditions(&p->shared[i].run, run))
			return p->shared[i].label;
	}
	next = emit_return(p, run->action);
	for (size_t i = run->n_conditions; i-- > 0;) {
		const struct seccomp_rule *rule = run->conditions[i].rule;
		size_t yes = emit_return(p, rule->action);

		for (size_t k = rule->n_args; k-- > 0;)
			yes = emit_condition(p, &rule->args[k], yes, next);
		next = yes;
	}
	if (run->n_conditions > 0 && p->n_shared < SHARED_MAX) {
		p->shared[p->n_shared].run = *run;
		p->shared[p->n_shared++].label = next;
	}
	return next;
}

static size_t emit_search(struct program *p, const struct run *runs, size_t n)
{
	size_t below, above, middle = n / 2;

	if (n == 1)
		return emit_run(p, runs);
	/* one number amid a run: one test instead of two */
	if (n == 3 && runs[2].start - runs[1].start == 1 && runs[0].n_conditions == 0 &&
	    runs[2].n_conditions == 0 && runs[0].action == runs[2].action) {
		above = emit_run(p, &runs[0]);
		return emit_jump(p, BPF_JEQ, runs[1].start, emit_run(p, &runs[1]), above);
	}
	above = emit_search(p, runs + middle, n - middle);
	below = emit_search(p, runs, middle);
	return emit_jump(p, BPF_JGE, runs[middle].start, above, below);
}

static void add_run(struct runs *runs, struct run run)
{
	const struct run *last = runs->n > 0 ? &runs->list[runs->n - 1] : NULL;

	if (!last || run.n_conditions > 0 || last->n_conditions > 0 || last->action != run.action)
		runs->list[runs->n++] = run;
}

/* Numbers that no rule names, from @start up to @end. */
static void add_gap(struct runs *runs, const struct seccomp_table *table, uint32_t default_action,
		    uint64_t start, uint64_t end)
{
	struct run run = { .start = (uint32_t)start, .action = default_action };

	if (start >= end)
		return;
	if (table->newest && start > table->newest && start < SECCOMP_X32_BIT) {
		run.action = SECCOMP_RET_ERRNO | ENOSYS;
		add_run(runs, run);
		if (end <= SECCOMP_X32_BIT)
			return;
		run = (struct run){ .start = SECCOMP_X32_BIT, .action = default_action };
	}
	add_run(runs, run);
}

/* What the rules of one number come to: the first one without conditions is what holds if nothing before it did. */
static struct run make_run(const struct seccomp_entry *entries, size_t n, uint32_t default_action)
{
	struct run run = { entries->number, default_action, entries, n };

	for (size_t i = 0; i < n; i++) {
		if (entries[i].rule->n_args == 0) {
			run.action = entries[i].rule->action;
			run.n_conditions = i;
			break;
		}
	}
	while (run.n_conditions > 0 && entries[run.n_conditions - 1].rule->action == run.action)
		run.n_conditions--;
	return run;
}

static int make_runs(const struct seccomp_table *table, uint32_t default_action, struct runs *ret)
{
	uint64_t next = 0;

	/* a run a number, one between any two, and the last gap in two */
	ret->list = calloc(2 * table->n_entries + 3, sizeof(*ret->list));
	if (!ret->list)
		return -ENOMEM;
	for (size_t i = 0, n; i < table->n_entries; i += n) {
		const struct seccomp_entry *e = &table->entries[i];

		for (n = 1; i + n < table->n_entries && e[n].number == e->number;)
			n++;
		add_gap(ret, table, default_action, next, e->number);
		add_run(ret, make_run(e, n, default_action));
		next = (uint64_t)e->number + 1;
	}
	add_gap(ret, table, default_action, next, (uint64_t)UINT32_MAX + 1);
	return 0;
}

int seccomp_bpf_compile(const struct seccomp_tables *policy, struct sock_filter **ret,
			size_t *ret_n, struct err *err)
{
	AUTO_FREE struct sock_filter *insns = calloc(BPF_MAXINSNS, sizeof(*insns));
	AUTO_FREE size_t *starts = calloc(policy->n_tables + 1, sizeof(*starts));
	struct program p = { .insns = insns };
	size_t next;

	if (!insns || !starts)
		return err_oom(err);
	for (size_t i = 0; i < policy->n_tables; i++) {
		AUTO(runs) runs = { 0 };

		if (make_runs(&policy->tables[i], policy->default_action, &runs) < 0)
			return err_oom(err);
		starts[i] = emit_search(&p, runs.list, runs.n);
		starts[i] = emit_load(&p, offsetof(struct seccomp_data, nr), starts[i]);
	}
	next = emit_return(&p, policy->bad_arch_action);
	for (size_t i = 0; i < policy->n_tables; i++)
		next = emit_jump(&p, BPF_JEQ, policy->tables[i].audit_arch, starts[i], next);
	(void)emit_load(&p, offsetof(struct seccomp_data, arch), next);
	if (p.full)
		return err_set(err, ERR_UNSUPPORTED, -E2BIG,
			       "seccomp policy takes more than %d instructions", BPF_MAXINSNS);
	for (size_t i = 0; i < p.n / 2; i++) {
		struct sock_filter swap = insns[i];

		insns[i] = insns[p.n - 1 - i];
		insns[p.n - 1 - i] = swap;
	}
	*ret_n = p.n;
	*ret = MOVE_PTR(insns);
	return 0;
}
