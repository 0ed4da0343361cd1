// SPDX-License-Identifier: MIT
// Image references against the rules of distribution/reference: what is taken, how it is normalised, what is refused.
#include "oci/reference.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX32 "0123456789abcdef0123456789abcdef"
#define HUB "docker.io"
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TAG128 A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PATH255 A50 A50 A50 A50 A50 "aaaaa"
#define FORMAT "invalid reference format"

static const struct {
	const char *text, *registry, *repository, *tag, *hex;
	const char *familiar; /* NULL: the text itself */
} valid[] = {
	/* Hub names */
	{ "debian", HUB, "library/debian", "latest", NULL, "debian:latest" },
	{ "debian:bookworm", HUB, "library/debian", "bookworm", NULL, NULL },
	{ "debian:11-slim", HUB, "library/debian", "11-slim", NULL, NULL },
	{ "library/debian:12", HUB, "library/debian", "12", NULL, "debian:12" },
	{ "docker.io/debian", HUB, "library/debian", "latest", NULL, "debian:latest" },
	{ "docker.io/library/debian:x", HUB, "library/debian", "x", NULL, "debian:x" },
	{ "index.docker.io/debian", HUB, "library/debian", "latest", NULL, "debian:latest" },
	{ "index.docker.io/a/b:c", HUB, "a/b", "c", NULL, "a/b:c" },
	{ "docker.io/a/b", HUB, "a/b", "latest", NULL, "a/b:latest" },
	{ "a/b", HUB, "a/b", "latest", NULL, "a/b:latest" },
	{ "a/b/c/d:e", HUB, "a/b/c/d", "e", NULL, NULL },
	{ "library/a/b:1", HUB, "library/a/b", "1", NULL, NULL },
	{ "library/library:1", HUB, "library/library", "1", NULL, "library:1" },
	{ "other/library:1", HUB, "other/library", "1", NULL, NULL },
	{ "libraryx/a:1", HUB, "libraryx/a", "1", NULL, NULL },
	{ "docker:dind", HUB, "library/docker", "dind", NULL, NULL },
	{ "docker", HUB, "library/docker", "latest", NULL, "docker:latest" },
	{ "docker/docker:1", HUB, "docker/docker", "1", NULL, NULL },
	/* no slash: never a host */
	{ "localhost", HUB, "library/localhost", "latest", NULL, "localhost:latest" },
	{ "localhost:5000", HUB, "library/localhost", "5000", NULL, NULL },
	{ "example.com", HUB, "library/example.com", "latest", NULL, "example.com:latest" },
	{ "example.com:80", HUB, "library/example.com", "80", NULL, NULL },
	{ "192.168.0.1:80", HUB, "library/192.168.0.1", "80", NULL, NULL },
	/* a host by its look */
	{ "localhost/a", "localhost", "a", "latest", NULL, "localhost/a:latest" },
	{ "localhost:5000/a", "localhost:5000", "a", "latest", NULL, "localhost:5000/a:latest" },
	{ "localhost:5000/library/a:1", "localhost:5000", "library/a", "1", NULL, NULL },
	{ "127.0.0.1:5000/a/b:c", "127.0.0.1:5000", "a/b", "c", NULL, NULL },
	{ "192.168.0.1/a:1", "192.168.0.1", "a", "1", NULL, NULL },
	{ "ghcr.io/org/app:v1.2.3", "ghcr.io", "org/app", "v1.2.3", NULL, NULL },
	{ "quay.io/a:1", "quay.io", "a", "1", NULL, NULL },
	{ "host:1/a:2", "host:1", "a", "2", NULL, NULL },
	{ "docker:5000/a:1", "docker:5000", "a", "1", NULL, NULL },
	{ "docker.io:443/a:1", "docker.io:443", "a", "1", NULL, NULL },
	{ "index.docker.io:443/a:1", "index.docker.io:443", "a", "1", NULL, NULL },
	{ "registry-1.docker.io/library/a:1", "registry-1.docker.io", "library/a", "1", NULL,
	  NULL },
	{ "sub-dom.example.com/a/b:c", "sub-dom.example.com", "a/b", "c", NULL, NULL },
	{ "xn--n3h.com:18080/a:1", "xn--n3h.com:18080", "a", "1", NULL, NULL },
	{ "a.b/c:1", "a.b", "c", "1", NULL, NULL },
	{ "host:99999999/a:1", "host:99999999", "a", "1", NULL, NULL },
	/* upper case before the first slash can only be a host */
	{ "Foo/bar:1", "Foo", "bar", "1", NULL, NULL },
	{ "FOO/bar/baz:1", "FOO", "bar/baz", "1", NULL, NULL },
	{ "Docker.io/a:1", "Docker.io", "a", "1", NULL, NULL },
	{ "Example.COM:80/a:1", "Example.COM:80", "a", "1", NULL, NULL },
	/* not a host */
	{ "localhost1/a:1", HUB, "localhost1/a", "1", NULL, NULL },
	{ "test_com/foo:1", HUB, "test_com/foo", "1", NULL, NULL },
	{ "host/a.b:80", HUB, "host/a.b", "80", NULL, NULL },
	/* IPv6 */
	{ "[::1]:5000/a:1", "[::1]:5000", "a", "1", NULL, NULL },
	{ "[::1]/a:1", "[::1]", "a", "1", NULL, NULL },
	{ "[2001:db8::]:5000/a/b:1", "[2001:db8::]:5000", "a/b", "1", NULL, NULL },
	{ "[2001:DB8:1:2:3:4:5:6]/a:1", "[2001:DB8:1:2:3:4:5:6]", "a", "1", NULL, NULL },
	{ "[:::::]/a:1", "[:::::]", "a", "1", NULL, NULL },
	/* path components */
	{ "a.b:1", HUB, "library/a.b", "1", NULL, NULL },
	{ "a_b:1", HUB, "library/a_b", "1", NULL, NULL },
	{ "a__b:1", HUB, "library/a__b", "1", NULL, NULL },
	{ "a-b:1", HUB, "library/a-b", "1", NULL, NULL },
	{ "a-----b:1", HUB, "library/a-----b", "1", NULL, NULL },
	{ "a.b_c__d-e--f:1", HUB, "library/a.b_c__d-e--f", "1", NULL, NULL },
	{ "0/1:2", HUB, "0/1", "2", NULL, NULL },
	/* tags */
	{ "a:A", HUB, "library/a", "A", NULL, NULL },
	{ "a:_x", HUB, "library/a", "_x", NULL, NULL },
	{ "a:0.-_Z", HUB, "library/a", "0.-_Z", NULL, NULL },
	{ "a:" TAG128, HUB, "library/a", TAG128, NULL, NULL },
	/* digests */
	{ "a@sha256:" HEX64, HUB, "library/a", NULL, HEX64, NULL },
	{ "a:1@sha256:" HEX64, HUB, "library/a", "1", HEX64, NULL },
	{ "docker.io/library/a:1@sha256:" HEX64, HUB, "library/a", "1", HEX64,
	  "a:1@sha256:" HEX64 },
	{ "host:1/a/b:c@sha256:" HEX64, "host:1", "a/b", "c", HEX64, NULL },
	{ "[::1]:1/a@sha256:" HEX64, "[::1]:1", "a", NULL, HEX64, NULL },
	{ "docker@sha256:" HEX64, HUB, "library/docker", NULL, HEX64, NULL },
	{ "docker:1@sha256:" HEX64, HUB, "library/docker", "1", HEX64, NULL },
	/* 64 hex digits with anything beside them are a name */
	{ "docker.io/" HEX64 ":1", HUB, "library/" HEX64, "1", NULL, HEX64 ":1" },
	{ HEX64 ":1", HUB, "library/" HEX64, "1", NULL, NULL },
	{ "a/" HEX64 ":1", HUB, "a/" HEX64, "1", NULL, NULL },
	{ HEX32 ":1", HUB, "library/" HEX32, "1", NULL, NULL },
	{ "0" HEX64 ":1", HUB, "library/0" HEX64, "1", NULL, NULL },
	/* length: 255 bytes of path, library/ counted, host not */
	{ "host.example/" PATH255 ":1", "host.example", PATH255, "1", NULL, NULL },
	{ "host.example/" PATH255 ":" TAG128, "host.example", PATH255, TAG128, NULL, NULL },
	/* the transport */
	{ "docker://debian", HUB, "library/debian", "latest", NULL, "debian:latest" },
	{ "docker://quay.io/a/b:c", "quay.io", "a/b", "c", NULL, "quay.io/a/b:c" },
	{ "docker://a@sha256:" HEX64, HUB, "library/a", NULL, HEX64, "a@sha256:" HEX64 },
	{ "docker://docker:dind", HUB, "library/docker", "dind", NULL, "docker:dind" },
};

