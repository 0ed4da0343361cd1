/* SPDX-License-Identifier: MIT */
/* A container's state as text: what a state file holds. */
#ifndef RUNTIME_STATE_JSON_H
#define RUNTIME_STATE_JSON_H

#include <stddef.h>

#include "base/err.h"
#include "base/strbuf.h"

struct container_state;

/** state_encode() - Return: 0, -E2BIG, -ENOMEM */
int state_encode(const struct container_state *s, struct strbuf *out);

/**
 * state_decode() - also what older and newer versions wrote: only id, name and layers are required, unknown members are passed over
 * @s: zeroed; owned by the caller after a failure too
 * Return: 0, -EBADMSG/ERR_CORRUPT, other -errno
 */
int state_decode(const char *text, size_t len, struct container_state *s, struct err *err);

#endif
