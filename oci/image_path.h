/* SPDX-License-Identifier: MIT */
/* Where under images/ the record of a name lives. */
#ifndef OCI_IMAGE_PATH_H
#define OCI_IMAGE_PATH_H

#include <limits.h>

#include "base/err.h"

/**
 * image_path() - path of the record's file, of components that are safe to use
 * "docker.io/library/debian:bookworm"	docker.io/library/debian/_tags/bookworm
 * "…/debian@sha256:HEX"		…/debian/_digests/HEX		(with a tag too: _digests/TAG@HEX)
 * "debian-bookworm"			_labels/debian-bookworm
 * everything else ("oci:DIR:REF")	_other/<SHA-256 of the name>
 * No component of a reference begins with '_', so the parts cannot collide.
 * Return: 0, -EINVAL for an empty name, other -errno
 */
int image_path(const char *name, char buf[static PATH_MAX], struct err *err);

/** image_path_name() - the name whose record is at @path; @path itself if none is or it cannot be told ("_other/") */
void image_path_name(const char *path, char buf[static PATH_MAX]);

#endif
