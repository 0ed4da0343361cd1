// SPDX-License-Identifier: MIT
/* The built-in catalogue of curated labels: config/catalog.json inside the program, decoded on demand (see catalog.h). */
#include "provision/catalog.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/strv.h"

/* The path is relative to the top of the source tree, where the compiler is run. */
__asm__(".pushsection .rodata\n"
	"catalog_json:\n"
	".incbin \"config/catalog.json\"\n"
	"catalog_json_end:\n"
	".byte 0\n"
	".popsection\n");
extern const char catalog_json[] __attribute__((visibility("hidden")));
extern const char catalog_json_end[] __attribute__((visibility("hidden")));

static const struct {
	const char *key;
	enum catalog_source_kind kind;
} source_kinds[] = {
	{ "registry", SOURCE_REGISTRY },
	{ "mmdebstrap", SOURCE_MMDEBSTRAP },
};

static int decode_source(const struct json *v, struct catalog_source *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(source_kinds); i++) {
		const char *value = json_string(json_get(v, source_kinds[i].key));

		if (!value)
			continue;
		ret->kind = source_kinds[i].kind;
		ret->value = strdup(value);
		if (!ret->value)
			return err_oom(err);
		if (ret->kind != SOURCE_MMDEBSTRAP)
			return 0;
		return json_member_strv(v, "packages", JSON_OPTIONAL, &ret->packages, err);
	}
	return err_set(err, ERR_CORRUPT, -EBADMSG, "source without a known kind");
}

static int decode_entry(const struct json *v, struct catalog_entry *e, struct err *err)
{
	const struct json *sources;
	const char *label;
	int r = json_member_string(v, "label", JSON_REQUIRED, &label, err);

	if (r < 0)
		return r;
	e->label = strdup(label);
	if (!e->label)
		return err_oom(err);
	r = json_member_strv(v, "aliases", JSON_OPTIONAL, &e->aliases, err);
	if (r < 0)
		return err_prefix(err, r, "label %s", QUOTE(label));
	r = json_member_array(v, "sources", JSON_REQUIRED, &sources, err);
	if (r < 0)
		return err_prefix(err, r, "label %s", QUOTE(label));
	e->sources = calloc(json_len(sources) + 1, sizeof(*e->sources));
	if (!e->sources)
		return err_oom(err);
	for (size_t i = 0; i < json_len(sources); i++) {
		e->n_sources++;
		r = decode_source(json_at(sources, i), &e->sources[i], err);
		if (r < 0)
			return err_prefix(err, r, "label %s", QUOTE(label));
	}
	if (e->n_sources == 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "label %s: no sources", QUOTE(label));
	return 0;
}

static int decode(const char *text, size_t len, struct catalog *c, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	const struct json *labels;
	int64_t version = 0;
	int r = json_parse(text, len, &doc, err);

	if (r < 0)
		return r;
	r = json_member_int(doc, "version", JSON_REQUIRED, &version, err);
	if (r < 0)
		return r;
	if (version != 1)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "unknown version %lld",
			       (long long)version);
	r = json_member_array(doc, "labels", JSON_REQUIRED, &labels, err);
	if (r < 0)
		return r;
	c->entries = calloc(json_len(labels) + 1, sizeof(*c->entries));
	if (!c->entries)
		return err_oom(err);
	for (size_t i = 0; i < json_len(labels); i++) {
		c->n++;
		r = decode_entry(json_at(labels, i), &c->entries[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int catalog_parse(const char *text, size_t len, struct catalog *ret, struct err *err)
{
	AUTO(catalog) c = { 0 };
	int r = decode(text, len, &c, err);

	if (r < 0)
		return err_prefix(err, r, "read catalogue");
	*ret = c;
	c = (struct catalog){ 0 };
	return 0;
}

int catalog_load(struct catalog *ret, struct err *err)
{
	size_t len = (uintptr_t)catalog_json_end - (uintptr_t)catalog_json;

	return catalog_parse(catalog_json, len, ret, err);
}

void catalog_done(struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct catalog_entry *e = &c->entries[i];

		for (size_t j = 0; j < e->n_sources; j++) {
			free(e->sources[j].value);
			strv_free(e->sources[j].packages);
		}
		free(e->sources);
		strv_free(e->aliases);
		free(e->label);
	}
	free(c->entries);
	*c = (struct catalog){ 0 };
}

const struct catalog_entry *catalog_find(const struct catalog *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct catalog_entry *e = &c->entries[i];

		if (strcmp(e->label, name) == 0 || strv_contains(e->aliases, name))
			return e;
	}
	return NULL;
}