static const struct {
	const char *text, *message;
} invalid[] = {
	{ "", FORMAT },
	{ "/", FORMAT },
	{ ":", FORMAT },
	{ "@", FORMAT },
	{ " ", FORMAT },
	{ "a ", FORMAT },
	{ " a", FORMAT },
	{ "a\n", FORMAT },
	{ "a\tb", FORMAT },
	{ ":tag", FORMAT },
	{ "@sha256:" HEX64, FORMAT },
	{ "a:", FORMAT },
	{ "a@", FORMAT },
	{ "a:1@", FORMAT },
	{ "a:@sha256:" HEX64, FORMAT },
	{ "a:1:2", FORMAT },
	{ "a:b/c", FORMAT },
	{ "a:.b", FORMAT },
	{ "a:-b", FORMAT },
	{ "a:b+c", FORMAT },
	{ "a:" TAG128 "a", FORMAT },
	{ "a/", FORMAT },
	{ "/a", FORMAT },
	{ "a//b", FORMAT },
	{ "a///b", FORMAT },
	{ "docker.io/", FORMAT },
	{ "docker.io//a", FORMAT },
	{ "localhost/", FORMAT },
	{ "-a", FORMAT },
	{ "a-", FORMAT },
	{ "-a/b", FORMAT },
	{ "a-/b", FORMAT },
	{ "_a", FORMAT },
	{ "a_", FORMAT },
	{ ".a", FORMAT },
	{ "a.", FORMAT },
	{ "a..b", FORMAT },
	{ "a___b", FORMAT },
	{ "a._b", FORMAT },
	{ "a-.b", FORMAT },
	{ "a-_b", FORMAT },
	{ "..", FORMAT },
	{ "../a", FORMAT },
	{ "a/../b", FORMAT },
	{ "./a", FORMAT },
	{ "a$b/c", FORMAT },
	{ "a\\b", FORMAT },
	{ "a%2fb", FORMAT },
	{ "a/b?c", FORMAT },
	{ "a#b", FORMAT },
	{ "h\xc3\xa9", FORMAT },
	{ "https://example.com/a", FORMAT },
	{ "http://localhost:5000/a", FORMAT },
	/* hosts */
	{ "-host.com/a", FORMAT },
	{ "host-.com/a", FORMAT },
	{ "host..com/a", FORMAT },
	{ ".com/a", FORMAT },
	{ "com./a", FORMAT },
	{ "host:/a", FORMAT },
	{ "host:port/a", FORMAT },
	{ "host:1:2/a", FORMAT },
	{ ":5000/a", FORMAT },
	{ "foo_bar.com/a", FORMAT }, /* the original gives it no domain at all */
	{ "foo_bar:5000/a", FORMAT },
	{ "fc00::1:5000/a", FORMAT },
	{ "[]/a", FORMAT },
	{ "[::1/a", FORMAT },
	{ "[::1]x/a", FORMAT },
	{ "[::1]:/a", FORMAT },
	{ "[::1]", FORMAT },
	{ "[::1]:5000", FORMAT },
	{ "[fe80::1%eth0]:5000/a", FORMAT },
	{ "[2001:db8::192.0.2.33]:5000/a", FORMAT },
	{ "x[::1]/a", FORMAT },
	/* upper case */
	{ "Debian", FORMAT ": repository name (library/Debian) must be lowercase" },
	{ "Debian:12", FORMAT ": repository name (library/Debian) must be lowercase" },
	{ "docker.io/Foo", FORMAT ": repository name (library/Foo) must be lowercase" },
	{ "library/Foo", FORMAT ": repository name (library/Foo) must be lowercase" },
	{ "a/B/c", FORMAT ": repository name (a/B/c) must be lowercase" },
	{ "Foo/Bar", FORMAT ": repository name (Bar) must be lowercase" },
	{ "host:5000/A/b:tag", FORMAT ": repository name (A/b) must be lowercase" },
	{ "a@SHA256:" HEX64, FORMAT ": repository name (library/a@SHA256) must be lowercase" },
	{ "A\n", FORMAT ": repository name (library/A\\x0a) must be lowercase" },
	/* digests */
	{ "a@b", FORMAT },
	{ "a@sha256", FORMAT },
	{ "a@sha256:", FORMAT },
	{ "a@:" HEX64, FORMAT },
	{ "a@sha256:0123", FORMAT },
	{ "a@sha256:" HEX64 "g", FORMAT },
	{ "a@sha256:" HEX64 ":1", FORMAT },
	{ "a@sha256:" HEX64 "@sha256:" HEX64, FORMAT },
	{ "a@sha256:../" HEX64, FORMAT },
	{ "a@256sha:" HEX64, FORMAT },
	{ "a@sha-256:" HEX64, FORMAT }, /* each part begins with a letter */
	{ "a@sha+:" HEX64, FORMAT },
	{ "a@-sha:" HEX64, FORMAT },
	{ "a@sha256:" HEX32, "invalid checksum digest length" },
	{ "a@sha256:" HEX64 "0", "invalid checksum digest length" },
	{ "a@sha256:A" HEX32 "bcdef0123456789abcdef0123456789", "invalid checksum digest format" },
	{ "a:b@SHA256:" HEX64, "invalid checksum digest format" },
	{ "a@sha512:" HEX64 HEX64, "unsupported digest algorithm \"sha512\"" },
	{ "a@sha384:" HEX64 HEX32, "unsupported digest algorithm \"sha384\"" },
	{ "a@sha256+b64:" HEX64, "unsupported digest algorithm \"sha256+b64\"" },
	{ "a@blake3:" HEX64, "unsupported digest algorithm \"blake3\"" },
	{ "a:1@md5:" HEX32, "unsupported digest algorithm \"md5\"" },
	/* identifiers */
	{ HEX64,
	  "invalid repository name (" HEX64 "), cannot specify 64-byte hexadecimal strings" },
	{ "docker://" HEX64, "invalid repository name (" HEX64 "), cannot" },
	/* length */
	{ "host.example/" PATH255 "a", "repository name must not be more than 255 characters" },
	{ PATH255, "repository name must not be more than 255 characters" },
	/* transports */
	{ "docker://", FORMAT },
	{ "docker:///a", FORMAT },
	{ "docker://docker://a", FORMAT },
	{ "docker:", FORMAT },
	{ "docker:/debian", "did you mean docker://debian: " FORMAT },
	{ "docker:debian:12", "did you mean docker://debian:12: " FORMAT },
	{ "docker:quay.io/a/b", "did you mean docker://quay.io/a/b: " FORMAT },
	{ "docker:a/B", "did you mean docker://a/B: " FORMAT },
	{ "oci:dir:latest", FORMAT },
};

