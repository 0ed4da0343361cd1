// SPDX-License-Identifier: MIT
/* racker status: one machine, on a page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/json.h"
#include "base/path_at.h"
#include "base/quote.h"
#include "base/strbuf.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/human.h"
#include "cmd/machine_find.h"
#include "cmd/print_err.h"
#include "provision/os_release.h"
#include "runtime/root_view.h"
#include "runtime/systemd_manager.h"
#include "runtime/systemd_unit.h"

#define ANSWER_TIMEOUT (2 * USEC_PER_SEC)
#define OS_RELEASE_MAX 65536
#define OUTPUT_MAX ((size_t)1 << 20)
#define FAILED_MAX 20

struct status_options {
	char *format;
};

static const struct option_spec options[] = {
	{ "format", 0, OPT_STRING, offsetof(struct status_options, format), "string",
	  "Format output: \"json\"", NULL },
};

static void status_options_done(void *target)
{
	free(((struct status_options *)target)->format);
}

/* What can be found out about it. */
struct facts {
	char *os; /* owned; NULL: unknown */
	bool answers; /* its PID 1 is a systemd that does */
	struct systemd_status systemd;
	struct systemd_units failed;
};

static void facts_done(struct facts *f)
{
	free(f->os);
	systemd_units_done(&f->failed);
}

static char *operating_system(const struct found_machine *m)
{
	static const char *const paths[] = { "etc/os-release", "usr/lib/os-release" };
	AUTO(root_view) view = { .root_fd = -EBADF };
	char *os = NULL;

	if (root_view_open(m->pidfd, m->state.pid, &view, NULL) < 0)
		return NULL;
	for (size_t i = 0; !os && i < ARRAY_SIZE(paths); i++) {
		AUTO_FREE char *text = NULL;

		if (path_at_read(view.root_fd, paths[i], OS_RELEASE_MAX, &text, NULL) == 0)
			(void)os_release_get(text, "PRETTY_NAME", &os, NULL);
	}
	return os;
}

static void gather(const struct found_machine *m, struct facts *f)
{
	static const char *const failed[] = { "failed", NULL };
	usec_t deadline = now_usec() + ANSWER_TIMEOUT;
	AUTO_PTR(systemd) s = NULL;

	f->os = operating_system(m);
	f->answers = systemd_open(m->state.pid, m->pidfd, deadline, &s, NULL) >= 0 &&
		     systemd_status_get(s, deadline, &f->systemd, NULL) >= 0;
	if (f->answers && f->systemd.n_failed_units > 0)
		(void)systemd_units_list(s, failed, deadline, &f->failed, NULL);
}

static const char *state_word(const struct facts *f)
{
	return f->answers ? systemd_state_name(f->systemd.state) : "unknown";
}

static void print_text(const struct container_state *s, const struct facts *f)
{
	char since[HUMAN_MAX];

	(void)printf("%s (%.12s)\n", s->name, s->id);
	(void)printf("     Image: %s\n", QUOTE_PLAIN(s->image));
	if (f->os)
		(void)printf("        OS: %s\n", QUOTE_PLAIN(f->os));
	(void)printf("     State: %s\n", state_word(f));
	if (f->answers)
		(void)printf("   systemd: %s, %u jobs queued, %u units failed\n",
			     f->systemd.version_text, f->systemd.n_jobs, f->systemd.n_failed_units);
	(void)printf("    Booted: %s\n", human_ago(since, s->started, (int64_t)time(NULL)));
	if (f->systemd.finished_usec > f->systemd.userspace_usec && f->systemd.userspace_usec)
		(void)printf(
			" Boot time: %llu ms\n",
			(unsigned long long)(f->systemd.finished_usec - f->systemd.userspace_usec) /
				1000);
	(void)printf("    Leader: %d\n", s->pid);
	if (s->cgroup)
		(void)printf("    Cgroup: %s\n", s->cgroup);
	for (size_t i = 0; i < f->failed.n && i < FAILED_MAX; i++)
		(void)printf("    Failed: %s - %s\n", QUOTE_PLAIN(f->failed.list[i].name),
			     QUOTE_PLAIN(f->failed.list[i].description));
}

static int print_json(const struct container_state *s, const struct facts *f, struct err *err)
{
	AUTO(strbuf) out = STRBUF_INIT(OUTPUT_MAX);
	struct json_writer *w;

	if (json_write_begin(&out, true, &w) < 0)
		return err_oom(err);
	jw_object(w);
	machine_json_members(w, s, state_word(f));
	jw_key(w, "OS");
	jw_string(w, f->os);
	jw_key(w, "Version");
	jw_string(w, f->answers ? f->systemd.version_text : NULL);
	jw_key(w, "FailedUnits");
	jw_array(w);
	for (size_t i = 0; i < f->failed.n; i++)
		jw_string(w, f->failed.list[i].name);
	jw_array_end(w);
	jw_object_end(w);
	if (json_write_end(w) < 0)
		return err_oom(err);
	(void)fputs(strbuf_str(&out), stdout);
	return 0;
}

static int show(const struct context *ctx, const struct status_options *o, const char *name,
		struct err *err)
{
	AUTO(found_machine) m = { .pidfd = -EBADF };
	AUTO(facts) f = { 0 };
	int r = common_check_format(o->format, NULL, err);

	if (r >= 0)
		r = common_require_root(err);
	if (r >= 0)
		r = machine_find(ctx, name, &m, err);
	if (r < 0)
		return r;
	gather(&m, &f);
	if (o->format)
		return print_json(&m.state, &f, err);
	print_text(&m.state, &f);
	return 0;
}

static int status_main(const struct context *ctx, void *target, char *const *operands)
{
	struct err err = { 0 };

	if (show(ctx, target, operands[0], &err) >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_status = {
	.name = "status",
	.usage = "[OPTIONS] MACHINE",
	.summary = "Show what a machine is and how it is",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_operands = 1,
	.max_operands = 1,
	.main = status_main,
	.options_size = sizeof(struct status_options),
	.options_done = status_options_done,
};
