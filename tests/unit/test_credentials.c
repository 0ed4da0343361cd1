// SPDX-License-Identifier: MIT
/* Credentials of config.json: the right entry, exact base64, and nothing for anybody else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "registry/credentials.h"

static int parse(const char *text, const char *registry, struct credentials *ret, struct err *err)
{
	return credentials_parse(text, strlen(text), registry, ret, err);
}

static void test_found(void **state)
{
	static const struct {
		const char *text, *registry, *username, *password;
	} cases[] = {
		{ "{\"auths\":{\"localhost:5000\":{\"auth\":\"dTpw\"}}}", "localhost:5000", "u",
		  "p" },
		{ "{\"auths\":{\"localhost:5000\":{\"auth\":\"dTpwYXNzOndvcmQ=\"}}}",
		  "localhost:5000", "u", "pass:word" },
		{ "{\"auths\":{\"localhost:5000\":{\"auth\":\"dXNlcjo=\"}}}", "localhost:5000",
		  "user", "" },
		{ "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\"}}}", "docker.io",
		  "a", "b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(credentials) c = { 0 };

		assert_int_equal(parse(cases[i].text, cases[i].registry, &c, NULL), 0);
		assert_string_equal(c.username, cases[i].username);
		assert_string_equal(c.password, cases[i].password);
	}
}

static void test_anonymous(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"auths\":null}",
		"{\"auths\":{}}",
		"{\"auths\":{\"localhost:5001\":{\"auth\":\"dTpw\"}}}",
		"{\"auths\":{\"localhost\":{\"auth\":\"dTpw\"}}}",
		"{\"auths\":{\"localhost:5000\":{}}}",
		"{\"credsStore\":\"desktop\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct credentials c;

		assert_int_equal(parse(texts[i], "localhost:5000", &c, NULL), 0);
		assert_null(c.username);
		assert_null(c.password);
	}
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"[",
		"{\"auths\":[]}",
		"{\"auths\":{\"h:1\":{\"auth\":5}}}",
		"{\"auths\":{\"h:1\":{\"auth\":\"dTpwX\"}}}", /* one digit too many */
		"{\"auths\":{\"h:1\":{\"auth\":\"d!pw\"}}}",
		"{\"auths\":{\"h:1\":{\"auth\":\"dXNlcg==\"}}}",
		"{\"auths\":{\"h:1\":{\"auth\":\"OnA=\"}}}", /* no user */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct credentials c = { 0 };
		struct err err = { 0 };

		assert_int_equal(parse(texts[i], "h:1", &c, &err), -EBADMSG);
		assert_int_equal(err.kind, ERR_CORRUPT);
		/* The message never shows what it could not read. */
		assert_null(strstr(err.msg, "dXNlcg"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
