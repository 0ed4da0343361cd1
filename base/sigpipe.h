/* SPDX-License-Identifier: MIT */
/* SIGPIPE held back around libraries that write to sockets without MSG_NOSIGNAL; the caller's own disposition is not touched. */
#ifndef BASE_SIGPIPE_H
#define BASE_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct sigpipe_guard {
	sigset_t old;
	bool was_pending;
};

/** sigpipe_hold() - block SIGPIPE until sigpipe_release(), which drops one that was raised in between (sigtimedwait(2)) */
void sigpipe_hold(struct sigpipe_guard *g);
void sigpipe_release(const struct sigpipe_guard *g);

#endif
