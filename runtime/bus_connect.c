// SPDX-License-Identifier: MIT
/*
 * Reaching a socket in a machine (see bus_connect.h).
 *
 * systemd asks the kernel who its peer is at the time of the connect (SO_PEERCRED). It wants a process of its own PID namespace and the
 * root of its own user namespace. So the parent makes the socket, and a child that shares its memory and fds connects it; nothing has
 * to be passed back:
 *
 *  A   clone(VM|VFORK|FILES): joins the machine's namespaces (the PID namespace takes effect for children only), becomes root there,
 *      clones B and is gone. Processes inside cannot see it.
 *  B   clone(VM|FILES|PARENT|PIDFD): is a process of the machine, child of our caller. It connects and is gone.
 *
 * What the machine could do to B, and why it cannot:
 *  - read or write its memory, which is ours, with ptrace or /proc/PID/mem. The memory is made undumpable first: then that takes
 *    CAP_SYS_PTRACE in the user namespace that *we* were started in. (A machine that shares it must not have this capability.)
 *  - let it dump core, which takes all who share the memory along in kernels before 5.16. An undumpable one does not.
 *  - stop it. That is why the parent does not wait in vfork for B but with a deadline, and then kills it. With CAP_SYS_PTRACE it can
 *    hold it even then; it is not waited for for ever.
 *  - signal it otherwise: all is blocked. Kill it: then the connect has failed.
 *  - put a symlink to another socket in the way, such as one bound in from the host. The path is resolved in PID 1's root, what is
 *    connected to is the inode found and looked at, and who listens there must be PID 1 itself.
 *
 * A and B use system calls only, on stacks of their own. B runs beside its parent and shares errno with it: until B is reaped the parent
 * looks at results, never at errno.
 */
#include "runtime/bus_connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path_at.h"
#include "base/quote.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define STACK_SIZE 16384
#define KILL_PATIENCE USEC_PER_SEC

/* No instrumentation in A and B: they are not where the sanitizers believe they are. */
#define IN_CHILD __attribute__((no_sanitize("address"), no_sanitize("undefined"), noinline))

enum step {
	STEP_JOIN,
	STEP_ROOT,
	STEP_CLONE,
	STEP_CONNECT,
	STEP_DONE,
};

struct work {
	int machine; /* pidfd */
	int namespaces; /* CLONE_NEWPID, CLONE_NEWUSER */
	int socket;
	struct sockaddr_un address;
	void *stack_b;
	int pidfd_b;
	volatile enum step failed; /* the step that was not done */
	volatile int error; /* errno of it */
};

IN_CHILD static int failed_at(struct work *w, enum step step)
{
	w->error = errno;
	w->failed = step;
	return 1;
}

IN_CHILD static int child_b(void *arg)
{
	struct work *w = arg;

	/* Should the machine stop us and our parent be killed, our copies of its fds must not stay. */
	(void)syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (syscall(SYS_connect, w->socket, &w->address, sizeof(w->address)) < 0)
		return failed_at(w, STEP_CONNECT);
	w->failed = STEP_DONE;
	return 0;
}

IN_CHILD static int child_a(void *arg)
{
	struct work *w = arg;

	if (syscall(SYS_setns, w->machine, w->namespaces) < 0)
		return failed_at(w, STEP_JOIN);
	if (w->namespaces & CLONE_NEWUSER &&
	    (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0))
		return failed_at(w, STEP_ROOT);
	w->error = EINTR; /* what it stays should B be killed */
	w->failed = STEP_CONNECT;
	if (clone(child_b, w->stack_b, CLONE_VM | CLONE_FILES | CLONE_PARENT | CLONE_PIDFD, w,
		  &w->pidfd_b) < 0)
		return failed_at(w, STEP_CLONE);
	return 0;
}

static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* Until B is over, or the deadline: then it is killed. Return: false if even that did not end it */
static bool await_b(int pidfd, usec_t deadline)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	for (bool killed = false;; killed = true) {
		do {
			if (poll(&p, 1, deadline_poll_ms(deadline)) > 0)
				return true;
		} while (deadline_poll_ms(deadline) != 0);
		if (killed)
			return false;
		(void)fd_pidfd_signal(pidfd, SIGKILL);
		deadline = now_usec() + KILL_PATIENCE;
	}
}

/* They have no exit signal, so it takes __WALL. One that is traced from inside stays a zombie until its tracer lets go: that is not waited for. */
static void reap(idtype_t type, id_t id, int flags)
{
	siginfo_t info;

	/* At most a few times: errno is not to be relied upon beside B. */
	for (int tries = 0; tries < 3; tries++)
		if (waitid(type, id, &info, WEXITED | __WALL | flags) == 0)
			return;
}

