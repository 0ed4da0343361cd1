/* SPDX-License-Identifier: MIT */
/* All signals through one fd, for a process that serves a container in a poll loop. */
#ifndef BASE_SIGFD_H
#define BASE_SIGFD_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"

/**
 * sigfd_open() - block every signal, and have them come through an fd that never blocks
 * @ret_old: the mask before, for who wants it back; NULL: nobody. After a failure it is in force again.
 * Return: fd (owned) or -errno
 * Source: signalfd(2)
 */
int sigfd_open(sigset_t *ret_old, struct err *err);

/** sigfd_read() - the next signal. Return: its number, 0 when there is none */
int sigfd_read(int fd);

/** sigfd_is_stop() - a signal by which a user or a service manager asks a program to end */
bool sigfd_is_stop(int sig);

#endif
