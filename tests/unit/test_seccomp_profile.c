// SPDX-License-Identifier: MIT
/* Decoding policies: what applies to whom, and every way for a policy to be wrong. */
#include "runtime/seccomp_profile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/caps.h"
#include "runtime/config_data.h"

#define SYS_ADMIN (UINT64_C(1) << 21)
#define SYS_PTRACE (UINT64_C(1) << 19)

static const struct seccomp_target amd64 = {
	.arch = "amd64",
	.scmp_arch = "SCMP_ARCH_X86_64",
	.kernel_major = 6,
	.kernel_minor = 1,
};

static struct seccomp_profile decode(const char *text, const struct seccomp_target *target)
{
	struct seccomp_profile profile = { 0 };
	struct err err = { 0 };

	if (seccomp_profile_decode(text, strlen(text), target, &profile, &err) != 0)
		fail_msg("%s", err.msg);
	return profile;
}

static size_t count(const struct seccomp_profile *profile, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < profile->n_rules; i++)
		n += strcmp(profile->rules[i].name, name) == 0;
	return n;
}

static void test_basics(void **state)
{
	AUTO(seccomp_profile)
	p = decode(
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"archMap\":["
		"{\"architecture\":\"SCMP_ARCH_AARCH64\",\"subArchitectures\":[\"SCMP_ARCH_ARM\"]},"
		"{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"]}],"
		"\"syscalls\":[{\"names\":[\"read\",\"write\"],\"action\":\"SCMP_ACT_ALLOW\"},"
		"{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38,\"extra\":{}},"
		"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":null,\"includes\":{}},"
		"{\"names\":[],\"action\":\"SCMP_ACT_LOG\"},"
		"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_KILL_PROCESS\",\"args\":["
		"{\"index\":5,\"value\":4294967295,\"valueTwo\":7,\"op\":\"SCMP_CMP_MASKED_EQ\"},"
		"{\"index\":0,\"value\":9223372036854775807,\"op\":\"SCMP_CMP_NE\"}]}]}",
		&amd64);

	(void)state;
	assert_int_equal(p.default_action, SECCOMP_RET_ERRNO | 38);
	assert_int_equal(p.n_sub_arches, 2);
	assert_string_equal(p.sub_arches[1], "SCMP_ARCH_X32");
	assert_int_equal(p.n_rules, 5);
	assert_string_equal(p.rules[1].name, "write");
	assert_int_equal(p.rules[1].action, SECCOMP_RET_ALLOW);
	assert_int_equal(p.rules[2].action, SECCOMP_RET_ERRNO | 38);
	assert_int_equal(p.rules[3].action, SECCOMP_RET_ERRNO | EPERM);
	assert_true(p.rules[4].action == SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(p.rules[4].n_args, 2);
	assert_int_equal(p.rules[4].args[0].index, 5);
	assert_true(p.rules[4].args[0].value == 0xffffffff);
	assert_true(p.rules[4].args[0].value_two == 7);
	assert_int_equal(p.rules[4].args[0].op, SECCOMP_OP_MASKED_EQ);
	assert_true(p.rules[4].args[1].value == INT64_MAX);
	assert_int_equal(p.rules[4].args[1].op, SECCOMP_OP_NE);
}

/* One group with a filter, for a target. */
static bool applies(const char *filter, const struct seccomp_target *target)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"x\"],"
		       "\"action\":\"SCMP_ACT_ALLOW\",%s}]}",
		       filter);
	{
		AUTO(seccomp_profile) p = decode(text, target);

		return p.n_rules == 1;
	}
}

static void test_caps_and_arches(void **state)
{
	static const char both[] = "\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_SYS_PTRACE\"]}";
	static const char neither[] =
		"\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_SYS_PTRACE\"]}";
	struct seccomp_target t = amd64;

	(void)state;
	/* includes: all of the capabilities; excludes: any of them */
	assert_false(applies(both, &t));
	assert_true(applies(neither, &t));
	t.caps = SYS_ADMIN;
	assert_false(applies(both, &t));
	assert_false(applies(neither, &t));
	t.caps = SYS_ADMIN | SYS_PTRACE;
	assert_true(applies(both, &t));
	/* one that nobody has heard of is one that nobody has */
	t.caps = UINT64_MAX;
	assert_false(applies("\"includes\":{\"caps\":[\"CAP_NOSUCH\"]}", &t));
	assert_true(applies("\"excludes\":{\"caps\":[\"CAP_NOSUCH\"]}", &t));
	/* arches: any of them */
	assert_true(applies("\"includes\":{\"arches\":[\"x32\",\"amd64\"]}", &t));
	assert_false(applies("\"includes\":{\"arches\":[\"x32\",\"arm64\"]}", &t));
	assert_false(applies("\"excludes\":{\"arches\":[\"x32\",\"amd64\"]}", &t));
	assert_true(applies("\"excludes\":{\"arches\":[\"x32\",\"arm64\"]}", &t));
	assert_true(applies("\"includes\":{\"caps\":[],\"arches\":[]},\"excludes\":{}", &t));
}