static void assert_text(const char *text, const char *got, const char *want)
{
	if (!got != !want || (got && strcmp(got, want) != 0))
		fail_msg("%s: got %s, want %s", text, got ? got : "NULL", want ? want : "NULL");
}

static void check_parts(const char *text, const struct image_ref *ref, size_t i)
{
	assert_text(text, ref->registry, valid[i].registry);
	assert_text(text, ref->repository, valid[i].repository);
	assert_text(text, ref->tag, valid[i].tag);
	assert_int_equal(ref->has_digest, valid[i].hex != NULL);
	assert_text(text, ref->digest.hex, valid[i].hex ? valid[i].hex : "");
}

static void test_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(valid); i++) {
		const char *text = valid[i].text;
		AUTO(image_ref) ref = { 0 };
		AUTO(image_ref) again = { 0 };
		struct err err = { 0 };
		char want[1024];

		if (image_ref_parse(text, &ref, &err) < 0)
			fail_msg("%s: %s", text, err.msg);
		check_parts(text, &ref, i);

		AUTO_FREE char *familiar = image_ref_familiar(&ref);

		assert_text(text, familiar, valid[i].familiar ? valid[i].familiar : text);

		AUTO_FREE char *canonical = image_ref_canonical(&ref);

		(void)snprintf(want, sizeof(want), "%s/%s%s%s%s%s", valid[i].registry,
			       valid[i].repository, valid[i].tag ? ":" : "",
			       valid[i].tag ? valid[i].tag : "", valid[i].hex ? "@sha256:" : "",
			       valid[i].hex ? valid[i].hex : "");
		assert_text(text, canonical, want);

		/* Both forms mean the same reference. */
		assert_int_equal(image_ref_parse(canonical, &again, &err), 0);
		check_parts(canonical, &again, i);
		image_ref_done(&again);
		assert_int_equal(image_ref_parse(familiar, &again, &err), 0);
		check_parts(familiar, &again, i);
	}
}

