/* SPDX-License-Identifier: MIT */
/* os-release(5): which operating system a root file system is. */
#ifndef PROVISION_OS_RELEASE_H
#define PROVISION_OS_RELEASE_H

#include "base/err.h"

/**
 * os_release_get() - the value of one field, without its quotes
 * @text: the whole file
 * @ret: owned; NULL when there is no such field (the last of several counts, as in a shell)
 * Return: 0 or -ENOMEM
 */
int os_release_get(const char *text, const char *field, char **ret, struct err *err);

#endif
