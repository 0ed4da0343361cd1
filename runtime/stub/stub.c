// SPDX-License-Identifier: MIT
/*
 * The last step of a container's start, and with --init its PID 1: a program of its own, so that the command is never executed from a process
 * whose /proc/self/exe is the host's racker. An image could name that as interpreter and keep it open for writing (CVE-2019-5736).
 *
 *	stub OPTIONS PATH ARGV0 ARGS...		OPTIONS: "-", "init" or "init,tty"
 *
 * It is small and static, is copied into each container's private scratch space, and knows nothing but its arguments. All signals come blocked
 * and with default actions; fd STUB_CTL_FD is the control socket, told only when the command cannot be executed (see runtime/ctl.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/ctl.h"
#include "runtime/stub.h"

#define EXIT_NOT_STARTED 125 /* nobody sees it: the reason went over the control socket */

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

/* PID 1 must not end before the command: nothing here may fail. */
static _Noreturn void serve(pid_t command, const sigset_t *all)
{
	for (;;) {
		int sig = sigwaitinfo(all, NULL);
		int code;

		/* The terminal stopping PID 1 is of no interest to the command. */
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

/* Return: in the command's process 0, in its own process group (the terminal's foreground one); -errno if there is none */
static int become_init(int tty)
{
	sigset_t all;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0) {
		(void)prctl(PR_SET_NAME, "racker-init");
		(void)close(STUB_CTL_FD);
		(void)sigfillset(&all);
		serve(pid, &all);
	}
	(void)setpgid(0, 0);
	if (tty)
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	return 0;
}

static int execute(const char *options, char **argv, char **envp)
{
	sigset_t none;
	int r = 0;

	if (fcntl(STUB_CTL_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	if (!strncmp(options, STUB_INIT, strlen(STUB_INIT)))
		r = become_init(strstr(options, STUB_TTY) != NULL);
	if (r < 0)
		return r;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execve(argv[0], argv + 1, envp);
	return -errno;
}

int main(int argc, char **argv, char **envp)
{
	struct ctl_msg msg;

	if (argc < 4)
		return EXIT_NOT_STARTED;
	memset(&msg, 0, sizeof(msg));
	msg.type = CTL_EXEC_FAILED;
	msg.err.code = execute(argv[1], argv + 2, envp);
	(void)send(STUB_CTL_FD, &msg, sizeof(msg), MSG_NOSIGNAL);
	return EXIT_NOT_STARTED;
}
