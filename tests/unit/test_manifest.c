// SPDX-License-Identifier: MIT
// Image manifests: OCI and Docker forms taken, artifacts and layers that cannot be unpacked refused by name.
#include "oci/manifest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DESC(type) "{\"mediaType\":\"" type "\",\"digest\":\"sha256:" HEX64 "\",\"size\":7}"
#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."
#define CONFIG "\"config\":" DESC(OCI "config.v1+json")
#define LAYER DESC(OCI "layer.v1.tar+gzip")
#define V2 "{\"schemaVersion\":2,"

static int decode(const char *text, struct image_manifest *ret, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	int r = json_parse(text, strlen(text), &doc, err);

	if (r < 0)
		fail_msg("%s: %s", text, err->msg);
	return manifest_decode(doc, ret, err);
}

static void test_oci(void **state)
{
	AUTO(image_manifest) m = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(decode(V2 "\"mediaType\":\"" OCI "manifest.v1+json\"," CONFIG
				   ",\"layers\":[" LAYER "," DESC(OCI "layer.v1.tar") "," DESC(
					   OCI "layer.v1.tar+zstd") "],\"annotations\":{\"a\":"
								    "\"b\"},\"subject\":{}}",
				&m, &err),
			 0);
	assert_int_equal(m.config.type, MEDIA_CONFIG);
	assert_int_equal(m.config.size, 7);
	assert_int_equal(m.n_layers, 3);
	assert_int_equal(m.layers[0].type, MEDIA_LAYER_GZIP);
	assert_int_equal(m.layers[1].type, MEDIA_LAYER_TAR);
	assert_int_equal(m.layers[2].type, MEDIA_LAYER_ZSTD);
	assert_string_equal(m.layers[2].digest.hex, HEX64);
}

static void test_docker(void **state)
{
	AUTO(image_manifest) m = { 0 };

	(void)state;
	assert_int_equal(
		decode(V2 "\"mediaType\":\"" DOCKER "distribution.manifest.v2+json\","
			  "\"config\":" DESC(DOCKER "container.image.v1+json") ",\"layers\":[" DESC(
				  DOCKER
				  "image.rootfs.diff.tar.gzip") "," DESC(DOCKER "image.rootfs.diff."
										"tar.zstd") "]}",
		       &m, NULL),
		0);
	assert_int_equal(m.n_layers, 2);
	assert_int_equal(m.layers[0].type, MEDIA_LAYER_GZIP);
	assert_int_equal(m.layers[1].type, MEDIA_LAYER_ZSTD);
}

static void test_no_layers(void **state)
{
	AUTO(image_manifest) m = { 0 };

	(void)state;
	assert_int_equal(decode(V2 CONFIG ",\"layers\":[]}", &m, NULL), 0);
	assert_int_equal(m.n_layers, 0);
	assert_null(m.layers);
}

