/* SPDX-License-Identifier: MIT */
/* Names of tar entries: brought into one form or refused. */
#ifndef OCI_ENTRY_PATH_H
#define OCI_ENTRY_PATH_H

#include <limits.h>

#include "base/err.h"

/**
 * entry_path_clean() - "./usr//lib/" and "/usr/lib" become "usr/lib"; the root becomes ""
 * Return: 0, or -EBADMSG/ERR_CORRUPT for "..", a component over NAME_MAX or a whole over PATH_MAX
 */
int entry_path_clean(const char *raw, char buf[static PATH_MAX], struct err *err);

/** entry_path_split() - cut the last component off a clean path, in place; @ret_name points to it, *ret_parent is "" at the root */
void entry_path_split(char *path, const char **ret_parent, const char **ret_name);

#endif
