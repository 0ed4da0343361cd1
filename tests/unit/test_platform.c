// SPDX-License-Identifier: MIT
// Platform names: parsing, containerd's normalisation, and which variant serves which.
#include "oci/platform.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "base/cleanup.h"

static struct platform parsed(const char *text)
{
	struct platform p = { 0 };
	struct err err = { 0 };

	if (platform_parse(text, &p, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return p;
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "linux/amd64", "linux/amd64" },
		{ "linux/amd64/v1", "linux/amd64" },
		{ "linux/amd64/v3", "linux/amd64/v3" },
		{ "Linux/AMD64/V2", "linux/amd64/v2" },
		{ "linux/x86_64", "linux/amd64" },
		{ "linux/x86-64", "linux/amd64" },
		{ "linux/i386", "linux/386" },
		{ "linux/i386/x", "linux/386" },
		{ "linux/arm", "linux/arm/v7" },
		{ "linux/arm/6", "linux/arm/v6" },
		{ "linux/arm/v5", "linux/arm/v5" },
		{ "linux/arm/8", "linux/arm/v8" },
		{ "linux/armhf", "linux/arm/v7" },
		{ "linux/armel", "linux/arm/v6" },
		{ "linux/arm64", "linux/arm64" },
		{ "linux/arm64/v8", "linux/arm64" },
		{ "linux/arm64/8", "linux/arm64" },
		{ "linux/arm64/v8.2", "linux/arm64/v8.2" },
		{ "linux/aarch64", "linux/arm64" },
		{ "linux/ppc64le", "linux/ppc64le" },
		{ "linux/newarch", "linux/newarch" },
		{ "windows/amd64", "windows/amd64" },
		{ "macos/arm64", "darwin/arm64" },
		{ "amd64", "linux/amd64" },
		{ "arm64", "linux/arm64" },
		{ "aarch64", "linux/arm64" },
		{ "armhf", "linux/arm/v7" },
		{ "386", "linux/386" },
		{ "s390x", "linux/s390x" },
		{ "riscv64", "linux/riscv64" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct platform p = parsed(cases[i].text);

		if (strcmp(PLATFORM_STR(&p), cases[i].want) != 0)
			fail_msg("%s: got %s, want %s", cases[i].text, PLATFORM_STR(&p),
				 cases[i].want);
	}
}

static void test_parse_invalid(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"linux/",
		"/amd64",
		"linux//v1",
		"linux/amd64/",
		"linux/amd64/v1/x",
		"linux/amd64/v1/",
		"linux/am d64",
		"linux/amd64\n",
		"linux/*",
		"linux/\xc3\xa9",
		"windows(10.0.17763)/amd64",
		"sparc128",
		"vax",
		"bookworm",
		"linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/amd64",
		"linux/arm/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct platform p = { .os = "untouched" };
		struct err err = { 0 };

		if (platform_parse(cases[i], &p, &err) == 0)
			fail_msg("%s: taken as %s", cases[i], PLATFORM_STR(&p));
		assert_int_equal(err.code, -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.msg, "invalid platform"));
		assert_string_equal(p.os, "untouched");
	}
}

