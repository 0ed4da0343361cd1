// SPDX-License-Identifier: MIT
/* The user namespace of a container: its maps (see userns.h). Its range: userns_range.c */
#include "runtime/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

static int write_map(pid_t pid, const char *name, uint32_t base, struct err *err)
{
	char path[64], text[64];
	AUTO_CLOSE int fd = -EBADF;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	(void)snprintf(text, sizeof(text), "0 %u %u\n", base, USERNS_IDS);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open %s", path);
	/* One write: the kernel takes no second one. */
	r = fd_write_full(fd, text, strlen(text));
	if (r == -EPERM)
		return err_set(err, ERR_SYSTEM, r,
			       "write %s: %s (needs CAP_SETUID, CAP_SETGID and CAP_SETFCAP)", name,
			       strerror(EPERM));
	return r < 0 ? err_set(err, ERR_SYSTEM, r, "write %s: %s", name, strerror(-r)) : 0;
}

int userns_write_maps(pid_t pid, uint32_t base, struct err *err)
{
	int r = write_map(pid, "uid_map", base, err);

	return r < 0 ? r : write_map(pid, "gid_map", base, err);
}

/* It lives until its parent closes the pipe, or is gone itself. */
__attribute__((noreturn)) static void hold_namespace(const int pipe_fds[2])
{
	char byte;

	(void)close(pipe_fds[1]);
	while (read(pipe_fds[0], &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int open_namespace(pid_t pid, uint32_t base, struct err *err)
{
	char path[64];
	int fd, r = userns_write_maps(pid, base, err);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, ERR_SYSTEM, "open %s", path) : fd;
}

int userns_new(uint32_t base, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	int pipe_fds[2], r;
	long pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(err, ERR_SYSTEM, "make a pipe");
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		hold_namespace(pipe_fds);
	if (pid < 0)
		r = err_sys(err, ERR_SYSTEM, "make a user namespace");
	else
		r = open_namespace((pid_t)pid, base, err);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
	while (pid > 0 && waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}
