/* SPDX-License-Identifier: MIT */
/* What a user's word for an image means: curated label, OCI layout, or docker's reference, in this order (decisions 1). */
#ifndef PROVISION_IMAGE_NAME_H
#define PROVISION_IMAGE_NAME_H

#include <stdbool.h>

#include "oci/reference.h"
#include "provision/catalog.h"

enum image_name_kind { IMAGE_NAME_LABEL, IMAGE_NAME_LAYOUT, IMAGE_NAME_REFERENCE };

struct image_name {
	enum image_name_kind kind;
	char *record; /* the name of its record in the store */
	char *display; /* as messages call it: label, oci:DIR, familiar reference */
	struct catalog catalog; /* holds @entry; loaded for labels alone */
	const struct catalog_entry *entry; /* IMAGE_NAME_LABEL */
	char *layout; /* IMAGE_NAME_LAYOUT: "DIR[:REF]" */
	struct image_ref ref; /* IMAGE_NAME_REFERENCE */
	bool implied_tag; /* neither tag nor digest was given */
};

/** image_name_parse() - Return: 0; -EINVAL/ERR_USAGE with docker's words; -EOPNOTSUPP/ERR_UNSUPPORTED for transports to come */
int image_name_parse(const char *text, struct image_name *ret, struct err *err);
void image_name_done(struct image_name *n);

#endif
