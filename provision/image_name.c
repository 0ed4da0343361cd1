// SPDX-License-Identifier: MIT
/* Telling labels, transports and references apart (see image_name.h). */
#include "provision/image_name.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "oci/layout.h"

#define LAYOUT_PREFIX "oci:"
#define REFERENCE_PREFIX "docker://"

/* containers-transports(5) and plain tarballs: known names that nothing here serves yet. */
static const char *const later_transports[] = {
	"docker-archive:", "oci-archive:", "docker-daemon:", "containers-storage:", "dir:",
	"rootfs:",	   "https://",	   "http://",
};

static bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Labels never hold these, so a reference does not pay for reading the catalogue. */
static bool may_be_label(const char *text)
{
	return text[strcspn(text, ":/@")] == '\0';
}

static int from_label(const struct catalog_entry *entry, struct image_name *n, struct err *err)
{
	n->kind = IMAGE_NAME_LABEL;
	n->entry = entry;
	n->record = strdup(entry->label);
	n->display = strdup(entry->label);
	return n->record && n->display ? 0 : err_oom(err);
}

static int from_layout(const char *spec, struct image_name *n, struct err *err)
{
	int r;

	n->kind = IMAGE_NAME_LAYOUT;
	n->layout = strdup(spec);
	if (!n->layout)
		return err_oom(err);
	r = layout_name(spec, &n->record, err);
	if (r < 0)
		return r;
	n->display = strdup(n->record);
	return n->display ? 0 : err_oom(err);
}

static bool lacks_tag(const char *text)
{
	const char *slash;

	if (has_prefix(text, REFERENCE_PREFIX))
		text += strlen(REFERENCE_PREFIX);
	if (strchr(text, '@'))
		return false;
	slash = strrchr(text, '/');
	return !strchr(slash ? slash : text, ':');
}

static int from_reference(const char *text, struct image_name *n, struct err *err)
{
	int r;

	n->kind = IMAGE_NAME_REFERENCE;
	r = image_ref_parse(text, &n->ref, err);
	if (r < 0)
		return r;
	n->implied_tag = lacks_tag(text);
	n->record = image_ref_canonical(&n->ref);
	n->display = image_ref_familiar(&n->ref);
	return n->record && n->display ? 0 : err_oom(err);
}

static int parse(const char *text, struct image_name *n, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(later_transports); i++)
		if (has_prefix(text, later_transports[i]))
			return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
				       "use image %s: %s images are not supported yet", QUOTE(text),
				       later_transports[i]);
	if (has_prefix(text, LAYOUT_PREFIX))
		return from_layout(text + strlen(LAYOUT_PREFIX), n, err);
	if (may_be_label(text)) {
		const struct catalog_entry *entry;
		int r = catalog_load(&n->catalog, err);

		if (r < 0)
			return r;
		entry = catalog_find(&n->catalog, text);
		if (entry)
			return from_label(entry, n, err);
	}
	return from_reference(text, n, err);
}

int image_name_parse(const char *text, struct image_name *ret, struct err *err)
{
	AUTO(image_name) n = { 0 };
	int r = parse(text, &n, err);

	if (r < 0)
		return r;
	*ret = n;
	n = (struct image_name){ 0 };
	return 0;
}

void image_name_done(struct image_name *n)
{
	free(n->record);
	free(n->display);
	free(n->layout);
	catalog_done(&n->catalog);
	image_ref_done(&n->ref);
	*n = (struct image_name){ 0 };
}
