// SPDX-License-Identifier: MIT
/* Where the program starts, under whichever of its names. */
#include <fcntl.h>
#include <nss.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/dispatch.h"
#include "cmd/exit_status.h"

/*
 * What the caller left us, made ordinary: fds 0 to 2 are open (a file that we open must never become somebody's stderr), none above is
 * (a detached container's monitor would hold it for long), and children can be waited for.
 */
static void settle_process(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	(void)signal(SIGCHLD, SIG_DFL);
}

int main(int argc, char **argv)
{
	/* First of all: a name service module of another glibc would crash a static program (decisions 19). */
	(void)__nss_configure_lookup("hosts", "files dns");
	if (argc < 1 || getauxval(AT_SECURE)) {
		(void)fputs("racker: refusing to run with privileges of its file (set-user-ID)\n",
			    stderr);
		return EXIT_STATUS_OURS;
	}
	settle_process();
	/* Directories made for the user, and what runs in a container, have docker's umask. */
	(void)umask(022);
	return dispatch(argv);
}
