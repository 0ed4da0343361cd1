/* SPDX-License-Identifier: MIT */
/* User namespaces of containers: a range of the host's ids for each, and the maps. */
#ifndef RUNTIME_USERNS_H
#define RUNTIME_USERNS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define USERNS_IDS 65536U /* of every container, from 0 on */
/* Where ranges begin, in steps of USERNS_IDS: what systemd sets aside for containers (its "Users, Groups, UIDs and GIDs" document). */
#define USERNS_FIRST 0x00080000U
#define USERNS_LAST 0x6fff0000U

struct userns_places {
	const char *state_dir; /* ranges in use are files there */
	const char *etc_dir; /* "/etc": subuid, subgid, passwd, group */
	const char *
		nspawn_dir; /* "/run/systemd/nspawn-uid": ranges that systemd-nspawn uses are files there */
};

struct userns_range {
	uint32_t base; /* what 0 is outside */
	int lock_fd; /* owned */
	int dir_fd; /* owned; of the file that is locked */
};
#define USERNS_RANGE_NONE ((struct userns_range){ .lock_fd = -EBADF, .dir_fd = -EBADF })

/**
 * userns_claim() - a range that nobody else has
 * The same name gets the same range as long as that is free: the first try is made of the name. Ranges that reach into one of subuid or
 * subgid, or that hold an id of passwd or group, are left alone; so are those of other containers, for as long as they hold theirs.
 * Return: 0 with *ret (userns_range_done() gives it back), -EUSERS/ERR_CONFLICT when all are taken, other -errno
 */
int userns_claim(const struct userns_places *places, const char *name, struct userns_range *ret,
		 struct err *err);
void userns_range_done(struct userns_range *r);

/** userns_write_maps() - 0 to USERNS_IDS of a process in a new user namespace. Return: 0 or -errno. Source: user_namespaces(7) */
int userns_write_maps(pid_t pid, uint32_t base, struct err *err);

/**
 * userns_new() - a user namespace with such a map and nobody in it, as mount_set_idmap() needs one
 * Return: fd or -errno
 */
int userns_new(uint32_t base, struct err *err);

#endif
