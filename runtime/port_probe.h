/* SPDX-License-Identifier: MIT */
/* Whether something listens on a TCP port of a container, asked from inside its network. */
#ifndef RUNTIME_PORT_PROBE_H
#define RUNTIME_PORT_PROBE_H

#include "base/err.h"

/**
 * port_probe() - connect to the port on the container's own loopback, 127.0.0.1 and then ::1; waits a second at most
 * @pidfd: of a process of the container
 * Return: 1 something accepts, 0 nothing does, -errno when it cannot be asked
 * Source: setns(2): a socket belongs to the network namespace in which it was made
 */
int port_probe(int pidfd, unsigned int port, struct err *err);

#endif
