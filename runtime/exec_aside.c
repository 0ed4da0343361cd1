// SPDX-License-Identifier: MIT
/* A command in a container that runs beside what we do (see exec_aside.h). */
#include "runtime/exec_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sigfd.h"
#include "runtime/exec.h"

static int arrange(const int stdio[static 3])
{
	int high[3];

	/* Out of the way first: one of them may be another's place. */
	for (int i = 0; i < 3; i++) {
		high[i] = stdio[i] >= 0 ? fcntl(stdio[i], F_DUPFD, 3) :
					  open("/dev/null", O_RDWR | O_CLOEXEC);
		if (high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return -errno;
	return syscall(SYS_close_range, 3U, ~0U, 0) < 0 ? -errno : 0;
}

pid_t exec_aside(const struct exec_request *req, const int stdio[static 3], struct err *err)
{
	struct exit_info info;
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(err, ERR_SYSTEM, "fork a process for a command");
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (arrange(stdio) == 0) {
		int signal_fd = sigfd_open(NULL, NULL);

		if (signal_fd >= 0)
			(void)exec_run(req, signal_fd, &info, NULL);
	}
	_exit(0);
}

void exec_aside_end(pid_t pid, bool now)
{
	if (pid < 1)
		return;
	if (now)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
