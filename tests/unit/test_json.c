// SPDX-License-Identifier: MIT
/* JSON: what is refused, limits to the value, lookups in huge objects, typed access, the writer's bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/deadline.h"
#include "base/json.h"
#include "base/strv.h"

static struct json *parse(const char *text)
{
	struct json *v = NULL;
	struct err e = { 0 };

	if (json_parse(text, strlen(text), &v, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	return v;
}

static void test_values(void **state)
{
	AUTO_PTR(json)
	v = parse(" {\"s\":\"a\\u00e9\\n\\ud83d\\udc33/\\/\",\"i\":-42,\"d\":1.5,\"t\":true,"
		  "\"f\":false,\"n\":null,\"a\":[1,\"x\",[]],\"o\":{}}\n\t ");
	const struct json *a = json_get(v, "a");
	int64_t n = 0;

	(void)state;
	assert_int_equal(json_type(v), JSON_OBJECT);
	assert_int_equal(json_len(v), 8);
	assert_string_equal(json_string(json_get(v, "s")), "a\xc3\xa9\n\xf0\x9f\x90\xb3//");
	assert_int_equal(json_int(json_get(v, "i"), &n), 0);
	assert_int_equal(n, -42);
	assert_int_equal(json_type(json_get(v, "d")), JSON_DOUBLE);
	assert_int_equal(json_int(json_get(v, "d"), &n), -EINVAL);
	assert_int_equal(n, -42);
	assert_true(json_bool(json_get(v, "t"), false));
	assert_false(json_bool(json_get(v, "f"), true));
	assert_null(json_get(v, "n"));
	assert_int_equal(json_type(json_at(v, 5)), JSON_NULL);
	assert_int_equal(json_type(a), JSON_ARRAY);
	assert_int_equal(json_len(a), 3);
	assert_string_equal(json_string(json_at(a, 1)), "x");
	assert_null(json_key_at(a, 1));
	assert_int_equal(json_len(json_at(a, 2)), 0);
	assert_null(json_at(a, 3));
	assert_int_equal(json_len(json_get(v, "o")), 0);
}

static void test_members_keep_document_order(void **state)
{
	AUTO_PTR(json) v = parse("{\"z\":1,\"a\":2,\"m\":3}");

	(void)state;
	assert_string_equal(json_key_at(v, 0), "z");
	assert_string_equal(json_key_at(v, 1), "a");
	assert_string_equal(json_key_at(v, 2), "m");
	assert_null(json_key_at(v, 3));
	assert_ptr_equal(json_at(v, 1), json_get(v, "a"));
}

static void test_wrong_types_are_nothing(void **state)
{
	AUTO_PTR(json) v = parse("[1]");
	const struct json *one = json_at(v, 0);
	int64_t n;

	(void)state;
	assert_null(json_get(v, "a"));
	assert_null(json_get(NULL, "a"));
	assert_null(json_string(one));
	assert_null(json_string(NULL));
	assert_true(json_bool(one, true));
	assert_false(json_bool(NULL, false));
	assert_int_equal(json_int(v, &n), -EINVAL);
	assert_int_equal(json_int(NULL, &n), -EINVAL);
	assert_int_equal(json_len(one), 0);
	assert_int_equal(json_len(NULL), 0);
	assert_null(json_at(NULL, 0));
	assert_null(json_at(one, 0));
	assert_null(json_key_at(one, 0));
	json_free(NULL);
}

static void test_scalars_at_the_top(void **state)
{
	static const char *const texts[] = { "1", " \"x\" ", "true", "null", "-0", "1e5", "[]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_free(parse(texts[i]));
}

static void test_refuses(void **state)
{
#define TEXT(s)                  \
	{                        \
		s, sizeof(s) - 1 \
	}
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		TEXT(""),
		TEXT(" \n"),
		TEXT("{"),
		TEXT("[1,"),
		TEXT("[1,]"),
		TEXT("{\"a\":1,}"),
		TEXT("[1 2]"),
		TEXT("{\"a\"}"),
		TEXT("{a:1}"),
		TEXT("{'a':1}"),
		TEXT("{1:2}"),
		TEXT("1 2"),
		TEXT("{}{}"),
		TEXT("{} x"),
		TEXT("{}\0"),
		TEXT("\0{}"),
		TEXT("[1]]"),
		TEXT("01"),
		TEXT("+1"),
		TEXT("1."),
		TEXT(".5"),
		TEXT("1e"),
		TEXT("-"),
		TEXT("NaN"),
		TEXT("Infinity"),
		TEXT("tru"),
		TEXT("True"),
		TEXT("nul"),
		TEXT("\"abc"),
		TEXT("\"a\nb\""),
		TEXT("\"a\tb\""),
		TEXT("\"\\x41\""),
		TEXT("\"\\u12\""),
		TEXT("\"\\"),
		TEXT("/* c */ 1"),
		TEXT("// c\n1"),
		TEXT("\xef\xbb\xbf{}"),
		/* NUL in strings and keys, escaped and raw */
		TEXT("\"a\\u0000b\""),
		TEXT("{\"a\\u0000\":1}"),
		TEXT("\"a\0b\""),
		/* not UTF-8: lone byte, overlong, surrogate, cut */
		TEXT("\"\xff\""),
		TEXT("\"\xc0\x80\""),
		TEXT("\"\xed\xa0\x80\""),
		TEXT("\"\xe2\x82\""),
		TEXT("{\"\x80\":1}"),
		/* duplicates, also once escaped differently, also nested, also null */
		TEXT("{\"a\":1,\"a\":1}"),
		TEXT("{\"a\":1,\"b\":2,\"\\u0061\":3}"),
		TEXT("[{\"x\":{\"k\":1,\"k\":null}}]"),
		TEXT("{\"\":1,\"\":2}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* of exactly that size, so that the sanitizer sees a read behind it */
		AUTO_FREE char *text = malloc(cases[i].len + 1);
		struct json *v = NULL;
		struct err e = { 0 };
		char *start = text + 1;
		int r;

		memcpy(start, cases[i].text, cases[i].len);
		r = json_parse(start, cases[i].len, &v, &e);
		if (r != -EBADMSG || v)
			fail_msg("%zu: %s: %d", i, cases[i].text, r);
		assert_int_equal(e.code, -EBADMSG);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_int_equal(json_parse(start, cases[i].len, &v, NULL), -EBADMSG);
	}
}

