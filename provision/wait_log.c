// SPDX-License-Identifier: MIT
/* A machine's journal, read for a line that matches (see wait_log.h): its own journalctl writes into a pipe of ours. */
#include "provision/wait_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "runtime/exec.h"
#include "runtime/exec_aside.h"

static int compile(const char *text, regex_t *ret, struct err *err)
{
	int code = regcomp(ret, text, REG_EXTENDED | REG_NOSUB);
	char why[128];

	if (code == 0)
		return 0;
	(void)regerror(code, ret, why, sizeof(why));
	return err_set(err, ERR_USAGE, -EINVAL, "invalid regular expression: %s: %s",
		       QUOTE_PLAIN(text), why);
}

int wait_log_check(const char *text, struct err *err)
{
	regex_t regex;
	int r = compile(text, &regex, err);

	if (r == 0)
		regfree(&regex);
	return r;
}

int wait_log_begin(const struct container_state *state, const char *text, struct wait_log *ret,
		   struct err *err)
{
	static char program[] = "journalctl", pager[] = "--no-pager", all[] = "--lines=all",
		    form[] = "--output=cat", more[] = "--follow";
	char *const argv[] = { program, pager, all, form, more, NULL };
	const struct exec_request req = {
		.container = state, .argv = argv, .env = state->env, .workdir = "/", .user = "root"
	};
	AUTO_FREE regex_t *regex = malloc(sizeof(*regex));
	int ends[2];
	int r = regex ? compile(text, regex, err) : err_oom(err);

	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		r = err_sys(err, ERR_SYSTEM, "make a pipe for the journal");
		regfree(regex);
		return r;
	}
	ret->regex = MOVE_PTR(regex);
	ret->fd = ends[0];
	ret->pid = exec_aside(&req, (const int[]){ -1, ends[1], -1 }, err);
	(void)close(ends[1]);
	return ret->pid < 0 ? (int)ret->pid : 0;
}

/* Return: true when a line that is complete, or as long as there is room, matches */
static bool take_lines(struct wait_log *log)
{
	bool found = false;
	char *end;

	while (!found && (end = memchr(log->line, '\n', log->len))) {
		size_t used = (size_t)(end - log->line) + 1;

		*end = '\0';
		found = regexec(log->regex, log->line, 0, NULL, 0) == 0;
		memmove(log->line, log->line + used, log->len - used);
		log->len -= used;
	}
	if (log->len + 1 == sizeof(log->line)) {
		log->line[log->len] = '\0';
		found = found || regexec(log->regex, log->line, 0, NULL, 0) == 0;
		log->len = 0;
	}
	return found;
}

int wait_log_read(struct wait_log *log, usec_t deadline, struct err *err)
{
	for (;;) {
		struct pollfd p = { .fd = log->fd, .events = POLLIN };
		ssize_t n;

		if (take_lines(log))
			return 1;
		if (poll(&p, 1, deadline_poll_ms(deadline)) <= 0)
			return 0;
		n = read(log->fd, log->line + log->len, sizeof(log->line) - 1 - log->len);
		if (n < 0 && errno != EINTR)
			return err_sys(err, ERR_SYSTEM, "read the machine's journal");
		if (n == 0)
			return err_set(err, ERR_NOT_FOUND, -ENODATA,
				       "the machine's journalctl has ended, or there is none");
		log->len += n > 0 ? (size_t)n : 0;
	}
}

void wait_log_done(struct wait_log *log)
{
	exec_aside_end(log->pid, true);
	cleanup_close(&log->fd);
	if (log->regex) {
		regfree(log->regex);
		free(log->regex);
	}
	*log = (struct wait_log){ .fd = -EBADF };
}
