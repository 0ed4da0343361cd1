// SPDX-License-Identifier: MIT
// Media types and single descriptors: the compatibility matrix, limits, and what is refused.
#include "oci/descriptor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "\"digest\":\"sha256:" HEX64 "\""
#define OCI "application/vnd.oci."
#define DOCKER "application/vnd.docker."

static void test_media_types(void **state)
{
	static const struct {
		const char *text;
		enum media_type type;
	} cases[] = {
		{ OCI "image.index.v1+json", MEDIA_INDEX },
		{ DOCKER "distribution.manifest.list.v2+json", MEDIA_INDEX },
		{ OCI "image.manifest.v1+json", MEDIA_MANIFEST },
		{ DOCKER "distribution.manifest.v2+json", MEDIA_MANIFEST },
		{ DOCKER "distribution.manifest.v1+json", MEDIA_MANIFEST_V1 },
		{ DOCKER "distribution.manifest.v1+prettyjws", MEDIA_MANIFEST_V1 },
		{ OCI "image.config.v1+json", MEDIA_CONFIG },
		{ DOCKER "container.image.v1+json", MEDIA_CONFIG },
		{ OCI "empty.v1+json", MEDIA_EMPTY },
		{ OCI "image.layer.v1.tar", MEDIA_LAYER_TAR },
		{ OCI "image.layer.v1.tar+gzip", MEDIA_LAYER_GZIP },
		{ OCI "image.layer.v1.tar+zstd", MEDIA_LAYER_ZSTD },
		{ DOCKER "image.rootfs.diff.tar", MEDIA_LAYER_TAR },
		{ DOCKER "image.rootfs.diff.tar.gzip", MEDIA_LAYER_GZIP },
		{ DOCKER "image.rootfs.diff.tar.zstd", MEDIA_LAYER_ZSTD },
		/* parameters, case, white space */
		{ OCI "image.index.v1+json; charset=utf-8", MEDIA_INDEX },
		{ OCI "image.index.v1+json;q=1", MEDIA_INDEX },
		{ " " OCI "image.manifest.v1+json \t", MEDIA_MANIFEST },
		{ "Application/VND.OCI.Image.Manifest.V1+JSON", MEDIA_MANIFEST },
		/* not ours */
		{ OCI "image.layer.nondistributable.v1.tar", MEDIA_UNKNOWN },
		{ DOCKER "image.rootfs.foreign.diff.tar.gzip", MEDIA_UNKNOWN },
		{ OCI "image.layer.v1.tar+gzip+encrypted", MEDIA_UNKNOWN },
		{ OCI "image.layer.v1.tar+gzi", MEDIA_UNKNOWN },
		{ OCI "image.layer.v1.tar+gzip,", MEDIA_UNKNOWN },
		{ OCI "artifact.manifest.v1+json", MEDIA_UNKNOWN },
		{ DOCKER "plugin.v1+json", MEDIA_UNKNOWN },
		{ "application/vnd.in-toto+json", MEDIA_UNKNOWN },
		{ "application/json", MEDIA_UNKNOWN },
		{ "application/octet-stream", MEDIA_UNKNOWN },
		{ ";" OCI "image.index.v1+json", MEDIA_UNKNOWN },
		{ "", MEDIA_UNKNOWN },
		{ " ", MEDIA_UNKNOWN },
		{ NULL, MEDIA_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (media_type_parse(cases[i].text) != cases[i].type)
			fail_msg("%s: got %d", cases[i].text ? cases[i].text : "NULL",
				 (int)media_type_parse(cases[i].text));
	}
}

static void test_foreign(void **state)
{
	(void)state;
	assert_true(media_type_is_foreign(OCI "image.layer.nondistributable.v1.tar"));
	assert_true(media_type_is_foreign(OCI "image.layer.nondistributable.v1.tar+gzip"));
	assert_true(media_type_is_foreign(OCI "image.layer.nondistributable.v1.tar+zstd"));
	assert_true(media_type_is_foreign(DOCKER "image.rootfs.foreign.diff.tar.gzip"));
	assert_true(media_type_is_foreign(" APPLICATION/vnd.docker.image.rootfs.foreign.diff.tar"));
	assert_false(media_type_is_foreign(DOCKER "image.rootfs.diff.tar.gzip"));
	assert_false(media_type_is_foreign(DOCKER "image.rootfs.foreign"));
	assert_false(media_type_is_foreign(""));
	assert_false(media_type_is_foreign(NULL));
}

static int decode(const char *text, struct descriptor *ret, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	int r = json_parse(text, strlen(text), &doc, err);

	return r < 0 ? r : descriptor_decode(doc, ret, err);
}

static void test_decode(void **state)
{
	struct descriptor d = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(
		decode("{\"mediaType\":\"" OCI "image.manifest.v1+json\"," DIGEST ",\"size\":123,"
		       "\"platform\":{\"architecture\":\"ARM64\",\"os\":\"linux\","
		       "\"variant\":\"v8\",\"os.version\":\"1\",\"os.features\":[\"x\"]},"
		       "\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"},"
		       "\"urls\":[\"http://x/\"],\"data\":\"not even base64!\",\"other\":[]}",
		       &d, &err),
		0);
	assert_int_equal(d.type, MEDIA_MANIFEST);
	assert_string_equal(d.media_type, OCI "image.manifest.v1+json");
	assert_string_equal(d.digest.hex, HEX64);
	assert_int_equal(d.size, 123);
	assert_string_equal(PLATFORM_STR(&d.platform), "linux/arm64");
	assert_true(d.is_attestation);
}

