// SPDX-License-Identifier: MIT
/* JSON through yajl (see json.h): a bounded parser into a read-only tree, and a writer. */
#include "base/json.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "base/quote.h"
#include "base/utf8.h"

#define CHUNK_MIN ((size_t)4096)
#define CHUNK_MAX ((size_t)65536)

struct json {
	enum json_type type;
	uint32_t n; /* elements or members */
	const char *key; /* in the object it is a member of, else NULL */
	union {
		bool boolean;
		int64_t integer;
		const char *text; /* of a string; of a JSON_DOUBLE as it was spelled */
		struct json **items; /* n in document order; for an object n more, sorted by key */
	};
};

/* All values and texts of a document lie in chunks that are freed at once. */
struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t bytes[];
};

struct document {
	struct json root; /* first: the caller's pointer to it is one to the document */
	struct chunk *chunks;
};

struct frame {
	struct json *container;
	size_t first; /* its first child on the parser's stack of values */
	const char *key; /* read, and still without its value */
};

struct parser {
	struct document *doc;
	struct err *err;
	int failed; /* -errno of the callback that ended the parse */
	struct json **values; /* of open containers, innermost last; at the end the root alone */
	size_t n_values, values_cap;
	size_t n_nodes;
	struct frame frames[JSON_DEPTH_MAX];
	size_t depth;
};

static void *doc_alloc(struct document *doc, size_t size)
{
	struct chunk *c = doc->chunks;
	void *p;

	size = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
	if (!c || c->size - c->used < size) {
		size_t chunk = c ? c->size * 2 : CHUNK_MIN;

		if (chunk > CHUNK_MAX)
			chunk = CHUNK_MAX;
		if (chunk < size)
			chunk = size;
		c = malloc(sizeof(*c) + chunk);
		if (!c)
			return NULL;
		c->next = doc->chunks;
		c->used = 0;
		c->size = chunk;
		doc->chunks = c;
	}
	p = (char *)c->bytes + c->used;
	c->used += size;
	return p;
}