static void test_legacy_config_types(void **state)
{
	static const char *const cases[] = {
		"{\"digest\":\"sha256:" HEX64 "\",\"size\":7}",
		DESC(""),
		DESC("application/octet-stream"),
		DESC("application/json"),
		DESC("text/html"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(image_manifest) m = { 0 };
		struct err err = { 0 };
		char text[1024];

		(void)snprintf(text, sizeof(text), V2 "\"config\":%s,\"layers\":[" LAYER "]}",
			       cases[i]);
		if (decode(text, &m, &err) < 0)
			fail_msg("%s: %s", text, err.msg);
	}
}

static const struct {
	const char *text;
	int code;
	const char *words[2];
} refused[] = {
	/* malformed */
	{ "[]", -EBADMSG, { "schemaVersion" } },
	{ "{}", -EBADMSG, { "schemaVersion" } },
	{ "{" CONFIG ",\"layers\":[]}", -EBADMSG, { "schemaVersion" } },
	{ "{\"schemaVersion\":1," CONFIG ",\"layers\":[]}", -EBADMSG, { "schema version 1" } },
	{ "{\"schemaVersion\":3," CONFIG ",\"layers\":[]}", -EBADMSG, { "schema version 3" } },
	{ "{\"schemaVersion\":\"2\"," CONFIG ",\"layers\":[]}", -EBADMSG, { "schemaVersion" } },
	{ V2 "\"layers\":[]}", -EBADMSG, { "config" } },
	{ V2 "\"config\":null,\"layers\":[]}", -EBADMSG, { "config" } },
	{ V2 "\"config\":[],\"layers\":[]}", -EBADMSG, { "config" } },
	{ V2 "\"config\":{},\"layers\":[]}", -EBADMSG, { "config" } },
	{ V2 CONFIG "}", -EBADMSG, { "layers" } },
	{ V2 CONFIG ",\"layers\":null}", -EBADMSG, { "layers" } },
	{ V2 CONFIG ",\"layers\":{}}", -EBADMSG, { "layers" } },
	{ V2 CONFIG ",\"layers\":[null]}", -EBADMSG, { "layer 0" } },
	{ V2 CONFIG ",\"layers\":[" LAYER ",{}]}", -EBADMSG, { "layer 1" } },
	{ V2 CONFIG ",\"layers\":[{\"mediaType\":\"" OCI "layer.v1.tar\",\"digest\":\"sha256:x\","
		    "\"size\":1}]}",
	  -EBADMSG,
	  { "layer 0", "digest" } },
	{ V2 CONFIG ",\"layers\":[{\"mediaType\":\"" OCI "layer.v1.tar\",\"digest\":\"sha256:" HEX64
		    "\",\"size\":-5}]}",
	  -EBADMSG,
	  { "layer 0", "size -5" } },
	{ V2 CONFIG ",\"layers\":[{\"mediaType\":\"" OCI
		    "layer.v1.tar\",\"digest\":\"sha512:" HEX64 HEX64 "\",\"size\":5}]}",
	  -EOPNOTSUPP,
	  { "layer 0", "unsupported digest algorithm" } },
	/* artifacts */
	{ V2 "\"config\":" DESC("application/vnd.oci.empty.v1+json") ",\"layers\":[" DESC(
		  "application/vnd.oci.empty.v1+json") "]}",
	  -EOPNOTSUPP,
	  { "not a container image", "application/vnd.oci.empty.v1+json" } },
	{ V2 "\"artifactType\":\"x/y\",\"config\":" DESC(
		  "application/vnd.oci.empty.v1+json") ",\"layers\":[" LAYER "]}",
	  -EOPNOTSUPP,
	  { "not a container image" } },
	{ V2 "\"config\":" DESC("application/vnd.cncf.helm.config.v1+json") ",\"layers\":[" DESC(
		  "application/vnd.cncf.helm.chart.content.v1.tar+gzip") "]}",
	  -EOPNOTSUPP,
	  { "not a container image", "helm.config" } },
	{ V2 "\"config\":" DESC(DOCKER "plugin.v1+json") ",\"layers\":[" LAYER "]}",
	  -EOPNOTSUPP,
	  { "not a container image", "plugin" } },
	{ V2 "\"config\":" LAYER ",\"layers\":[" LAYER "]}",
	  -EOPNOTSUPP,
	  { "not a container image" } },
	{ V2 CONFIG ",\"layers\":[" DESC("application/vnd.in-toto+json") "]}",
	  -EOPNOTSUPP,
	  { "not a container image", "application/vnd.in-toto+json" } },
	{ V2 CONFIG ",\"layers\":[" DESC("application/vnd.dev.cosign.simplesigning.v1+json") "]}",
	  -EOPNOTSUPP,
	  { "not a container image", "cosign" } },
	/* layers that cannot be unpacked */
	{ V2 CONFIG ",\"layers\":[" LAYER "," DESC("application/x-\\u001b[31m") "]}",
	  -EOPNOTSUPP,
	  { "layer 1", "application/x-\\x1b" } },
	{ V2 CONFIG ",\"layers\":[" LAYER "," DESC(OCI "layer.v1.tar+gzip+encrypted") "]}",
	  -EOPNOTSUPP,
	  { "layer 1", "tar+gzip+encrypted" } },
	{ V2 CONFIG ",\"layers\":[{\"digest\":\"sha256:" HEX64 "\",\"size\":7}]}",
	  -EOPNOTSUPP,
	  { "layer 0", "none" } },
	{ V2 CONFIG ",\"layers\":[" DESC(OCI "config.v1+json") "]}", -EOPNOTSUPP, { "layer 0" } },
	{ V2 CONFIG ",\"layers\":[" DESC(OCI "manifest.v1+json") "]}", -EOPNOTSUPP, { "layer 0" } },
	{ V2 CONFIG ",\"layers\":[" LAYER
		    "," DESC(OCI "layer.nondistributable.v1.tar+gzip") "," LAYER "]}",
	  -EOPNOTSUPP,
	  { "layer 1 is a foreign layer", "nondistributable" } },
	{ V2 CONFIG ",\"layers\":[" DESC(DOCKER "image.rootfs.foreign.diff.tar.gzip") "]}",
	  -EOPNOTSUPP,
	  { "layer 0 is a foreign layer", "rootfs.foreign" } },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct image_manifest m = { .n_layers = 42 };
		struct err err = { 0 };
		int r = decode(refused[i].text, &m, &err);

		if (r != refused[i].code)
			fail_msg("%s: %d %s", refused[i].text, r, err.msg);
		assert_int_equal(err.kind, r == -EBADMSG ? ERR_CORRUPT : ERR_UNSUPPORTED);
		assert_int_equal(strncmp(err.msg, "manifest: ", 10), 0);
		for (size_t k = 0; k < ARRAY_SIZE(refused[i].words) && refused[i].words[k]; k++) {
			if (!strstr(err.msg, refused[i].words[k]))
				fail_msg("%s: \"%s\" does not tell of %s", refused[i].text, err.msg,
					 refused[i].words[k]);
		}
		assert_int_equal(m.n_layers, 42);
	}
}

static char *many_layers(size_t n)
{
	struct strbuf b = STRBUF_INIT(MANIFEST_BYTES_MAX);

	assert_int_equal(strbuf_adds(&b, V2 CONFIG ",\"layers\":["), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(strbuf_addf(&b, "%s" LAYER, i ? "," : ""), 0);
	assert_int_equal(strbuf_adds(&b, "]}"), 0);
	return strbuf_steal(&b);
}

static void test_many_layers(void **state)
{
	AUTO(image_manifest) m = { 0 };
	AUTO_FREE char *most = many_layers(LAYERS_MAX);
	AUTO_FREE char *too_many = many_layers(LAYERS_MAX + 1);
	struct err err;

	(void)state;
	assert_int_equal(decode(most, &m, &err), 0);
	assert_int_equal(m.n_layers, LAYERS_MAX);
	image_manifest_done(&m);
	assert_int_equal(decode(too_many, &m, &err), -EBADMSG);
	assert_non_null(strstr(err.msg, "4097 layers"));
}

static void test_done(void **state)
{
	struct image_manifest zero = { 0 };

	(void)state;
	image_manifest_done(NULL);
	image_manifest_done(&zero);
	image_manifest_done(&zero);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oci),	  cmocka_unit_test(test_docker),
		cmocka_unit_test(test_no_layers), cmocka_unit_test(test_legacy_config_types),
		cmocka_unit_test(test_refused),	  cmocka_unit_test(test_many_layers),
		cmocka_unit_test(test_done),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