static void test_kernel(void **state)
{
	static const struct {
		unsigned int major, minor;
		bool want;
	} cases[] = { { 4, 7, false },	{ 4, 8, true },	 { 4, 10, true }, { 5, 0, true },
		      { 3, 99, false }, { 6, 18, true }, { 0, 0, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seccomp_target t = amd64;

		t.kernel_major = cases[i].major;
		t.kernel_minor = cases[i].minor;
		assert_int_equal(applies("\"includes\":{\"minKernel\":\"4.8\"}", &t),
				 cases[i].want);
		assert_int_equal(applies("\"excludes\":{\"minKernel\":\"4.8\"}", &t),
				 !cases[i].want);
	}
}

static void check_bad(const char *text, int code, const char *message)
{
	struct seccomp_profile profile = { .n_rules = 4711 };
	struct err err = { 0 };
	int r = seccomp_profile_decode(text, strlen(text), &amd64, &profile, &err);

	if (r != code || err.kind != ERR_CORRUPT || !strstr(err.msg, message))
		fail_msg("%s: %d, \"%s\"", text, r, err.msg);
	assert_int_equal(profile.n_rules, 4711);
}

#define GROUP(rest) "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{" rest "}]}"
#define RULE(rest) GROUP("\"names\":[\"x\"],\"action\":\"SCMP_ACT_ALLOW\"," rest)
#define ARG(rest) RULE("\"args\":[" rest "]")

static void test_bad(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "decode seccomp policy" },
		{ "[]", "defaultAction" },
		{ "{}", "defaultAction" },
		{ "{\"defaultAction\":7}", "defaultAction" },
		{ "{\"defaultAction\":\"SCMP_ACT_FROB\"}", "SCMP_ACT_FROB" },
		{ "{\"defaultAction\":\"ALLOW\"}", "unknown" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":-1}",
		  "defaultErrnoRet" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096}",
		  "error number" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":{}}", "syscalls" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[1]}", "syscalls[0]" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{}]}", "archMap" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{\"architecture\":"
		  "\"SCMP_ARCH_X86_64\",\"subArchitectures\":[1]}]}",
		  "subArchitectures" },
		{ GROUP("\"action\":\"SCMP_ACT_ALLOW\""), "names" },
		{ GROUP("\"names\":\"read\",\"action\":\"SCMP_ACT_ALLOW\""), "names" },
		{ GROUP("\"names\":[1],\"action\":\"SCMP_ACT_ALLOW\""), "names" },
		{ GROUP("\"names\":[\"read\"]"), "action" },
		/* wrong also where it does not apply */
		{ GROUP("\"names\":[7],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"z\"]}"),
		  "names" },
		{ RULE("\"errnoRet\":\"1\""), "errnoRet" },
		{ RULE("\"includes\":[]"), "includes" },
		{ RULE("\"includes\":{\"caps\":\"CAP_CHOWN\"}"), "caps" },
		{ RULE("\"excludes\":{\"arches\":[{}]}"), "arches" },
		{ RULE("\"includes\":{\"minKernel\":4}"), "minKernel" },
		{ RULE("\"includes\":{\"minKernel\":\"\"}"), "kernel version" },
		{ RULE("\"includes\":{\"minKernel\":\"4\"}"), "kernel version" },
		{ RULE("\"includes\":{\"minKernel\":\"4.8.1\"}"), "kernel version" },
		{ RULE("\"includes\":{\"minKernel\":\"4.\"}"), "kernel version" },
		{ RULE("\"includes\":{\"minKernel\":\"-4.8\"}"), "kernel version" },
		{ RULE("\"includes\":{\"minKernel\":\"4294967300.8\"}"), "kernel version" },
		{ ARG("1"), "index" },
		{ ARG("{\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"), "index" },
		{ ARG("{\"index\":0,\"op\":\"SCMP_CMP_EQ\"}"), "value" },
		{ ARG("{\"index\":0,\"value\":1}"), "op" },
		{ ARG("{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"), "index" },
		{ ARG("{\"index\":-1,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"), "negative" },
		{ ARG("{\"index\":4294967296,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"), "index" },
		{ ARG("{\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}"), "negative" },
		{ ARG("{\"index\":0,\"value\":1.5,\"op\":\"SCMP_CMP_EQ\"}"), "value" },
		{ ARG("{\"index\":0,\"value\":1,\"op\":\"EQ\"}"), "unknown" },
		{ ARG("{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":2,"
		      "\"op\":\"SCMP_CMP_EQ\"}"),
		  "two conditions" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_bad(cases[i].text, -EBADMSG, cases[i].message);
}

