// SPDX-License-Identifier: MIT
/* When a machine is booted: every row of the table. */
#include "provision/boot_rule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_table(void **state)
{
	static const struct {
		enum boot_mode mode;
		bool curated;
		const char *argv0;
		enum boot_plan want;
	} rows[] = {
		{ BOOT_AUTO, false, "bash", BOOT_PLAN_DIRECT },
		{ BOOT_AUTO, false, NULL, BOOT_PLAN_DIRECT },
		{ BOOT_AUTO, true, "bash", BOOT_PLAN_LIKELY },
		{ BOOT_AUTO, true, NULL, BOOT_PLAN_LIKELY },
		{ BOOT_AUTO, false, "/sbin/init", BOOT_PLAN_INIT },
		{ BOOT_AUTO, true, "/sbin/init", BOOT_PLAN_INIT },
		{ BOOT_AUTO, false, "/usr/sbin/init", BOOT_PLAN_INIT },
		{ BOOT_AUTO, false, "systemd", BOOT_PLAN_INIT },
		{ BOOT_AUTO, false, "/usr/lib/systemd/systemd", BOOT_PLAN_INIT },
		{ BOOT_AUTO, false, "/opt/init", BOOT_PLAN_DIRECT },
		{ BOOT_AUTO, false, "hostnamectl", BOOT_PLAN_COMMAND },
		{ BOOT_AUTO, false, "/usr/bin/hostnamectl", BOOT_PLAN_COMMAND },
		{ BOOT_AUTO, false, "systemctl", BOOT_PLAN_COMMAND },
		{ BOOT_AUTO, false, "journalctl", BOOT_PLAN_COMMAND },
		{ BOOT_AUTO, false, "systemd-analyze", BOOT_PLAN_COMMAND },
		{ BOOT_AUTO, false, "systemctl2", BOOT_PLAN_DIRECT },
		{ BOOT_AUTO, false, "/systemctl/bash", BOOT_PLAN_DIRECT },
		{ BOOT_ALWAYS, false, "bash", BOOT_PLAN_COMMAND },
		{ BOOT_ALWAYS, false, NULL, BOOT_PLAN_COMMAND },
		{ BOOT_ALWAYS, false, "/sbin/init", BOOT_PLAN_INIT },
		{ BOOT_NEVER, true, "bash", BOOT_PLAN_DIRECT },
		{ BOOT_NEVER, false, "/sbin/init", BOOT_PLAN_DIRECT },
		{ BOOT_NEVER, false, "systemctl", BOOT_PLAN_DIRECT },
		{ BOOT_APP, false, "nginx", BOOT_PLAN_COMMAND },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(boot_rule(rows[i].mode, rows[i].curated, rows[i].argv0),
				 rows[i].want);
}

static void test_modes(void **state)
{
	enum boot_mode mode = BOOT_APP;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(boot_mode_parse("never", &mode, &err), 0);
	assert_int_equal(mode, BOOT_NEVER);
	assert_int_equal(boot_mode_parse("true", &mode, &err), 0);
	assert_int_equal(mode, BOOT_ALWAYS);
	assert_int_equal(boot_mode_parse("auto", &mode, &err), 0);
	assert_int_equal(mode, BOOT_AUTO);
	assert_int_equal(boot_mode_parse("perhaps", &mode, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.msg, "perhaps"));
	assert_int_equal(mode, BOOT_AUTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_modes),
	};

	return cmocka_run_group_tests_name("boot_rule", tests, NULL, NULL);
}
