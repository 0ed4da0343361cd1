/* SPDX-License-Identifier: MIT */
/* A machine's journal, read from its beginning on for a line that matches. */
#ifndef PROVISION_WAIT_LOG_H
#define PROVISION_WAIT_LOG_H

#include <stddef.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "base/err.h"
#include "runtime/state.h"

#define WAIT_LOG_LINE_MAX 8192

struct wait_log {
	int fd; /* the journal's text; -EBADF: none */
	pid_t pid; /* of a process of ours that runs journalctl in the machine */
	void *regex; /* regex_t */
	char line[WAIT_LOG_LINE_MAX]; /* longer ones are matched in pieces */
	size_t len;
};
void wait_log_done(struct wait_log *log);

/** wait_log_check() - Return: 0, or -EINVAL/ERR_USAGE for what is no extended regular expression */
int wait_log_check(const char *regex, struct err *err);

/** wait_log_begin() - start to read. @ret: wait_log_done(). Return: 0 or -errno */
int wait_log_begin(const struct container_state *state, const char *regex, struct wait_log *ret,
		   struct err *err);
/** wait_log_read() - read on until a line matches. Return: 1 it does, 0 the deadline has passed, -errno */
int wait_log_read(struct wait_log *log, usec_t deadline, struct err *err);

#endif
