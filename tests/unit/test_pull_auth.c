// SPDX-License-Identifier: MIT
/* Credentials on the way of a pull: who asks for what, who gets it, and who must never see it (tests/registry/fake_registry.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/pull_fixture.h"

static const struct who user = { .username = "user", .password = "secret" };

static void test_bearer(void **state)
{
	struct fixture *f = *state;

	start_registry(f, "--auth bearer --anonymous");
	assert_pulls(f, "test/image:oci");
	assert_int_equal(requests_with(f, "/token", "\"authorization\": null"), 1);
	assert_int_equal(requests_with(f,
				       "/token?x=1&service=fake%2C%20registry&scope=repository"
				       "%3Atest%2Fimage%3Apull\"",
				       ""),
			 1);
	assert_int_equal(requests_with(f, "/v2/", "\"status\": 401"), 1);
}

static void test_bearer_with_credentials(void **state)
{
	static const struct failure wrong = { "--auth bearer", "test/image:oci", ERR_AUTH,
					      "unauthorized: incorrect username or password" };
	static const struct failure nobody = { "--auth bearer", "test/image:oci", ERR_AUTH,
					       "unauthorized: authentication required" };
	struct fixture *f = *state;

	assert_fails_as(f, &wrong, &(struct who){ .username = "user", .password = "wrong" });
	assert_fails_as(f, &nobody, &(struct who){ 0 });
	start_registry(f, "--auth bearer --access-token --realm elsewhere");
	assert_pulls_as(f, "test/image:oci", &user);
	/* the password went to the token service alone, and the token to the registry alone */
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "Basic dXNlcjpzZWNyZXQ="), 1);
	assert_int_equal(requests_with(f, "", "Basic"), 1);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "Bearer"), 0);
	assert_true(requests_with(f, "account=user", "") == 1);
}

static void test_token_is_renewed(void **state)
{
	struct fixture *f = *state;

	/* a token is good for two requests: it runs out among the layers */
	start_registry(f, "--auth bearer --anonymous --expire 2");
	assert_pulls(f, "test/image:oci");
	assert_true(requests_with(f, "/token", "GET") >= 3);
}

static void test_basic(void **state)
{
	static const struct failure nobody = { "--auth basic", "test/image:oci", ERR_AUTH,
					       "no basic auth credentials" };
	static const struct failure wrong = { "--auth basic", "test/image:oci", ERR_AUTH,
					      "unauthorized: authentication required" };
	struct fixture *f = *state;

	assert_fails_as(f, &nobody, &(struct who){ 0 });
	assert_fails_as(f, &wrong, &(struct who){ .username = "user", .password = "wrong" });
	/* one try with nothing, one with the password */
	assert_int_equal(requests_with(f, "manifests", "GET"), 2);
	start_registry(f, "--auth basic");
	assert_pulls_as(f, "test/image:oci", &user);
}

static void test_several_challenges(void **state)
{
	struct fixture *f = *state;

	start_registry(f, "--auth multi");
	assert_pulls_as(f, "test/image:oci", &user);
	assert_int_equal(requests_with(f, "/v2/", "Basic"), 0);
}

static void test_login_loops(void **state)
{
	static const struct failure loops[] = {
		{ "--auth loop --anonymous", "test/image:oci", ERR_AUTH,
		  "unauthorized: authentication required" },
		{ "--auth loop --anonymous --code DENIED", "test/image:oci", ERR_AUTH,
		  "pull access denied for" },
		{ "--auth bearer --realm http://registry.example/token", "test/image:oci", ERR_AUTH,
		  "credentials not sent" },
		{ "--auth bearer --realm file:///etc/passwd", "test/image:oci", ERR_AUTH,
		  "unusable token service" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		bool looping = strstr(loops[i].options, "loop") != NULL;

		assert_fails_as(f, &loops[i], looping ? &(struct who){ 0 } : &user);
		assert_int_equal(requests_with(f, "manifests", "GET"), looping ? 2 : 1);
	}
}

static void test_redirected_blobs(void **state)
{
	static const struct failure list[] = {
		{ "--redirect loop", "test/image:oci", ERR_NETWORK, "stopped after 10 redirects" },
		{ "--redirect user", "test/image:oci", ERR_NETWORK, "unusable location" },
		{ "--redirect file", "test/image:oci", ERR_NETWORK, "unusable location" },
		{ "--redirect tls", "test/image:oci", ERR_NETWORK, "tls: " },
	};
	static const struct failure steals = { "--auth basic --redirect cdn401", "test/image:oci",
					       ERR_AUTH, "unauthorized" };
	struct fixture *f = *state;

	assert_all_fail(f, list, ARRAY_SIZE(list));
	/* a 401 from where a redirect led gets nothing out of us */
	assert_fails_as(f, &steals, &user);
	assert_true(requests_with(f, "\"at\": \"elsewhere\"", "/cdn/") >= 1);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "/token"), 0);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "Basic"), 0);

	start_registry(f, "--auth bearer --redirect cdn");
	assert_pulls_as(f, "test/image:oci", &user);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "\"authorization\": null"), 4);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", ""), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bearer, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_bearer_with_credentials, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_token_is_renewed, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_basic, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_several_challenges, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_login_loops, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_redirected_blobs, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests_name("pull_auth", tests, NULL, NULL);
}
