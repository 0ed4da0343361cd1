// SPDX-License-Identifier: MIT
/* Boot profiles: what those of config/ promise, and that a mistake in one is told. */
#include "runtime/boot_profile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/strv.h"

#define SYSUSERS "systemd/system.control/sysinit.target.wants/systemd-sysusers.service"
#define DEBUG_GENERATOR "systemd/system-generators/systemd-debug-generator"
#define SYSV_GENERATOR "systemd/system-generators/systemd-sysv-generator"

static struct boot_profile load(const char *name, bool credentials)
{
	struct boot_profile p = { 0 };
	struct err err = { 0 };

	if (boot_profile_load(name, credentials, &p, &err) != 0)
		fail_msg("%s: %s", name, err.msg);
	return p;
}

static void test_full(void **state)
{
	AUTO(boot_profile) p = load("full", false);

	(void)state;
	assert_int_equal(strv_len(p.masks), 0);
}

static bool in_known_place(const char *path)
{
	static const char *const wants = "systemd/system.control/";
	static const char *const others[] = { "systemd/system-generators/", "tmpfiles.d/" };
	const char *slash;

	if (strncmp(path, wants, strlen(wants)) == 0) {
		slash = strchr(path + strlen(wants), '/');
		return slash && strncmp(slash - 6, ".wants", 6) == 0 && !strchr(slash + 1, '/');
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strncmp(path, others[i], strlen(others[i])) == 0)
			return path[strlen(others[i])] && !strchr(path + strlen(others[i]), '/');
	}
	return false;
}

/* Links that are passed over, and never a unit that could not be started any more. */
static void test_default(void **state)
{
	static const char *const kept[] = {
		SYSV_GENERATOR,
		"systemd/system-generators/systemd-fstab-generator",
		"systemd/system.control/sockets.target.wants/dbus.socket",
		"systemd/system.control/sysinit.target.wants/systemd-journald.service",
		"systemd/system.control/sysinit.target.wants/systemd-tmpfiles-setup.service",
	};
	AUTO(boot_profile) p = load("default", false);

	(void)state;
	assert_true(strv_len(p.masks) > 50);
	assert_true(strv_contains(p.masks, SYSUSERS));
	assert_true(strv_contains(p.masks, DEBUG_GENERATOR));
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		assert_false(strv_contains(p.masks, kept[i]));
	for (char **path = p.masks; *path; path++) {
		if (!in_known_place(*path))
			fail_msg("%s is no place for a mask", *path);
		if (strv_contains(path + 1, *path))
			fail_msg("%s is there twice", *path);
	}
}

static void test_credentials(void **state)
{
	AUTO(boot_profile) plain = load("default", false);
	AUTO(boot_profile) p = load("default", true);

	(void)state;
	assert_false(strv_contains(p.masks, SYSUSERS));
	assert_false(strv_contains(p.masks, DEBUG_GENERATOR));
	assert_int_equal(strv_len(p.masks), strv_len(plain.masks) - 3);
	assert_int_equal(strv_len(plain.idle_generators), 3);
	assert_int_equal(strv_len(p.idle_generators), 2);
	assert_false(strv_contains(p.idle_generators, "systemd-fstab-generator"));
}

static void test_unknown(void **state)
{
	struct boot_profile p = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(boot_profile_load("none", false, &p, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.msg, "\"none\""));
	assert_non_null(strstr(err.msg, "\"full\", \"default\""));
	assert_null(p.masks);
}

static int parse(const char *text, bool credentials, struct boot_profile *ret, struct err *err)
{
	return boot_profile_parse(text, strlen(text), "p", credentials, ret, err);
}

static void test_kinds(void **state)
{
	static const char text[] =
		"{\"profiles\": [{\"name\": \"p\", \"leaveOut\": ["
		"{\"reason\": \"\", \"wants\": [\"x.wants/y\"]},"
		"{\"reason\": \"\", \"generators\": [\"g\"], \"tmpfiles\": [\"t\"],"
		" \"idleGenerators\": [\"systemd-sysv-generator\"]}]}]}";
	AUTO(boot_profile) p = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse(text, false, &p, &err), 0);
	assert_int_equal(strv_len(p.masks), 3);
	assert_true(strv_contains(p.masks, "systemd/system.control/x.wants/y"));
	assert_true(strv_contains(p.masks, "systemd/system-generators/g"));
	assert_true(strv_contains(p.masks, "tmpfiles.d/t"));
	assert_int_equal(strv_len(p.idle_generators), 1);
	assert_string_equal(p.idle_generators[0], "systemd-sysv-generator");
}

static void test_bad(void **state)
{
#define PROFILE(members) "{\"profiles\": [{\"name\": \"p\", " members "}]}"
#define GROUP(members) PROFILE("\"leaveOut\": [{" members "}]")
#define NAME(name) GROUP("\"reason\": \"\", \"wants\": [" name "]")
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ "", "read boot profiles" },
		{ "{}", "profiles" },
		{ PROFILE("\"x\": 1"), "leaveOut" },
		{ GROUP("\"wants\": []"), "reason" },
		{ GROUP("\"reason\": \"\", \"wants\": 3"), "wants" },
		{ GROUP("\"reason\": \"\", \"readsCredentials\": 1"), "readsCredentials" },
		{ GROUP("\"reason\": \"\", \"readsCredentials\": true, \"wants\": [1]"),
		  "no string" },
		{ NAME("\"\""), "cannot" },
		{ NAME("\"/x\""), "cannot" },
		{ NAME("\"x/\""), "cannot" },
		{ NAME("\"a/b/c\""), "cannot" },
		{ NAME("\"../x\""), "cannot" },
		{ NAME("\"x/..\""), "cannot" },
		{ NAME("\".\""), "cannot" },
		{ GROUP("\"reason\": \"\", \"idleGenerators\": [\"x\"]"), "nothing is known" },
	};
	struct boot_profile p = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { 0 };

		if (parse(cases[i].text, true, &p, &err) != -EBADMSG || err.kind != ERR_CORRUPT ||
		    !strstr(err.msg, cases[i].word))
			fail_msg("case %zu: %d: %s", i, err.code, err.msg);
		assert_null(p.masks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),	    cmocka_unit_test(test_default),
		cmocka_unit_test(test_credentials), cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_kinds),	    cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests_name("boot_profile", tests, NULL, NULL);
}
