/* SPDX-License-Identifier: MIT */
/* The container's side of a start: from clone3 to execve, as a table of stages. */
#ifndef RUNTIME_CHILD_H
#define RUNTIME_CHILD_H

#include <stdint.h>
#include <sys/ioctl.h>

#include "runtime/container_spec.h"
#include "runtime/mount_exec.h"
#include "runtime/mount_plan.h"
#include "runtime/seccomp.h"

/* All that the child needs, prepared by the parent. */
struct child_request {
	const struct container_spec *spec;
	const struct mount_plan *plan;
	const struct seccomp_filters *filters; /* NULL: none */
	const struct winsize *winsize; /* of the new pty; NULL: left at 0x0 */
	const char *scratch_dir; /* existing host directory, see rootfs_mount() */
	int ctl_fd; /* owned; see ctl.h */
	volatile uint32_t *stage; /* shared with the parent: the stage that has begun */
	struct cap_sets caps; /* already within what we have */
	bool nodev; /* see mount_plan_build() */
	int root_ns_fd; /* see rootfs_mount(); -EBADF: a new root */
	int root_fd; /* in a user namespace: the root, prepared by the parent (rootfs_detached()); else -EBADF */
	const struct mount_exec *
		mounts; /* in a user namespace: begun by the parent, who may open what its root may not; else NULL */
};

/** child_main() - run all stages; never returns to its caller's code */
_Noreturn void child_main(const struct child_request *req);

/** child_stage_name() - name of a stage number from a ctl_msg; "?" for a wrong one */
const char *child_stage_name(unsigned int stage);
/** child_stage_count() - the last stage, "exec", is the one in which the command starts */
unsigned int child_stage_count(void);

#endif