static void document_free(struct document *doc)
{
	if (!doc)
		return;
	for (struct chunk *c = doc->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(doc);
}
DEFINE_AUTO_PTR(document)

void json_free(struct json *root)
{
	document_free((struct document *)root);
}

/* yajl's convention: a callback that returns 0 ends the parse. */
static int stop(struct parser *p, int code)
{
	p->failed = code;
	return 0;
}

static int stop_oom(struct parser *p)
{
	return stop(p, err_oom(p->err));
}

static const char *copy_text(struct parser *p, const char *bytes, size_t len)
{
	char *text = doc_alloc(p->doc, len + 1);

	if (!text)
		return NULL;
	memcpy(text, bytes, len);
	text[len] = '\0';
	return text;
}

static int push_value(struct parser *p, struct json *v)
{
	if (p->n_values == p->values_cap) {
		size_t cap = p->values_cap ? p->values_cap * 2 : 64;
		struct json **grown = reallocarray(p->values, cap, sizeof(struct json *));

		if (!grown)
			return -ENOMEM;
		p->values = grown;
		p->values_cap = cap;
	}
	p->values[p->n_values++] = v;
	return 0;
}

/* A new value, member or element of the innermost open container. Return: NULL once the parse has failed */
static struct json *add_value(struct parser *p, enum json_type type)
{
	struct json *v;

	if (++p->n_nodes > JSON_NODES_MAX) {
		stop(p, err_set(p->err, ERR_CORRUPT, -E2BIG, "JSON has more than %d values",
				JSON_NODES_MAX));
		return NULL;
	}
	v = doc_alloc(p->doc, sizeof(*v));
	if (!v || push_value(p, v) < 0) {
		stop_oom(p);
		return NULL;
	}
	*v = (struct json){ .type = type };
	if (p->depth) {
		v->key = p->frames[p->depth - 1].key;
		p->frames[p->depth - 1].key = NULL;
	}
	return v;
}

static int on_null(void *arg)
{
	return add_value(arg, JSON_NULL) != NULL;
}

static int on_boolean(void *arg, int boolean)
{
	struct json *v = add_value(arg, JSON_BOOL);

	if (v)
		v->boolean = boolean != 0;
	return v != NULL;
}

static int on_number(void *arg, const char *digits, size_t len)
{
	struct parser *p = arg;
	struct json *v = add_value(p, JSON_DOUBLE);
	const char *text;
	long long n;

	if (!v)
		return 0;
	text = copy_text(p, digits, len);
	if (!text)
		return stop_oom(p);
	v->text = text;
	if (strpbrk(text, ".eE"))
		return 1;
	errno = 0;
	n = strtoll(text, NULL, 10);
	if (errno)
		return 1;
	v->type = JSON_INT;
	v->integer = n;
	return 1;
}

/* yajl lets NUL through as \u0000 and checks of UTF-8 the shape alone; both would be seen differently by different readers. */
static const char *checked_text(struct parser *p, const unsigned char *bytes, size_t len)
{
	const char *text;

	if (memchr(bytes, '\0', len)) {
		stop(p, err_set(p->err, ERR_CORRUPT, -EBADMSG, "JSON string with a NUL in it"));
		return NULL;
	}
	if (!utf8_is_valid((const char *)bytes, len)) {
		stop(p, err_set(p->err, ERR_CORRUPT, -EBADMSG, "JSON string is not UTF-8"));
		return NULL;
	}
	text = copy_text(p, (const char *)bytes, len);
	if (!text)
		stop_oom(p);
	return text;
}

static int on_string(void *arg, const unsigned char *bytes, size_t len)
{
	struct json *v = add_value(arg, JSON_STRING);

	if (!v)
		return 0;
	v->text = checked_text(arg, bytes, len);
	return v->text != NULL;
}

static int on_key(void *arg, const unsigned char *bytes, size_t len)
{
	struct parser *p = arg;
	struct frame *f = &p->frames[p->depth - 1];

	f->key = checked_text(p, bytes, len);
	return f->key != NULL;
}

static int open_container(struct parser *p, enum json_type type)
{
	struct json *v;

	if (p->depth == JSON_DEPTH_MAX)
		return stop(p, err_set(p->err, ERR_CORRUPT, -E2BIG, "JSON deeper than %d levels",
				       JSON_DEPTH_MAX));
	v = add_value(p, type);
	if (!v)
		return 0;
	p->frames[p->depth++] = (struct frame){ .container = v, .first = p->n_values };
	return 1;
}

static int on_object(void *arg)
{
	return open_container(arg, JSON_OBJECT);
}

static int on_array(void *arg)
{
	return open_container(arg, JSON_ARRAY);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(struct json *const *)a)->key, (*(struct json *const *)b)->key);
}

static int index_members(struct parser *p, const struct json *object)
{
	struct json **sorted = object->items + object->n;

	memcpy(sorted, object->items, object->n * sizeof(struct json *));
	qsort(sorted, object->n, sizeof(struct json *), compare_keys);
	for (uint32_t i = 1; i < object->n; i++)
		if (!strcmp(sorted[i - 1]->key, sorted[i]->key))
			return stop(p, err_set(p->err, ERR_CORRUPT, -EBADMSG,
					       "JSON object has two members %s",
					       QUOTE(sorted[i]->key)));
	return 1;
}

static int on_end(void *arg)
{
	struct parser *p = arg;
	const struct frame *f = &p->frames[--p->depth];
	struct json *v = f->container;
	size_t n = p->n_values - f->first;

	p->n_values = f->first;
	if (!n)
		return 1;
	v->items = doc_alloc(p->doc, (v->type == JSON_OBJECT ? 2 : 1) * n * sizeof(struct json *));
	if (!v->items)
		return stop_oom(p);
	memcpy(v->items, p->values + f->first, n * sizeof(struct json *));
	v->n = (uint32_t)n;
	return v->type == JSON_OBJECT ? index_members(p, v) : 1;
}

static int syntax_error(yajl_handle yajl, size_t at, struct err *err)
{
	char *why = (char *)yajl_get_error(yajl, 0, NULL, 0);
	size_t len = why ? strcspn(why, "\n") : 0;
	int r;

	if (len && why[len - 1] == '.')
		len--;
	r = err_set(err, ERR_CORRUPT, -EBADMSG, "not JSON at byte %zu: %.*s", at, (int)len,
		    why ? why : "");
	if (why)
		yajl_free_error(yajl, (unsigned char *)why);
	return r;
}

