// SPDX-License-Identifier: MIT
/*
 * PID 1 for containers that have none (see init_stub.h).
 *
 * After the fork nothing here may fail: PID 1 must not end before the command. It holds no fd and no memory of use to the container, and it is
 * not dumpable, so /proc/1/exe and /proc/1/mem of the host's program cannot be opened from inside (CVE-2019-5736).
 */
#include "runtime/init_stub.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reaps all that have ended. Return: the command's exit code once it is among them, else -1. */
static int reap(pid_t command)
{
	int code = -1, status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return code;
}

static _Noreturn void loop(pid_t command)
{
	sigset_t all;

	(void)sigfillset(&all);
	for (;;) {
		int sig = sigwaitinfo(&all, NULL);
		int code;

		/* The terminal stopping PID 1's own output is of no interest to the command. */
		if (sig < 0 || sig == SIGTTIN || sig == SIGTTOU)
			continue;
		if (sig != SIGCHLD) {
			(void)kill(command, sig);
			continue;
		}
		code = reap(command);
		if (code >= 0)
			_exit(code);
	}
}

int init_stub_run(bool tty)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0) {
		(void)prctl(PR_SET_DUMPABLE, 0);
		(void)prctl(PR_SET_NAME, "racker-init");
		(void)syscall(SYS_close_range, 0, ~0U, 0);
		loop(pid);
	}
	(void)setpgid(0, 0);
	if (tty)
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	return 0;
}
