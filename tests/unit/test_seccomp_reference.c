// SPDX-License-Identifier: MIT
/* The filters, asked by an interpreter about every number of three machines, beside what libseccomp makes of the same policies. */
#include "runtime/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "base/cleanup.h"
#include "runtime/caps.h"
#include "runtime/config_data.h"
#include "runtime/seccomp_profile.h"
#include "tests/unit/bpf_run.h"

#if defined(__x86_64__)
#define SYS_ADMIN (UINT64_C(1) << 21)
#define DENY (SECCOMP_RET_ERRNO | EPERM)
#define NOSYS (SECCOMP_RET_ERRNO | ENOSYS)

#define NR_FCHMODAT2 452
#define NR_REMOVEXATTRAT 466 /* the newest of the policies */

static struct seccomp_filters make_as(const char *cache_dir, const struct seccomp_request *req)
{
	struct seccomp_filters f = { 0 };
	struct err err = { 0 };

	if (seccomp_filters_load(cache_dir, req, &f, &err) != 0)
		fail_msg("%s", err.msg);
	return f;
}

static struct seccomp_filters make(const char *cache_dir, uint64_t caps)
{
	return make_as(cache_dir, &(struct seccomp_request){ .bounding_caps = caps });
}

static uint64_t boot_caps(void)
{
	struct err err = { 0 };
	uint64_t caps = 0;

	assert_int_equal(caps_boot(false, &caps, &err), 0);
	return caps;
}

struct program {
	struct sock_filter *insns;
	size_t n;
};

