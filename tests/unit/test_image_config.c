// SPDX-License-Identifier: MIT
// Image configurations: what docker and buildkit write is taken, limits hold, malformed members are named.
#include "oci/image_config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "oci/manifest.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX_A "\"]}"
#define WITH(members) "{\"config\":{" members "}," ROOTFS "}"

static int decode(const char *text, struct image_config *ret, struct err *err)
{
	return image_config_decode(text, strlen(text), ret, err);
}

static void assert_strv(char *const *v, const char *const *want)
{
	size_t n = 0;

	for (; want[n]; n++) {
		assert_true(n < strv_len(v));
		assert_string_equal(v[n], want[n]);
	}
	assert_int_equal(strv_len(v), n);
}

static const char full[] =
	"{\"created\":\"2026-01-02T03:04:05.678Z\",\"author\":\"x\",\"architecture\":\"arm64\","
	"\"os\":\"linux\",\"variant\":\"v8\",\"docker_version\":\"28\",\"config\":{"
	"\"Hostname\":\"\",\"AttachStdin\":false,\"User\":\"1000:100\","
	"\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{},\"8080\":{}},"
	"\"Env\":[\"PATH=/bin\",\"EMPTY=\",\"NOEQUALS\",\"A=b=c\",\"\"],"
	"\"Entrypoint\":[\"/bin/sh\",\"-c\"],\"Cmd\":[\"echo \\\"hi\\\"\",\"\"],"
	"\"Volumes\":{\"/data\":{},\"/b\":{}},\"WorkingDir\":\"/srv\",\"ArgsEscaped\":true,"
	"\"Labels\":{\"k\":\"v\",\"a.b/c\":\"x=y\",\"none\":null,\"empty\":\"\"},"
	"\"StopSignal\":\"SIGQUIT\",\"OnBuild\":null,"
	"\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"],\"Interval\":30000000000}},"
	"\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}],"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX_B "\",\"sha256:" HEX_A
	"\"]}}\n";

