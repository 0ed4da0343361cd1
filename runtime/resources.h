/* SPDX-License-Identifier: MIT */
/* What one container holds on the host besides its processes: a cgroup, a state file with its name, and until that is written a lock. */
#ifndef RUNTIME_RESOURCES_H
#define RUNTIME_RESOURCES_H

#include "runtime/cgroup.h"
#include "runtime/foreground.h"
#include "runtime/state.h"
#include "runtime/userns.h"

struct resources {
	const char *state_dir;
	struct container_state state; /* borrows from the request */
	struct cgroup cgroup;
	int lock_fd; /* of the state file; -EBADF until it is registered */
	int *hold_fd;
	struct userns_range ids; /* of a user namespace; without one no fd is open in it */
};

/**
 * resources_begin() - make the cgroup
 * @caps: what a container can be given at most; @hold_fd: closed by resources_register()
 * Return: 0 or -errno; then nothing is held
 */
int resources_begin(const struct foreground_request *req, uint64_t caps, int *hold_fd,
		    struct resources *ret, struct err *err);

/**
 * resources_register() - claim the name; before that, free what killed owners left. Runs beside the child's mounting (launch_request.beside),
 * in the process that will own the container.
 * @arg: struct resources
 * Return: 0, -EEXIST/ERR_CONFLICT for a name in use, other -errno; resources_release() in every case
 */
int resources_register(void *arg, pid_t pid, struct err *err);

/** resources_started() - the command runs: from now on others may enter. @arg: struct resources */
void resources_started(void *arg);

/** resources_set_pid() - a machine has its name before it has a PID 1, and gets another one when it reboots. @arg: struct resources. Return: 0 or -errno */
int resources_set_pid(void *arg, pid_t pid, struct err *err);

/** resources_renew() - end what is left in the cgroup, and make it anew for a machine's next boot. Return: 0 or -errno */
int resources_renew(struct resources *res, struct err *err);

/** resources_free_name() - the container is ending: others may have its name from now on */
void resources_free_name(struct resources *res);

/** resources_forget() - close what another process owns from now on */
void resources_forget(struct resources *res);

/** resources_release() - give it all up; idempotent. @arg: struct resources */
void resources_release(void *arg);

#endif
