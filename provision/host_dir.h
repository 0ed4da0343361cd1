/* SPDX-License-Identifier: MIT */
/* Directories of the host that racker makes on the user's behalf. */
#ifndef PROVISION_HOST_DIR_H
#define PROVISION_HOST_DIR_H

#include "base/err.h"

/** host_dir_make() - make a directory and its missing parents, 0755; anything that is there already is left alone. Return: 0 or -errno */
int host_dir_make(const char *path, struct err *err);

#endif
