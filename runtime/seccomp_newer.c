// SPDX-License-Identifier: MIT
/* The table of late system calls and the instructions for them. */
#include "runtime/seccomp_newer.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

#define X32_BIT 0x40000000 /* numbers of x32, which shares x86-64's AUDIT_ARCH */

/* Linux 6.5 to 6.17; to be dropped from the top as the oldest libseccomp that is built against learns them. */
static const struct {
	const char *name;
	int number;
} late_calls[] = {
	{ "cachestat", 451 },	      { "fchmodat2", 452 },	   { "map_shadow_stack", 453 },
	{ "futex_wake", 454 },	      { "futex_wait", 455 },	   { "futex_requeue", 456 },
	{ "statmount", 457 },	      { "listmount", 458 },	   { "lsm_get_self_attr", 459 },
	{ "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 },
	{ "setxattrat", 463 },	      { "getxattrat", 464 },	   { "listxattrat", 465 },
	{ "removexattrat", 466 },     { "open_tree_attr", 467 },   { "file_getattr", 468 },
	{ "file_setattr", 469 },
};

int seccomp_newer_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(late_calls); i++) {
		if (strcmp(name, late_calls[i].name) == 0)
			return late_calls[i].number;
	}
	return -ENOENT;
}

/*
 *	load arch; one of ours: go on, else skip to the end
 *	load number; below all of ours, or x32's: skip to the end
 *	above the last: ENOSYS
 *	each call: its action
 * Jumps are 8 bits wide, hence the limits in the header.
 */
size_t seccomp_newer_emit(const struct seccomp_newer *newer, struct sock_filter *ret)
{
	uint32_t first = newer->last ? newer->last + 1 : UINT32_MAX;
	size_t n = 0, tail;

	if ((newer->n_calls == 0 && newer->last == 0) || newer->n_arches == 0)
		return 0;
	for (size_t i = 0; i < newer->n_calls; i++) {
		if (newer->calls[i].number < first)
			first = newer->calls[i].number;
	}
	/* instructions after the last arch test, all of which a foreign arch skips */
	tail = (newer->last ? 5U : 3U) + 2 * newer->n_calls;

	ret[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						offsetof(struct seccomp_data, arch));
	for (size_t i = 0; i < newer->n_arches; i++) {
		size_t left = newer->n_arches - 1 - i;

		ret[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, newer->arches[i],
							(uint8_t)left, (uint8_t)(left ? 0 : tail));
	}
	ret[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						offsetof(struct seccomp_data, nr));
	ret[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0,
						(uint8_t)(tail - 2));
	ret[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT,
						(uint8_t)(tail - 3), 0);
	if (newer->last) {
		ret[n++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, newer->last, 0, 1);
		ret[n++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	}
	for (size_t i = 0; i < newer->n_calls; i++) {
		ret[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							newer->calls[i].number, 0, 1);
		ret[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, newer->calls[i].action);
	}
	return n;
}