static void test_limits(void **state)
{
	static const char head[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"action\":"
		"\"SCMP_ACT_ALLOW\",\"names\":[\"x\"";
	size_t size = sizeof(head) + (SECCOMP_RULES_MAX + 1) * 4 + 8, len;
	AUTO_FREE char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	memcpy(text, head, sizeof(head));
	len = sizeof(head) - 1;
	for (size_t i = 1; i < SECCOMP_RULES_MAX; i++, len += 4)
		memcpy(text + len, ",\"x\"", 4);
	memcpy(text + len, "]}]}", 5);
	{
		AUTO(seccomp_profile) p = decode(text, &amd64);

		assert_int_equal(p.n_rules, SECCOMP_RULES_MAX);
	}
	memcpy(text + len, ",\"x\"]}]}", 9);
	check_bad(text, -E2BIG, "rules");
	check_bad("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{\"architecture\":"
		  "\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
		  "\"a\",\"a\",\"a\"]}]}",
		  -E2BIG, "subArchitectures");
}

static struct seccomp_profile decode_default(const struct seccomp_target *target)
{
	struct seccomp_profile profile = { 0 };
	struct err err = { 0 };

	if (seccomp_profile_decode(config_seccomp_default, config_seccomp_default_len, target,
				   &profile, &err) != 0)
		fail_msg("%s", err.msg);
	return profile;
}

/* The policy in config/ has docker's figures. */
static void test_default_policy(void **state)
{
	struct seccomp_target t = amd64;
	size_t unconditional = 0;

	(void)state;
	t.caps = caps_default();
	{
		AUTO(seccomp_profile) p = decode_default(&t);

		for (size_t i = 0; i < p.n_rules; i++)
			unconditional += p.rules[i].n_args == 0 &&
					 p.rules[i].action == SECCOMP_RET_ALLOW;
		/* 361 for everybody, 3 by kernel, 2 by machine, chroot by capability */
		assert_int_equal(unconditional, 361 + 3 + 2 + 1);
		assert_int_equal(count(&p, "clone3"), 1);
		assert_int_equal(count(&p, "mount"), 0);
		assert_int_equal(count(&p, "personality"), 5);
		assert_int_equal(count(&p, "keyctl"), 0);
		assert_int_equal(count(&p, "io_uring_setup"), 0);
		assert_int_equal(count(&p, "arch_prctl"), 1);
		assert_int_equal(p.default_action, SECCOMP_RET_ERRNO | EPERM);
		assert_int_equal(p.n_sub_arches, 2);
	}
	t.caps = UINT64_MAX;
	{
		AUTO(seccomp_profile) p = decode_default(&t);

		assert_int_equal(count(&p, "mount"), 1);
		assert_int_equal(count(&p, "clone"), 1);
		assert_int_equal(count(&p, "bpf"), 2);
		assert_int_equal(count(&p, "reboot"), 1);
	}
	t = (struct seccomp_target){ 0, "s390x", "SCMP_ARCH_S390X", 4, 4 };
	{
		AUTO(seccomp_profile) p = decode_default(&t);

		assert_int_equal(count(&p, "ptrace"), 0);
		assert_int_equal(count(&p, "arch_prctl"), 0);
		assert_int_equal(count(&p, "s390_runtime_instr"), 1);
		assert_int_equal(count(&p, "clone"), 1);
		for (size_t i = 0; i < p.n_rules; i++) {
			if (strcmp(p.rules[i].name, "clone") == 0)
				assert_int_equal(p.rules[i].args[0].index, 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basics), cmocka_unit_test(test_caps_and_arches),
		cmocka_unit_test(test_kernel), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_default_policy),
	};

	return cmocka_run_group_tests_name("seccomp_profile", tests, NULL, NULL);
}
