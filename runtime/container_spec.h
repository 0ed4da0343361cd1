/* SPDX-License-Identifier: MIT */
/*
 * What a container is: the only input of runtime/. `racker run`, a booted machine and an OCI bundle all become one of these, so its
 * parts are those of runtime-spec config.md; a part that nothing uses yet is left out rather than half-built.
 */
#ifndef RUNTIME_CONTAINER_SPEC_H
#define RUNTIME_CONTAINER_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct boot_spec;

enum namespace_kind { NS_MOUNT, NS_PID, NS_UTS, NS_IPC, NS_CGROUP, NS_NET, NS_MAX };

/* Each kind is the host's, or new and private. */
enum namespace_mode { NAMESPACE_HOST, NAMESPACE_NEW };

/* A bind mount from the host (-v). */
struct bind_spec {
	char *source; /* absolute host path; must exist */
	char *target; /* absolute path inside */
	bool readonly; /* recursively */
};

/* A small file at a path inside, private to the container (/etc/hosts and kin): mounted there, or written into the root file system. */
struct file_spec {
	char *target; /* absolute path inside */
	char *text;
	bool in_root; /* written, in place of what is there: a machine's own programs replace such files by renaming */
};

/* Bits of linux/capability.h; intersected with what racker itself has before use. */
struct cap_sets {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

struct container_spec {
	char *id; /* 64 hex digits */
	char *name; /* unique while it runs */
	char *hostname; /* NULL: left alone (the host's UTS namespace) */

	char **lower_dirs; /* absolute host paths of layers, top first: lowerdirs of the overlay */
	bool readonly_rootfs;

	enum namespace_mode namespaces[NS_MAX];

	struct bind_spec *binds;
	size_t n_binds;
	struct file_spec *files;
	size_t n_files;
	char **masked_paths; /* hidden: a file by /dev/null, a directory by an empty read-only tmpfs */
	char **readonly_paths;
	uint64_t shm_size; /* bytes of /dev/shm */

	char **argv; /* exact; argv[0] is looked up in env's PATH inside */
	char **env;
	char *workdir; /* absolute; made 0755 if missing */
	char *user; /* "", "name", "uid", "name:group", "uid:gid"; looked up inside; NULL: root */

	bool tty; /* a pty as stdin, stdout, stderr and /dev/console */
	bool interactive; /* stdin stays open; else it is /dev/null (or, with a tty, nothing is sent) */
	bool init; /* our own PID 1, which reaps and forwards signals */
	struct cap_sets caps;
	bool seccomp_default; /* docker's default policy (config/seccomp-default.json) */
	bool no_new_privs;
	bool userns; /* a user namespace of its own, with a range of ids that nobody else has: root inside is nobody outside */
	struct boot_spec *
		boot; /* owned; NULL: argv is a command, else it is the init of a machine, NULL for the one that the image has */
};

void container_spec_done(struct container_spec *spec);
/** container_spec_defaults() - docker's: namespaces, capabilities, masked paths, 64 MiB shm; *ret zeroed first. Return: 0 or -ENOMEM */
int container_spec_defaults(struct container_spec *ret);
/** container_spec_validate() - what can be said without looking at the host. Return: 0 or -EINVAL/ERR_USAGE with docker's words */
int container_spec_validate(const struct container_spec *spec, struct err *err);

#endif
