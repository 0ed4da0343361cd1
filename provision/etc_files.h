/* SPDX-License-Identifier: MIT */
/* Texts of /etc/hosts, /etc/hostname and /etc/resolv.conf inside a container (features 4.6). */
#ifndef PROVISION_ETC_FILES_H
#define PROVISION_ETC_FILES_H

#include <stdbool.h>

#include "base/err.h"
#include "runtime/container_spec.h"

#define ETC_FILE_BYTES_MAX ((size_t)1 << 20)

/** etc_hosts_default() - docker's standard hosts file. Static. */
const char *etc_hosts_default(void);

/**
 * etc_resolv_filter() - a resolv.conf for a network namespace of its own: nameservers on loopback cannot be reached there
 * Everything else stays; without a nameserver left, docker's public ones are added.
 * @ret: owned
 * Return: 0 or -ENOMEM
 */
int etc_resolv_filter(const char *text, char **ret, struct err *err);

/** etc_resolv_is_stub() - does it name systemd-resolved's stub 127.0.0.53 and no other server? */
bool etc_resolv_is_stub(const char *text);

/**
 * etc_files_add() - append /etc/hosts, /etc/hostname and /etc/resolv.conf to the files of @spec, and what tells where one is: /.dockerenv, or
 * for a machine /etc/machine-id
 * @shares_network: the container lives in the host's network namespace and gets the host's own hosts and resolv.conf
 * @machine_id: NULL for a command; for a machine, whose files are written into its root
 * spec->hostname must be set.
 * Return: 0 or -ENOMEM; a host file that cannot be read counts as an empty one
 */
int etc_files_add(struct container_spec *spec, bool shares_network, const char *machine_id,
		  struct err *err);

#endif
