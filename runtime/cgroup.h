/* SPDX-License-Identifier: MIT */
/*
 * One cgroup v2 directory a container, below racker's own cgroup: so the caller's limits hold for the container too, and nothing is added
 * to the top of the tree (systemd's delegation rules). On a hybrid host this is the v2 hierarchy; without a writable one there is no
 * cgroup, which costs the device filter and cgroup.kill but nothing else.
 */
#ifndef RUNTIME_CGROUP_H
#define RUNTIME_CGROUP_H

#include <stdint.h>

#include "base/err.h"

struct cgroup {
	int fd; /* O_DIRECTORY, flock()ed for as long as an owner lives; -EBADF: none */
	char *path; /* absolute; NULL: none */
};
#define CGROUP_NONE ((struct cgroup){ .fd = -EBADF })

/** cgroup_create() - Return: 0; 0 with ret->fd < 0 when this host gives us no writable cgroup v2; -errno */
int cgroup_create(const char *id, struct cgroup *ret, struct err *err);
/** cgroup_renew() - destroy it and make it again under the same path: nothing that lived in it, nor what it set there, is left. Return: 0 or -errno */
int cgroup_renew(struct cgroup *cg, struct err *err);
/**
 * cgroup_delegate() - let @uid, root of a user namespace, order the subtree: the directory and the files that the kernel says so of
 * Nothing to do for CGROUP_NONE. Return: 0 or -errno. Source: cgroups(7) "Cgroups delegation"
 */
int cgroup_delegate(const struct cgroup *cg, uint32_t uid, struct err *err);
/** cgroup_destroy() - kill what is in it, wait, remove; idempotent. Return: 0 or -errno */
int cgroup_destroy(struct cgroup *cg, struct err *err);
/** cgroup_destroy_path() - the same by the path that a state file keeps; a path that is gone is fine */
int cgroup_destroy_path(const char *path, struct err *err);
/** cgroup_sweep() - destroy the containers' cgroups beside @own whose owners are gone: nobody holds their lock. Nothing to do for CGROUP_NONE */
void cgroup_sweep(const struct cgroup *own);
void cgroup_done(struct cgroup *cg);
/** cgroup_mode() - "2", "2 (hybrid)" (beside v1) or "1" (no v2 to be seen): what this host has, for `racker info` */
const char *cgroup_mode(void);

#endif
