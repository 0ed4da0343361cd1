// SPDX-License-Identifier: MIT
/* D-Bus messages: what is written is read back; what is malformed is refused wherever it is cut or bent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "runtime/bus_message.h"

#define BYTES(b) ((const uint8_t *)strbuf_str(b))

/* ssa(sv)a(sasb) as StartTransientUnit's, with every kind of value somewhere. */
static void put_body(struct bus_writer *w)
{
	size_t outer, inner;

	bus_put_string(w, "a.service");
	bus_put_bool(w, true);
	outer = bus_array_begin(w, '(');
	bus_put_struct(w);
	bus_put_string(w, "Description");
	bus_put_signature(w, "s");
	bus_put_string(w, "d\xc3\xa9j\xc3\xa0");
	bus_put_struct(w);
	bus_put_string(w, "TasksMax");
	bus_put_signature(w, "t");
	bus_put_u64(w, UINT64_MAX - 1);
	bus_put_struct(w);
	bus_put_string(w, "Fd");
	bus_put_signature(w, "h");
	bus_put_fd(w, 2);
	bus_put_struct(w);
	bus_put_string(w, "List");
	bus_put_signature(w, "a(yas)");
	inner = bus_array_begin(w, '(');
	bus_put_struct(w);
	bus_put_byte(w, 7);
	bus_put_strings(w, (const char *const[]){ "", "x", NULL });
	bus_array_end(w, inner, '(');
	bus_array_end(w, outer, '(');
	bus_put_u32(w, 0xfffffffe);
}

static const char signature[] = "sba(sv)u";

static struct strbuf sealed(void)
{
	struct bus_writer body = BUS_WRITER_INIT;
	struct bus_header head = { .type = BUS_CALL,
				   .serial = 9,
				   .path = "/a/b",
				   .interface = "a.b",
				   .member = "Do",
				   .destination = "x.y",
				   .signature = signature };
	struct strbuf ret = { 0 };

	put_body(&body);
	assert_int_equal(bus_message_seal(&head, &body, &ret), 0);
	bus_writer_done(&body);
	return ret;
}

static void read_property(struct bus_reader *props, const char *name, struct bus_reader *ret)
{
	const char *text;

	assert_true(bus_reader_more(props));
	assert_int_equal(bus_read_open(props), 0);
	assert_int_equal(bus_read_text(props, 's', &text), 0);
	assert_string_equal(text, name);
	assert_int_equal(bus_read_variant(props, ret), 0);
	assert_int_equal(bus_read_close(props), 0);
}

static void test_round_trip(void **state)
{
	struct bus_reader body, props, value, list, words;
	struct bus_header head;
	struct strbuf b = sealed();
	const char *text;
	uint64_t number;
	uint32_t u32;
	size_t size;

	(void)state;
	assert_int_equal(bus_message_size(BYTES(&b), &size), 0);
	assert_int_equal(size, b.len);
	assert_int_equal(bus_message_parse(BYTES(&b), b.len, &head, &body), 0);
	assert_int_equal(head.type, BUS_CALL);
	assert_int_equal(head.serial, 9);
	assert_int_equal(head.n_fds, 1);
	assert_string_equal(head.path, "/a/b");
	assert_string_equal(head.interface, "a.b");
	assert_string_equal(head.member, "Do");
	assert_string_equal(head.destination, "x.y");
	assert_null(head.sender);
	assert_string_equal(head.signature, signature);
	assert_int_equal(bus_read_text(&body, 's', &text), 0);
	assert_string_equal(text, "a.service");
	assert_int_equal(bus_read_number(&body, 'b', &number), 0);
	assert_int_equal(number, 1);
	assert_int_equal(bus_read_array(&body, "(sv)", &props), 0);
	read_property(&props, "Description", &value);
	assert_int_equal(bus_read_text(&value, 's', &text), 0);
	assert_string_equal(text, "d\xc3\xa9j\xc3\xa0");
	assert_int_equal(bus_reader_peek(&value), 0);
	read_property(&props, "TasksMax", &value);
	assert_int_equal(bus_read_number(&value, 't', &number), 0);
	assert_true(number == UINT64_MAX - 1);
	read_property(&props, "Fd", &value);
	assert_int_equal(bus_read_number(&value, 'h', &number), 0);
	assert_int_equal(number, 0);
	read_property(&props, "List", &value);
	assert_false(bus_reader_more(&props));
	assert_int_equal(bus_reader_peek(&props), 0);
	assert_int_equal(bus_read_array(&value, "(yas)", &list), 0);
	assert_int_equal(bus_read_open(&list), 0);
	assert_int_equal(bus_read_number(&list, 'y', &number), 0);
	assert_int_equal(number, 7);
	assert_int_equal(bus_read_array(&list, "s", &words), 0);
	assert_int_equal(bus_read_close(&list), 0);
	assert_false(bus_reader_more(&list));
	assert_int_equal(bus_read_text(&words, 's', &text), 0);
	assert_string_equal(text, "");
	assert_int_equal(bus_read_text(&words, 's', &text), 0);
	assert_string_equal(text, "x");
	assert_false(bus_reader_more(&words));
	/* The outer cursor went on behind the array when that was entered. */
	assert_int_equal(bus_read_u32(&body, &u32), 0);
	assert_true(u32 == 0xfffffffe);
	assert_false(bus_reader_more(&body));
	strbuf_done(&b);
}