static int run_children(struct work *w, usec_t deadline)
{
	_Alignas(16) static char stack_a[STACK_SIZE], stack_b[STACK_SIZE];
	int dumpable = prctl(PR_GET_DUMPABLE);
	sigset_t all, before;
	int pid;

	w->stack_b = stack_b + STACK_SIZE;
	w->pidfd_b = -EBADF;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	(void)prctl(PR_SET_DUMPABLE, 0);
	pid = clone(child_a, stack_a + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES, w);
	if (pid < 0) {
		(void)failed_at(w, STEP_CLONE);
	} else {
		reap(P_PID, (id_t)pid, 0);
		if (w->pidfd_b >= 0 && !await_b(w->pidfd_b, deadline))
			w->failed = STEP_CONNECT;
		if (w->pidfd_b >= 0)
			reap(P_PIDFD, (id_t)w->pidfd_b, WNOHANG);
	}
	if (dumpable == 1)
		(void)prctl(PR_SET_DUMPABLE, 1);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (w->pidfd_b >= 0)
		(void)close(w->pidfd_b);
	return w->failed == STEP_DONE ? 0 : -w->error;
}

static int connect_error(const struct work *w, int r, const char *path, struct err *err)
{
	static const char *const steps[] = {
		[STEP_JOIN] = "join the machine's namespaces",
		[STEP_ROOT] = "become the machine's root",
		[STEP_CLONE] = "clone",
		[STEP_CONNECT] = "connect",
		[STEP_DONE] = "",
	};
	enum err_kind kind = ERR_SYSTEM;

	if (has_ended(w->machine))
		return err_set(err, ERR_NOT_FOUND, -ESRCH, "the machine has ended");
	if (w->failed == STEP_CONNECT && r == -EINTR)
		return err_set(err, ERR_TIMEOUT, -ETIMEDOUT,
			       "connect to %s in the machine: stopped or killed from inside", path);
	if (w->failed == STEP_CONNECT && r == -ECONNREFUSED)
		kind = ERR_NOT_FOUND;
	if (w->failed == STEP_CONNECT && r == -EAGAIN)
		kind = ERR_TIMEOUT;
	return err_set(err, kind, r, "connect to %s in the machine: %s: %s", path, steps[w->failed],
		       strerror(-r));
}

/* Return: 1 if /proc/PID/ns/NAME is not ours, 0 if it is, or -errno */
static int is_other_ns(int proc, const char *name)
{
	struct stat theirs, ours;
	char path[32];

	(void)snprintf(path, sizeof(path), "ns/%s", name);
	if (fstatat(proc, path, &theirs, 0) < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (stat(path, &ours) < 0)
		return -errno;
	return theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev;
}

/* The root directory of the machine and the namespaces to join. @pidfd proves that /proc/PID was still the machine. */
static int look_at_machine(pid_t leader, int pidfd, int *ret_namespaces, int *ret_root)
{
	AUTO_CLOSE int proc = -EBADF, root = -EBADF;
	char path[32];
	int user;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)leader);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	user = is_other_ns(proc, "user");
	if (user < 0)
		return user == -ENOENT ? -ESRCH : user;
	root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	if (has_ended(pidfd))
		return -ESRCH;
	*ret_namespaces = CLONE_NEWPID | (user ? CLONE_NEWUSER : 0);
	*ret_root = MOVE_FD(root);
	return 0;
}

/* Return: O_PATH fd of the socket inode */
static int find_socket(int root, const char *path, struct err *err)
{
	AUTO_CLOSE int fd = path_at_open(root, path, O_PATH, 0);
	struct stat st;

	if (fd < 0)
		return err_set(err, fd == -ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, fd,
			       "%s in the machine: %s", path, strerror(-fd));
	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "%s in the machine", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_CORRUPT, -ENOTSOCK, "%s in the machine is no socket", path);
	return MOVE_FD(fd);
}

/* The kernel remembers who called listen(): PID 1, also for the system bus, whose socket it hands to the daemon. */
static int check_listener(int fd, pid_t leader, const char *path, struct err *err)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return err_sys(err, ERR_SYSTEM, "peer of %s in the machine", path);
	if (peer.pid != leader)
		return err_set(err, ERR_CORRUPT, -EACCES,
			       "%s in the machine: process %d listens there, not its PID 1", path,
			       (int)peer.pid);
	return 0;
}

int bus_connect(pid_t leader, int pidfd, const char *path, usec_t deadline, int *ret_fd,
		struct err *err)
{
	AUTO_CLOSE int root = -EBADF, target = -EBADF, fd = -EBADF;
	struct work w = { .machine = pidfd, .address = { .sun_family = AF_UNIX } };
	int r = look_at_machine(leader, pidfd, &w.namespaces, &root);

	if (r == -ESRCH)
		return err_set(err, ERR_NOT_FOUND, r, "the machine has ended");
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "look at the machine's PID 1: %s", strerror(-r));
	target = find_socket(root, path, err);
	if (target < 0)
		return target;
	/* By way of its fd: no 108 bytes of sun_path to overrun, and no path that could have changed. */
	(void)snprintf(w.address.sun_path, sizeof(w.address.sun_path), "/proc/self/fd/%d", target);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "make a socket");
	w.socket = fd;
	r = run_children(&w, deadline);
	if (r < 0)
		return connect_error(&w, r, path, err);
	r = check_listener(fd, leader, path, err);
	if (r < 0)
		return r;
	*ret_fd = MOVE_FD(fd);
	return 0;
}