static void test_full(void **state)
{
	AUTO(image_config) c = { 0 };
	struct err err = { 0 };

	(void)state;
	if (decode(full, &c, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(PLATFORM_STR(&c.platform), "linux/arm64");
	assert_string_equal(c.created, "2026-01-02T03:04:05.678Z");
	assert_string_equal(c.user, "1000:100");
	assert_string_equal(c.workdir, "/srv");
	assert_string_equal(c.stop_signal, "SIGQUIT");
	assert_strv(c.env,
		    (const char *[]){ "PATH=/bin", "EMPTY=", "NOEQUALS", "A=b=c", "", NULL });
	assert_strv(c.entrypoint, (const char *[]){ "/bin/sh", "-c", NULL });
	assert_strv(c.cmd, (const char *[]){ "echo \"hi\"", "", NULL });
	assert_strv(c.exposed_ports, (const char *[]){ "80/tcp", "53/udp", "8080", NULL });
	assert_strv(c.volumes, (const char *[]){ "/data", "/b", NULL });
	assert_strv(c.labels, (const char *[]){ "k=v", "a.b/c=x=y", "none=", "empty=", NULL });
	assert_int_equal(c.n_diff_ids, 2);
	assert_string_equal(c.diff_ids[0].hex, HEX_B);
	assert_string_equal(c.diff_ids[1].hex, HEX_A);
	assert_int_equal(err.code, 0);
}

static void test_absent(void **state)
{
	static const char *const cases[] = {
		"{" ROOTFS "}",
		"{\"config\":null," ROOTFS "}",
		WITH(""),
		"{\"created\":null,\"os\":null,\"architecture\":null,\"variant\":null," ROOTFS "}",
		WITH("\"User\":null,\"Env\":null,\"Entrypoint\":null,\"Cmd\":null,\"WorkingDir\":"
		     "null,\"StopSignal\":null,\"ExposedPorts\":null,\"Volumes\":null,\"Labels\":"
		     "null"),
		WITH("\"User\":\"\",\"Env\":[],\"Entrypoint\":[],\"Cmd\":[],\"WorkingDir\":\"\","
		     "\"StopSignal\":\"\",\"ExposedPorts\":{},\"Volumes\":{},\"Labels\":{}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(image_config) c = { 0 };
		struct err err = { 0 };

		if (decode(cases[i], &c, &err) < 0)
			fail_msg("%s: %s", cases[i], err.msg);
		assert_false(platform_is_set(&c.platform));
		assert_null(c.created);
		assert_null(c.user);
		assert_null(c.workdir);
		assert_null(c.stop_signal);
		assert_null(c.env);
		assert_null(c.entrypoint);
		assert_null(c.cmd);
		assert_null(c.exposed_ports);
		assert_null(c.volumes);
		assert_null(c.labels);
		assert_int_equal(c.n_diff_ids, 1);
	}
}

static void test_no_layers(void **state)
{
	static const char *const cases[] = {
		"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
		"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null}}",
		"{\"rootfs\":{\"type\":\"layers\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(image_config) c = { 0 };

		assert_int_equal(decode(cases[i], &c, NULL), 0);
		assert_int_equal(c.n_diff_ids, 0);
		assert_null(c.diff_ids);
	}
}

/* moby's StrSlice: a string is a slice of one element. */
static void test_command_line_as_string(void **state)
{
	AUTO(image_config) c = { 0 };
	struct err err = { 0 };

	(void)state;
	if (decode(WITH("\"Entrypoint\":\"/bin/x\",\"Cmd\":\"a b\""), &c, &err) < 0)
		fail_msg("%s", err.msg);
	assert_strv(c.entrypoint, (const char *[]){ "/bin/x", NULL });
	assert_strv(c.cmd, (const char *[]){ "a b", NULL });
	image_config_done(&c);
	assert_int_equal(decode(WITH("\"Cmd\":\"\""), &c, &err), 0);
	assert_strv(c.cmd, (const char *[]){ "", NULL });
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *word;
	} cases[] = {
		{ "", -EBADMSG, "" },
		{ "{", -EBADMSG, "" },
		{ "[]", -EBADMSG, "object" },
		{ "null", -EBADMSG, "object" },
		{ "{" ROOTFS "}x", -EBADMSG, "" },
		{ "{" ROOTFS "," ROOTFS "}", -EBADMSG, "rootfs" },
		{ "{}", -EBADMSG, "rootfs" },
		{ "{\"rootfs\":null}", -EBADMSG, "rootfs" },
		{ "{\"rootfs\":[]}", -EBADMSG, "rootfs" },
		{ "{\"rootfs\":{}}", -EBADMSG, "type" },
		{ "{\"rootfs\":{\"type\":\"layer\"}}", -EBADMSG, "\"layer\" is not \"layers\"" },
		{ "{\"rootfs\":{\"type\":1}}", -EBADMSG, "type" },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":{}}}", -EBADMSG, "diff_ids" },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[1]}}", -EBADMSG, "diff_ids" },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[null]}}", -EBADMSG, "member 0" },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX_A
		  "\",\"sha256:../x\"]}}",
		  -EBADMSG, "member 1" },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha512:" HEX_A HEX_A "\"]}}",
		  -EOPNOTSUPP, "unsupported digest algorithm" },
		{ "{\"os\":1," ROOTFS "}", -EBADMSG, "os" },
		{ "{\"architecture\":[]," ROOTFS "}", -EBADMSG, "architecture" },
		{ "{\"os\":\"li\\nnux\"," ROOTFS "}", -EBADMSG, "platform li\\x0anux" },
		{ "{\"variant\":\"" HEX_A "\"," ROOTFS "}", -EBADMSG, "platform" },
		{ "{\"created\":5," ROOTFS "}", -EBADMSG, "created" },
		{ "{\"config\":[]," ROOTFS "}", -EBADMSG, "config" },
		{ WITH("\"User\":1000"), -EBADMSG, "User" },
		{ WITH("\"WorkingDir\":[]"), -EBADMSG, "WorkingDir" },
		{ WITH("\"StopSignal\":9"), -EBADMSG, "StopSignal" },
		{ WITH("\"Env\":\"A=b\""), -EBADMSG, "Env" },
		{ WITH("\"Env\":{\"A\":\"b\"}"), -EBADMSG, "Env" },
		{ WITH("\"Env\":[\"A=b\",1]"), -EBADMSG, "Env" },
		{ WITH("\"Env\":[\"A=b\\u0000LD_PRELOAD=x\"]"), -EBADMSG, "" },
		{ WITH("\"User\":\"0\\u0000x\""), -EBADMSG, "" },
		{ WITH("\"Entrypoint\":{}"), -EBADMSG, "Entrypoint" },
		{ WITH("\"Entrypoint\":1"), -EBADMSG, "Entrypoint" },
		{ WITH("\"Cmd\":true"), -EBADMSG, "Cmd" },
		{ WITH("\"Cmd\":[[]]"), -EBADMSG, "Cmd" },
		{ WITH("\"Cmd\":[null]"), -EBADMSG, "Cmd" },
		{ WITH("\"ExposedPorts\":[\"80\"]"), -EBADMSG, "ExposedPorts" },
		{ WITH("\"Volumes\":[\"/data\"]"), -EBADMSG, "Volumes" },
		{ WITH("\"Labels\":[]"), -EBADMSG, "Labels" },
		{ WITH("\"Labels\":{\"a\":1}"), -EBADMSG, "Labels: \"a\"" },
		{ WITH("\"Labels\":{\"a\":\"b\",\"a\":\"c\"}"), -EBADMSG, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_config c = { .n_diff_ids = 42 };
		struct err err = { 0 };

		if (decode(cases[i].text, &c, &err) != cases[i].code)
			fail_msg("%s: %d %s", cases[i].text, err.code, err.msg);
		assert_int_equal(err.kind,
				 cases[i].code == -EBADMSG ? ERR_CORRUPT : ERR_UNSUPPORTED);
		assert_int_equal(strncmp(err.msg, "image config: ", 14), 0);
		if (!strstr(err.msg, cases[i].word))
			fail_msg("%s: \"%s\" does not tell of %s", cases[i].text, err.msg,
				 cases[i].word);
		assert_int_equal(c.n_diff_ids, 42);
	}
}

