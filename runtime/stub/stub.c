// SPDX-License-Identifier: MIT
/*
 * The last step of a container's start, and with --init its PID 1: a program of its own, so that the command is never executed from a process
 * whose /proc/self/exe is the host's racker. An image could name that as interpreter and keep it open for writing (CVE-2019-5736).
 *
 *	stub OPTIONS PATH ARGV0 ARGS...		OPTIONS: "-", "init" or "join", the last two perhaps with ",tty"
 *
 * It is small and static, is copied into each container's private scratch space, and knows nothing but its arguments. All signals come blocked
 * and with default actions; fd STUB_CTL_FD is the control socket, told only when the command cannot be executed (see runtime/ctl.h).
 *
 * "join" is a command that enters a running container. The stub itself is still outside of the container's PID namespace, where nothing inside
 * sees it; its child is inside, and no child of the stub but of racker, which is told its number.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

/* Racker has died before if the other end of its socket is closed: end of file, or ECONNRESET if it had not read all. */
static int die_with_racker(void)
{
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (recv(STUB_CTL_FD, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
		return 0;
	return -ECANCELED;
}

/* Return: in the new process, inside, a session leader with the terminal, 0; -errno if there is none */
static int join(int tty)
{
	struct ctl_msg msg;
	/* Nobody inside may look into it before it is the command. */
	long pid = prctl(PR_SET_DUMPABLE, 0) < 0 ? -1 :
						   syscall(SYS_clone, CLONE_PARENT, 0, 0, 0, 0);
	int r;

	if (pid < 0)
		return -errno;
	if (pid > 0) {
		memset(&msg, 0, sizeof(msg));
		msg.type = CTL_JOINED;
		msg.stage = (uint32_t)pid;
		_exit(send(STUB_CTL_FD, &msg, sizeof(msg), MSG_NOSIGNAL) < 0 ? EXIT_NOT_STARTED :
									       0);
	}
	r = die_with_racker();
	if (r == 0 && (setsid() < 0 || (tty && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)))
		r = -errno;
	return r;
}

static int execute(const char *options, char **argv, char **envp)
{
	sigset_t none;
	int r = 0;

	if (fcntl(STUB_CTL_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	if (!strncmp(options, STUB_INIT, strlen(STUB_INIT)))
		r = become_init(strstr(options, STUB_TTY) != NULL);
	else if (!strncmp(options, STUB_JOIN, strlen(STUB_JOIN)))
		r = join(strstr(options, STUB_TTY) != NULL);
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
