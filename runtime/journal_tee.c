// SPDX-License-Identifier: MIT
/* What a unit writes, to us and to the journal (see journal_tee.h). */
#include "runtime/journal_tee.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/exec.h"
#include "runtime/exec_aside.h"

static void close_fd(int *fd)
{
	cleanup_close(fd);
	*fd = -EBADF;
}

int journal_tee_open(struct journal_tee *ret, struct err *err)
{
	*ret = JOURNAL_TEE_NONE;
	for (int i = 0; i < TEE_STREAMS; i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0) {
			int r = err_sys(err, ERR_SYSTEM, "make a pipe for the unit");

			journal_tee_done(ret);
			return r;
		}
		ret->ends[i] = pair[0];
		ret->unit_ends[i] = pair[1];
	}
	return 0;
}

void journal_tee_handed(struct journal_tee *t)
{
	for (int i = 0; i < TEE_STREAMS; i++)
		close_fd(&t->unit_ends[i]);
}

static void start_feeder(struct journal_tee *t, int i, const struct exec_request *req)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return;
	t->feeders[i] = exec_aside(req, (const int[]){ pair[0], -1, -1 }, NULL);
	(void)close(pair[0]);
	t->journal[i] = pair[1];
	/* A journal that does not keep up must not hold up the unit. */
	(void)fd_set_nonblock(t->journal[i], true);
}

void journal_tee_feed(struct journal_tee *t, const struct container_state *machine,
		      const char *unit, const char *name, const char *cache_dir)
{
	static char program[] = "systemd-cat";
	static char priority[TEE_STREAMS][16] = { "--priority=6", "--priority=4" };
	AUTO_FREE char *cgroup = NULL;
	AUTO_FREE char *identifier = NULL;
	struct container_state in_unit = *machine;

	if (machine->cgroup && asprintf(&cgroup, "%s/system.slice/%s", machine->cgroup, unit) < 0)
		cgroup = NULL;
	if (asprintf(&identifier, "--identifier=%s", name) < 0) {
		identifier = NULL;
		return;
	}
	if (cgroup && access(cgroup, F_OK) == 0)
		in_unit.cgroup = cgroup;
	for (int i = 0; i < TEE_STREAMS; i++) {
		char *const argv[] = { program, identifier, priority[i], NULL };
		const struct exec_request req = { .container = &in_unit,
						  .cache_dir = cache_dir,
						  .argv = argv,
						  .env = machine->env,
						  .workdir = "/",
						  .user = "root",
						  .interactive = true };

		start_feeder(t, i, &req);
	}
}

void journal_tee_poll(const struct journal_tee *t, struct pollfd *p)
{
	for (int i = 0; i < TEE_STREAMS; i++)
		p[i] = (struct pollfd){ .fd = t->ends[i], .events = POLLIN };
}

bool journal_tee_serve(struct journal_tee *t, const struct pollfd *p)
{
	static const int ours[TEE_STREAMS] = { STDOUT_FILENO, STDERR_FILENO };

	for (int i = 0; i < TEE_STREAMS; i++) {
		char text[8192];
		ssize_t n;

		if (t->ends[i] < 0 || !p[i].revents)
			continue;
		n = read(t->ends[i], text, sizeof(text));
		if (n <= 0) {
			if (n == 0 || (errno != EINTR && errno != EAGAIN))
				close_fd(&t->ends[i]);
			continue;
		}
		/* Whoever read our output may have gone: then the unit is told so, as it would be by a pipe of its own. */
		if (fd_write_full(ours[i], text, (size_t)n) == -EPIPE)
			close_fd(&t->ends[i]);
		if (t->journal[i] >= 0 && write(t->journal[i], text, (size_t)n) < 0 &&
		    errno != EAGAIN)
			close_fd(&t->journal[i]);
	}
	return t->ends[TEE_STDOUT] >= 0 || t->ends[TEE_STDERR] >= 0;
}

void journal_tee_done(struct journal_tee *t)
{
	for (int i = 0; i < TEE_STREAMS; i++) {
		close_fd(&t->unit_ends[i]);
		close_fd(&t->ends[i]);
		close_fd(&t->journal[i]);
	}
	/* End of file ends them, the last line written. */
	for (int i = 0; i < TEE_STREAMS; i++)
		exec_aside_end(t->feeders[i], false);
	*t = JOURNAL_TEE_NONE;
}
