// SPDX-License-Identifier: MIT
/*
 * A command in a container that runs (see exec.h); the other side is exec_child.c.
 *
 * Sequence: prove which process is the container's PID 1, and hold it by a pidfd; a cgroup inside the container's; clone into that; follow the
 * stages, until both the helper and the command's process have closed the control socket. That means that the command has been executed. The
 * helper has gone then, and the command's process is our child: what follows is as with a container.
 *
 * With a terminal, or in the background, a monitor (monitor.c) stands between, so that the command can go on without us.
 */
#include "runtime/exec.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/strv.h"
#include "runtime/caps.h"
#include "runtime/command.h"
#include "runtime/ctl.h"
#include "runtime/exec_child.h"
#include "runtime/exec_join.h"
#include "runtime/fault.h"
#include "runtime/pty_forward.h"
#include "runtime/stub.h"

/* Files of the container may be anything, also something that never answers. */
#define START_TIMEOUT (20 * USEC_PER_SEC)
#define CLONE_TRIES 20
/* A container is ended by killing all in its cgroup; its PID 1 need not be the first to go. */
#define ENDING_MS 300

/* One start on its way. */
struct start {
	struct exec_child child;
	struct exec_process p;
	pid_t helper;
	int helper_fd;
	int signal_fd; /* -EBADF: none, or nothing of interest in it */
};

static int clone_into(struct start *s)
{
	struct clone_args args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	int pidfd = -EBADF;
	long pid;

	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	if (s->p.leaf.fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)s->p.leaf.fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return -errno;
	if (pid == 0)
		exec_child_main(&s->child);
	s->helper = (pid_t)pid;
	s->helper_fd = pidfd;
	return 0;
}

/* The cgroup is the container's to remove (then another one), or to set up so that no process may be in it (then its own). */
static int clone_helper(const struct container_state *container, struct start *s, struct err *err)
{
	int r = fault_check("exec-clone", err);

	if (r < 0)
		return r;
	for (int tries = 0; tries < CLONE_TRIES; tries++) {
		if (s->p.leaf.fd < 0)
			r = cgroup_leaf_make(container->cgroup, &s->p.leaf);
		if (r == 0)
			r = clone_into(s);
		if (r == 0)
			return 0;
		if (r == -ENODEV || r == -ENOENT)
			cgroup_leaf_done(&s->p.leaf);
		else if ((r != -EBUSY && r != -EOPNOTSUPP) ||
			 cgroup_leaf_use_parent(&s->p.leaf) < 0)
			break;
		r = 0;
	}
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, -ESRCH, "container %s is not running",
			       QUOTE_PLAIN(container->id));
	return err_set(err, ERR_SYSTEM, r, "make a process in the container's cgroup: %s",
		       strerror(-r));
}

/*
 * A process of ours, and no other that somebody inside would like us to take for it. While it is our child, and we have not waited for it,
 * its number is its own.
 */
