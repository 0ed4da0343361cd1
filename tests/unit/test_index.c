// SPDX-License-Identifier: MIT
// Which of manifest and index a document is, and which entry of an index serves a platform.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "oci/manifest.h"

#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define V2S2 "application/vnd.docker.distribution.manifest.v2+json"
#define V1 "application/vnd.docker.distribution.manifest.v1+json"
#define V1_JWS "application/vnd.docker.distribution.manifest.v1+prettyjws"
#define TYPED(type, rest) "{\"schemaVersion\":2,\"mediaType\":\"" type "\"," rest "}"
#define MANIFESTS "\"manifests\":[]"
#define LAYERS "\"config\":{},\"layers\":[]"
#define V1_BODY "{\"schemaVersion\":1,\"name\":\"a\",\"fsLayers\":[],\"history\":[]}"

static struct json *parse(const char *text)
{
	struct json *doc = NULL;
	struct err err;

	if (json_parse(text, strlen(text), &doc, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return doc;
}

static const struct {
	const char *text, *content_type;
	int type; /* or -errno */
} documents[] = {
	{ TYPED(OCI_INDEX, MANIFESTS), OCI_INDEX, MEDIA_INDEX },
	{ TYPED(OCI_MANIFEST, LAYERS), OCI_MANIFEST, MEDIA_MANIFEST },
	{ TYPED(LIST, MANIFESTS), LIST, MEDIA_INDEX },
	{ TYPED(V2S2, LAYERS), V2S2, MEDIA_MANIFEST },
	{ TYPED(OCI_INDEX, MANIFESTS), OCI_INDEX "; charset=utf-8", MEDIA_INDEX },
	/* nobody said, or in words that say nothing */
	{ TYPED(OCI_INDEX, MANIFESTS), NULL, MEDIA_INDEX },
	{ TYPED(OCI_MANIFEST, LAYERS), "application/json", MEDIA_MANIFEST },
	{ TYPED(OCI_MANIFEST, LAYERS), "text/plain; charset=utf-8", MEDIA_MANIFEST },
	{ TYPED(OCI_MANIFEST, LAYERS), "", MEDIA_MANIFEST },
	{ "{\"schemaVersion\":2," LAYERS "}", "application/octet-stream", MEDIA_MANIFEST },
	{ "{\"schemaVersion\":2," MANIFESTS "}", NULL, MEDIA_INDEX },
	{ "{\"schemaVersion\":2," LAYERS "}", NULL, MEDIA_MANIFEST },
	{ "{\"config\":{}}", NULL, MEDIA_MANIFEST },
	{ "{\"layers\":[]}", NULL, MEDIA_MANIFEST },
	{ "{\"schemaVersion\":2,\"mediaType\":\"\"," LAYERS "}", NULL, MEDIA_MANIFEST },
	/* OCI optional mediaType: the registry's word decides, the members agree */
	{ "{\"schemaVersion\":2," LAYERS "}", OCI_MANIFEST, MEDIA_MANIFEST },
	{ "{\"schemaVersion\":2," MANIFESTS "}", OCI_INDEX, MEDIA_INDEX },
	{ "{\"schemaVersion\":2}", OCI_INDEX, MEDIA_INDEX },
	/* the two dialects name the same thing */
	{ TYPED(OCI_MANIFEST, LAYERS), V2S2, MEDIA_MANIFEST },
	{ TYPED(LIST, MANIFESTS), OCI_INDEX, MEDIA_INDEX },
	/* null members are absent ones */
	{ TYPED(OCI_INDEX, MANIFESTS ",\"layers\":null,\"config\":null"), NULL, MEDIA_INDEX },
	{ TYPED(OCI_MANIFEST, LAYERS ",\"manifests\":null"), NULL, MEDIA_MANIFEST },
	/* schema 1 */
	{ V1_BODY, V1_JWS, MEDIA_MANIFEST_V1 },
	{ V1_BODY, V1, MEDIA_MANIFEST_V1 },
	{ V1_BODY, "application/json", MEDIA_MANIFEST_V1 },
	{ V1_BODY, NULL, MEDIA_MANIFEST_V1 },
	{ "{\"schemaVersion\":1}", NULL, MEDIA_MANIFEST_V1 },
	{ "{\"schemaVersion\":1,\"mediaType\":\"" V1 "\"}", NULL, MEDIA_MANIFEST_V1 },
	/* CVE-2021-41190: both at once, or said to be another */
	{ "{\"schemaVersion\":2," LAYERS "," MANIFESTS "}", NULL, -EBADMSG },
	{ "{\"schemaVersion\":2,\"config\":{}," MANIFESTS "}", OCI_INDEX, -EBADMSG },
	{ "{\"schemaVersion\":2,\"layers\":[]," MANIFESTS "}", OCI_INDEX, -EBADMSG },
	{ TYPED(OCI_INDEX, MANIFESTS "," LAYERS), OCI_INDEX, -EBADMSG },
	{ TYPED(OCI_MANIFEST, MANIFESTS "," LAYERS), OCI_MANIFEST, -EBADMSG },
	{ TYPED(OCI_INDEX, MANIFESTS), OCI_MANIFEST, -EBADMSG },
	{ TYPED(OCI_MANIFEST, LAYERS), OCI_INDEX, -EBADMSG },
	{ TYPED(V2S2, LAYERS), LIST, -EBADMSG },
	{ TYPED(OCI_INDEX, LAYERS), OCI_INDEX, -EBADMSG },
	{ TYPED(OCI_INDEX, LAYERS), NULL, -EBADMSG },
	{ TYPED(OCI_MANIFEST, MANIFESTS), NULL, -EBADMSG },
	{ "{\"schemaVersion\":2," LAYERS "}", OCI_INDEX, -EBADMSG },
	{ "{\"schemaVersion\":2," MANIFESTS "}", OCI_MANIFEST, -EBADMSG },
	{ "{\"schemaVersion\":2,\"fsLayers\":[]," LAYERS "}", NULL, -EBADMSG },
	{ "{\"schemaVersion\":2,\"fsLayers\":[]," MANIFESTS "}", NULL, -EBADMSG },
	{ V1_BODY, V2S2, -EBADMSG },
	{ TYPED(OCI_MANIFEST, LAYERS), V1_JWS, -EBADMSG },
	{ "{\"schemaVersion\":2," LAYERS "}", "application/vnd.oci.image.config.v1+json",
	  -EBADMSG },
	/* nothing of the kind */
	{ "{}", NULL, -EBADMSG },
	{ "{}", "application/vnd.oci.image.config.v1+json", -EBADMSG },
	{ "{}", "application/vnd.oci.image.layer.v1.tar", -EBADMSG },
	{ "{\"schemaVersion\":2}", NULL, -EBADMSG },
	{ "{\"errors\":[]}", "application/json", -EBADMSG },
	{ "[]", OCI_INDEX, -EBADMSG },
	{ "null", OCI_INDEX, -EBADMSG },
	{ "\"x\"", OCI_INDEX, -EBADMSG },
	{ "{\"mediaType\":1," LAYERS "}", NULL, -EBADMSG },
	{ TYPED("application/vnd.oci.artifact.manifest.v1+json", "\"blobs\":[]"), NULL,
	  -EOPNOTSUPP },
	{ TYPED("application/vnd.oci.image.config.v1+json", LAYERS), NULL, -EOPNOTSUPP },
};

static void test_document_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		AUTO_PTR(json) doc = parse(documents[i].text);
		struct err err = { 0 };
		int r = document_type(doc, documents[i].content_type, &err);

		if (r != documents[i].type)
			fail_msg("%s as %s: %d %s", documents[i].text,
				 documents[i].content_type ? documents[i].content_type : "NULL", r,
				 err.msg);
		if (r < 0)
			assert_int_equal(err.kind, r == -EBADMSG ? ERR_CORRUPT : ERR_UNSUPPORTED);
	}
	assert_int_equal(document_type(NULL, NULL, NULL), -EBADMSG);
}

