/* SPDX-License-Identifier: MIT */
/* The directories open between the layer's root and the entry being made, so that entries side by side cost no walk. */
#ifndef OCI_DIR_STACK_H
#define OCI_DIR_STACK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "oci/path_set.h"

struct dir_level {
	int fd; /* not O_PATH; -EBADF while too many are open */
	size_t path_len; /* of dir_stack.path up to this directory */
	mode_t mode; /* with set_mode: given when the directory is left, since S_ISGID hands down groups */
	struct timespec mtime; /* given when left, if anything was made in it */
	bool set_mode, touched, setgid;
	void *default_acl; /* taken off while open, since it hands down ACLs; owned */
	size_t default_acl_len;
};

struct dir_stack {
	struct dir_level *levels; /* [0]: the layer's root */
	size_t n, cap;
	char path[PATH_MAX]; /* real path of the top: no component is a symlink */
	char walked[PATH_MAX]; /* the name under which the top was asked for */
	bool has_default_acls; /* some directory made so far has one */
	struct path_set *implied; /* borrowed: directories made without an entry are added */
};

/** dir_stack_open() - Return: 0 or -errno; dir_stack_done() releases, but only dir_stack_leave() gives the open ones their attributes */
int dir_stack_open(int root_fd, struct path_set *implied, struct dir_stack *ret, struct err *err);
/**
 * dir_stack_enter() - make the directory @path (clean, "" is the root) the top
 * Symlinks are followed inside the root, as a process chrooted there would; what is missing is made (0755).
 */
int dir_stack_enter(struct dir_stack *s, const char *path, struct err *err);
/** dir_stack_push() - go down into a directory of the top. @walked: the name that the archive gave it */
int dir_stack_push(struct dir_stack *s, const char *name, const char *walked, struct err *err);
struct dir_level *dir_stack_top(struct dir_stack *s);
/** dir_level_hold_default_acl() - take a default ACL off until the directory is left */
int dir_level_hold_default_acl(struct dir_level *l, struct err *err);
/** dir_stack_join() - real path of @name in the top. Return: 0 or -ENAMETOOLONG */
int dir_stack_join(const struct dir_stack *s, const char *name, char buf[static PATH_MAX]);
/** dir_stack_leave() - leave all directories */
int dir_stack_leave(struct dir_stack *s, struct err *err);
void dir_stack_done(struct dir_stack *s);

#endif
