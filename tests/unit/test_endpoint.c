// SPDX-License-Identifier: MIT
/* Where requests go: registry names to base URLs, origins of URLs, what counts as this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/url.h"
#include "registry/endpoint.h"

static void test_registries(void **state)
{
	static const struct {
		const char *registry, *base, *key;
		bool loopback;
	} cases[] = {
		{ "docker.io", "https://registry-1.docker.io", "https://index.docker.io/v1/",
		  false },
		{ "quay.io", "https://quay.io", "quay.io", false },
		{ "localhost", "https://localhost", "localhost", true },
		{ "localhost:5000", "https://localhost:5000", "localhost:5000", true },
		{ "LOCALHOST:5000", "https://LOCALHOST:5000", "LOCALHOST:5000", true },
		{ "127.0.0.1:5000", "https://127.0.0.1:5000", "127.0.0.1:5000", true },
		{ "127.9.8.7", "https://127.9.8.7", "127.9.8.7", true },
		{ "[::1]:5000", "https://[::1]:5000", "[::1]:5000", true },
		{ "[2001:db8::1]", "https://[2001:db8::1]", "[2001:db8::1]", false },
		/* names that only look like this machine */
		{ "127.0.0.1.example.org", "https://127.0.0.1.example.org", "127.0.0.1.example.org",
		  false },
		{ "127.evil.com", "https://127.evil.com", "127.evil.com", false },
		{ "localhost.evil.com", "https://localhost.evil.com", "localhost.evil.com", false },
		{ "notlocalhost:5000", "https://notlocalhost:5000", "notlocalhost:5000", false },
		{ "128.0.0.1:5000", "https://128.0.0.1:5000", "128.0.0.1:5000", false },
		{ "10.0.0.1:5000", "https://10.0.0.1:5000", "10.0.0.1:5000", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct endpoint e = { 0 };

		assert_int_equal(endpoint_resolve(cases[i].registry, &e, NULL), 0);
		assert_string_equal(e.base_url, cases[i].base);
		assert_string_equal(e.auth_key, cases[i].key);
		if (e.loopback != cases[i].loopback)
			fail_msg("%s: loopback is %d", cases[i].registry, e.loopback);
		endpoint_done(&e);
		assert_null(e.base_url);
	}
}

static void test_bad_registries(void **state)
{
	static const char *const bad[] = { "",	  "a/b",    "user@host", "host:port", "host:0",
					   "a b", "host?x", "host#x",	 "[::1",      "a\\b" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct endpoint e = { 0 };
		struct err err = { 0 };

		if (endpoint_resolve(bad[i], &e, &err) != -EINVAL)
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_null(e.base_url);
	}
}

static void test_origins(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "https://h/x", "https://h:443/y?z#f", true },
		{ "http://h", "HTTP://H:80/", true },
		{ "https://h/", "http://h/", false },
		{ "https://h/", "http://h:443/", false },
		{ "https://h/", "https://h:444/", false },
		{ "https://h/", "https://h./", false },
		{ "https://h/", "https://sub.h/", false },
		{ "http://[::1]/", "http://[::1]:80/", true },
		{ "http://[::1]/", "http://[::2]/", false },
	};
	struct url_origin a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(url_origin_parse(cases[i].a, &a), 0);
		assert_int_equal(url_origin_parse(cases[i].b, &b), 0);
		if (url_origin_equal(&a, &b) != cases[i].same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
	assert_int_equal(url_origin_parse("https://Registry.example:8443/v2/", &a), 0);
	assert_string_equal(a.host, "registry.example");
	assert_int_equal(a.port, 8443);
	assert_true(a.https);
}

static void test_bad_urls(void **state)
{
	static const char *const bad[] = {
		"",
		"h",
		"//h/",
		"http:/h/",
		"http:///",
		"https://:443/",
		"https://u@h/",
		"https://h@/",
		"https://u:p@h/",
		"https://h:/",
		"https://h:65536/",
		"https://h:1000000000000/",
		"https://h:-1/",
		"https://[::1]x/",
		"https://[::1%25eth0]/",
		"https://[]/",
		"https://[::g]/",
		"https://h /",
		"https://h/\r\nX: y",
		"https://h\t/",
		"https://\xc3\xa4.de/",
		"https://h\\@evil/",
		"ftp://h/",
		"file:///etc/passwd",
	};
	struct url_origin o;
	char text[URL_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (url_origin_parse(bad[i], &o) != -EINVAL)
			fail_msg("%s was accepted", bad[i]);
	memset(text, 'x', sizeof(text));
	memcpy(text, "http://h/", 9);
	text[URL_MAX] = '\0';
	assert_int_equal(url_origin_parse(text, &o), -EINVAL);
	text[URL_MAX - 1] = '\0';
	assert_int_equal(url_origin_parse(text, &o), 0);
	memset(text, 'x', 7 + URL_HOST_MAX);
	memcpy(text, "http://", 7);
	text[7 + URL_HOST_MAX] = '\0';
	assert_int_equal(url_origin_parse(text, &o), -EINVAL);
	text[7 + URL_HOST_MAX - 1] = '\0';
	assert_int_equal(url_origin_parse(text, &o), 0);
}

static void test_query(void **state)
{
	struct strbuf b = STRBUF_INIT(200);

	(void)state;
	assert_int_equal(strbuf_adds(&b, "https://h/t"), 0);
	assert_int_equal(url_query_add(&b, "a", "b c&d=e"), 0);
	assert_int_equal(url_query_add(&b, "s", "x:y,/z-._~\xc3\xa4%"), 0);
	assert_string_equal(strbuf_str(&b),
			    "https://h/t?a=b%20c%26d%3De&s=x%3Ay%2C%2Fz-._~%C3%A4%25");
	strbuf_done(&b);
	b = STRBUF_INIT(10);
	assert_int_equal(url_query_add(&b, "long", "longer than that"), -E2BIG);
	strbuf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registries), cmocka_unit_test(test_bad_registries),
		cmocka_unit_test(test_origins),	   cmocka_unit_test(test_bad_urls),
		cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