/* Entries are told apart by their size. */
#define ENTRY(size, type, rest)                                              \
	"{\"mediaType\":\"" type "\",\"digest\":\"sha256:"                   \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"" \
	",\"size\":" #size rest "}"
#define ON(os, arch) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"
#define ON_VARIANT(arch, variant) \
	",\"platform\":{\"os\":\"linux\",\"architecture\":\"" arch "\",\"variant\":\"" variant "\"}"
#define ATTESTATION ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}"
#define SHA512(size, rest)                                                   \
	"{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"sha512:"           \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"   \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"" \
	",\"size\":" #size rest "}"

static const struct {
	const char *entries, *want;
	int64_t size; /* of the entry to be chosen, or -errno */
} selections[] = {
	/* what buildx pushes */
	{ ENTRY(1, OCI_MANIFEST, ON("linux", "amd64")) "," ENTRY(
		  2, OCI_MANIFEST, ON_VARIANT("arm64", "v8")) "," ENTRY(3, OCI_MANIFEST,
									ON("unknown", "unknown")
										ATTESTATION),
	  "linux/amd64", 1 },
	{ ENTRY(1, OCI_MANIFEST, ON("linux", "amd64")) "," ENTRY(2, OCI_MANIFEST,
								 ON_VARIANT("arm64", "v8")),
	  "linux/arm64", 2 },
	{ ENTRY(1, OCI_MANIFEST, ON("linux", "arm64")), "linux/arm64/v8", 1 },
	{ ENTRY(1, OCI_MANIFEST, ON("linux", "x86_64")), "linux/amd64", 1 },
	{ ENTRY(1, V2S2, ON("linux", "amd64")), "linux/amd64", 1 },
	/* the first of equals */
	{ ENTRY(1, OCI_MANIFEST, ON("linux", "amd64")) "," ENTRY(2, OCI_MANIFEST,
								 ON("linux", "amd64")),
	  "linux/amd64", 1 },
	/* variants: the best, wherever it stands */
	{ ENTRY(1, OCI_MANIFEST, ON_VARIANT("arm", "v5")) "," ENTRY(
		  2, OCI_MANIFEST, ON_VARIANT("arm", "v7")) "," ENTRY(3, OCI_MANIFEST,
								      ON_VARIANT("arm", "v6")),
	  "linux/arm/v8", 2 },
	{ ENTRY(1, OCI_MANIFEST, ON_VARIANT("arm", "v5")) "," ENTRY(2, OCI_MANIFEST,
								    ON_VARIANT("arm", "v7")),
	  "linux/arm/v6", 1 },
	{ ENTRY(1, OCI_MANIFEST, ON("linux", "amd64")) "," ENTRY(
		  2, OCI_MANIFEST, ON_VARIANT("amd64", "v2")) "," ENTRY(3, OCI_MANIFEST,
									ON_VARIANT("amd64", "v4")),
	  "linux/amd64/v3", 2 },
	{ ENTRY(1, OCI_MANIFEST, ON_VARIANT("amd64", "v2")) "," ENTRY(2, OCI_MANIFEST,
								      ON("linux", "amd64")),
	  "linux/amd64", 2 },
	/* never another architecture or system */
	{ ENTRY(1, OCI_MANIFEST, ON("linux", "386")), "linux/amd64", -ENOENT },
	{ ENTRY(1, OCI_MANIFEST, ON_VARIANT("arm", "v7")), "linux/arm64", -ENOENT },
	{ ENTRY(1, OCI_MANIFEST, ON("windows", "amd64")), "linux/amd64", -ENOENT },
	{ ENTRY(1, OCI_MANIFEST, ON_VARIANT("amd64", "v3")), "linux/amd64", -ENOENT },
	/* passed over */
	{ ENTRY(1, OCI_MANIFEST, ON("linux", "amd64") ATTESTATION), "linux/amd64", -ENOENT },
	{ ENTRY(1, OCI_MANIFEST, ATTESTATION), "linux/amd64", -ENOENT },
	{ ENTRY(1, OCI_MANIFEST, ON("unknown", "amd64")), "linux/amd64", -ENOENT },
	{ ENTRY(1, OCI_MANIFEST, ON("unknown", "unknown")), "linux/amd64", -ENOENT },
	{ ENTRY(1, OCI_MANIFEST, ON("unknown", "unknown")), "unknown/unknown", -ENOENT },
	{ ENTRY(1, "application/x-new", ON("linux", "amd64")), "linux/amd64", -ENOENT },
	{ ENTRY(1, "application/x-new", ON("linux", "amd64")) "," ENTRY(2, OCI_MANIFEST,
									ON("linux", "amd64")),
	  "linux/amd64", 2 },
	{ ENTRY(1, V1, ON("linux", "amd64")), "linux/amd64", -ENOENT },
	{ ENTRY(1, "application/vnd.oci.image.layer.v1.tar", ON("linux", "amd64")), "linux/amd64",
	  -ENOENT },
	/* nested */
	{ ENTRY(1, OCI_INDEX, ON("linux", "amd64")), "linux/amd64", 1 },
	{ ENTRY(1, LIST, ""), "linux/amd64", 1 },
	/* no platform: the last resort, artifacts excepted */
	{ ENTRY(1, OCI_MANIFEST, ""), "linux/amd64", 1 },
	{ ENTRY(1, OCI_MANIFEST, ON("", "")), "linux/amd64", 1 },
	{ ENTRY(1, OCI_MANIFEST, "") "," ENTRY(2, OCI_MANIFEST, ON_VARIANT("arm", "v5")),
	  "linux/arm/v8", 2 },
	{ ENTRY(1, OCI_MANIFEST, "") "," ENTRY(2, OCI_MANIFEST, ON("linux", "ppc64le")),
	  "linux/ppc64le/power9", 2 },
	{ ENTRY(1, OCI_MANIFEST,
		",\"artifactType\":\"application/x-sig\"") "," ENTRY(2, OCI_MANIFEST, ""),
	  "linux/amd64", 2 },
	{ ENTRY(1, OCI_MANIFEST, ",\"artifactType\":\"application/x-sig\""), "linux/amd64",
	  -ENOENT },
	{ "", "linux/amd64", -ENOENT },
	/* digests that cannot be verified */
	{ SHA512(1, ON("linux", "amd64")) "," ENTRY(2, OCI_MANIFEST, ON("linux", "amd64")),
	  "linux/amd64", 2 },
	{ SHA512(1, ON("linux", "amd64")), "linux/amd64", -EOPNOTSUPP },
	/* malformed entries are not passed over */
	{ "null", "linux/amd64", -EBADMSG },
	{ "{}", "linux/amd64", -EBADMSG },
	{ ENTRY(1, OCI_MANIFEST, ON("linux", "amd64")) ",[]", "linux/amd64", -EBADMSG },
	{ ENTRY(-1, OCI_MANIFEST, ON("linux", "amd64")), "linux/amd64", -EBADMSG },
	{ ENTRY(1, OCI_MANIFEST, ON("lin ux", "amd64")), "linux/amd64", -EBADMSG },
	{ ENTRY(1, OCI_MANIFEST, ",\"platform\":\"linux/amd64\""), "linux/amd64", -EBADMSG },
};

