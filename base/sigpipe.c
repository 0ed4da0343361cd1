// SPDX-License-Identifier: MIT
/* SIGPIPE held back around libraries (see sigpipe.h). */
#include "base/sigpipe.h"

#include <stddef.h>
#include <time.h>

void sigpipe_hold(struct sigpipe_guard *g)
{
	sigset_t set;

	(void)sigpending(&set);
	g->was_pending = sigismember(&set, SIGPIPE) == 1;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPIPE);
	(void)sigprocmask(SIG_BLOCK, &set, &g->old);
}

void sigpipe_release(const struct sigpipe_guard *g)
{
	sigset_t set;

	(void)sigpending(&set);
	if (!g->was_pending && sigismember(&set, SIGPIPE) == 1) {
		(void)sigemptyset(&set);
		(void)sigaddset(&set, SIGPIPE);
		(void)sigtimedwait(&set, NULL, &(struct timespec){ 0 });
	}
	(void)sigprocmask(SIG_SETMASK, &g->old, NULL);
}