static struct program reference(const char *text, uint64_t len, uint64_t caps)
{
	static const enum scmp_compare ops[] = {
		[SECCOMP_OP_NE] = SCMP_CMP_NE,
		[SECCOMP_OP_LT] = SCMP_CMP_LT,
		[SECCOMP_OP_LE] = SCMP_CMP_LE,
		[SECCOMP_OP_EQ] = SCMP_CMP_EQ,
		[SECCOMP_OP_GE] = SCMP_CMP_GE,
		[SECCOMP_OP_GT] = SCMP_CMP_GT,
		[SECCOMP_OP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};
	struct seccomp_target target = { caps, "amd64", "SCMP_ARCH_X86_64", 6, 1 };
	AUTO(seccomp_profile) p = { 0 };
	AUTO_CLOSE int fd = memfd_create("reference", MFD_CLOEXEC);
	struct program ret = { 0 };
	struct err err = { 0 };
	scmp_filter_ctx ctx;
	struct stat st;

	if (seccomp_profile_decode(text, len, &target, &p, &err) != 0)
		fail_msg("%s", err.msg);
	ctx = seccomp_init(p.default_action);
	assert_non_null(ctx);
	assert_int_equal(seccomp_arch_add(ctx, SCMP_ARCH_X86), 0);
	assert_int_equal(seccomp_arch_add(ctx, SCMP_ARCH_X32), 0);
	for (size_t i = 0; i < p.n_rules; i++) {
		struct scmp_arg_cmp args[SECCOMP_ARGS_MAX] = { 0 };
		const struct seccomp_rule *rule = &p.rules[i];
		int number = seccomp_syscall_resolve_name(rule->name), r;

		for (size_t k = 0; k < rule->n_args; k++)
			args[k] = (struct scmp_arg_cmp){ rule->args[k].index, ops[rule->args[k].op],
							 rule->args[k].value,
							 rule->args[k].value_two };
		if (number == __NR_SCMP_ERROR)
			continue;
		r = seccomp_rule_add_array(ctx, rule->action, number, (unsigned int)rule->n_args,
					   args);
		if (r != 0 && r != -EEXIST)
			fail_msg("%s: %s", rule->name, strerror(-r));
	}
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	assert_int_equal(fstat(fd, &st), 0);
	ret.insns = malloc((size_t)st.st_size);
	assert_non_null(ret.insns);
	assert_true(pread(fd, ret.insns, (size_t)st.st_size, 0) == st.st_size);
	ret.n = (size_t)st.st_size / sizeof(struct sock_filter);
	return ret;
}

/* Greatest number that this libseccomp has a name for; above it, and in gaps that newer kernels filled, it cannot be asked. */
static bool reference_knows(uint32_t arch, uint32_t number)
{
	AUTO_FREE char *name = seccomp_syscall_resolve_num_arch(arch, (int)number);

	return name || (number & 0x3fffffff) < 424;
}

static void compare_with_reference(const struct seccomp_filter *got, const char *text, uint64_t len,
				   uint64_t caps)
{
	/* clang-format off */
	static const uint64_t args[][3] = {
		{ 0, 0, 0 }, { 8, 41, 4 }, { 12, 0x20008, 9 }, { 37, CLONE_NEWUSER | SIGCHLD, 16 },
		{ 38, 12, 4 }, { 39, 45, 5 }, { 40, 0xffffffff, 1 }, { 41, CLONE_VM | CLONE_VFORK, 9 },
		{ 45, 8, 0x100000004 }, { SIGCHLD, 39, 2 }, { 0x20000, 0x20000, 9 },
		{ 0x20008, 0x02000000, 4 }, { 0xffffffff, 0, 4 }, { UINT64_MAX, 37, 4 },
		{ CLONE_NEWNS, 0x80000000, 9 }, { 0x02000000, 40, 0 },
		{ CLONE_NEWUSER | SIGCHLD, SIGCHLD, 9 }, { CLONE_VM | CLONE_VFORK, CLONE_NEWNS, 4 },
		{ 0x80000000, 38, 0 }, { 0x7fffffff, 0, 0 },
		/* NETLINK_AUDIT, and what is near it */
		{ 16, 3, 9 }, { 16, 3, 8 }, { 16, 3, 10 }, { 15, 3, 9 }, { 17, 3, 9 },
		{ 0x100000010, 3, 9 }, { 16, 3, 0x100000009 }, { 16, 3, 0x900000000 },
	};
	/* clang-format on */
	static const struct {
		uint32_t audit_arch, scmp_arch, base;
	} machines[] = {
		{ AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, 0 },
		{ AUDIT_ARCH_X86_64, SCMP_ARCH_X32, 0x40000000 },
		{ AUDIT_ARCH_I386, SCMP_ARCH_X86, 0 },
	};
	struct program want = reference(text, len, caps);
	size_t compared = 0;

	for (size_t m = 0; m < ARRAY_SIZE(machines); m++) {
		for (uint32_t i = 0; i < 600; i++) {
			uint32_t number = machines[m].base + i;

			if (!reference_knows(machines[m].scmp_arch, number))
				continue;
			for (size_t k = 0; k < ARRAY_SIZE(args); k++) {
				/* of 32-bit machines libseccomp compares the low halves alone */
				if (machines[m].scmp_arch != SCMP_ARCH_X86_64 &&
				    (args[k][0] | args[k][1] | args[k][2]) > UINT32_MAX)
					continue;
				struct seccomp_data data = {
					.nr = (int)number,
					.arch = machines[m].audit_arch,
					.args = { args[k][0], args[k][1], args[k][2] },
				};
				uint32_t a = bpf_run(want.insns, want.n, &data);
				uint32_t b = bpf_run(got->bpf,
						     got->len_bytes / sizeof(struct sock_filter),
						     &data);

				if (a != b)
					fail_msg("%x: %u(%llx, %llx, %llx): %x, not %x",
						 machines[m].audit_arch, i,
						 (unsigned long long)args[k][0],
						 (unsigned long long)args[k][1],
						 (unsigned long long)args[k][2], b, a);
				compared++;
			}
		}
	}
	free(want.insns);
	assert_true(compared > 20000);
}

/* Each of the three filters that @req asks for. */
static void compare_request(const struct seccomp_request *req)
{
	AUTO(seccomp_filters) f = make_as(NULL, req);
	bool boot = req->policy == SECCOMP_POLICY_BOOT;

	compare_with_reference(&f.policy, boot ? config_seccomp_boot : config_seccomp_default,
			       boot ? config_seccomp_boot_len : config_seccomp_default_len,
			       req->bounding_caps);
	compare_with_reference(&f.tty, config_seccomp_tty, config_seccomp_tty_len,
			       req->bounding_caps);
	if (req->suppress_sync)
		compare_with_reference(&f.sync, config_seccomp_sync, config_seccomp_sync_len,
				       req->bounding_caps);
	else
		assert_int_equal(f.sync.len_bytes, 0);
}

static void test_as_libseccomp(void **state)
{
	const uint64_t caps[] = { 0, 0xa80425fb, UINT64_MAX, boot_caps() };

	(void)state;
	for (int policy = SECCOMP_POLICY_DEFAULT; policy <= SECCOMP_POLICY_BOOT; policy++) {
		struct seccomp_request req = { .policy = (enum seccomp_policy)policy };

		for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
			req.bounding_caps = caps[i];
			req.suppress_sync = i % 2;
			compare_request(&req);
		}
		for (unsigned int cap = 0; cap <= 40; cap += 3) {
			req.bounding_caps = UINT64_C(1) << cap;
			compare_request(&req);
		}
	}
}

static bool is_in(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], name) == 0)
			return true;
	}
	return false;
}

static uint32_t ask(const struct seccomp_filter *f, uint32_t arch, uint32_t number, uint64_t arg0,
		    uint64_t arg1)
{
	struct seccomp_data data = { .nr = (int)number, .arch = arch, .args = { arg0, arg1 } };

	return bpf_run(f->bpf, f->len_bytes / sizeof(struct sock_filter), &data);
}