static void test_select(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(selections); i++) {
		struct strbuf text = STRBUF_INIT(8192);
		struct descriptor d = { .size = 42 };
		struct platform want;
		struct err err = { 0 };

		assert_int_equal(strbuf_addf(&text, "{\"schemaVersion\":2,\"manifests\":[%s]}",
					     selections[i].entries),
				 0);
		assert_int_equal(platform_parse(selections[i].want, &want, NULL), 0);

		AUTO_PTR(json) doc = parse(strbuf_str(&text));
		int r = index_select(doc, &want, &d, &err);

		if ((r < 0 ? r : d.size) != selections[i].size)
			fail_msg("%s for %s: %d, %s, size %d", selections[i].entries,
				 selections[i].want, r, err.msg, (int)d.size);
		if (r < 0) {
			assert_int_equal(d.size, 42);
			assert_int_equal(err.code, r);
			assert_int_equal(index_select(doc, &want, &d, NULL), r);
		}
		strbuf_done(&text);
	}
}

static void test_select_message(void **state)
{
	AUTO_PTR(json)
	doc = parse("{\"schemaVersion\":2,\"manifests\":[" ENTRY(
		1, OCI_MANIFEST,
		ON_VARIANT("arm", "v7")) "," ENTRY(2, OCI_MANIFEST,
						   ON("unknown",
						      "unknown")) "," ENTRY(3, OCI_MANIFEST,
									    ON("windows",
									       "amd64")) "]}");
	AUTO_PTR(json) empty = parse("{\"schemaVersion\":2,\"manifests\":[]}");
	struct platform want = { .os = "linux", .arch = "amd64" };
	struct descriptor d;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(index_select(doc, &want, &d, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_string_equal(err.msg,
			    "no matching manifest for linux/amd64 in the manifest list entries (it "
			    "has linux/arm/v7, windows/amd64)");
	assert_int_equal(index_select(empty, &want, &d, &err), -ENOENT);
	assert_string_equal(err.msg,
			    "no matching manifest for linux/amd64 in the manifest list entries");
}

static void test_select_many_entries(void **state)
{
	struct strbuf text = STRBUF_INIT(MANIFEST_BYTES_MAX);
	struct platform want = { .os = "linux", .arch = "amd64" };
	struct descriptor d;
	struct err err = { 0 };
	int r;

	(void)state;
	assert_int_equal(strbuf_adds(&text, "{\"schemaVersion\":2,\"manifests\":["), 0);
	for (int i = 0; i < 1000; i++) {
		r = strbuf_adds(&text, ENTRY(1, OCI_MANIFEST, ON("linux", "s390x")) ",");
		assert_int_equal(r, 0);
	}
	assert_int_equal(strbuf_adds(&text, ENTRY(9, OCI_MANIFEST, ON("linux", "amd64")) "]}"), 0);

	AUTO_PTR(json) doc = parse(strbuf_str(&text));

	strbuf_done(&text);
	assert_int_equal(index_select(doc, &want, &d, &err), 0);
	assert_int_equal(d.size, 9);
	want = (struct platform){ .os = "linux", .arch = "riscv64" };
	assert_int_equal(index_select(doc, &want, &d, &err), -ENOENT);
	assert_non_null(strstr(err.msg, ", ...)"));
}

static void test_select_malformed(void **state)
{
	static const char *const cases[] = {
		"{}",
		"[]",
		"{\"schemaVersion\":2}",
		"{\"schemaVersion\":2,\"manifests\":null}",
		"{\"schemaVersion\":2,\"manifests\":{}}",
		"{\"schemaVersion\":1,\"manifests\":[]}",
		"{\"schemaVersion\":\"2\",\"manifests\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_PTR(json) doc = parse(cases[i]);
		struct platform want = { .os = "linux", .arch = "amd64" };
		struct descriptor d;
		struct err err = { 0 };

		if (index_select(doc, &want, &d, &err) != -EBADMSG)
			fail_msg("%s: %d %s", cases[i], err.code, err.msg);
		assert_int_equal(err.kind, ERR_CORRUPT);
		assert_int_equal(strncmp(err.msg, "index: ", 7), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_type),	    cmocka_unit_test(test_select),
		cmocka_unit_test(test_select_message),	    cmocka_unit_test(test_select_malformed),
		cmocka_unit_test(test_select_many_entries),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
