/* SPDX-License-Identifier: MIT */
/* What every process of a container goes through before its command is executed, PID 1 and those that join later alike. */
#ifndef RUNTIME_BECOME_H
#define RUNTIME_BECOME_H

#include <stdbool.h>

#include "base/err.h"
#include "runtime/user.h"

struct cap_sets;

/** become_tied() - die when the parent does; exits at once when it has died already. @ctl_fd: a socket whose other end it holds. Return: 0 or -errno */
int become_tied(int ctl_fd, struct err *err);

/** become_env() - a copy of @env, with HOME where that has none. @ret: owned. Return: 0 or -ENOMEM */
int become_env(char *const *env, const struct user_ids *ids, char ***ret, struct err *err);

/**
 * become_in() - change to a working directory inside
 * @dir: absolute; NULL or "" for /
 * Return: 0, -EXDEV if it leads outside, other -errno
 */
int become_in(int root_fd, const char *dir, struct err *err);

/** become_without_stdin() - the container's own null device as stdin. Return: 0, -ENODEV if /dev/null is something else, other -errno */
int become_without_stdin(struct err *err);

/** become_bounded() - bounding set, groups and no_new_privs: what needs privileges that become_user() gives up. Return: 0 or -errno */
int become_bounded(const struct user_ids *ids, const struct cap_sets *caps, bool no_new_privs,
		   struct err *err);

/**
 * become_user() - the user, and its capabilities: as docker has it, @caps for root and none for others
 * Tied to the parent as before (changing the user forgets that), with docker's umask.
 * Return: 0 or -errno
 */
int become_user(const struct user_ids *ids, const struct cap_sets *caps, struct err *err);

#endif