static int take_process(struct start *s, const struct ctl_msg *msg, struct err *err)
{
	pid_t pid = (pid_t)msg->stage;
	siginfo_t info;

	if (s->p.c.pid > 0)
		return 0;
	if (pid <= 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return err_set(err, ERR_SYSTEM, -ECHILD, "the command's process is not ours");
	s->p.c.pid = pid;
	s->p.c.pidfd = fd_pidfd_open(pid);
	if (s->p.c.pidfd < 0) {
		errno = -s->p.c.pidfd;
		return err_sys(err, ERR_SYSTEM, "hold the command's process");
	}
	return 0;
}

/* Return: 0 to go on, -errno of a start that has failed */
static int take_message(struct start *s, const struct ctl_msg *msg, int *fd, struct err *err)
{
	switch ((enum ctl_type)msg->type) {
	case CTL_PTY:
		if (s->p.c.pty < 0)
			s->p.c.pty = MOVE_FD(*fd);
		return 0;
	case CTL_JOINED:
		return take_process(s, msg, err);
	case CTL_EXEC_FAILED:
		return command_exec_error(s->child.argv[0], -msg->err.code, err);
	case CTL_ERROR:
		log_debug("stage %s failed", exec_child_stage_name(msg->stage));
		if (err)
			*err = msg->err;
		return msg->err.code < 0 ? msg->err.code : -EIO;
	default:
		return err_set(err, ERR_SYSTEM, -EPROTO, "the command's start is confused");
	}
}

/* Looked at, not taken: it is the caller's to serve. */
static bool stop_is_pending(void)
{
	struct sigaction hup;
	sigset_t pending;
	/* nohup means what it says */
	bool hup_counts = sigaction(SIGHUP, NULL, &hup) < 0 || hup.sa_handler != SIG_IGN;

	if (sigpending(&pending) < 0)
		return false;
	return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
	       sigismember(&pending, SIGQUIT) == 1 ||
	       (hup_counts && sigismember(&pending, SIGHUP) == 1);
}

/* Return: 0 when there is a message (or its end), -errno */
static int wait_for_message(struct start *s, int ctl, usec_t deadline, struct err *err)
{
	for (;;) {
		struct pollfd p[] = { { .fd = ctl, .events = POLLIN },
				      { .fd = s->signal_fd, .events = POLLIN } };

		if (poll(p, ARRAY_SIZE(p), deadline_poll_ms(deadline)) < 0)
			continue;
		if (p[0].revents)
			return 0;
		if (p[1].revents && stop_is_pending())
			return err_set(err, ERR_INTERRUPTED, -EINTR, "interrupted");
		if (p[1].revents)
			s->signal_fd = -EBADF;
		if (deadline <= now_usec())
			return err_set(
				err, ERR_TIMEOUT, -ETIMEDOUT,
				"the command did not start in time: a file of the container does not answer");
	}
}

/* Reads until the command runs (end of file) or somebody has told why not. */
static int follow(struct start *s, int ctl, struct err *err)
{
	usec_t deadline = now_usec() + START_TIMEOUT;
	struct ctl_msg msg;
	int fd, r;

	do {
		r = wait_for_message(s, ctl, deadline, err);
		if (r < 0)
			return r;
		r = ctl_recv(ctl, &msg, &fd);
		if (r > 0) {
			AUTO_CLOSE int received = fd;

			r = take_message(s, &msg, &received, err);
			if (r < 0)
				return r;
			r = 1;
		}
	} while (r > 0);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "follow the start of the command: %s",
			       strerror(-r));
	if (s->p.c.pid <= 0)
		return err_set(err, ERR_SYSTEM, -EPIPE, "the command's start was killed");
	return 0;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The helper goes first; after that nobody makes a process that we have not heard of. */
static void abandon(struct start *s, int ctl)
{
	struct ctl_msg msg;

	if (s->helper > 0) {
		(void)fd_pidfd_signal(s->helper_fd, SIGKILL);
		reap(s->helper);
	}
	while (recv(ctl, &msg, sizeof(msg), MSG_DONTWAIT) == (ssize_t)sizeof(msg))
		if (msg.type == CTL_JOINED)
			(void)take_process(s, &msg, NULL);
	if (s->p.c.pid > 0) {
		(void)kill(s->p.c.pid, SIGKILL);
		reap(s->p.c.pid);
	}
	cgroup_leaf_kill(&s->p.leaf);
	exec_process_done(&s->p);
}

static int start(const struct exec_request *req, struct start *s, struct err *err)
{
	int ctl[2];
	int r = ctl_pair(ctl, err);

	if (r < 0)
		return r;
	AUTO_CLOSE int parent_ctl = ctl[0];
	AUTO_CLOSE int child_ctl = ctl[1];
	/* The helper's copy of our end closes on exec; before that it would hide our death from it. */
	s->child.ctl_fd = child_ctl;
	s->child.parent_ctl_fd = parent_ctl;
	r = clone_helper(req->container, s, err);
	(void)close(MOVE_FD(child_ctl));
	if (r == 0)
		r = follow(s, parent_ctl, err);
	if (r < 0)
		abandon(s, parent_ctl);
	else
		reap(s->helper);
	cleanup_close(&s->helper_fd);
	return r;
}

int exec_start(const struct exec_request *req, int signal_fd, struct exec_process *ret,
	       struct err *err)
{
	AUTO(exec_join) join = EXEC_JOIN_NONE;
	AUTO_CLOSE int stub_fd = -EBADF;
	struct start s = { .p = EXEC_PROCESS_NONE, .helper_fd = -EBADF, .signal_fd = signal_fd };
	struct winsize size;
	int r = exec_join_prepare(req, &join, err);

	if (r < 0)
		return r;
	stub_fd = stub_in_memory(err);
	if (stub_fd < 0)
		return MOVE_FD(stub_fd);
	s.child = (struct exec_child){
		.pidfd = join.pidfd,
		.namespaces = join.namespaces,
		.stub_fd = stub_fd,
		.argv = req->argv,
		.env = req->env,
		.workdir = req->workdir && *req->workdir ? req->workdir : req->container->workdir,
		.user = req->user && *req->user ? req->user : req->container->user,
		.tty = req->tty,
		.interactive = req->interactive && !req->detach,
		.detached = req->detach,
		.no_new_privs = req->container->no_new_privs,
		.caps = join.caps,
		.filters = join.filters.image ? &join.filters : NULL,
	};
	if (req->tty && pty_forward_winsize(&size) == 0)
		s.child.winsize = &size;
	r = start(req, &s, err);
	if (r == 0)
		*ret = s.p;
	else if (r == -EPIPE && exec_join_ended(&join, ENDING_MS))
		r = err_set(err, ERR_NOT_FOUND, -ESRCH, "container %s is not running",
			    QUOTE_PLAIN(req->container->id));
	return r;
}

void exec_process_done(struct exec_process *p)
{
	container_done(&p->c);
	cgroup_leaf_done(&p->leaf);
}
