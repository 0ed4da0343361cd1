/* SPDX-License-Identifier: MIT */
/* --init: a PID 1 of our own that starts the command, reaps orphans, forwards signals and ends with the command's result. */
#ifndef RUNTIME_INIT_STUB_H
#define RUNTIME_INIT_STUB_H

#include <signal.h>
#include <stdbool.h>

/**
 * init_stub_run() - become PID 1's loop; every signal must be blocked
 * Forks: the child returns from here (in its own process group, in the foreground of the terminal if there is one) to execute the
 * command; the parent never returns and exits with the command's code, or 128+n.
 * Return: in the child 0, -errno if fork failed
 */
int init_stub_run(bool tty);

#endif
