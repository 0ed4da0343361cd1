// SPDX-License-Identifier: MIT
/*
 * The parent's half of a start (see launch.h). Actors: this process and its clone (child.c), joined by the control socket. The child
 * dies with us (PR_SET_PDEATHSIG); all its mounts live in its own namespace, so there is nothing to undo here but the process itself.
 *
 * Both work at the same time: while the child mounts, the parent attaches the device filter and lets its caller register the container;
 * then it says GO. Should the filter not be had, the child is ended and a second one started that can do without.
 */
#include "runtime/launch.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "runtime/child.h"
#include "runtime/command.h"
#include "runtime/ctl.h"
#include "runtime/device_filter.h"
#include "runtime/fault.h"
#include "runtime/rootfs.h"
#include "runtime/userns.h"

#define PLAN_TEXT_MAX 65536

static uint64_t clone_flags(const struct container_spec *spec)
{
	static const uint64_t flags[NS_MAX] = {
		[NS_MOUNT] = CLONE_NEWNS, [NS_PID] = CLONE_NEWPID,	 [NS_UTS] = CLONE_NEWUTS,
		[NS_IPC] = CLONE_NEWIPC,  [NS_CGROUP] = CLONE_NEWCGROUP, [NS_NET] = CLONE_NEWNET,
	};
	uint64_t all = 0;

	for (size_t i = 0; i < NS_MAX; i++)
		if (spec->namespaces[i] == NAMESPACE_NEW)
			all |= flags[i];
	if (spec->userns)
		all |= CLONE_NEWUSER;
	return all;
}

/* What was asked for, within what we have: a capability that we lack is not an error but a smaller container. */
static struct cap_sets limit_caps(const struct cap_sets *want, uint64_t have, bool mknod_allowed)
{
	if (!mknod_allowed)
		have &= ~(UINT64_C(1) << CAP_MKNOD);
	return (struct cap_sets){ .bounding = want->bounding & have,
				  .effective = want->effective & have,
				  .permitted = want->permitted & have,
				  .inheritable = want->inheritable & have,
				  .ambient = want->ambient & have };
}

static int clone_child(const struct launch_request *req, struct child_request *child,
		       int parent_ctl, struct container *ret, struct err *err)
{
	struct clone_args args = { 0 };
	int pidfd = -EBADF;
	long pid;
	int r = fault_check("clone", err);

	if (r < 0)
		return r;
	args.flags = clone_flags(req->spec) | CLONE_PIDFD;
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	args.exit_signal = SIGCHLD;
	if (req->cgroup->fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)req->cgroup->fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && errno == EPERM)
		return err_set(
			err, ERR_SYSTEM, -EPERM,
			"make namespaces: %s (racker needs root, or CAP_SYS_ADMIN when it runs in a container itself)",
			strerror(EPERM));
	if (pid < 0)
		return err_sys(err, ERR_SYSTEM, "make namespaces");
	if (pid == 0) {
		(void)close(parent_ctl);
		child_main(child);
	}
	*ret = CONTAINER_NONE;
	ret->pid = (pid_t)pid;
	ret->pidfd = pidfd;
	return 0;
}

/* The child's end closed before the last stage, and nothing was said: it crashed. */
static int crashed(struct container *c, unsigned int stage, struct err *err)
{
	int status = container_wait(c);

	if (status >= 0 && WIFSIGNALED(status))
		return err_set(err, ERR_SYSTEM, -EIO,
			       "the container's start died in stage \"%s\", signal %d",
			       child_stage_name(stage), WTERMSIG(status));
	return err_set(err, ERR_SYSTEM, -EIO, "the container's start ended in stage \"%s\"",
		       child_stage_name(stage));
}

/* The child has said why it failed. Return: -errno */
static int failed(const struct launch_request *req, struct container *c, const struct ctl_msg *msg,
		  struct err *err)
{
	container_kill(c);
	(void)container_wait(c);
	if (msg->type == CTL_EXEC_FAILED)
		return command_exec_error(req->spec->boot ? "init" : req->spec->argv[0],
					  -msg->err.code, err);
	log_debug("stage %s failed", child_stage_name(msg->stage));
	if (err)
		*err = msg->err;
	return msg->err.code < 0 ? msg->err.code : -EIO;
}

/* Reads until the command runs (end of file) or the child has told why not. */
static int follow(const struct launch_request *req, int ctl, struct container *c,
		  const volatile uint32_t *stage, struct err *err)
{
	struct ctl_msg msg;
	int fd, r;

	while ((r = ctl_recv(ctl, &msg, &fd)) > 0) {
		AUTO_CLOSE int received = fd;

		if (msg.type == CTL_PTY && c->pty < 0)
			c->pty = MOVE_FD(received);
		else if (msg.type == CTL_NOTIFY && c->notify < 0)
			c->notify = MOVE_FD(received);
		else if (msg.type == CTL_ERROR || msg.type == CTL_EXEC_FAILED)
			return failed(req, c, &msg, err);
	}
	if (r == 0 && *stage + 1 == child_stage_count())
		return 0;
	container_kill(c);
	if (r < 0) {
		(void)container_wait(c);
		return err_set(err, ERR_SYSTEM, r, "follow the start of the container: %s",
			       strerror(-r));
	}
	return crashed(c, *stage, err);
}

static void log_plan(const struct mount_plan *plan)
{
	AUTO(strbuf) text = STRBUF_INIT(PLAN_TEXT_MAX);

	if (log_enabled(LOG_LEVEL_DEBUG) && mount_plan_print(plan, &text) == 0)
		log_debug("mount plan:\n%s", strbuf_str(&text));
}

