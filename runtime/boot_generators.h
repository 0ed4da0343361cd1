/* SPDX-License-Identifier: MIT */
/* Generators that most images have no work for: left out of a boot in which they would find nothing, and there again once it is up. */
#ifndef RUNTIME_BOOT_GENERATORS_H
#define RUNTIME_BOOT_GENERATORS_H

#include <stdbool.h>

#include "base/err.h"

/** boot_generator_known() - whether it can be told if @name has work */
bool boot_generator_known(const char *name);

/**
 * boot_generator_idle() - whether @name would find nothing to do in the root file system below @root_fd
 * The image is not trusted: what cannot be read, or is unlike anything known, counts as work.
 */
bool boot_generator_idle(int root_fd, const char *name);

/**
 * boot_generators_mask() - mask those of @names that are idle, until systemd-tmpfiles-setup.service has run
 * @run: the machine's /run, a fresh tmpfs; to be called inside, after the root was switched
 * Return: 0 or -errno
 * Source: systemd.generator(7), tmpfiles.d(5)
 */
int boot_generators_mask(char *const *names, int run, struct err *err);

#endif