static void test_longest_part(void **state)
{
	struct platform p = parsed("linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"
				   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");

	(void)state;
	assert_int_equal(strlen(p.arch), 31);
	assert_int_equal(strlen(PLATFORM_STR(&p)), 5 + 1 + 31 + 1 + 31);
}

static void test_set(void **state)
{
	struct platform p = { 0 };

	(void)state;
	assert_int_equal(platform_set(&p, NULL, NULL, NULL), 0);
	assert_false(platform_is_set(&p));
	assert_string_equal(PLATFORM_STR(&p), "unknown");
	assert_int_equal(platform_set(&p, NULL, "aarch64", "v8"), 0);
	assert_true(platform_is_set(&p));
	assert_string_equal(PLATFORM_STR(&p), "linux/arm64");
	assert_int_equal(platform_set(&p, "linux", "amd64\033", NULL), -EINVAL);
	assert_int_equal(platform_set(&p, "linux/x", "amd64", NULL), -EINVAL);
	assert_string_equal(PLATFORM_STR(&p), "linux/arm64");
}

/* Each @want runs the platforms of its list, best first, and none of @refused. */
static const struct {
	const char *want;
	const char *runs[12], *refused[8];
} ranks[] = {
	{ "linux/amd64",
	  { "linux/amd64" },
	  { "linux/amd64/v2", "linux/amd64/v3", "linux/386", "linux/arm64", "windows/amd64",
	    "linux/amd64/odd" } },
	{ "linux/amd64/v3",
	  { "linux/amd64/v3", "linux/amd64/v2", "linux/amd64" },
	  { "linux/amd64/v4", "linux/386", "linux/amd64/v3.1", "linux/amd64/v",
	    "linux/amd64/v99" } },
	{ "linux/amd64/v4",
	  { "linux/amd64/v4", "linux/amd64/v3", "linux/amd64/v2", "linux/amd64/v1" },
	  { "linux/amd64/v5" } },
	{ "linux/386", { "linux/386" }, { "linux/amd64" } },
	{ "linux/arm/v8",
	  { "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5" },
	  { "linux/arm64", "linux/arm/v9", "linux/arm/v4" } },
	{ "linux/arm",
	  { "linux/arm/v7", "linux/arm/v6", "linux/arm/v5" },
	  { "linux/arm/v8", "linux/arm/v4", "linux/arm64" } },
	{ "linux/arm/v6", { "linux/arm/v6", "linux/arm/v5" }, { "linux/arm", "linux/arm/v8" } },
	{ "linux/arm/v5", { "linux/arm/v5" }, { "linux/arm/v6", "linux/arm/v4" } },
	{ "linux/arm/v4", { "linux/arm/v4" }, { "linux/arm/v3", "linux/arm/v5" } },
	{ "linux/arm64",
	  { "linux/arm64/v8" },
	  { "linux/arm/v8", "linux/arm/v7", "linux/arm64/v8.1", "linux/arm64/v9" } },
	{ "linux/arm64/v8.2",
	  { "linux/arm64/v8.2", "linux/arm64/v8.1", "linux/arm64" },
	  { "linux/arm64/v8.3", "linux/arm64/v9", "linux/arm64/v7" } },
	{ "linux/arm64/v9.1",
	  { "linux/arm64/v9.1", "linux/arm64/v9", "linux/arm64/v8.6", "linux/arm64/v8.5",
	    "linux/arm64" },
	  { "linux/arm64/v9.2", "linux/arm64/v8.7" } },
	{ "linux/ppc64le/power9",
	  { "linux/ppc64le/power9", "linux/ppc64le" },
	  { "linux/ppc64le/power10", "linux/ppc64" } },
	{ "linux/ppc64le", { "linux/ppc64le" }, { "linux/ppc64le/power9" } },
	{ "windows/amd64", { "windows/amd64" }, { "linux/amd64" } },
};

static void test_rank(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranks); i++) {
		struct platform want = parsed(ranks[i].want);
		int last = 0;

		for (size_t k = 0; ranks[i].runs[k]; k++) {
			struct platform have = parsed(ranks[i].runs[k]);
			int rank = platform_rank(&want, &have);

			/* 1 is what index_select() gives to entries without a platform */
			if (rank <= 1 || (k > 0 && rank >= last))
				fail_msg("%s by %s: rank %d after %d", ranks[i].want,
					 ranks[i].runs[k], rank, last);
			last = rank;
		}
		for (size_t k = 0; ranks[i].refused[k]; k++) {
			struct platform have = parsed(ranks[i].refused[k]);

			if (platform_rank(&want, &have) != 0)
				fail_msg("%s by %s: taken", ranks[i].want, ranks[i].refused[k]);
		}
	}
}

static void test_rank_unset(void **state)
{
	struct platform none = { 0 }, amd64 = parsed("amd64"), bare = { .arch = "x86_64" };

	(void)state;
	assert_int_equal(platform_rank(&none, &none), 0);
	assert_int_equal(platform_rank(&amd64, &none), 0);
	assert_int_equal(platform_rank(&none, &amd64), 0);
	/* not normalised by the caller */
	assert_true(platform_rank(&amd64, &bare) > 0);
}

static void test_native(void **state)
{
	struct platform native, alone = parsed("linux");
	struct utsname u;

	(void)state;
	platform_native(&native);
	assert_string_equal(native.os, "linux");
	assert_true(native.arch[0] != '\0');
	assert_string_equal(PLATFORM_STR(&alone), PLATFORM_STR(&native));
	assert_true(platform_rank(&native, &native) > 0);

	assert_int_equal(uname(&u), 0);
	if (strcmp(u.machine, "x86_64") == 0)
		assert_string_equal(PLATFORM_STR(&native), "linux/amd64");
	if (strcmp(u.machine, "aarch64") == 0)
		assert_string_equal(PLATFORM_STR(&native), "linux/arm64");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	     cmocka_unit_test(test_parse_invalid),
		cmocka_unit_test(test_longest_part), cmocka_unit_test(test_set),
		cmocka_unit_test(test_rank),	     cmocka_unit_test(test_rank_unset),
		cmocka_unit_test(test_native),
	};

	return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
