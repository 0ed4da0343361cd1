// SPDX-License-Identifier: MIT
/* What one container holds on the host besides its processes (see resources.h). */
#include "runtime/resources.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "runtime/boot_spec.h"
#include "runtime/fault.h"

static char *policy_name(const struct container_spec *spec)
{
	if (!spec->seccomp_default)
		return "";
	return spec->boot ? "boot" : "default";
}

/* Ids of its own, and a cgroup that its root may order. */
static int begin_userns(const struct foreground_request *req, struct resources *res,
			struct err *err)
{
	const struct userns_places places = { req->state_dir, "/etc", "/run/systemd/nspawn-uid" };
	int r;

	if (!req->spec->userns)
		return 0;
	r = userns_claim(&places, req->spec->name, &res->ids, err);
	return r < 0 ? r : cgroup_delegate(&res->cgroup, res->ids.base, err);
}

int resources_begin(const struct foreground_request *req, uint64_t caps, int *hold_fd,
		    struct resources *res, struct err *err)
{
	const struct boot_spec *boot = req->spec->boot;
	int r = fault_check("cgroup", err);

	res->state_dir = req->state_dir;
	res->cgroup = CGROUP_NONE;
	res->lock_fd = -EBADF;
	res->hold_fd = hold_fd;
	res->ids = USERNS_RANGE_NONE;
	if (r == 0)
		r = cgroup_create(req->spec->id, &res->cgroup, err);
	if (r == 0)
		r = begin_userns(req, res, err);
	if (r < 0) {
		(void)cgroup_destroy(&res->cgroup, NULL);
		return r;
	}
	/* Borrowed all of it: container_state_done() is never called on this one. */
	res->state = (struct container_state){ .id = req->spec->id,
					       .name = req->spec->name,
					       .image = (char *)(uintptr_t)req->image,
					       .hostname = req->spec->hostname,
					       .cgroup = res->cgroup.path,
					       .started = time(NULL),
					       .boot = boot != NULL,
					       .user = boot ? boot->command.user : req->spec->user,
					       .workdir = boot ? boot->command.workdir :
								 req->spec->workdir,
					       .caps = req->spec->caps.bounding & caps,
					       .seccomp = policy_name(req->spec),
					       .userns = req->spec->userns,
					       .suppress_sync = boot && boot->suppress_sync,
					       .no_new_privs = req->spec->no_new_privs,
					       .argv = boot ? boot->command.argv : req->spec->argv,
					       .env = boot ? boot->command.env : req->spec->env,
					       .layers = (struct digest *)(uintptr_t)req->layers,
					       .n_layers = req->n_layers };
	return 0;
}

/* Runs beside the child's mounting, in the process that will own the container. Before it takes a name, those of killed owners are freed. */
int resources_register(void *arg, pid_t pid, struct err *err)
{
	struct resources *res = arg;
	int r = state_sweep(res->state_dir, err);

	/* Those whose owners were killed before they had a state file. */
	cgroup_sweep(&res->cgroup);
	if (r == 0)
		r = fault_check("state", err);

	/* Those who enter the container find it by this; so does a sweeper where there is no cgroup. */
	if (pid > 0)
		state_set_pid(&res->state, pid);
	if (r == 0)
		r = state_register(res->state_dir, &res->state, err);
	if (r < 0)
		return r;
	res->lock_fd = r;
	cleanup_close(res->hold_fd);
	*res->hold_fd = -EBADF;
	return 0;
}

void resources_started(void *arg)
{
	struct resources *res = arg;

	state_set_running(res->lock_fd, &res->state);
}

int resources_set_pid(void *arg, pid_t pid, struct err *err)
{
	struct resources *res = arg;

	state_set_pid(&res->state, pid);
	return state_replace(res->state_dir, &res->lock_fd, &res->state, err);
}

int resources_renew(struct resources *res, struct err *err)
{
	int r = cgroup_renew(&res->cgroup, err);

	return r < 0 || res->ids.lock_fd < 0 ? r :
					       cgroup_delegate(&res->cgroup, res->ids.base, err);
}

void resources_free_name(struct resources *res)
{
	if (res->lock_fd >= 0)
		state_free_name(res->state_dir, &res->state);
}

void resources_forget(struct resources *res)
{
	cgroup_done(&res->cgroup);
	cleanup_close(&res->ids.lock_fd);
	cleanup_close(&res->ids.dir_fd);
	res->ids = USERNS_RANGE_NONE;
}

void resources_release(void *arg)
{
	struct resources *res = arg;
	struct err why;

	if (cgroup_destroy(&res->cgroup, &why) < 0) {
		/* The state file still says where it is: the next start tries again. */
		log_debug("%s", why.msg);
		cleanup_close(&res->lock_fd);
		res->lock_fd = -EBADF;
	}
	userns_range_done(&res->ids);
	state_unregister(res->state_dir, MOVE_FD(res->lock_fd), &res->state);
}