/* Return: 0, or 1 when devices must be kept out by other means, which the child has to know before it mounts */
static int filter_devices(const struct launch_request *req, const struct child_request *child)
{
	struct err why = { 0 };

	if (child->nodev)
		return 0;
	if (fault_check("devices", &why) == 0 && device_filter_attach(req->cgroup->fd, &why) == 0)
		return 0;
	log_debug("%s: mounting nodev, without CAP_MKNOD", why.msg);
	return 1;
}

static int say(int ctl, enum ctl_type what, struct err *err)
{
	const struct ctl_msg msg = { .type = what };
	int r = ctl_send(ctl, &msg, -1);

	/* The child has ended before its time; follow() will read why. */
	if (r == -EPIPE || r == -ECONNRESET)
		return 0;
	return r < 0 ? err_set(err, ERR_SYSTEM, r, "start the command: %s", strerror(-r)) : 0;
}

static int map_ids(const struct launch_request *req, const struct container *c, int ctl,
		   struct err *err)
{
	int r = fault_check("map-ids", err);

	if (r < 0 || !req->spec->userns)
		return r;
	r = userns_write_maps(c->pid, req->userns_base, err);
	return r < 0 ? r : say(ctl, CTL_MAPPED, err);
}

/* One try. Return: 0, 1 to try again with nodev, -errno; unless 0, no process is left */
static int start(const struct launch_request *req, struct child_request *child,
		 struct container *ret, struct err *err)
{
	struct container c = CONTAINER_NONE;
	int ctl[2];
	int r = ctl_pair(ctl, err);

	if (r < 0)
		return r;
	AUTO_CLOSE int parent_ctl = ctl[0];
	AUTO_CLOSE int child_ctl = ctl[1];
	child->ctl_fd = child_ctl;
	r = clone_child(req, child, parent_ctl, &c, err);
	if (r < 0)
		return r;
	(void)close(MOVE_FD(child_ctl));
	r = map_ids(req, &c, parent_ctl, err);
	if (r == 0)
		r = filter_devices(req, child);
	if (r == 0 && req->beside)
		r = req->beside(req->beside_arg, c.pid, err);
	if (r == 0)
		r = say(parent_ctl, CTL_GO, err);
	if (r == 0) {
		r = follow(req, parent_ctl, &c, child->stage, err);
	} else {
		container_kill(&c);
		(void)container_wait(&c);
	}
	if (r != 0) {
		container_done(&c);
		return r;
	}
	if (req->started)
		req->started(req->beside_arg);
	*ret = c;
	return 0;
}

/*
 * In a user namespace the child could neither mount layers with other ids nor reach all that the host's root can: both is done for it, and
 * handed down as descriptors.
 */
static int start_mapped(const struct launch_request *req, const struct child_request *common,
			struct container *ret, struct err *err)
{
	struct child_request child = *common;
	AUTO_CLOSE int userns_fd = userns_new(req->userns_base, err);
	AUTO_CLOSE int root_fd = -EBADF;
	AUTO(mount_exec) mounts = { 0 };
	const struct rootfs_request root = { .scratch_dir = req->scratch_dir,
					     .lower_dirs = req->spec->lower_dirs,
					     .nodev = child.nodev,
					     .userns_fd = userns_fd,
					     .root_fd = -EBADF,
					     .root_ns_fd = req->root_ns_fd };
	int r = userns_fd < 0 ? userns_fd : mount_exec_begin(child.plan, &mounts, err);

	if (r < 0)
		return r;
	root_fd = rootfs_detached(&root, err);
	if (root_fd < 0)
		return root_fd;
	child.root_fd = root_fd;
	child.root_ns_fd = -EBADF;
	child.mounts = &mounts;
	return start(req, &child, ret, err);
}

/* Builds what depends on whether devices are filtered, and tries. */
static int prepare_and_start(const struct launch_request *req, const struct child_request *common,
			     struct container *ret, struct err *err)
{
	AUTO(mount_plan) plan = { 0 };
	struct child_request child = *common;

	child.caps = limit_caps(&req->spec->caps, req->caps, !child.nodev);
	if (mount_plan_build(req->spec, child.nodev, &plan) < 0)
		return err_oom(err);
	log_plan(&plan);
	child.plan = &plan;
	return req->spec->userns ? start_mapped(req, &child, ret, err) :
				   start(req, &child, ret, err);
}

int container_launch(const struct launch_request *req, struct container *ret, struct err *err)
{
	struct child_request child = { .spec = req->spec,
				       .filters = req->filters,
				       .winsize = req->winsize,
				       .scratch_dir = req->scratch_dir,
				       .root_ns_fd = req->root_ns_fd,
				       .root_fd = -EBADF,
				       .nodev = req->cgroup->fd < 0 };
	void *shared = mmap(NULL, sizeof(*child.stage), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (shared == MAP_FAILED)
		return err_oom(err);
	child.stage = shared;
	r = prepare_and_start(req, &child, ret, err);
	if (r == 1) {
		child.nodev = true;
		r = prepare_and_start(req, &child, ret, err);
	}
	(void)munmap(shared, sizeof(*child.stage));
	return r;
}

int container_wait(struct container *c)
{
	int status;

	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

void container_kill(const struct container *c)
{
	(void)fd_pidfd_signal(c->pidfd, SIGKILL);
}

void container_done(struct container *c)
{
	cleanup_close(&c->pidfd);
	cleanup_close(&c->pty);
	cleanup_close(&c->notify);
	*c = CONTAINER_NONE;
}
