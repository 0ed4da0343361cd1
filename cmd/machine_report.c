// SPDX-License-Identifier: MIT
/* Why a machine is not what it should be (see machine_report.h). The machine is asked, and what it says is neither waited for without end nor
 * printed as it comes. */
#include "cmd/machine_report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/quote.h"
#include "cmd/console_text.h"
#include "runtime/exec.h"
#include "runtime/exec_aside.h"
#include "runtime/systemd_job.h"
#include "runtime/systemd_manager.h"
#include "runtime/systemd_unit.h"

#define ANSWER_TIMEOUT (2 * USEC_PER_SEC)
#define UNITS_MAX 5
#define JOURNAL_BYTES_MAX 16384

struct report {
	const struct context *ctx;
	const struct container_state *state;
};

static void print_journal(const struct report *r, const char *unit)
{
	static char program[] = "journalctl", quiet[] = "--quiet", pager[] = "--no-pager",
		    lines[] = "--lines=10", form[] = "--output=short-monotonic";
	char option[SYSTEMD_NAME_MAX + 16];
	char *const argv[] = { program, quiet, pager, lines, form, option, NULL };
	const struct exec_request req = { .container = r->state,
					  .cache_dir = r->ctx->settings.cache_dir,
					  .argv = argv,
					  .env = r->state->env,
					  .workdir = "/",
					  .user = "root" };
	struct console_text text = { .to = stderr, .mark = "    " };
	usec_t deadline = now_usec() + ANSWER_TIMEOUT;
	size_t total = 0;
	int ends[2];
	pid_t pid;

	(void)snprintf(option, sizeof(option), "--unit=%s", unit);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = exec_aside(&req, (const int[]){ -1, ends[1], -1 }, NULL);
	(void)close(ends[1]);
	while (pid > 0 && total < JOURNAL_BYTES_MAX) {
		struct pollfd p = { .fd = ends[0], .events = POLLIN };
		char bytes[1024];
		ssize_t n = poll(&p, 1, deadline_poll_ms(deadline)) > 0 ?
				    read(ends[0], bytes, sizeof(bytes)) :
				    0;

		if (n <= 0)
			break;
		console_text_add(&text, bytes, (size_t)n);
		total += (size_t)n;
	}
	console_text_end(&text);
	(void)close(ends[0]);
	exec_aside_end(pid, true);
}

static void report_failed(const struct report *r, struct systemd *s, usec_t deadline)
{
	static const char *const failed[] = { "failed", NULL };
	AUTO(systemd_units) units = { 0 };

	if (systemd_units_list(s, failed, deadline, &units, NULL) < 0)
		return;
	for (size_t i = 0; i < units.n && i < UNITS_MAX; i++) {
		(void)fprintf(stderr, "failed: %s\n", QUOTE_PLAIN(units.list[i].name));
		print_journal(r, units.list[i].name);
	}
	if (units.n > UNITS_MAX)
		(void)fprintf(stderr, "failed: %zu more units\n", units.n - UNITS_MAX);
}

static void report_starting(const struct report *r, struct systemd *s, usec_t deadline)
{
	AUTO(systemd_jobs) jobs = { 0 };
	size_t waiting = 0, shown = 0;

	if (systemd_jobs_list(s, deadline, &jobs, NULL) < 0)
		return;
	for (size_t i = 0; i < jobs.n; i++) {
		/* The others wait for these. */
		if (strcmp(jobs.list[i].state, "running") != 0 || shown == UNITS_MAX) {
			waiting++;
			continue;
		}
		(void)fprintf(stderr, "still starting: %s\n", QUOTE_PLAIN(jobs.list[i].unit));
		print_journal(r, jobs.list[i].unit);
		shown++;
	}
	if (waiting > 0)
		(void)fprintf(stderr, "still starting: %zu more units, which wait for these\n",
			      waiting);
}

void machine_report(const struct context *ctx, const struct container_state *state, int pidfd,
		    const char *unit)
{
	const struct report r = { ctx, state };
	usec_t deadline = now_usec() + ANSWER_TIMEOUT;
	AUTO_PTR(systemd) s = NULL;
	struct err err = { 0 };

	if (unit) {
		print_journal(&r, unit);
		return;
	}
	if (systemd_open(state->pid, pidfd, deadline, &s, &err) < 0) {
		(void)fprintf(stderr, "its init does not answer as systemd does: %s\n", err.msg);
		return;
	}
	report_failed(&r, s, deadline);
	report_starting(&r, s, deadline);
}
