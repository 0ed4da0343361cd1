/* SPDX-License-Identifier: MIT */
/* The -v flag: SRC:DST[:OPTIONS] becomes a bind mount (docker's short volume syntax). */
#ifndef PROVISION_VOLUME_H
#define PROVISION_VOLUME_H

#include "runtime/container_spec.h"

/**
 * volume_parse() - one -v value
 * Absolute sources, and those that begin with "." (relative to the current directory), are bind mounts. Nothing is looked up or made.
 * The target is cleaned lexically, as docker does: "/x/", "/x/." and "/y/../x" are all "/x".
 * @ret: owned: source, target
 * Return: 0; -EINVAL/ERR_USAGE with docker's words; -EOPNOTSUPP/ERR_UNSUPPORTED for named and anonymous volumes
 */
int volume_parse(const char *text, struct bind_spec *ret, struct err *err);

#endif
