/* SPDX-License-Identifier: MIT */
/* Capabilities: names and numbers, the sets of containers, and giving them up between clone and exec. */
#ifndef RUNTIME_CAPS_H
#define RUNTIME_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct cap_sets;

/**
 * caps_from_name() - number of a capability that libcap knows
 * @name: "CAP_CHOWN", in any case; the prefix is needed, a number is no name
 * Return: number (0..63), or -EINVAL
 */
int caps_from_name(const char *name);

#define CAPS_NAME_MAX 64
/** caps_name() - "CAP_CHOWN" for 0; "CAP_63" for one without a name. Return: @buf */
const char *caps_name(unsigned int cap, char buf[static CAPS_NAME_MAX]);

/** caps_default() - the 14 capabilities of a container, as a mask. Source: docker's default set */
uint64_t caps_default(void);

/**
 * caps_boot() - the capabilities of a container that boots an init, as a mask (config/caps.json)
 * @private_net: its network is its own
 * Return: 0, -ENOMEM
 * Source: systemd-nspawn(1) "--capability=" without CAP_AUDIT_CONTROL, which CONTAINER_INTERFACE "What You Shouldn't Do" forbids
 */
int caps_boot(bool private_net, uint64_t *ret, struct err *err);

/**
 * caps_read_bounding() - most that a container of ours can have: our bounding set intersected with our permitted set
 * Return: 0 or -errno
 * Source: capabilities(7), PR_CAPBSET_READ(2const)
 */
int caps_read_bounding(uint64_t *ret, struct err *err);

/**
 * caps_read_bounding_of() - the bounding set of another process
 * Return: 0 or -errno
 * Source: proc_pid_status(5) "CapBnd"
 */
int caps_read_bounding_of(pid_t pid, uint64_t *ret);

/**
 * caps_apply_bounding() - drop everything that is not in @keep from the bounding set; what is absent already is fine
 * Needs CAP_SETPCAP unless there is nothing to drop. No heap use: may run between clone and exec.
 * Return: 0 or -errno
 */
int caps_apply_bounding(uint64_t keep, struct err *err);

/**
 * caps_apply_sets() - set permitted, effective, inheritable and ambient; to be called after setuid
 * @sets: subsets of what the caller has; its bounding member is not looked at (see caps_apply_bounding())
 * No heap use: may run between clone and exec.
 * Return: 0 or -errno
 * Source: capset(2), PR_CAP_AMBIENT(2const)
 */
int caps_apply_sets(const struct cap_sets *sets, struct err *err);

#endif