static void test_invalid(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++) {
		struct image_ref untouched = { .tag = (char *)"untouched" };
		struct err err = { 0 };
		int r = image_ref_parse(invalid[i].text, &untouched, &err);

		if (r == 0)
			fail_msg("%s: taken as %s/%s", invalid[i].text, untouched.registry,
				 untouched.repository);
		assert_int_equal(r, -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_int_equal(err.code, r);
		if (strncmp(err.msg, invalid[i].message, strlen(invalid[i].message)) != 0)
			fail_msg("%s: got \"%s\", want \"%s\"", invalid[i].text, err.msg,
				 invalid[i].message);
		/* docker's bare sentence carries nothing after it */
		if (strcmp(invalid[i].message, FORMAT) == 0)
			assert_string_equal(err.msg, FORMAT);
		assert_string_equal(untouched.tag, "untouched");
		assert_int_equal(image_ref_parse(invalid[i].text, &untouched, NULL), -EINVAL);
	}
}

static void test_longest_text(void **state)
{
	struct image_ref ref = { 0 };
	struct err err;
	char text[4096 + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "x.", 2);
	memcpy(text + 4096 - 4, "/a:b", 4);
	text[4096] = '\0';
	assert_int_equal(image_ref_parse(text, &ref, &err), 0);
	assert_int_equal(strlen(ref.registry), 4096 - 4);

	AUTO_FREE char *canonical = image_ref_canonical(&ref);

	assert_text("longest", canonical, text);
	image_ref_done(&ref);

	memcpy(text + 4096, "c", 2);
	assert_int_equal(image_ref_parse(text, &ref, &err), -EINVAL);
	assert_string_equal(err.msg, FORMAT ": longer than 4096 bytes");
}

