// SPDX-License-Identifier: MIT
/* Signal dispositions put back to their defaults (see sigreset.h). */
#include "base/sigreset.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

void sigreset_all(void)
{
	/* As large as any architecture's struct kernel_sigaction; all zero is SIG_DFL, no flags, nothing masked. */
	static const unsigned long dfl[8];

	/* SIGKILL and SIGSTOP cannot be set, and need not be. */
	for (int sig = 1; sig < _NSIG; sig++)
		(void)syscall(SYS_rt_sigaction, sig, dfl, NULL, (size_t)(_NSIG - 1) / 8);
}

void sigreset_for_signalfd(void)
{
	struct sigaction hup;
	bool known = sigaction(SIGHUP, NULL, &hup) == 0;

	sigreset_all();
	if (known)
		(void)sigaction(SIGHUP, &hup, NULL);
}