static int run_parser(struct parser *p, const char *text, size_t len)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_object,
		.yajl_map_key = on_key,
		.yajl_end_map = on_end,
		.yajl_start_array = on_array,
		.yajl_end_array = on_end,
	};
	yajl_handle yajl = yajl_alloc(&callbacks, NULL, p);
	yajl_status status;
	size_t at;
	int r = 0;

	if (!yajl)
		return err_oom(p->err);
	yajl_config(yajl, yajl_dont_validate_strings, 1);
	status = yajl_parse(yajl, (const unsigned char *)text, len);
	at = yajl_get_bytes_consumed(yajl);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(yajl);
	if (p->failed)
		r = p->failed;
	else if (status != yajl_status_ok)
		r = syntax_error(yajl, at, p->err);
	yajl_free(yajl);
	return r;
}

int json_parse(const char *text, size_t len, struct json **ret, struct err *err)
{
	AUTO_PTR(document) doc = calloc(1, sizeof(*doc));
	struct parser p = { .doc = doc, .err = err };
	int r;

	if (!doc)
		return err_oom(err);
	r = run_parser(&p, text, len);
	if (r == 0)
		doc->root = *p.values[0];
	free(p.values);
	if (r < 0)
		return r;
	*ret = &MOVE_PTR(doc)->root;
	return 0;
}

enum json_type json_type(const struct json *v)
{
	return v->type;
}

const struct json *json_get(const struct json *v, const char *key)
{
	const struct json wanted = { .key = key }, *const want = &wanted;
	struct json **found;

	if (!v || v->type != JSON_OBJECT || !v->n)
		return NULL;
	found = bsearch(&want, v->items + v->n, v->n, sizeof(struct json *), compare_keys);
	return found && (*found)->type != JSON_NULL ? *found : NULL;
}

size_t json_len(const struct json *v)
{
	return v ? v->n : 0;
}

const struct json *json_at(const struct json *v, size_t i)
{
	return i < json_len(v) ? v->items[i] : NULL;
}

const char *json_key_at(const struct json *v, size_t i)
{
	const struct json *member = json_at(v, i);

	return member ? member->key : NULL;
}

const char *json_string(const struct json *v)
{
	return v && v->type == JSON_STRING ? v->text : NULL;
}

int json_int(const struct json *v, int64_t *ret)
{
	if (!v || v->type != JSON_INT)
		return -EINVAL;
	*ret = v->integer;
	return 0;
}

bool json_bool(const struct json *v, bool fallback)
{
	return v && v->type == JSON_BOOL ? v->boolean : fallback;
}

/* The first failure sticks in @failed; nothing is written after it. */
struct json_writer {
	yajl_gen gen;
	struct strbuf *out;
	int failed;
	size_t open; /* containers begun and not yet ended */
	/* A container whose first item is still to come: '{', '[' or 0. yajl would break an empty one over three lines. */
	char pending;
};

static void print(void *arg, const char *bytes, size_t len)
{
	struct json_writer *w = arg;

	if (!w->failed)
		w->failed = strbuf_add(w->out, bytes, len);
}

static void check(struct json_writer *w, yajl_gen_status status)
{
	if (w->failed || status == yajl_gen_status_ok || status == yajl_gen_generation_complete)
		return;
	w->failed = status == yajl_max_depth_exceeded ? -E2BIG : -EINVAL;
}

/* Return: false when nothing more is to be written */
static bool begin_item(struct json_writer *w)
{
	char pending = w->pending;

	w->pending = 0;
	if (w->failed)
		return false;
	if (pending)
		check(w, pending == '{' ? yajl_gen_map_open(w->gen) : yajl_gen_array_open(w->gen));
	return !w->failed;
}

int json_write_begin(struct strbuf *out, bool pretty, struct json_writer **ret)
{
	struct json_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->out = out;
	w->gen = yajl_gen_alloc(NULL);
	if (!w->gen) {
		free(w);
		return -ENOMEM;
	}
	yajl_gen_config(w->gen, yajl_gen_beautify, (int)pretty);
	yajl_gen_config(w->gen, yajl_gen_indent_string, "    ");
	yajl_gen_config(w->gen, yajl_gen_print_callback, print, w);
	*ret = w;
	return 0;
}

