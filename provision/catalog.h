/* SPDX-License-Identifier: MIT */
/* Curated labels: names of operating systems and where their root file systems come from, in order (decisions 1, 4). */
#ifndef PROVISION_CATALOG_H
#define PROVISION_CATALOG_H

#include <stddef.h>

#include "base/err.h"

enum catalog_source_kind { SOURCE_REGISTRY, SOURCE_MMDEBSTRAP };

struct catalog_source {
	enum catalog_source_kind kind;
	char *value; /* image reference, or suite */
	char **packages; /* of a bootstrap: what it installs beside the essential ones, so that the label boots */
};

struct catalog_entry {
	char *label; /* debian-bookworm */
	char **aliases; /* debian-12 */
	struct catalog_source *sources; /* tried in order */
	size_t n_sources;
};

struct catalog {
	struct catalog_entry *entries;
	size_t n;
};

/** catalog_load() - the built-in catalogue (config/catalog.json). Return: 0 or -errno */
int catalog_load(struct catalog *ret, struct err *err);
/** catalog_parse() - a catalogue from JSON text. Return: 0, -EBADMSG/ERR_CORRUPT, -ENOMEM */
int catalog_parse(const char *text, size_t len, struct catalog *ret, struct err *err);
void catalog_done(struct catalog *c);
/** catalog_find() - by label or alias; NULL if it is no curated label. Borrowed. */
const struct catalog_entry *catalog_find(const struct catalog *c, const char *name);

#endif
