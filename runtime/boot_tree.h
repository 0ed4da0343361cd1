/* SPDX-License-Identifier: MIT */
/* A machine's /run as its PID 1 finds it: systemd's Container Interface "The /run/host/ Hierarchy", and what the boot profile masks. */
#ifndef RUNTIME_BOOT_TREE_H
#define RUNTIME_BOOT_TREE_H

#include "base/err.h"
#include "runtime/boot_spec.h"

#define BOOT_NOTIFY_PATH "/run/host/notify"
#define BOOT_CREDENTIALS_PATH "/run/host/credentials"

/**
 * boot_tree_make() - fill the fresh tmpfs on /run; to be called inside, after the root was switched
 * Return: the bound notify socket, non-blocking, told who sends (owned by the caller); -errno
 * Source: systemd, docs/CONTAINER_INTERFACE.md; systemd.generator(7) and systemd.unit(5) on masking
 */
int boot_tree_make(const struct boot_spec *boot, struct err *err);

#endif