static void begin_container(struct json_writer *w, char pending)
{
	if (!begin_item(w))
		return;
	w->open++;
	w->pending = pending;
}

static void end_container(struct json_writer *w, bool object)
{
	/* yajl_gen_number() takes any text for an atom. */
	static const char empty[2][3] = { "[]", "{}" };

	if (w->failed)
		return;
	if (w->open)
		w->open--;
	if (w->pending)
		check(w, yajl_gen_number(w->gen, empty[object], 2));
	else
		check(w, object ? yajl_gen_map_close(w->gen) : yajl_gen_array_close(w->gen));
	w->pending = 0;
}

void jw_object(struct json_writer *w)
{
	begin_container(w, '{');
}

void jw_object_end(struct json_writer *w)
{
	end_container(w, true);
}

void jw_array(struct json_writer *w)
{
	begin_container(w, '[');
}

void jw_array_end(struct json_writer *w)
{
	end_container(w, false);
}

static void write_text(struct json_writer *w, const char *text, size_t len)
{
	check(w, yajl_gen_string(w->gen, (const unsigned char *)text, len));
}

/* Bytes that are no UTF-8 become U+FFFD, one each. */
static void write_repaired(struct json_writer *w, const char *text, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *repaired = calloc(len, sizeof(replacement) - 1), *to = repaired;

	if (!repaired) {
		w->failed = -ENOMEM;
		return;
	}
	while (len) {
		size_t n = utf8_decode(text, len, NULL);

		memcpy(to, n ? text : replacement, n ? n : sizeof(replacement) - 1);
		to += n ? n : sizeof(replacement) - 1;
		text += n ? n : 1;
		len -= n ? n : 1;
	}
	write_text(w, repaired, (size_t)(to - repaired));
	free(repaired);
}

void jw_string(struct json_writer *w, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	if (!s)
		jw_null(w);
	else if (!begin_item(w))
		return;
	else if (utf8_is_valid(s, len))
		write_text(w, s, len);
	else
		write_repaired(w, s, len);
}

void jw_key(struct json_writer *w, const char *key)
{
	jw_string(w, key);
}

void jw_int(struct json_writer *w, int64_t n)
{
	if (begin_item(w))
		check(w, yajl_gen_integer(w->gen, n));
}

void jw_bool(struct json_writer *w, bool b)
{
	if (begin_item(w))
		check(w, yajl_gen_bool(w->gen, b));
}

void jw_null(struct json_writer *w)
{
	if (begin_item(w))
		check(w, yajl_gen_null(w->gen));
}

void jw_strv(struct json_writer *w, char *const *v)
{
	if (!v) {
		jw_null(w);
		return;
	}
	jw_array(w);
	for (; *v; v++)
		jw_string(w, *v);
	jw_array_end(w);
}

static void write_container(struct json_writer *w, const struct json *v)
{
	bool object = v->type == JSON_OBJECT;

	begin_container(w, object ? '{' : '[');
	for (size_t i = 0; i < v->n; i++) {
		if (object)
			jw_key(w, v->items[i]->key);
		/* As deep as the document, hence JSON_DEPTH_MAX at most. */
		jw_value(w, v->items[i]);
	}
	end_container(w, object);
}

void jw_value(struct json_writer *w, const struct json *v)
{
	switch (v ? v->type : JSON_NULL) {
	case JSON_NULL:
		jw_null(w);
		break;
	case JSON_BOOL:
		jw_bool(w, v->boolean);
		break;
	case JSON_INT:
		jw_int(w, v->integer);
		break;
	case JSON_DOUBLE:
		if (begin_item(w))
			check(w, yajl_gen_number(w->gen, v->text, strlen(v->text)));
		break;
	case JSON_STRING:
		jw_string(w, v->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		write_container(w, v);
		break;
	}
}

int json_write_end(struct json_writer *w)
{
	int r;

	if (!w)
		return 0;
	r = w->failed;
	if (!r && w->open)
		r = -EINVAL;
	yajl_gen_free(w->gen);
	free(w);
	return r;
}