static void test_messages(void **state)
{
	struct json *v = NULL;
	struct err e = { 0 };

	(void)state;
	(void)json_parse("[1] x", 5, &v, &e);
	assert_string_equal(e.msg, "not JSON at byte 5: parse error: trailing garbage");
	(void)json_parse("[1, ", 4, &v, &e);
	assert_string_equal(e.msg, "not JSON at byte 4: parse error: premature EOF");
	(void)json_parse("{\"k\\n\":1,\"k\\n\":2}", 17, &v, &e);
	assert_string_equal(e.msg, "JSON object has two members \"k\\x0a\"");
}

static void test_integers(void **state)
{
	AUTO_PTR(json)
	v = parse("[9223372036854775807,-9223372036854775808,9223372036854775808,"
		  "-9223372036854775809,1e2,1.0,99999999999999999999999999]");
	int64_t n;

	(void)state;
	assert_int_equal(json_int(json_at(v, 0), &n), 0);
	assert_true(n == INT64_MAX);
	assert_int_equal(json_int(json_at(v, 1), &n), 0);
	assert_true(n == INT64_MIN);
	for (size_t i = 2; i < json_len(v); i++) {
		assert_int_equal(json_type(json_at(v, i)), JSON_DOUBLE);
		assert_int_equal(json_int(json_at(v, i), &n), -EINVAL);
	}
}

