// SPDX-License-Identifier: MIT
/* Credentials and refusals: which token services are asked for what, which answers are believed, docker's words for a no. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "registry/refusal.h"
#include "registry/token.h"

struct url_case {
	const char *realm, *service, *username;
	bool plain;
	const char *url; /* NULL: refused */
};

static const struct url_case url_cases[] = {
	{ "https://auth.docker.io/token", "registry.docker.io", NULL, false,
	  "https://auth.docker.io/token?service=registry.docker.io&scope="
	  "repository%3Alibrary%2Fdebian%3Apull" },
	{ "https://a/t?x=1", NULL, NULL, false,
	  "https://a/t?x=1&scope=repository%3Alibrary%2Fdebian%3Apull" },
	{ "https://a/t", "s&scope=evil", "me & you", false,
	  "https://a/t?account=me%20%26%20you&service=s%26scope%3Devil&scope="
	  "repository%3Alibrary%2Fdebian%3Apull" },
	/* plain HTTP: only for a registry that is plain itself, and with credentials only on this machine */
	{ "http://a/t", NULL, NULL, false, NULL },
	{ "http://localhost/t", NULL, NULL, false, NULL },
	{ "http://a/t", NULL, NULL, true, "http://a/t?scope=repository%3Alibrary%2Fdebian%3Apull" },
	{ "http://a/t", NULL, "me", true, NULL },
	{ "http://127.0.0.1:5001/t", NULL, "me", true,
	  "http://127.0.0.1:5001/t?account=me&scope=repository%3Alibrary%2Fdebian%3Apull" },
	{ "https://a/t", NULL, "me", true,
	  "https://a/t?account=me&scope=repository%3Alibrary%2Fdebian%3Apull" },
	{ "", NULL, NULL, true, NULL },
	{ "/token", NULL, NULL, true, NULL },
	{ "file:///etc/passwd", NULL, NULL, true, NULL },
	{ "https://user@a/t", NULL, NULL, true, NULL },
	{ "https://a/t#fragment", NULL, NULL, true, NULL },
	{ "https://a/t\r\nHost: b", NULL, NULL, true, NULL },
};

static void test_url(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(url_cases) / sizeof(url_cases[0]); i++) {
		const struct url_case *c = &url_cases[i];
		const struct challenge bearer = { .scheme = CHALLENGE_BEARER,
						  .realm = (char *)(uintptr_t)c->realm,
						  .service = (char *)(uintptr_t)c->service };
		const struct token_question q = { .bearer = &bearer,
						  .repository = "library/debian",
						  .username = c->username,
						  .registry_is_plain = c->plain };
		struct err err = { 0 };
		char *url = NULL;
		int r = token_url(&q, &url, &err);

		if (c->url && r < 0)
			fail_msg("%s: %s", c->realm, err.msg);
		if (c->url) {
			assert_string_equal(url, c->url);
			free(url);
		} else if (r != -EACCES || err.kind != ERR_AUTH) {
			fail_msg("%s: was not refused", c->realm);
		}
	}
}

static void test_url_too_long(void **state)
{
	char service[9000];
	const struct challenge bearer = { .realm = (char *)(uintptr_t) "https://a/",
					  .service = service };
	char *url;

	(void)state;
	memset(service, 'x', sizeof(service));
	service[sizeof(service) - 1] = '\0';
	assert_int_equal(token_url(&(struct token_question){ .bearer = &bearer, .repository = "r" },
				   &url, NULL),
			 -E2BIG);
	assert_int_equal(
		token_url(&(struct token_question){ .bearer = &(struct challenge){ .realm = NULL },
						    .repository = "r" },
			  &url, NULL),
		-EACCES);
}

