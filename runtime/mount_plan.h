/* SPDX-License-Identifier: MIT */
/* The file systems of a container as an ordered list of operations: pure data, built and tested without privileges. */
#ifndef RUNTIME_MOUNT_PLAN_H
#define RUNTIME_MOUNT_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include "runtime/container_spec.h"

enum mount_kind {
	MOUNT_FS, /* a new instance of file system type @source, options in @data */
	MOUNT_BIND, /* host path @source, with everything mounted below it */
	MOUNT_FILE, /* a file with text @data, private to the container; an empty one is only made if missing */
	MOUNT_WRITE, /* the same, written into the root file system in place of what is there */
	MOUNT_DIRECTORY, /* a directory, made 0755 if missing */
	MOUNT_DEVICE, /* device node @major:@minor, @mode */
	MOUNT_SYMLINK, /* symbolic link to @source */
	MOUNT_CONSOLE, /* the pty: made in @source (the devpts), bound on @target */
	MOUNT_MASK, /* hide what is there */
	MOUNT_READONLY, /* make what is there read-only, with everything below */
	MOUNT_KIND_MAX,
};

struct mount_op {
	enum mount_kind kind;
	const char *source;
	const char *target; /* absolute path inside */
	const char *data; /* MOUNT_FS: "key=value,flag"; MOUNT_FILE: the text */
	uint64_t attrs; /* MOUNT_ATTR_* of mount_setattr(2) */
	unsigned int major, minor;
	mode_t mode;
	bool optional; /* a target (MASK, READONLY) that does not exist is passed over */
};

/* Strings are borrowed from the spec, constant, or in @strings. */
struct mount_plan {
	struct mount_op *ops;
	size_t n;
	char **strings;
};

/**
 * mount_plan_build() - what to do, in order; the executor never reorders
 * @spec: borrowed for the life of the plan
 * @nodev: no device filter could be attached, so devices work nowhere but in the container's own /dev
 * Return: 0 or -ENOMEM
 */
int mount_plan_build(const struct container_spec *spec, bool nodev, struct mount_plan *ret);
void mount_plan_done(struct mount_plan *plan);
/** mount_plan_print() - one line an operation, for --debug and for tests. Return: 0 or -errno */
int mount_plan_print(const struct mount_plan *plan, struct strbuf *out);

#endif
