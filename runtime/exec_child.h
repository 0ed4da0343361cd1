/* SPDX-License-Identifier: MIT */
/* The side of a command that joins a running container: from clone3 to execve, as a table of stages. */
#ifndef RUNTIME_EXEC_CHILD_H
#define RUNTIME_EXEC_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "runtime/container_spec.h"
#include "runtime/seccomp.h"

/* All that it needs, prepared by the parent. */
struct exec_child {
	int pidfd; /* of the container's PID 1 */
	int namespaces; /* CLONE_NEW* of those that are not ours already */
	int ctl_fd; /* owned; see ctl.h */
	int parent_ctl_fd; /* its other end, to be closed */
	int stub_fd;
	char *const *argv;
	char *const *env; /* HOME is added */
	const char *workdir, *user;
	bool tty, interactive;
	bool detached; /* without a tty: stdout and stderr are the null device too */
	bool no_new_privs;
	const struct winsize *winsize; /* NULL: left at 0x0 */
	struct cap_sets caps;
	const struct seccomp_filters *filters; /* NULL: none */
};

/** exec_child_main() - run all stages; never returns to its caller's code */
_Noreturn void exec_child_main(const struct exec_child *req);

/** exec_child_stage_name() - name of a stage number from a ctl_msg; "?" for a wrong one */
const char *exec_child_stage_name(unsigned int stage);

#endif
