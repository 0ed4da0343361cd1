// SPDX-License-Identifier: MIT
/* WWW-Authenticate parser: the forms registries send, the grammar's corners, malformed and oversized lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registry/challenge.h"

struct expected {
	const char *header;
	int r;
	size_t n;
	/* of the first Bearer challenge; realm NULL: there is none */
	const char *realm, *service;
};

static const struct expected cases[] = {
	{ "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
	  "scope=\"repository:library/debian:pull\"",
	  0, 1, "https://auth.docker.io/token", "registry.docker.io" },
	/* a comma inside quotes is no separator */
	{ "Bearer realm=\"https://a/t\",scope=\"repository:x:pull,push\",service=\"s\"", 0, 1,
	  "https://a/t", "s" },
	{ "bEARER REALM=\"https://a/t\"", 0, 1, "https://a/t", NULL },
	/* several challenges in one line, in both orders */
	{ "Basic realm=\"r, still r\", Bearer realm=\"https://a/t\", service=\"s\"", 0, 2,
	  "https://a/t", "s" },
	{ "Bearer realm=\"https://a/t\",service=s,Basic realm=\"r\",charset=\"UTF-8\"", 0, 2,
	  "https://a/t", "s" },
	{ "Negotiate, NTLM abc==, Bearer realm=\"https://a/t\"", 0, 3, "https://a/t", NULL },
	{ "Negotiate YII/+~._-==, Basic realm=x", 0, 2, NULL, NULL },
	{ ", ,Bearer  realm = \"https://a/t\" ,\t, service =\"s\",", 0, 1, "https://a/t", "s" },
	{ "Bearer realm=\"https://a/\\\"q\\\\\"", 0, 1, "https://a/\"q\\", NULL },
	/* unquoted values with more than token characters are seen in practice */
	{ "Bearer realm=https://a/t,service=a:b/c", 0, 1, "https://a/t", "a:b/c" },
	{ "Bearer realm=\"first\",realm=\"second\"", 0, 1, "first", NULL },
	{ "Bearer realm=\"\"", 0, 1, "", NULL },
	{ "Basic", 0, 1, NULL, NULL },
	{ "Basic ", 0, 1, NULL, NULL },
	{ "", 0, 0, NULL, NULL },
	{ " , ", 0, 0, NULL, NULL },
	/* malformed: what came before the fault stays */
	{ "Bearer realm=\"https://a/t", -EBADMSG, 1, NULL, NULL },
	{ "Bearer realm=\"https://a/t\\", -EBADMSG, 1, NULL, NULL },
	{ "Bearer realm=\"a\" service=\"b\"", -EBADMSG, 1, "a", NULL },
	{ "realm=\"a\"", -EBADMSG, 0, NULL, NULL },
	{ "Bearer a=\"b\", realm=", -EBADMSG, 1, NULL, NULL },
	{ "Bearer a=\"b\", realm=,service=s", -EBADMSG, 1, NULL, NULL },
	/* the grammar reads this as a token68 */
	{ "Bearer realm=", 0, 1, NULL, NULL },
	{ "Bearer realm=a\"b\"", -EBADMSG, 1, NULL, NULL },
	{ "Bearer \"realm\"", -EBADMSG, 1, NULL, NULL },
	{ "Bearer one two", -EBADMSG, 1, NULL, NULL },
	{ "\x01", -EBADMSG, 0, NULL, NULL },
	{ "Bearer realm=\"a\",\xff=1", -EBADMSG, 1, "a", NULL },
};

static void assert_text(const char *got, const char *want, const char *header)
{
	if (!want && got)
		fail_msg("%s: unexpected %s", header, got);
	if (want && !got)
		fail_msg("%s: no %s", header, want);
	if (want)
		assert_string_equal(got, want);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct expected *e = &cases[i];
		const struct challenge *bearer;
		struct challenges c = { 0 };

		if (challenge_parse(e->header, &c) != e->r)
			fail_msg("%s: not %d", e->header, e->r);
		if (c.n != e->n)
			fail_msg("%s: %zu challenges", e->header, c.n);
		bearer = challenges_find(&c, CHALLENGE_BEARER);
		if (e->realm)
			assert_non_null(bearer);
		assert_text(bearer ? bearer->realm : NULL, e->realm, e->header);
		assert_text(bearer ? bearer->service : NULL, e->service, e->header);
		challenges_done(&c);
		assert_int_equal(c.n, 0);
	}
}

static void test_lines_add_up(void **state)
{
	struct challenges c = { 0 };

	(void)state;
	assert_int_equal(challenge_parse("Basic realm=\"b\"", &c), 0);
	assert_int_equal(challenge_parse("Bearer realm=\"t\",error=\"insufficient_scope\"", &c), 0);
	assert_int_equal(c.n, 2);
	assert_string_equal(challenges_find(&c, CHALLENGE_BASIC)->realm, "b");
	assert_string_equal(challenges_find(&c, CHALLENGE_BEARER)->error, "insufficient_scope");
	challenges_done(&c);
}

static void test_parameter_needs_its_own_line_challenge(void **state)
{
	struct challenges c = { 0 };

	(void)state;
	assert_int_equal(challenge_parse("Basic realm=\"b\"", &c), 0);
	/* a parameter at the start of a line does not belong to the line before */
	assert_int_equal(challenge_parse("service=\"s\"", &c), -EBADMSG);
	assert_null(c.list[0].service);
	challenges_done(&c);
}

static void test_limits(void **state)
{
	char line[CHALLENGE_HEADER_MAX + 16];
	struct challenges c = { 0 };

	(void)state;
	memset(line, ',', sizeof(line));
	line[CHALLENGE_HEADER_MAX - 1] = '\0';
	assert_int_equal(challenge_parse(line, &c), 0);
	line[CHALLENGE_HEADER_MAX - 1] = ',';
	line[CHALLENGE_HEADER_MAX] = '\0';
	assert_int_equal(challenge_parse(line, &c), -E2BIG);
	line[0] = '\0';
	for (int i = 0; i < CHALLENGES_MAX + 1; i++)
		(void)snprintf(line + i * 2, 3, "A,");
	assert_int_equal(challenge_parse(line, &c), -E2BIG);
	assert_int_equal(c.n, CHALLENGES_MAX);
	challenges_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_lines_add_up),
		cmocka_unit_test(test_parameter_needs_its_own_line_challenge),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("challenge", tests, NULL, NULL);
}