static void test_skip(void **state)
{
	struct bus_reader body, props;
	struct bus_header head;
	struct strbuf b = sealed();
	uint32_t u32;
	int n = 0;

	(void)state;
	assert_int_equal(bus_message_parse(BYTES(&b), b.len, &head, &body), 0);
	assert_int_equal(bus_read_skip(&body), 0);
	assert_int_equal(bus_read_skip(&body), 0);
	assert_int_equal(bus_read_array(&body, "(sv)", &props), 0);
	while (bus_reader_more(&props)) {
		assert_int_equal(bus_read_skip(&props), 0);
		n++;
	}
	assert_int_equal(n, 4);
	assert_int_equal(bus_read_u32(&body, &u32), 0);
	assert_int_equal(bus_read_skip(&body), -EBADMSG);
	strbuf_done(&b);
}

static void test_wrong_type_does_not_move(void **state)
{
	struct bus_reader body, inner, before;
	struct bus_header head;
	struct strbuf b = sealed();
	const char *text;
	uint64_t number;

	(void)state;
	assert_int_equal(bus_message_parse(BYTES(&b), b.len, &head, &body), 0);
	before = body;
	assert_int_equal(bus_read_number(&body, 'u', &number), -EBADMSG);
	assert_int_equal(bus_read_text(&body, 'o', &text), -EBADMSG);
	assert_int_equal(bus_read_array(&body, "s", &inner), -EBADMSG);
	assert_int_equal(bus_read_variant(&body, &inner), -EBADMSG);
	assert_int_equal(bus_read_open(&body), -EBADMSG);
	assert_memory_equal(&body, &before, sizeof(body));
	assert_int_equal(bus_read_text(&body, 's', &text), 0);
	assert_int_equal(bus_read_skip(&body), 0);
	/* an array, but of something else */
	assert_int_equal(bus_read_array(&body, "{sv}", &inner), -EBADMSG);
	assert_int_equal(bus_read_array(&body, "(sv)", &inner), 0);
	assert_int_equal(bus_read_array(&inner, "s", &body), -EBADMSG);
	strbuf_done(&b);
}

/* All of it, as deep as it goes. Return: 0 or -EBADMSG */
static int read_all(struct bus_reader *r)
{
	static const char *const elements[] = { "(sv)", "(yas)", "s", "y" };
	struct bus_reader inner;
	int e = 0;

	while (e == 0 && bus_reader_more(r)) {
		switch (bus_reader_peek(r)) {
		case 'v':
			e = bus_read_variant(r, &inner);
			if (e == 0)
				e = read_all(&inner);
			break;
		case '(':
			e = bus_read_open(r);
			break;
		case ')':
			e = bus_read_close(r);
			break;
		case 'a':
			e = -EBADMSG;
			for (size_t i = 0; e < 0 && i < ARRAY_SIZE(elements); i++)
				e = bus_read_array(r, elements[i], &inner);
			if (e == 0)
				e = read_all(&inner);
			break;
		default:
			e = bus_read_skip(r);
		}
	}
	return e;
}

