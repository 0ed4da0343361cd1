// SPDX-License-Identifier: MIT
/* racker images: what the store has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "base/quote.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/human.h"
#include "cmd/image_title.h"
#include "cmd/print_err.h"
#include "cmd/table.h"
#include "provision/image_ensure.h"

#define JSON_LINE_MAX ((size_t)1 << 16)
#define SHORT_ID_LEN 12
#define SIZE_DIGITS 3

struct images_options {
	bool all, no_trunc, quiet;
	char *format;
};

static const struct option_spec options[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct images_options, all), NULL,
	  "Show all images (there are no hidden ones)", NULL },
	{ "format", 0, OPT_STRING, offsetof(struct images_options, format), "string",
	  "Format output: \"table\" or \"json\"", NULL },
	{ "no-trunc", 0, OPT_FLAG, offsetof(struct images_options, no_trunc), NULL,
	  "Don't truncate output", NULL },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct images_options, quiet), NULL,
	  "Only show image IDs", NULL },
};

static const struct later_flag later[] = {
	{ "digests", 0, false, false },
	{ "filter", 'f', true, false },
	{ "tree", 0, false, false },
};

/* One line of the listing. */
struct row {
	struct image_title title;
	const struct digest *id; /* borrowed from the record */
	int64_t created, size;
};

struct rows {
	struct row *v;
	size_t n;
};

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		image_title_done(&rows->v[i].title);
	free(rows->v);
	*rows = (struct rows){ 0 };
}

static void images_options_done(void *target)
{
	struct images_options *o = target;

	free(o->format);
}

/* REPOSITORY or REPOSITORY:TAG */
static bool matches(const struct image_title *t, const char *wanted)
{
	return !wanted || strcmp(t->repository, wanted) == 0 || strcmp(t->full, wanted) == 0;
}

static int add_row(struct store *store, const struct image_record *record, const char *wanted,
		   struct rows *rows, struct err *err)
{
	AUTO(image) image = { 0 };
	AUTO(image_title) title = { 0 };
	int r = image_title_of(record->name, &title, err);

	if (r < 0 || !matches(&title, wanted))
		return r;
	/* Removed a moment ago, or its document is damaged: the others are still worth showing. */
	(void)image_find(store, record->name, &image, NULL);
	rows->v[rows->n++] = (struct row){
		.title = title,
		.id = &record->config,
		.created = human_parse_time(image.config.created),
		.size = record->size,
	};
	title = (struct image_title){ 0 };
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? 1 : -1;
	return strcmp(x->title.full, y->title.full);
}

static void print_ids(const struct rows *rows, bool whole)
{
	for (size_t i = 0; i < rows->n; i++) {
		bool seen = false;

		for (size_t j = 0; j < i && !seen; j++)
			seen = digest_equal(rows->v[i].id, rows->v[j].id);
		if (seen)
			continue;
		if (whole)
			(void)puts(DIGEST_STR(rows->v[i].id));
		else
			(void)printf("%.*s\n", SHORT_ID_LEN, rows->v[i].id->hex);
	}
}

static int add_cells(struct table *t, const struct row *row, bool whole, int64_t now)
{
	char created[HUMAN_MAX], size[HUMAN_MAX], id[DIGEST_STR_MAX];
	const char *const cells[] = {
		QUOTE_PLAIN(row->title.repository),
		row->title.tag ? QUOTE_PLAIN(row->title.tag) : "<none>",
		id,
		human_ago(created, row->created, now),
		human_size(size, row->size, SIZE_DIGITS),
	};

	if (whole)
		(void)digest_str(row->id, id);
	else
		(void)snprintf(id, sizeof(id), "%.*s", SHORT_ID_LEN, row->id->hex);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		if (table_add(t, cells[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int print_table(const struct rows *rows, bool whole, struct err *err)
{
	static const char *const head[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE" };
	AUTO(table) t = { .n_columns = ARRAY_SIZE(head) };
	int64_t now = (int64_t)time(NULL);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(head); i++)
		r = table_add(&t, head[i]);
	for (size_t i = 0; r >= 0 && i < rows->n; i++)
		r = add_cells(&t, &rows->v[i], whole, now);
	if (r < 0)
		return err_oom(err);
	table_print(&t, stdout);
	return 0;
}

/* One object a line, docker's keys. */
static int print_json(const struct row *row, bool whole, int64_t now, struct err *err)
{
	__attribute__((cleanup(strbuf_done))) struct strbuf out = STRBUF_INIT(JSON_LINE_MAX);
	char created[HUMAN_MAX], size[HUMAN_MAX], id[DIGEST_STR_MAX];
	struct json_writer *w;

	if (json_write_begin(&out, false, &w) < 0)
		return err_oom(err);
	(void)digest_str(row->id, id);
	if (!whole)
		(void)snprintf(id, sizeof(id), "%.*s", SHORT_ID_LEN, row->id->hex);
	jw_object(w);
	jw_key(w, "CreatedSince");
	jw_string(w, human_ago(created, row->created, now));
	jw_key(w, "ID");
	jw_string(w, id);
	jw_key(w, "Repository");
	jw_string(w, row->title.repository);
	jw_key(w, "Size");
	jw_string(w, human_size(size, row->size, SIZE_DIGITS));
	jw_key(w, "Tag");
	jw_string(w, row->title.tag ? row->title.tag : "<none>");
	jw_object_end(w);
	if (json_write_end(w) < 0)
		return err_oom(err);
	(void)puts(strbuf_str(&out));
	return 0;
}

static int print_rows(const struct images_options *o, const struct rows *rows, struct err *err)
{
	int r = 0;

	if (o->quiet) {
		print_ids(rows, o->no_trunc);
		return 0;
	}
	if (!o->format || strcmp(o->format, "table") == 0)
		return print_table(rows, o->no_trunc, err);
	for (size_t i = 0; r >= 0 && i < rows->n; i++)
		r = print_json(&rows->v[i], o->no_trunc, (int64_t)time(NULL), err);
	return r;
}

static int list(const struct context *ctx, const struct images_options *o, const char *wanted,
		struct err *err)
{
	AUTO(record_list) records = { 0 };
	AUTO(store) store = { 0 };
	AUTO(rows) rows = { 0 };
	int r = common_check_format(o->format, "table", err);

	if (r >= 0)
		r = common_list_records(ctx, &store, &records, err);
	if (r < 0)
		return r;
	rows.v = calloc(records.n + 1, sizeof(*rows.v));
	if (!rows.v)
		return err_oom(err);
	for (char **name = records.damaged; name && *name; name++) {
		struct err why = { 0 };

		(void)image_record_refuse(*name, &why);
		log_warning("%s", why.msg);
	}
	for (size_t i = 0; i < records.n; i++) {
		r = add_row(&store, &records.records[i], wanted, &rows, err);
		if (r < 0)
			return r;
	}
	qsort(rows.v, rows.n, sizeof(*rows.v), newest_first);
	return print_rows(o, &rows, err);
}

static int images_main(const struct context *ctx, void *target, char *const *operands)
{
	struct err err = { 0 };

	if (list(ctx, target, operands[0], &err) >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_images = {
	.name = "images",
	.usage = "[OPTIONS] [REPOSITORY[:TAG]]",
	.summary = "List images",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.later = later,
	.n_later = ARRAY_SIZE(later),
	.max_operands = 1,
	.main = images_main,
	.options_size = sizeof(struct images_options),
	.options_done = images_options_done,
};