/* By number, without arguments, what the two policies say of a machine with the boot set: all that differs is named here. */
static void test_boot_beside_default(void **state)
{
	static const char *const refused[] = { "bpf",
					       "fanotify_init",
					       "lookup_dcookie",
					       "open_by_handle_at",
					       "perf_event_open",
					       "quotactl",
					       "quotactl_fd",
					       "syslog" };
	static const char *const allowed[] = {
		"migrate_pages", "move_pages", "nice",	     "oldfstat",   "oldlstat",
		"oldolduname",	 "oldstat",    "olduname",   "pivot_root", "readdir",
		"sigaction",	 "signal",     "sigpending", "sigsuspend",
	};
	static const struct {
		uint32_t audit_arch, scmp_arch;
	} machines[] = { { AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64 },
			 { AUDIT_ARCH_I386, SCMP_ARCH_X86 } };
	struct seccomp_request req = { .policy = SECCOMP_POLICY_BOOT,
				       .bounding_caps = boot_caps() };
	AUTO(seccomp_filters) boot = make_as(NULL, &req);
	AUTO(seccomp_filters) plain = make(NULL, boot_caps());
	size_t n = 0;

	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(machines); m++) {
		for (uint32_t i = 0; i < 600; i++) {
			AUTO_FREE char *name =
				seccomp_syscall_resolve_num_arch(machines[m].scmp_arch, (int)i);
			uint32_t a = ask(&plain.policy, machines[m].audit_arch, i, 0, 0);
			uint32_t b = ask(&boot.policy, machines[m].audit_arch, i, 0, 0);

			if (a == b)
				continue;
			assert_non_null(name);
			if (!(a == DENY && b == SECCOMP_RET_ALLOW &&
			      is_in(allowed, ARRAY_SIZE(allowed), name)) &&
			    !(a == SECCOMP_RET_ALLOW && b == DENY &&
			      is_in(refused, ARRAY_SIZE(refused), name)))
				fail_msg("%s: %x, not %x", name, b, a);
			n++;
		}
	}
	/* x86-64 has no calls of the names that begin with old or sig, no nice, no readdir and no signal */
	assert_int_equal(n, 2 * (ARRAY_SIZE(refused) + 3) + 11);
}

/* What libseccomp cannot be asked about. */
static void test_beyond_libseccomp(void **state)
{
	AUTO(seccomp_filters) f = make(NULL, caps_default());
	AUTO(seccomp_filters) admin = make(NULL, SYS_ADMIN);
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		assert_int_equal(ask(&f.policy, arches[i], NR_FCHMODAT2, 0, 0), SECCOMP_RET_ALLOW);
		assert_int_equal(ask(&f.policy, arches[i], 462, 0, 0), SECCOMP_RET_ALLOW);
		/* lsm_get_self_attr is for CAP_SYS_ADMIN */
		assert_int_equal(ask(&f.policy, arches[i], 459, 0, 0), DENY);
		assert_int_equal(ask(&admin.policy, arches[i], 459, 0, 0), SECCOMP_RET_ALLOW);
		assert_int_equal(ask(&f.policy, arches[i], NR_REMOVEXATTRAT, 0, 0),
				 SECCOMP_RET_ALLOW);
		assert_int_equal(ask(&f.policy, arches[i], NR_REMOVEXATTRAT + 1, 0, 0), NOSYS);
		assert_int_equal(ask(&f.policy, arches[i], 100000, 0, 0), NOSYS);
		assert_int_equal(ask(&f.policy, arches[i], UINT32_MAX, 0, 0), DENY);
		assert_int_equal(ask(&f.tty, arches[i], 100000, 0, 0), SECCOMP_RET_ALLOW);
	}
	/* i386: ioctl is 54, socket 359 */
	assert_int_equal(ask(&f.tty, AUDIT_ARCH_I386, 54, 1, 0x5412), DENY);
	assert_int_equal(ask(&f.tty, AUDIT_ARCH_I386, 54, 1, 0x541c), DENY);
	assert_int_equal(ask(&f.tty, AUDIT_ARCH_I386, 54, 0x5412, 1), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&f.tty, AUDIT_ARCH_X86_64, 0x40000202, 1, 0x5412), DENY);
	assert_int_equal(ask(&f.policy, AUDIT_ARCH_I386, 359, 38, 0), DENY);
	assert_int_equal(ask(&f.policy, AUDIT_ARCH_I386, 359, 2, 0), SECCOMP_RET_ALLOW);
	/* another machine's programs cannot be run here */
	assert_int_equal(ask(&f.policy, AUDIT_ARCH_AARCH64, 0, 0, 0), SECCOMP_RET_KILL_THREAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_libseccomp),
		cmocka_unit_test(test_boot_beside_default),
		cmocka_unit_test(test_beyond_libseccomp),
	};

	return cmocka_run_group_tests_name("seccomp_reference", tests, NULL, NULL);
}
#else
int main(void)
{
	/* the machines whose numbers are compared are those that an x86-64 kernel runs programs of */
	return 0;
}
#endif
