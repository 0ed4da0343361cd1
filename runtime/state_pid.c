// SPDX-License-Identifier: MIT
/* Which process a container's PID 1 is: number and start time together (see state.h). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/quote.h"
#include "runtime/state.h"

/* Start time of a process in clock ticks since boot, field 22 of /proc/PID/stat; 0 if there is none. Source: proc(5) */
static int64_t start_time(pid_t pid)
{
	char path[64], text[1024];
	const char *at;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : fd_read_full(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* The name, field 2, may hold anything but ends at the last parenthesis. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) : 0;
}

void state_set_pid(struct container_state *s, pid_t pid)
{
	s->pid = pid;
	s->pid_start = start_time(pid);
}

int state_open_pid(const struct container_state *s, struct err *err)
{
	AUTO_CLOSE int pidfd = s->pid > 0 ? fd_pidfd_open(s->pid) : -ESRCH;
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	/* The number may have gone to another process before we opened it; not since. */
	if (pidfd < 0 || !s->pid_start || start_time(s->pid) != s->pid_start ||
	    poll(&ended, 1, 0) != 0)
		return err_set(err, ERR_NOT_FOUND, -ESRCH, "container %s is not running",
			       QUOTE_PLAIN(s->id));
	return MOVE_FD(pidfd);
}
