/* SPDX-License-Identifier: MIT */
/* The layers of an image from the registry into their workers, several at once. */
#ifndef REGISTRY_LAYERS_H
#define REGISTRY_LAYERS_H

#include "oci/install.h"
#include "registry/session.h"

/* Layers being received or still unpacked: more would only add memory. */
#define LAYERS_ACTIVE_MAX 8

/**
 * layers_pull() - receive every layer that @in needs, and wait until all are unpacked
 * After a failure transfers may still be running: session_done() ends them, and nothing may be polled before.
 * Return: 0; ERR_CORRUPT, ERR_NETWORK, ERR_AUTH naming the layer; ERR_INTERRUPTED
 */
int layers_pull(struct session *s, struct install *in, struct err *err);

#endif
