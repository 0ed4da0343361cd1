// SPDX-License-Identifier: MIT
/* All signals through one fd (see sigfd.h). */
#include "base/sigfd.h"

#include <sys/signalfd.h>
#include <unistd.h>

int sigfd_open(sigset_t *ret_old, struct err *err)
{
	sigset_t all, old;
	int fd, r;

	(void)sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &old) < 0)
		return err_sys(err, ERR_SYSTEM, "block signals");
	if (ret_old)
		*ret_old = old;
	fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd >= 0)
		return fd;
	r = err_sys(err, ERR_SYSTEM, "receive signals");
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

int sigfd_read(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

bool sigfd_is_stop(int sig)
{
	return sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT;
}
