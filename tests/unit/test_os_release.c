// SPDX-License-Identifier: MIT
/* os-release: quoting, the last of several, fields that are not there. */
#include "provision/os_release.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_values(void **state)
{
	static const struct {
		const char *text, *field, *want;
	} cases[] = {
		{ "ID=debian\nVERSION_ID=\"12\"\n", "ID", "debian" },
		{ "ID=debian\nVERSION_ID=\"12\"\n", "VERSION_ID", "12" },
		{ "NAME='Fedora Linux'", "NAME", "Fedora Linux" },
		{ "NAME=\"a \\\"b\\\" \\$c\"\n", "NAME", "a \"b\" $c" },
		{ "NAME='a\\b'\n", "NAME", "a\\b" },
		{ "ID=one\nID=two\n", "ID", "two" },
		{ "ID=\n", "ID", "" },
		{ "ID_LIKE=debian\n", "ID", NULL },
		{ "# ID=x\n", "ID", NULL },
		{ "", "ID", NULL },
		{ "ID", "ID", NULL },
		{ "ID=\"open", "ID", "open" },
		{ "ID=\\", "ID", "\\" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *value = NULL;

		assert_int_equal(os_release_get(cases[i].text, cases[i].field, &value, NULL), 0);
		if (cases[i].want)
			assert_string_equal(value, cases[i].want);
		else
			assert_null(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_values) };

	return cmocka_run_group_tests_name("os_release", tests, NULL, NULL);
}