static void test_cut_and_bent(void **state)
{
	struct strbuf b = sealed();
	struct bus_reader body;
	struct bus_header head;
	int refused = 0;

	(void)state;
	for (size_t len = 0; len < b.len; len++) {
		/* A copy of its own, so that the sanitizer sees the first byte too many. */
		uint8_t *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, BYTES(&b), len);
		assert_int_equal(bus_message_parse(copy, len, &head, &body), -EBADMSG);
		free(copy);
	}
	for (size_t at = 0; at < b.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			uint8_t *copy = malloc(b.len);

			assert_non_null(copy);
			memcpy(copy, BYTES(&b), b.len);
			copy[at] ^= (uint8_t)(1U << bit);
			if (bus_message_parse(copy, b.len, &head, &body) < 0 || read_all(&body) < 0)
				refused++;
			free(copy);
		}
	}
	assert_true(refused > 500);
	strbuf_done(&b);
}

static void test_fixed_header(void **state)
{
	struct strbuf b = sealed();
	uint8_t *p = (uint8_t *)b.text;
	uint32_t value;
	size_t size;

	(void)state;
	p[0] ^= 'l' ^ 'B';
	assert_int_equal(bus_message_size(p, &size), -EPROTONOSUPPORT);
	p[0] ^= 'l' ^ 'B';
	p[3] = 2;
	assert_int_equal(bus_message_size(p, &size), -EBADMSG);
	p[3] = 1;
	value = BUS_MESSAGE_MAX;
	memcpy(p + 4, &value, 4);
	assert_int_equal(bus_message_size(p, &size), -E2BIG);
	value = UINT32_MAX;
	memcpy(p + 4, &value, 4);
	assert_int_equal(bus_message_size(p, &size), -E2BIG);
	memcpy(p + 12, &value, 4);
	assert_int_equal(bus_message_size(p, &size), -EBADMSG);
	strbuf_done(&b);
}