static void test_familiar_name(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "debian", "debian" },
		{ "docker.io/library/debian:12", "debian" },
		{ "debian:12@sha256:" HEX64, "debian" },
		{ "library/a/b", "library/a/b" },
		{ "a/b:c", "a/b" },
		{ "localhost:5000/library/a", "localhost:5000/library/a" },
		{ "quay.io/a/b", "quay.io/a/b" },
		{ "docker.io/library/library", "library" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(image_ref) ref = { 0 };

		assert_int_equal(image_ref_parse(cases[i].text, &ref, NULL), 0);

		AUTO_FREE char *name = image_ref_familiar_name(&ref);

		assert_text(cases[i].text, name, cases[i].name);
	}
}

static void test_copy(void **state)
{
	AUTO(image_ref) ref = { 0 };
	AUTO(image_ref) copy = { 0 };

	(void)state;
	assert_int_equal(image_ref_parse("quay.io/a/b@sha256:" HEX64, &ref, NULL), 0);
	assert_int_equal(image_ref_copy(&ref, &copy), 0);
	image_ref_done(&ref);
	assert_null(ref.registry);
	assert_string_equal(copy.registry, "quay.io");
	assert_string_equal(copy.repository, "a/b");
	assert_null(copy.tag);
	assert_true(copy.has_digest);
	assert_string_equal(copy.digest.hex, HEX64);
	image_ref_done(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),	     cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_longest_text), cmocka_unit_test(test_familiar_name),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
