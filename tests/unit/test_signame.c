// SPDX-License-Identifier: MIT
/* Signal names: every form docker takes, and none that it does not. */
#include "base/signame.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ "KILL", SIGKILL },
		{ "SIGKILL", SIGKILL },
		{ "kill", SIGKILL },
		{ "SigTerm", SIGTERM },
		{ "9", 9 },
		{ "09", 9 },
		{ "64", 64 },
		{ "1", 1 },
		{ "CLD", SIGCHLD },
		{ "IOT", SIGABRT },
		{ "POLL", SIGIO },
		{ "WINCH", SIGWINCH },
		{ "RTMIN", 34 },
		{ "SIGRTMIN", 34 },
		{ "RTMIN+0", 34 },
		{ "RTMIN+3", 37 },
		{ "sigrtmin+15", 49 },
		{ "RTMIN+30", 64 },
		{ "RTMAX", 64 },
		{ "RTMAX-14", 50 },
		{ "SIGRTMAX-30", 34 },
		{ "", -EINVAL },
		{ "0", -EINVAL },
		{ "65", -EINVAL },
		{ "100", -EINVAL },
		{ "009", -EINVAL },
		{ "-9", -EINVAL },
		{ "+9", -EINVAL },
		{ " 9", -EINVAL },
		{ "9 ", -EINVAL },
		{ "9x", -EINVAL },
		{ "0x9", -EINVAL },
		{ "SIG", -EINVAL },
		{ "SIG9", -EINVAL },
		{ "SIGSIGKILL", -EINVAL },
		{ "KILLER", -EINVAL },
		{ "KIL", -EINVAL },
		{ "RTMIN+31", -EINVAL },
		{ "RTMIN-1", -EINVAL },
		{ "RTMAX+1", -EINVAL },
		{ "RTMAX-31", -EINVAL },
		{ "RTMIN+", -EINVAL },
		{ "RTMIN+-1", -EINVAL },
		{ "RTMIN+1x", -EINVAL },
		{ "RTMIN+999999999999", -EINVAL },
		{ "EXIT", -EINVAL },
		{ "99999999999999999999", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (signame_parse(cases[i].text) != cases[i].want)
			fail_msg("\"%s\": %d, not %d", cases[i].text, signame_parse(cases[i].text),
				 cases[i].want);
	}
}

static void test_str(void **state)
{
	char buf[SIGNAME_MAX];

	(void)state;
	assert_string_equal(signame_str(SIGKILL, buf, sizeof(buf)), "SIGKILL");
	assert_string_equal(signame_str(SIGCHLD, buf, sizeof(buf)), "SIGCHLD");
	assert_string_equal(signame_str(SIGABRT, buf, sizeof(buf)), "SIGABRT");
	assert_string_equal(signame_str(34, buf, sizeof(buf)), "SIGRTMIN");
	assert_string_equal(signame_str(37, buf, sizeof(buf)), "SIGRTMIN+3");
	assert_string_equal(signame_str(32, buf, sizeof(buf)), "32");
	assert_string_equal(signame_str(0, buf, sizeof(buf)), "0");
	assert_string_equal(signame_str(-2147483647, buf, sizeof(buf)), "-2147483647");
}

/* What is printed can be read back, for every signal. */
static void test_round_trip(void **state)
{
	(void)state;
	for (int sig = 1; sig <= 64; sig++) {
		char buf[SIGNAME_MAX];

		assert_int_equal(signame_parse(signame_str(sig, buf, sizeof(buf))), sig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_str),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests_name("signame", tests, NULL, NULL);
}
