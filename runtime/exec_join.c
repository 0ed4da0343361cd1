// SPDX-License-Identifier: MIT
/* What it takes to join a container (see exec_join.h). */
#include "runtime/exec_join.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "runtime/caps.h"
#include "runtime/exec.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

void exec_join_done(struct exec_join *join)
{
	cleanup_close(&join->pidfd);
	seccomp_filters_done(&join->filters);
	*join = EXEC_JOIN_NONE;
}

/* One that is ours already is left out: a network of the host's is not for the root of another user namespace to join. */
static int own_namespaces(pid_t pid, int *ret, struct err *err)
{
	static const struct {
		const char *name;
		int flag;
	} all[] = {
		{ "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS },  { "uts", CLONE_NEWUTS },
		{ "ipc", CLONE_NEWIPC },   { "net", CLONE_NEWNET }, { "cgroup", CLONE_NEWCGROUP },
		{ "pid", CLONE_NEWPID },
	};
	int flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		char path[64];
		struct stat its, ours;

		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, all[i].name);
		if (stat(path, &its) < 0)
			return err_sys(err, ERR_SYSTEM, "look at the container's namespaces");
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", all[i].name);
		if (stat(path, &ours) < 0)
			return err_sys(err, ERR_SYSTEM, "look at our namespaces");
		if (its.st_dev != ours.st_dev || its.st_ino != ours.st_ino)
			flags |= all[i].flag;
	}
	*ret = flags;
	return 0;
}

/* As PID 1 was started: docker's rule for root's sets, and no device nodes where there is no device filter. */
static int find_caps(const struct container_state *c, struct cap_sets *ret, struct err *err)
{
	uint64_t own = 0, first = 0, mask;
	int r = caps_read_bounding(&own, err);

	if (r < 0)
		return r;
	r = caps_read_bounding_of(c->pid, &first);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "look at the container's capabilities: %s",
			       strerror(-r));
	mask = c->caps & own;
	if (!(first & CAP_BIT(CAP_MKNOD)))
		mask &= ~CAP_BIT(CAP_MKNOD);
	*ret = (struct cap_sets){ .bounding = mask, .effective = mask, .permitted = mask };
	return 0;
}

static int load_filters(const struct exec_request *req, struct seccomp_filters *ret,
			struct err *err)
{
	const struct container_state *c = req->container;
	struct seccomp_request seccomp = { .policy = SECCOMP_POLICY_DEFAULT,
					   .suppress_sync = c->suppress_sync,
					   .bounding_caps = c->caps };

	if (c->seccomp && !*c->seccomp)
		return 0;
	if (c->seccomp && strcmp(c->seccomp, "boot") == 0)
		seccomp.policy = SECCOMP_POLICY_BOOT;
	else if (c->seccomp && strcmp(c->seccomp, "default") != 0)
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "container %s was started by another version of racker",
			       QUOTE_PLAIN(c->id));
	return seccomp_filters_load(req->cache_dir, &seccomp, ret, err);
}

static int not_running(const struct container_state *c, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, -ESRCH, "container %s is not running",
		       QUOTE_PLAIN(c->id));
}

int exec_join_prepare(const struct exec_request *req, struct exec_join *ret, struct err *err)
{
	const struct container_state *c = req->container;
	int r;

	/* Before its command runs, what is in its mount namespace is the host's. */
	if (!c->running)
		return not_running(c, err);
	ret->pidfd = state_open_pid(c, err);
	if (ret->pidfd < 0)
		return ret->pidfd;
	r = own_namespaces(c->pid, &ret->namespaces, err);
	if (r >= 0)
		r = find_caps(c, &ret->caps, err);
	/* What was read by number was its own if it is still there; of one that is ending, parts have gone already. */
	if (r == -ENOENT || r == -ESRCH || exec_join_ended(ret, 0))
		return not_running(c, err);
	return r < 0 ? r : load_filters(req, &ret->filters, err);
}

bool exec_join_ended(const struct exec_join *join, int wait_ms)
{
	struct pollfd p = { .fd = join->pidfd, .events = POLLIN };

	return poll(&p, 1, wait_ms) > 0;
}
