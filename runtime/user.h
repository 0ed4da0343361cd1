/* SPDX-License-Identifier: MIT */
/* Who a container's process runs as: docker's USER string looked up in the passwd and group files of a root file system. */
#ifndef RUNTIME_USER_H
#define RUNTIME_USER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define USER_ID_MAX 2147483647 /* docker's; ids above it were taken for root by some */
#define USER_FILE_MAX (10U << 20) /* most bytes of passwd or group that are read */

struct user_ids {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* for setgroups(2): the primary gid first, no duplicates */
	size_t n_groups; /* 1..NGROUPS_MAX */
	char *home; /* of the first passwd entry with this uid, else "/" */
	char *shell; /* of the same, else "/bin/sh" */
};
void user_ids_done(struct user_ids *ids);

/**
 * user_lookup() - ids of a USER string
 * @root_fd: the root file system; nothing outside of it is read, and nothing but regular files
 * @user: "name", "uid", "name:group", "uid:gid" and mixtures; "" or NULL: uid 0. All digits are never a name. With a group, there
 *        are no supplementary groups; without, those that list the user. A uid without a passwd entry has gid 0 and home "/".
 * @ret: owned: user_ids_done()
 * Return: 0, -ENOENT/ERR_NOT_FOUND (docker's words: "unable to find user x: no matching entries in passwd file"),
 * -ERANGE/ERR_USAGE (id above USER_ID_MAX), -EINVAL/ERR_USAGE (no USER string), other -errno (a passwd that cannot be read)
 */
int user_lookup(int root_fd, const char *user, struct user_ids *ret, struct err *err);

#endif
