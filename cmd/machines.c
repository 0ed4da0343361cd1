// SPDX-License-Identifier: MIT
/* racker machines: the booted machines that run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/json.h"
#include "base/quote.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/human.h"
#include "cmd/machine_find.h"
#include "cmd/print_err.h"
#include "cmd/table.h"
#include "runtime/systemd_manager.h"

#define JSON_LINE_MAX ((size_t)1 << 20)
#define SHORT_ID_LEN 12
#define ANSWER_TIMEOUT (USEC_PER_SEC)

struct machines_options {
	bool no_trunc, quiet;
	char *format;
};

static const struct option_spec options[] = {
	{ "format", 0, OPT_STRING, offsetof(struct machines_options, format), "string",
	  "Format output: \"table\" or \"json\"", NULL },
	{ "no-trunc", 0, OPT_FLAG, offsetof(struct machines_options, no_trunc), NULL,
	  "Don't truncate output", NULL },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct machines_options, quiet), NULL, "Only show names",
	  NULL },
};

static void machines_options_done(void *target)
{
	struct machines_options *o = target;

	free(o->format);
}

/* In systemd's words; of a machine that does not answer (another init, or a hung PID 1) it is known only that it runs. */
static const char *system_state(const struct container_state *s)
{
	AUTO_CLOSE int pidfd = state_open_pid(s, NULL);
	AUTO_PTR(systemd) systemd = NULL;
	usec_t deadline = now_usec() + ANSWER_TIMEOUT;
	enum systemd_state state;

	if (pidfd < 0)
		return "ending";
	if (!s->running)
		return "booting";
	if (systemd_open(s->pid, pidfd, deadline, &systemd, NULL) < 0 ||
	    systemd_state_get(systemd, deadline, &state, NULL) < 0)
		return "unknown";
	return systemd_state_name(state);
}

static int add_row(struct table *t, const struct container_state *s, bool whole, int64_t now)
{
	char since[HUMAN_MAX], id[65], pid[16];
	const char *const cells[] = {
		s->name,	 id,  QUOTE_PLAIN(s->image),
		system_state(s), pid, human_ago(since, s->started, now),
	};

	(void)snprintf(id, sizeof(id), "%.*s", whole ? 64 : SHORT_ID_LEN, s->id);
	(void)snprintf(pid, sizeof(pid), "%d", s->pid);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		if (table_add(t, cells[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int print_table(const struct container_list *l, bool whole, struct err *err)
{
	static const char *const head[] = { "NAME", "ID", "IMAGE", "STATE", "PID", "BOOTED" };
	AUTO(table) t = { .n_columns = ARRAY_SIZE(head) };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(head); i++)
		r = table_add(&t, head[i]);
	for (size_t i = 0; r >= 0 && i < l->n; i++)
		if (l->v[i].boot)
			r = add_row(&t, &l->v[i], whole, (int64_t)time(NULL));
	if (r < 0)
		return err_oom(err);
	table_print(&t, stdout);
	return 0;
}

/* One object a line. */
static int print_json(const struct container_state *s, struct err *err)
{
	AUTO(strbuf) out = STRBUF_INIT(JSON_LINE_MAX);
	struct json_writer *w;
	int r = json_write_begin(&out, false, &w);

	if (r < 0)
		return err_oom(err);
	jw_object(w);
	machine_json_members(w, s, system_state(s));
	jw_key(w, "Command");
	jw_strv(w, s->argv);
	jw_object_end(w);
	if (json_write_end(w) < 0)
		return err_oom(err);
	(void)puts(strbuf_str(&out));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct container_state *)a)->name,
		      ((const struct container_state *)b)->name);
}

static int list(const struct context *ctx, const struct machines_options *o, struct err *err)
{
	AUTO(container_list) l = { 0 };
	bool json = o->format && strcmp(o->format, "json") == 0;
	int r = common_check_format(o->format, "table", err);

	if (r >= 0)
		r = common_list_containers(ctx, &l, err);
	if (r < 0)
		return r;
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_name);
	if (!o->quiet && !json)
		return print_table(&l, o->no_trunc, err);
	for (size_t i = 0; r >= 0 && i < l.n; i++) {
		if (!l.v[i].boot)
			continue;
		if (o->quiet)
			(void)puts(l.v[i].name);
		else
			r = print_json(&l.v[i], err);
	}
	return r;
}

static int machines_main(const struct context *ctx, void *target, char *const *operands)
{
	struct err err = { 0 };

	(void)operands;
	if (list(ctx, target, &err) >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_machines = {
	.name = "machines",
	.usage = "[OPTIONS]",
	.summary = "List booted machines",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.main = machines_main,
	.options_size = sizeof(struct machines_options),
	.options_done = machines_options_done,
};
