/* SPDX-License-Identifier: MIT */
/* The layers of an image from the registry into their workers, several at once. */
#ifndef REGISTRY_LAYERS_H
#define REGISTRY_LAYERS_H

#include "oci/install.h"
#include "registry/session.h"

/* Layers being received or still unpacked: more would only add memory. */
#define LAYERS_ACTIVE_MAX 8

/* Requests for one layer in all, when the network or the registry fails in a way that may pass; docker's number. */
#define LAYER_ATTEMPTS_MAX 5

/**
 * layers_pull() - receive every layer that @in needs, and wait until all are unpacked
 * A transfer that breaks off, times out or is answered by 429 or 5xx is made again after a pause, from where it broke off.
 * After a failure transfers may still be running: session_done() ends them, and nothing may be polled before.
 * Return: 0; ERR_CORRUPT, ERR_NETWORK, ERR_AUTH naming the layer; ERR_INTERRUPTED
 */
int layers_pull(struct session *s, struct install *in, struct err *err);

#endif