/* @n times @open, then @middle, then @n times @close */
static char *nest(size_t n, const char *open, const char *middle, const char *close)
{
	AUTO(strbuf) b = STRBUF_INIT(10000000);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(strbuf_adds(&b, open), 0);
	assert_int_equal(strbuf_adds(&b, middle), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(strbuf_adds(&b, close), 0);
	return strbuf_steal(&b);
}

static void test_depth(void **state)
{
	AUTO_FREE char *fits = nest(JSON_DEPTH_MAX, "[", "1", "]");
	AUTO_FREE char *over = nest(JSON_DEPTH_MAX + 1, "[", "1", "]");
	AUTO_FREE char *objects = nest(JSON_DEPTH_MAX + 1, "{\"a\":", "1", "}");
	AUTO_FREE char *bomb = nest(1000000, "[", "", "");
	struct json *v = NULL;
	struct err e = { 0 };

	(void)state;
	json_free(parse(fits));
	assert_int_equal(json_parse(over, strlen(over), &v, &e), -E2BIG);
	assert_string_equal(e.msg, "JSON deeper than 64 levels");
	assert_int_equal(json_parse(objects, strlen(objects), &v, NULL), -E2BIG);
	assert_int_equal(json_parse(bomb, strlen(bomb), &v, NULL), -E2BIG);
	assert_null(v);
}

static char *array_of(size_t n, const char *element)
{
	AUTO(strbuf) b = STRBUF_INIT(10000000);

	assert_int_equal(strbuf_addc(&b, '['), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(strbuf_addf(&b, i ? ",%s" : "%s", element), 0);
	assert_int_equal(strbuf_addc(&b, ']'), 0);
	return strbuf_steal(&b);
}

static void test_nodes(void **state)
{
	/* the array is a value too */
	AUTO_FREE char *fits = array_of(JSON_NODES_MAX - 1, "0");
	AUTO_FREE char *over = array_of(JSON_NODES_MAX, "0");
	AUTO_FREE char *containers = array_of(JSON_NODES_MAX, "{}");
	AUTO_PTR(json) v = parse(fits);
	struct json *none = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(json_len(v), JSON_NODES_MAX - 1);
	assert_int_equal(json_parse(over, strlen(over), &none, &e), -E2BIG);
	assert_string_equal(e.msg, "JSON has more than 200000 values");
	assert_int_equal(json_parse(containers, strlen(containers), &none, NULL), -E2BIG);
	assert_null(none);
}

/* Would take minutes if the check for duplicates or the lookup were quadratic. */
static void test_huge_object(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(100000000);
	AUTO_PTR(json) v = NULL;
	struct json *none = NULL;
	usec_t began = now_usec();
	const size_t n = 150000;

	(void)state;
	assert_int_equal(strbuf_addc(&b, '{'), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(strbuf_addf(&b, "\"key%zu\":%zu,", i * 7919 % n, i), 0);
	b.text[b.len - 1] = '}';
	v = parse(b.text);
	for (size_t i = 0; i < n; i++) {
		char key[32];
		int64_t got;

		(void)snprintf(key, sizeof(key), "key%zu", i * 7919 % n);
		assert_int_equal(json_int(json_get(v, key), &got), 0);
		assert_int_equal(got, i);
	}
	b.text[b.len - 1] = ',';
	assert_int_equal(strbuf_adds(&b, "\"key77\":0}"), 0);
	assert_int_equal(json_parse(b.text, b.len, &none, NULL), -EBADMSG);
	assert_true(now_usec() - began < 20 * USEC_PER_SEC);
}

static void test_long_string(void **state)
{
	AUTO_FREE char *text = malloc(300003);
	AUTO_PTR(json) v = NULL;

	(void)state;
	memset(text, 'x', 300002);
	text[0] = text[300001] = '"';
	text[300002] = '\0';
	v = parse(text);
	assert_int_equal(strlen(json_string(v)), 300000);
}

static void test_member_access(void **state)
{
	AUTO_PTR(json) v = parse("{\"s\":\"x\",\"i\":7,\"b\":true,\"o\":{},\"a\":[],\"n\":null}");
	const struct json *sub = NULL;
	const char *s = "kept";
	struct err e = { 0 };
	int64_t i = 1;
	bool b = false;

	(void)state;
	assert_int_equal(json_member_string(v, "s", JSON_REQUIRED, &s, &e), 0);
	assert_string_equal(s, "x");
	assert_int_equal(json_member_int(v, "i", JSON_REQUIRED, &i, &e), 0);
	assert_int_equal(i, 7);
	assert_int_equal(json_member_bool(v, "b", JSON_REQUIRED, &b, &e), 0);
	assert_true(b);
	assert_int_equal(json_member_object(v, "o", JSON_REQUIRED, &sub, &e), 0);
	assert_int_equal(json_type(sub), JSON_OBJECT);
	assert_int_equal(json_member_array(v, "a", JSON_REQUIRED, &sub, &e), 0);
	assert_int_equal(json_type(sub), JSON_ARRAY);
	/* absent and null alike: optional ones leave the value alone, required ones fail */
	assert_int_equal(json_member_string(v, "n", JSON_OPTIONAL, &s, &e), 0);
	assert_string_equal(s, "x");
	assert_int_equal(json_member_int(v, "none", JSON_OPTIONAL, &i, &e), 0);
	assert_int_equal(i, 7);
	assert_int_equal(json_member_bool(NULL, "b", JSON_OPTIONAL, &b, &e), 0);
	assert_int_equal(json_member_object(v, "n", JSON_OPTIONAL, &sub, &e), 0);
	assert_null(sub);
	assert_int_equal(json_member_string(v, "n", JSON_REQUIRED, &s, &e), -EBADMSG);
	assert_string_equal(e.msg, "\"n\" is missing");
	assert_int_equal(json_member_int(v, "none", JSON_REQUIRED, &i, &e), -EBADMSG);
	assert_int_equal(e.kind, ERR_CORRUPT);
	/* a wrong type fails even if optional */
	assert_int_equal(json_member_string(v, "i", JSON_OPTIONAL, &s, &e), -EBADMSG);
	assert_string_equal(e.msg, "\"i\" is not a string");
	assert_int_equal(json_member_int(v, "s", JSON_OPTIONAL, &i, &e), -EBADMSG);
	assert_string_equal(e.msg, "\"s\" is not an integer");
	assert_int_equal(json_member_bool(v, "s", JSON_OPTIONAL, &b, &e), -EBADMSG);
	assert_int_equal(json_member_object(v, "a", JSON_OPTIONAL, &sub, &e), -EBADMSG);
	assert_int_equal(json_member_array(v, "o", JSON_OPTIONAL, &sub, NULL), -EBADMSG);
}

static void test_member_strv(void **state)
{
	AUTO_PTR(json)
	v = parse("{\"a\":[\"x\",\"\"],\"e\":[],\"m\":[\"x\",1],\"z\":[null],\"s\":\"x\"}");
	AUTO_STRV got = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(json_member_strv(v, "e", JSON_REQUIRED, &got, &e), 0);
	assert_null(got);
	assert_int_equal(json_member_strv(v, "none", JSON_OPTIONAL, &got, &e), 0);
	assert_null(got);
	assert_int_equal(json_member_strv(v, "none", JSON_REQUIRED, &got, &e), -EBADMSG);
	assert_int_equal(json_member_strv(v, "m", JSON_OPTIONAL, &got, &e), -EBADMSG);
	assert_string_equal(e.msg, "\"m\" is not an array of strings");
	assert_int_equal(json_member_strv(v, "z", JSON_OPTIONAL, &got, &e), -EBADMSG);
	assert_int_equal(json_member_strv(v, "s", JSON_OPTIONAL, &got, &e), -EBADMSG);
	assert_null(got);
	assert_int_equal(json_member_strv(v, "a", JSON_OPTIONAL, &got, &e), 0);
	assert_int_equal(strv_len(got), 2);
	assert_string_equal(got[0], "x");
	assert_string_equal(got[1], "");
}

static void write_sample(struct json_writer *w)
{
	char *strings[] = { (char[]){ "a" }, (char[]){ "" }, NULL };

	jw_object(w);
	jw_key(w, "empty");
	jw_object(w);
	jw_object_end(w);
	jw_key(w, "none");
	jw_array(w);
	jw_array_end(w);
	jw_key(w, "path/\"\\");
	jw_string(w, "/a\n\x01\xc3\xa9");
	jw_key(w, "bad");
	jw_string(w, "x\xff\xc3z");
	jw_key(w, "list");
	jw_array(w);
	jw_int(w, INT64_MIN);
	jw_bool(w, true);
	jw_null(w);
	jw_string(w, NULL);
	jw_array(w);
	jw_array_end(w);
	jw_array_end(w);
	jw_key(w, "v");
	jw_strv(w, strings);
	jw_key(w, "w");
	jw_strv(w, NULL);
	jw_object_end(w);
}

static void test_write(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(10000);
	struct json_writer *w;

	(void)state;
	assert_int_equal(json_write_begin(&b, false, &w), 0);
	write_sample(w);
	assert_int_equal(json_write_end(w), 0);
	assert_string_equal(strbuf_str(&b),
			    "{\"empty\":{},\"none\":[],\"path/\\\"\\\\\":\"/a\\n\\u0001\xc3\xa9\","
			    "\"bad\":\"x\xef\xbf\xbd\xef\xbf\xbdz\","
			    "\"list\":[-9223372036854775808,true,null,null,[]],"
			    "\"v\":[\"a\",\"\"],\"w\":null}");
}

static void test_write_pretty(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(10000);
	struct json_writer *w;

	(void)state;
	assert_int_equal(json_write_begin(&b, true, &w), 0);
	jw_array(w);
	jw_object(w);
	jw_key(w, "a");
	jw_int(w, 1);
	jw_key(w, "b");
	jw_object(w);
	jw_object_end(w);
	jw_key(w, "c");
	jw_array(w);
	jw_string(w, "/x");
	jw_array_end(w);
	jw_object_end(w);
	jw_array_end(w);
	assert_int_equal(json_write_end(w), 0);
	assert_string_equal(strbuf_str(&b), "[\n"
					    "    {\n"
					    "        \"a\": 1,\n"
					    "        \"b\": {},\n"
					    "        \"c\": [\n"
					    "            \"/x\"\n"
					    "        ]\n"
					    "    }\n"
					    "]\n");
}

static void test_write_value_round_trip(void **state)
{
	static const char text[] = "{\"z\":[1,-2.50e3,99999999999999999999,true,null,\"\\u0007/\"],"
				   "\"a\":{\"b\":{}}}";
	AUTO_PTR(json) v = parse(text);
	AUTO(strbuf) b = STRBUF_INIT(10000);
	struct json_writer *w;

	(void)state;
	assert_int_equal(json_write_begin(&b, false, &w), 0);
	jw_value(w, v);
	assert_int_equal(json_write_end(w), 0);
	assert_string_equal(strbuf_str(&b), text);
	strbuf_reset(&b);
	assert_int_equal(json_write_begin(&b, false, &w), 0);
	jw_value(w, NULL);
	assert_int_equal(json_write_end(w), 0);
	assert_string_equal(strbuf_str(&b), "null");
}

static void test_write_failures_stick(void **state)
{
	AUTO(strbuf) small = STRBUF_INIT(10);
	AUTO(strbuf) b = STRBUF_INIT(10000);
	struct json_writer *w;

	(void)state;
	assert_int_equal(json_write_begin(&small, false, &w), 0);
	write_sample(w);
	assert_int_equal(json_write_end(w), -E2BIG);
	assert_true(small.len <= 10);
	/* not closed */
	assert_int_equal(json_write_begin(&b, false, &w), 0);
	jw_array(w);
	assert_int_equal(json_write_end(w), -EINVAL);
	/* a number for a key */
	assert_int_equal(json_write_begin(&b, false, &w), 0);
	jw_object(w);
	jw_int(w, 1);
	jw_object_end(w);
	assert_int_equal(json_write_end(w), -EINVAL);
	/* deeper than yajl goes */
	assert_int_equal(json_write_begin(&b, false, &w), 0);
	for (int i = 0; i < 200; i++)
		jw_array(w);
	for (int i = 0; i < 200; i++)
		jw_array_end(w);
	assert_int_equal(json_write_end(w), -E2BIG);
	assert_int_equal(json_write_end(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_members_keep_document_order),
		cmocka_unit_test(test_wrong_types_are_nothing),
		cmocka_unit_test(test_scalars_at_the_top),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_huge_object),
		cmocka_unit_test(test_long_string),
		cmocka_unit_test(test_member_access),
		cmocka_unit_test(test_member_strv),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_pretty),
		cmocka_unit_test(test_write_value_round_trip),
		cmocka_unit_test(test_write_failures_stick),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
