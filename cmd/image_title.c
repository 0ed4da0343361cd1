// SPDX-License-Identifier: MIT
/* Familiar names of records (see image_title.h). */
#include "cmd/image_title.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/reference.h"

static int from_reference(const struct image_ref *ref, struct image_title *t)
{
	t->full = image_ref_familiar(ref);
	t->repository = image_ref_familiar_name(ref);
	if (ref->tag)
		t->tag = strdup(ref->tag);
	return t->full && t->repository && (t->tag || !ref->tag) ? 0 : -ENOMEM;
}

int image_title_of(const char *record_name, struct image_title *ret, struct err *err)
{
	AUTO(image_title) t = { 0 };
	AUTO(image_ref) ref = { 0 };
	/* Canonical references always have a slash, labels never; "oci:/dir" is no reference. */
	bool is_reference = strchr(record_name, '/') && strncmp(record_name, "oci:", 4) != 0 &&
			    image_ref_parse(record_name, &ref, NULL) == 0;

	if (is_reference) {
		if (from_reference(&ref, &t) < 0)
			return err_oom(err);
	} else {
		t.full = strdup(record_name);
		t.repository = strdup(record_name);
		if (!t.full || !t.repository)
			return err_oom(err);
	}
	*ret = t;
	t = (struct image_title){ 0 };
	return 0;
}

void image_title_done(struct image_title *t)
{
	free(t->full);
	free(t->repository);
	free(t->tag);
	*t = (struct image_title){ 0 };
}
