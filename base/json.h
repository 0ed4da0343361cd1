/* SPDX-License-Identifier: MIT */
/* JSON through yajl, seen by json.c alone. Strict: one value, all bytes consumed, no duplicate keys, no NUL in strings, bounded. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strbuf.h"

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,
	JSON_DOUBLE,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

#define JSON_DEPTH_MAX 64
#define JSON_NODES_MAX 200000

struct json; /* one value; children belong to the root */

/**
 * json_parse() - parse a whole document
 * @ret: root, owned: json_free()
 * Return: 0, -EBADMSG (not JSON, duplicate key, trailing bytes, NUL), -E2BIG (too deep or too many values), -ENOMEM
 */
int json_parse(const char *text, size_t len, struct json **ret, struct err *err);
void json_free(struct json *root);
DEFINE_AUTO_PTR(json)

/** json_type() - of a value that is there: @v must not be NULL */
/** json_type() - what @v is */
enum json_type json_type(const struct json *v);
/** json_get() - member of an object; NULL if @v is no object, the key is absent, or its value is null */
const struct json *json_get(const struct json *v, const char *key);
/** json_len() - number of elements or members; 0 for other types and NULL */
size_t json_len(const struct json *v);
/** json_at() - i-th element of an array or value of an object's i-th member, in document order; NULL past the end */
const struct json *json_at(const struct json *v, size_t i);
/** json_key_at() - key of an object's i-th member; NULL past the end or for other types */
const char *json_key_at(const struct json *v, size_t i);
/** json_string() - the text of a string, else NULL (also for a NULL @v). Borrowed. */
const char *json_string(const struct json *v);
/** json_int() - Return: 0 and *ret, or -EINVAL if @v is no integer that fits */
int json_int(const struct json *v, int64_t *ret);
/** json_bool() - the value, or @fallback if @v is NULL or no boolean */
bool json_bool(const struct json *v, bool fallback);

/*
 * Typed access to members. Absent and null are the same (config.md "Properties": null = absent).
 * A wrong type is -EBADMSG/ERR_CORRUPT naming the key; an absent required member too; an absent optional one leaves *ret alone.
 */
#define JSON_REQUIRED true
#define JSON_OPTIONAL false
int json_member_string(const struct json *obj, const char *key, bool required, const char **ret,
		       struct err *err);
int json_member_int(const struct json *obj, const char *key, bool required, int64_t *ret,
		    struct err *err);
int json_member_bool(const struct json *obj, const char *key, bool required, bool *ret,
		     struct err *err);
/** @ret: owned copy, NULL for absent or empty */
int json_member_strv(const struct json *obj, const char *key, bool required, char ***ret,
		     struct err *err);
/** json_member_object(), json_member_array() - *ret borrowed, NULL if absent */
int json_member_object(const struct json *obj, const char *key, bool required,
		       const struct json **ret, struct err *err);
int json_member_array(const struct json *obj, const char *key, bool required,
		      const struct json **ret, struct err *err);

/* Writing: calls append to @out; the first failure sticks and json_write_end() reports it. Invalid UTF-8 becomes U+FFFD. */
struct json_writer;
/** @pretty: indented by four spaces and ended by a newline, as docker inspect */
int json_write_begin(struct strbuf *out, bool pretty, struct json_writer **ret);
void jw_object(struct json_writer *w);
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_array_end(struct json_writer *w);
void jw_key(struct json_writer *w, const char *key);
void jw_string(struct json_writer *w, const char *s); /* NULL writes null */
void jw_int(struct json_writer *w, int64_t n);
void jw_bool(struct json_writer *w, bool b);
void jw_null(struct json_writer *w);
/** jw_strv() - an array of strings; NULL vector writes null */
void jw_strv(struct json_writer *w, char *const *v);
/** jw_value() - a parsed value, deep */
void jw_value(struct json_writer *w, const struct json *v);
/** json_write_end() - free the writer (NULL allowed). Return: 0, or the first failure */
int json_write_end(struct json_writer *w);

#endif
