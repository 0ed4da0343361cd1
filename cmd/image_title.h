/* SPDX-License-Identifier: MIT */
/* Names of image records as users know them: docker's familiar form, a label or a layout as it is. */
#ifndef CMD_IMAGE_TITLE_H
#define CMD_IMAGE_TITLE_H

#include "base/err.h"

struct image_title {
	char *full; /* debian:bookworm */
	char *repository; /* debian */
	char *tag; /* bookworm; NULL: none */
};

/** image_title_of() - from a record's name. Return: 0 or -ENOMEM */
int image_title_of(const char *record_name, struct image_title *ret, struct err *err);
void image_title_done(struct image_title *t);

#endif
