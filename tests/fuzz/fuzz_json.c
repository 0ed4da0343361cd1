// SPDX-License-Identifier: MIT
/* Fuzzer of the JSON reader and writer: what is read, written and read again is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define OUT_MAX ((size_t)16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(const struct json *v, bool pretty, struct strbuf *out)
{
	struct json_writer *w;

	if (json_write_begin(out, pretty, &w) < 0)
		abort();
	jw_value(w, v);
	if (json_write_end(w) < 0)
		abort();
}

static void check_lookups(const struct json *v)
{
	for (size_t i = 0; i < json_len(v); i++) {
		const struct json *child = json_at(v, i);
		const char *key = json_key_at(v, i);

		if (key && json_type(child) != JSON_NULL && json_get(v, key) != child)
			abort();
		check_lookups(child);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_PTR(json) first = NULL;
	AUTO_PTR(json) second = NULL;
	AUTO(strbuf) once = STRBUF_INIT(OUT_MAX);
	AUTO(strbuf) pretty = STRBUF_INIT(OUT_MAX);
	AUTO(strbuf) twice = STRBUF_INIT(OUT_MAX);
	struct err err = { 0 };
	int r = json_parse((const char *)data, size, &first, &err);

	if (r < 0) {
		if (first || err.code != r || !err.msg[0])
			abort();
		return 0;
	}
	check_lookups(first);
	write_value(first, false, &once);
	write_value(first, true, &pretty);
	if (json_parse(pretty.text, pretty.len, &second, &err) < 0)
		abort();
	write_value(second, false, &twice);
	if (strcmp(strbuf_str(&once), strbuf_str(&twice)) != 0)
		abort();
	return 0;
}
