// SPDX-License-Identifier: MIT
/*
 * Programs of the host (see spawn.h).
 *
 * The program is found before the fork; the child only arranges fds, signals and death, and execs. What fails there comes back as
 * an errno over a close-on-exec pipe: its end without a byte means that the exec has happened. A child that failed is reaped here.
 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/quote.h"
#include "base/sigreset.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The shell's exit code for what could not be run; nobody sees it, the errno has gone over the pipe. */
#define EXIT_NOT_RUN 127

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Relative entries of PATH, the empty one among them, are passed over: the working directory is no place for tools. */
static int find_program(const char *name, char path[static PATH_MAX])
{
	const char *dir = getenv("PATH");

	if (!dir || !*dir)
		dir = DEFAULT_PATH;
	if (!*name)
		return -ENOENT;
	if (strchr(name, '/')) {
		int n = snprintf(path, PATH_MAX, "%s", name);

		return n < PATH_MAX ? 0 : -ENAMETOOLONG;
	}
	while (*dir) {
		size_t len = strcspn(dir, ":");
		int n = snprintf(path, PATH_MAX, "%.*s/%s", len < PATH_MAX ? (int)len : PATH_MAX,
				 dir, name);

		if (*dir == '/' && n > 0 && n < PATH_MAX && is_program(path))
			return 0;
		dir += len;
		dir += *dir == ':';
	}
	return -ENOENT;
}

bool spawn_in_path(const char *name)
{
	char path[PATH_MAX];

	return find_program(name, path) == 0 && is_program(path);
}

static void reset_signals(void)
{
	sigset_t none;

	/* Before anything is unblocked: a pending signal must find the default. */
	sigreset_all();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Above stdio first, because one of the three may be where another is to go. */
static int arrange_stdio(const int wanted[static 3])
{
	int moved[3];

	for (int i = 0; i < 3; i++) {
		moved[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 3);
		if (moved[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(moved[i], i) < 0)
			return -errno;
	return 0;
}

struct child {
	const struct spawn_request *req;
	const char *path;
	int stdio[3];
	int report_fd; /* at least 3 */
	pid_t parent;
};

/* Return: -errno, if at all */
static int child_exec(const struct child *c)
{
	int r;

	if (c->req->die_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			return -errno;
		/* It may have died before. */
		if (getppid() != c->parent)
			return -ESRCH;
	}
	r = arrange_stdio(c->stdio);
	if (r == 0)
		r = fd_cloexec_from(3);
	if (r < 0)
		return r;
	reset_signals();
	(void)execve(c->path, (char *const *)(uintptr_t)c->req->argv,
		     c->req->env ? (char *const *)(uintptr_t)c->req->env : environ);
	return -errno;
}

__attribute__((noreturn)) static void child_main(const struct child *c)
{
	int r = child_exec(c);

	(void)fd_write_full(c->report_fd, &r, sizeof(r));
	_exit(EXIT_NOT_RUN);
}

/* The errno of a failed child, or 0 once it has become the program. */
static int read_report(int fd)
{
	int code = 0;
	ssize_t n = fd_read_full(fd, &code, sizeof(code));

	if (n < 0)
		return (int)n;
	if (n == 0)
		return 0;
	return n == (ssize_t)sizeof(code) && code < 0 ? code : -EIO;
}

static void kill_and_reap(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int report_pipe(int fds[static 2])
{
	AUTO_CLOSE int low = -EBADF;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (fds[1] > 2)
		return 0;
	/* Out of the way of the child's stdio, should the caller have closed its own. */
	low = fds[1];
	fds[1] = fcntl(low, F_DUPFD_CLOEXEC, 3);
	return fds[1] < 0 ? -errno : 0;
}

static pid_t start(struct child *c, int *ret_pidfd)
{
	int fds[2] = { -EBADF, -EBADF };
	int r = report_pipe(fds);
	AUTO_CLOSE int report = fds[0];
	AUTO_CLOSE int report_write = fds[1];
	AUTO_CLOSE int pidfd = -EBADF;
	pid_t pid;

	if (r < 0)
		return r;
	c->report_fd = report_write;
	c->parent = getpid();
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_main(c);
	(void)close(MOVE_FD(report_write));
	/* Not yet reaped, so the pid is still this child's. */
	pidfd = fd_pidfd_open(pid);
	r = pidfd < 0 ? pidfd : read_report(report);
	if (r < 0) {
		kill_and_reap(pid);
		return r;
	}
	*ret_pidfd = MOVE_FD(pidfd);
	return pid;
}

pid_t spawn_start(const struct spawn_request *req, int *ret_pidfd, struct err *err)
{
	char path[PATH_MAX];
	AUTO_CLOSE int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct child c = { .req = req, .path = path };
	const int wanted[3] = { req->stdin_fd, req->stdout_fd, req->stderr_fd };
	pid_t r;

	if (null_fd < 0)
		return err_sys(err, ERR_SYSTEM, "open /dev/null");
	for (int i = 0; i < 3; i++)
		c.stdio[i] = wanted[i] < 0 ? null_fd : wanted[i];
	r = find_program(req->argv[0], path);
	if (r == 0)
		r = start(&c, ret_pidfd);
	if (r < 0)
		return err_set(err, r == -ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, r, "run %s: %s",
			       QUOTE_PLAIN(req->argv[0]), strerror(-r));
	return r;
}

int spawn_wait(pid_t pid, int pidfd, struct err *err)
{
	siginfo_t info = { 0 };
	int r;

	do
		r = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(err, ERR_SYSTEM, "wait for process %d", (int)pid);
	return info.si_code == CLD_EXITED ? info.si_status & 0xff : 128 + info.si_status;
}