static void test_decode_least(void **state)
{
	struct descriptor d = { 0 };

	(void)state;
	assert_int_equal(decode("{" DIGEST ",\"size\":0}", &d, NULL), 0);
	assert_int_equal(d.type, MEDIA_UNKNOWN);
	assert_string_equal(d.media_type, "");
	assert_int_equal(d.size, 0);
	assert_false(platform_is_set(&d.platform));
	assert_false(d.is_attestation);

	/* null is absent; docker writes empty platforms */
	assert_int_equal(decode("{\"mediaType\":null," DIGEST ",\"size\":1,\"platform\":null,"
				"\"annotations\":null,\"data\":null}",
				&d, NULL),
			 0);
	assert_int_equal(decode("{" DIGEST ",\"size\":1,\"platform\":"
				"{\"architecture\":\"\",\"os\":\"\"},\"annotations\":{"
				"\"vnd.docker.reference.type\":\"other\"}}",
				&d, NULL),
			 0);
	assert_false(platform_is_set(&d.platform));
	assert_false(d.is_attestation);
}

static void test_decode_limits(void **state)
{
	struct descriptor d = { 0 };
	char text[1024], type[300];

	(void)state;
	assert_int_equal(decode("{" DIGEST ",\"size\":1125899906842624}", &d, NULL), 0);
	assert_int_equal(d.size, DESCRIPTOR_SIZE_MAX);

	memset(type, 'x', sizeof(type));
	type[sizeof(type) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "{\"mediaType\":\"%s\"," DIGEST ",\"size\":1}", type);
	assert_int_equal(decode(text, &d, NULL), 0);
	assert_int_equal(d.type, MEDIA_UNKNOWN);
	assert_int_equal(strlen(d.media_type), sizeof(d.media_type) - 1);
}