static void test_decode(void **state)
{
	static const struct {
		const char *json, *header;
		usec_t seconds;
	} cases[] = {
		{ "{\"token\":\"abc\"}", "Bearer abc", 60 },
		{ "{\"access_token\":\"abc\",\"expires_in\":300}", "Bearer abc", 300 },
		{ "{\"token\":\"\",\"access_token\":\"x.y-z\"}", "Bearer x.y-z", 60 },
		{ "{\"token\":\"a\",\"access_token\":\"b\",\"expires_in\":5}", "Bearer a", 60 },
		{ "{\"token\":\"a\",\"expires_in\":-1}", "Bearer a", 60 },
		{ "{\"token\":\"a\",\"expires_in\":99999999999}", "Bearer a", 86400 },
		{ "{\"token\":\"a\",\"expires_in\":\"soon\",\"issued_at\":7}", "Bearer a", 60 },
		{ "", NULL, 0 },
		{ "[]", NULL, 0 },
		{ "{}", NULL, 0 },
		{ "{\"token\":7}", NULL, 0 },
		{ "{\"token\":\"a b\"}", NULL, 0 },
		{ "{\"token\":\"a\\r\\nX: y\"}", NULL, 0 },
		{ "{\"token\":\"\\u00e4\"}", NULL, 0 },
		{ "{\"token\":\"a\"} trailing", NULL, 0 },
		{ "<html>", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };
		usec_t lifetime = 0;
		char *header = NULL;
		int r = token_decode(cases[i].json, strlen(cases[i].json), &header, &lifetime,
				     &err);

		if (!cases[i].header) {
			assert_int_equal(r, -EBADMSG);
			assert_int_equal(err.kind, ERR_NETWORK);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(header, cases[i].header);
		assert_true(lifetime == cases[i].seconds * USEC_PER_SEC);
		free(header);
	}
}

static void test_decode_too_long(void **state)
{
	struct strbuf b = STRBUF_INIT(TOKEN_ANSWER_MAX);
	usec_t lifetime;
	char *header;

	(void)state;
	assert_int_equal(strbuf_adds(&b, "{\"token\":\""), 0);
	for (size_t i = 0; i <= TOKEN_MAX; i++)
		assert_int_equal(strbuf_addc(&b, 'x'), 0);
	assert_int_equal(strbuf_adds(&b, "\"}"), 0);
	assert_int_equal(token_decode(strbuf_str(&b), b.len, &header, &lifetime, NULL), -EBADMSG);
	strbuf_done(&b);
}

static void test_basic(void **state)
{
	static const struct {
		const char *user, *password, *header;
	} cases[] = {
		/* RFC 7617 2 */
		{ "Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
		{ "a", "", "Basic YTo=" },
		{ "a", "b", "Basic YTpi" },
		{ "a", "b:", "Basic YTpiOg==" },
		{ "test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow==" },
		{ "", NULL, "Basic Og==" },
	};
	struct err err = { 0 };
	char *header;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(token_basic(cases[i].user, cases[i].password, &header, NULL), 0);
		assert_string_equal(header, cases[i].header);
		free(header);
	}
	assert_int_equal(token_basic("a:b", "c", &header, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_USAGE);
}

static const char denied[] =
	"pull access denied for debian, repository does not exist or may require 'racker login': "
	"denied: requested access to the resource is denied";

struct refusal_case {
	long status;
	enum refusal_subject subject;
	const char *body, *challenge;
	enum err_kind kind;
	int code;
	const char *message;
};

static const struct refusal_case refusal_cases[] = {
	{ 404, REFUSED_MANIFEST,
	  "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\",\"detail\":"
	  "{\"Tag\":\"12\"}}]}",
	  NULL, ERR_NOT_FOUND, -ENOENT,
	  "manifest for debian:12 not found: manifest unknown: manifest unknown" },
	{ 404, REFUSED_MANIFEST, "<html>", NULL, ERR_NOT_FOUND, -ENOENT,
	  "manifest for debian:12 not found: manifest unknown: manifest unknown" },
	{ 404, REFUSED_MANIFEST, "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}", NULL, ERR_NOT_FOUND,
	  -ENOENT,
	  "repository debian not found: name unknown: repository name not known to registry" },
	{ 404, REFUSED_BLOB, "", NULL, ERR_NOT_FOUND, -ENOENT,
	  "blob unknown: blob unknown to registry" },
	{ 404, REFUSED_TOKEN, "", NULL, ERR_NETWORK, -EIO, "received unexpected HTTP status: 404" },
	{ 401, REFUSED_MANIFEST,
	  "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"access to the requested resource "
	  "is not authorized\"}]}",
	  NULL, ERR_AUTH, -EACCES,
	  "unauthorized: access to the requested resource is not authorized" },
	{ 401, REFUSED_MANIFEST, "", NULL, ERR_AUTH, -EACCES,
	  "unauthorized: authentication required" },
	{ 401, REFUSED_TOKEN, "{\"details\":\"incorrect username or password\"}", NULL, ERR_AUTH,
	  -EACCES, "unauthorized: incorrect username or password" },
	{ 401, REFUSED_MANIFEST, "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}",
	  "Bearer realm=\"https://a\",error=\"insufficient_scope\"", ERR_AUTH, -EACCES, denied },
	{ 403, REFUSED_MANIFEST, "", NULL, ERR_AUTH, -EACCES, denied },
	{ 403, REFUSED_TOKEN, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\"}]}", NULL,
	  ERR_AUTH, -EACCES, denied },
	{ 429, REFUSED_MANIFEST,
	  "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"You have reached your pull rate "
	  "limit.\"}]}",
	  NULL, ERR_NETWORK, -EBUSY, "toomanyrequests: You have reached your pull rate limit." },
	{ 429, REFUSED_BLOB, "slow down", NULL, ERR_NETWORK, -EBUSY,
	  "toomanyrequests: too many requests" },
	{ 500, REFUSED_MANIFEST, "{\"errors\":[]}", NULL, ERR_NETWORK, -EIO,
	  "received unexpected HTTP status: 500" },
	{ 503, REFUSED_BLOB, "{\"errors\":[{\"code\":\"UNAVAILABLE\",\"message\":\"later\"}]}",
	  NULL, ERR_NETWORK, -EIO, "unavailable: later (HTTP status 503)" },
	{ 302, REFUSED_BLOB, "", NULL, ERR_NETWORK, -EIO, "received unexpected HTTP status: 302" },
	/* nothing of a hostile answer reaches a terminal */
	{ 500, REFUSED_BLOB,
	  "{\"errors\":[{\"code\":\"\\u001b[31mX\",\"message\":\"\\u001b]0;a\\u0007\\n\"}]}", NULL,
	  ERR_NETWORK, -EIO, "\\x1b[31mx: \\x1b]0;a\\x07\\x0a (HTTP status 500)" },
	{ 404, REFUSED_MANIFEST, "{\"errors\":{\"code\":7}}", NULL, ERR_NOT_FOUND, -ENOENT,
	  "manifest for debian:12 not found: manifest unknown: manifest unknown" },
};

static void test_refusals(void **state)
{
	struct image_ref ref = { 0 };

	(void)state;
	assert_int_equal(image_ref_parse("debian:12", &ref, NULL), 0);
	for (size_t i = 0; i < sizeof(refusal_cases) / sizeof(refusal_cases[0]); i++) {
		const struct refusal_case *c = &refusal_cases[i];
		char *challenges[] = { (char *)(uintptr_t)c->challenge, NULL };
		const struct http_response response = { .status = c->status,
							.body = (char *)(uintptr_t)c->body,
							.body_len = strlen(c->body),
							.www_authenticate = challenges };
		struct err err = { 0 };

		assert_int_equal(refusal_error(&ref, c->subject, &response, &err), c->code);
		assert_string_equal(err.msg, c->message);
		assert_int_equal(err.kind, c->kind);
	}
	image_ref_done(&ref);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),    cmocka_unit_test(test_url_too_long),
		cmocka_unit_test(test_decode), cmocka_unit_test(test_decode_too_long),
		cmocka_unit_test(test_basic),  cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