/* {"config":{"KEY":<open><n times item, # replaced by the number><close>},rootfs} */
static char *repeated(const char *key, const char *item, const char *brackets, size_t n)
{
	struct strbuf b = STRBUF_INIT(IMAGE_CONFIG_BYTES_MAX);

	assert_int_equal(strbuf_addf(&b, "{\"config\":{\"%s\":%c", key, brackets[0]), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(strbuf_addf(&b, "%s\"%zu\"%s", i ? "," : "", i, item), 0);
	}
	assert_int_equal(strbuf_addf(&b, "%c}," ROOTFS "}", brackets[1]), 0);
	return strbuf_steal(&b);
}

static void test_list_limits(void **state)
{
	static const struct {
		const char *key, *item, *brackets;
		size_t max;
	} lists[] = {
		{ "Env", "", "[]", IMAGE_LIST_MAX },
		{ "Entrypoint", "", "[]", IMAGE_LIST_MAX },
		{ "Cmd", "", "[]", IMAGE_LIST_MAX },
		{ "ExposedPorts", ":{}", "{}", IMAGE_LIST_MAX },
		{ "Volumes", ":{}", "{}", IMAGE_LIST_MAX },
		{ "Labels", ":\"x\"", "{}", IMAGE_LABELS_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		AUTO(image_config) c = { 0 };
		struct err err = { 0 };
		AUTO_FREE char *most =
			repeated(lists[i].key, lists[i].item, lists[i].brackets, lists[i].max);
		AUTO_FREE char *more =
			repeated(lists[i].key, lists[i].item, lists[i].brackets, lists[i].max + 1);

		if (decode(most, &c, &err) < 0)
			fail_msg("%s: %s", lists[i].key, err.msg);
		image_config_done(&c);
		assert_int_equal(decode(more, &c, &err), -E2BIG);
		assert_non_null(strstr(err.msg, lists[i].key));
	}
}

static char *with_text(const char *key, size_t len)
{
	struct strbuf b = STRBUF_INIT(IMAGE_CONFIG_BYTES_MAX);

	assert_int_equal(strbuf_addf(&b, "{\"config\":{\"%s\":\"", key), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(strbuf_addc(&b, 'x'), 0);
	assert_int_equal(strbuf_adds(&b, "\"}," ROOTFS "}"), 0);
	return strbuf_steal(&b);
}

static void test_text_limits(void **state)
{
	static const struct {
		const char *key;
		size_t max;
	} texts[] = {
		{ "User", IMAGE_USER_MAX },
		{ "WorkingDir", IMAGE_TEXT_MAX },
		{ "StopSignal", IMAGE_TEXT_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(image_config) c = { 0 };
		struct err err = { 0 };
		AUTO_FREE char *most = with_text(texts[i].key, texts[i].max);
		AUTO_FREE char *more = with_text(texts[i].key, texts[i].max + 1);

		assert_int_equal(decode(most, &c, &err), 0);
		image_config_done(&c);
		assert_int_equal(decode(more, &c, &err), -E2BIG);
		assert_non_null(strstr(err.msg, texts[i].key));
	}
}

static void test_diff_id_limit(void **state)
{
	for (size_t n = LAYERS_MAX; n <= LAYERS_MAX + 1; n++) {
		struct strbuf b = STRBUF_INIT(IMAGE_CONFIG_BYTES_MAX);
		AUTO(image_config) c = { 0 };

		assert_int_equal(strbuf_adds(&b, "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["),
				 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(strbuf_addf(&b, "%s\"sha256:" HEX_A "\"", i ? "," : ""),
					 0);
		assert_int_equal(strbuf_adds(&b, "]}}"), 0);
		assert_int_equal(image_config_decode(b.text, b.len, &c, NULL),
				 n > LAYERS_MAX ? -E2BIG : 0);
		strbuf_done(&b);
	}
	(void)state;
}

static void test_document_limit(void **state)
{
	struct image_config c;
	struct err err = { 0 };

	(void)state;
	/* The length is refused before a byte is looked at. */
	assert_int_equal(image_config_decode("", IMAGE_CONFIG_BYTES_MAX + 1, &c, &err), -E2BIG);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void test_chain_id(void **state)
{
	const struct digest ids[] = { { HEX_A }, { HEX_B }, { HEX_C } };
	struct digest chain, pair, want;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(chain_id(ids, 0, &chain, &err), -EINVAL);
	assert_int_equal(chain_id(ids, 1, &chain, &err), 0);
	assert_string_equal(chain.hex, HEX_A);

	/* printf 'sha256:aa…a sha256:bb…b' | sha256sum, and so on */
	assert_int_equal(chain_id(ids, 2, &pair, &err), 0);
	assert_string_equal(pair.hex,
			    "ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c");
	assert_int_equal(chain_id(ids, 3, &chain, &err), 0);
	assert_string_equal(chain.hex,
			    "c1377126441fb2f5ec2c21ae2a60255331d639e830f0ee1b40a36e52d4c40588");

	/* A layer on the same layers is another chain in another order. */
	assert_int_equal(chain_id((const struct digest[]){ { HEX_B }, { HEX_A } }, 2, &want, &err),
			 0);
	assert_false(digest_equal(&pair, &want));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),	      cmocka_unit_test(test_absent),
		cmocka_unit_test(test_no_layers),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_list_limits),   cmocka_unit_test(test_text_limits),
		cmocka_unit_test(test_diff_id_limit), cmocka_unit_test(test_document_limit),
		cmocka_unit_test(test_chain_id),      cmocka_unit_test(test_command_line_as_string),
	};

	return cmocka_run_group_tests_name("image_config", tests, NULL, NULL);
}