static void test_decode_corrupt(void **state)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ "[]", "no object" },
		{ "null", "no object" },
		{ "\"sha256:" HEX64 "\"", "no object" },
		{ "{}", "size" },
		{ "{" DIGEST "}", "size" },
		{ "{\"size\":1}", "digest" },
		{ "{\"digest\":null,\"size\":1}", "digest" },
		{ "{\"digest\":1,\"size\":1}", "digest" },
		{ "{" DIGEST ",\"size\":-1}", "size -1" },
		{ "{" DIGEST ",\"size\":-9223372036854775808}", "size" },
		{ "{" DIGEST ",\"size\":1125899906842625}", "size" },
		{ "{" DIGEST ",\"size\":9223372036854775807}", "size" },
		{ "{" DIGEST ",\"size\":9223372036854775808}", "" },
		{ "{" DIGEST ",\"size\":1.5}", "size" },
		{ "{" DIGEST ",\"size\":1e3}", "size" },
		{ "{" DIGEST ",\"size\":\"1\"}", "size" },
		{ "{" DIGEST ",\"size\":null}", "size" },
		{ "{" DIGEST ",\"size\":1,\"mediaType\":1}", "mediaType" },
		{ "{" DIGEST ",\"size\":1,\"platform\":[]}", "platform" },
		{ "{" DIGEST ",\"size\":1,\"platform\":{\"os\":1}}", "os" },
		{ "{" DIGEST ",\"size\":1,\"platform\":{\"architecture\":{}}}", "architecture" },
		{ "{" DIGEST ",\"size\":1,\"platform\":{\"variant\":[]}}", "variant" },
		{ "{" DIGEST ",\"size\":1,\"platform\":{\"os\":\"li nux\"}}", "malformed" },
		{ "{" DIGEST ",\"size\":1,\"platform\":{\"os\":\"a/b\"}}", "malformed" },
		{ "{" DIGEST ",\"size\":1,\"platform\":{\"os\":\"\\u001b[0m\"}}", "\\x1b" },
		{ "{" DIGEST ",\"size\":1,\"platform\":{\"architecture\":\"" HEX64 "\"}}",
		  "malformed" },
		{ "{" DIGEST ",\"size\":1,\"annotations\":[]}", "annotations" },
		{ "{" DIGEST ",\"size\":1,\"annotations\":{\"vnd.docker.reference.type\":1}}",
		  "annotations" },
		{ "{\"digest\":\"\",\"size\":1}", "malformed" },
		{ "{\"digest\":\"sha256:\",\"size\":1}", "malformed" },
		{ "{\"digest\":\"sha256:0123\",\"size\":1}", "malformed" },
		{ "{\"digest\":\"" HEX64 "\",\"size\":1}", "malformed" },
		{ "{\"digest\":\"sha256:" HEX64 "0\",\"size\":1}", "malformed" },
		{ "{\"digest\":\" sha256:" HEX64 "\",\"size\":1}", "malformed" },
		{ "{\"digest\":\"sha256:../../../../etc/passwd\",\"size\":1}", "malformed" },
		{ "{\"digest\":\"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef"
		  "0123456789abcdef\",\"size\":1}",
		  "malformed" },
		{ "{\"digest\":\"sha256:" HEX64 "\",\"digest\":\"sha256:" HEX64 "\",\"size\":1}",
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct descriptor d = { .size = 42 };
		struct err err = { 0 };

		if (decode(cases[i].text, &d, &err) != -EBADMSG)
			fail_msg("%s: %d %s", cases[i].text, err.code, err.msg);
		assert_int_equal(err.kind, ERR_CORRUPT);
		if (!strstr(err.msg, cases[i].word))
			fail_msg("%s: \"%s\" does not tell of %s", cases[i].text, err.msg,
				 cases[i].word);
		assert_int_equal(d.size, 42);
	}
}

static void test_decode_other_algorithm(void **state)
{
	struct descriptor d = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(decode("{\"digest\":\"sha512:" HEX64 HEX64 "\",\"size\":1}", &d, &err),
			 -EOPNOTSUPP);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "unsupported digest algorithm"));
}

static void test_decode_absent(void **state)
{
	struct descriptor d = { 0 };

	(void)state;
	assert_int_equal(descriptor_decode(NULL, &d, NULL), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_media_types),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_least),
		cmocka_unit_test(test_decode_limits),
		cmocka_unit_test(test_decode_corrupt),
		cmocka_unit_test(test_decode_other_algorithm),
		cmocka_unit_test(test_decode_absent),
	};

	return cmocka_run_group_tests_name("descriptor", tests, NULL, NULL);
}