static void test_signatures(void **state)
{
	static const char *const good[] = { "",	   "s",	    "a{sv}",	 "a(ssssssouso)",
					    "aas", "((y))", "a{ya{sv}}v" };
	static const char *const bad[] = { "a",	     "(",  "()", "{sv}", "a{vs}", "a{s}",
					   "a{svs}", "s)", "z",	 "a{sv", "(s" };
	char deep[256];
	struct bus_reader r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(bus_reader_init(&r, NULL, 0, good[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(bus_reader_init(&r, NULL, 0, bad[i]), -EBADMSG);
	memset(deep, 'a', sizeof(deep));
	deep[30] = 's';
	deep[31] = '\0';
	assert_int_equal(bus_reader_init(&r, NULL, 0, deep), 0);
	memset(deep, 'a', sizeof(deep));
	deep[100] = 's';
	deep[101] = '\0';
	assert_int_equal(bus_reader_init(&r, NULL, 0, deep), -EBADMSG);
	memset(deep, 's', sizeof(deep));
	deep[255] = '\0';
	assert_int_equal(bus_reader_init(&r, NULL, 0, deep), 0);
}

/* A variant in a variant in a variant... */
static int nested(unsigned depth)
{
	struct bus_writer w = BUS_WRITER_INIT;
	struct bus_reader r;
	int e;

	for (unsigned i = 1; i < depth; i++)
		bus_put_signature(&w, "v");
	bus_put_signature(&w, "y");
	bus_put_byte(&w, 1);
	assert_int_equal(w.error, 0);
	assert_int_equal(bus_reader_init(&r, BYTES(&w.bytes), w.bytes.len, "v"), 0);
	e = bus_read_skip(&r);
	bus_writer_done(&w);
	return e;
}

static void test_depth(void **state)
{
	(void)state;
	assert_int_equal(nested(1), 0);
	assert_int_equal(nested(BUS_DEPTH_MAX), 0);
	assert_int_equal(nested(BUS_DEPTH_MAX + 1), -EBADMSG);
	assert_int_equal(nested(20000), -EBADMSG);
}

static void test_numbers(void **state)
{
	static const uint8_t bytes[] = { 0xfe, 0, 0xfe, 0xff, 0xfe, 0xff, 0xff, 0xff, 2, 0, 0, 0 };
	struct bus_reader r;
	uint64_t n;

	(void)state;
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		skip();
	assert_int_equal(bus_reader_init(&r, bytes, sizeof(bytes), "ynib"), 0);
	assert_int_equal(bus_read_number(&r, 'y', &n), 0);
	assert_int_equal(n, 0xfe);
	assert_int_equal(bus_read_number(&r, 'n', &n), 0);
	assert_int_equal((int64_t)n, -2);
	assert_int_equal(bus_read_number(&r, 'i', &n), 0);
	assert_int_equal((int64_t)n, -2);
	/* a boolean is 0 or 1 */
	assert_int_equal(bus_read_number(&r, 'b', &n), -EBADMSG);
	assert_int_equal(bus_reader_init(&r, bytes, 3, "qq"), 0);
	assert_int_equal(bus_read_number(&r, 'q', &n), 0);
	assert_int_equal(n, 0xfe);
	assert_int_equal(bus_read_number(&r, 'q', &n), -EBADMSG);
}

static void test_texts(void **state)
{
	struct bus_writer w = BUS_WRITER_INIT;
	struct bus_reader r;
	const char *text;

	(void)state;
	bus_put_string(&w, "abcd");
	assert_int_equal(bus_reader_init(&r, BYTES(&w.bytes), w.bytes.len, "s"), 0);
	w.bytes.text[5] = '\0';
	assert_int_equal(bus_read_text(&r, 's', &text), -EBADMSG);
	w.bytes.text[5] = '\xff';
	assert_int_equal(bus_read_text(&r, 's', &text), -EBADMSG);
	w.bytes.text[5] = 'b';
	w.bytes.text[8] = 'e';
	assert_int_equal(bus_read_text(&r, 's', &text), -EBADMSG);
	w.bytes.text[8] = '\0';
	assert_int_equal(bus_read_text(&r, 's', &text), 0);
	bus_writer_done(&w);
}

static void test_writer_errors(void **state)
{
	struct bus_writer w = BUS_WRITER_INIT;
	struct bus_header head = { .type = BUS_CALL, .serial = 1, .path = "/", .member = "M" };
	struct strbuf b = { 0 };
	size_t mark;

	(void)state;
	bus_put_string(&w, "\xc0\xaf");
	bus_put_u32(&w, 1);
	assert_int_equal(bus_message_seal(&head, &w, &b), -EILSEQ);
	bus_writer_done(&w);
	w = BUS_WRITER_INIT;
	for (int fd = 0; fd < BUS_FDS_MAX; fd++)
		bus_put_fd(&w, fd);
	bus_put_fd(&w, 3);
	assert_int_equal(w.error, 0);
	assert_int_equal(w.n_fds, BUS_FDS_MAX);
	bus_put_fd(&w, BUS_FDS_MAX);
	assert_int_equal(bus_message_seal(&head, &w, &b), -EMFILE);
	bus_writer_done(&w);
	w = BUS_WRITER_INIT;
	w.bytes.max = 1000;
	mark = bus_array_begin(&w, 's');
	for (int i = 0; i < 200; i++)
		bus_put_string(&w, "word");
	bus_array_end(&w, mark, 's');
	assert_int_equal(bus_message_seal(&head, &w, &b), -E2BIG);
	bus_writer_done(&w);
	assert_null(b.text);
}

/* An empty array of something that is aligned to 8: its padding is there, and does not count. */
static void test_empty_array(void **state)
{
	struct bus_writer w = BUS_WRITER_INIT;
	struct bus_reader r, inner;
	uint32_t u32;

	(void)state;
	bus_array_end(&w, bus_array_begin(&w, '('), '(');
	bus_put_u32(&w, 5);
	assert_int_equal(w.bytes.len, 12);
	assert_int_equal(bus_reader_init(&r, BYTES(&w.bytes), w.bytes.len, "a(sv)u"), 0);
	assert_int_equal(bus_read_array(&r, "(sv)", &inner), 0);
	assert_false(bus_reader_more(&inner));
	assert_int_equal(bus_read_open(&inner), -EBADMSG);
	assert_int_equal(bus_read_u32(&r, &u32), 0);
	assert_int_equal(u32, 5);
	bus_writer_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_wrong_type_does_not_move),
		cmocka_unit_test(test_cut_and_bent),
		cmocka_unit_test(test_fixed_header),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_writer_errors),
		cmocka_unit_test(test_empty_array),
	};

	return cmocka_run_group_tests_name("bus_message", tests, NULL, NULL);
}
