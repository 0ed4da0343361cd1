// SPDX-License-Identifier: MIT
/* racker inspect: images as docker's JSON has them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/strv.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/image_title.h"
#include "cmd/print_err.h"
#include "provision/image_ensure.h"

#define OUTPUT_BYTES_MAX ((size_t)64 << 20)

struct inspect_options {
	char *format, *type;
};

static const struct option_spec options[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct inspect_options, format), "string",
	  "Format output: \"json\" (the default)", NULL },
	{ "type", 0, OPT_STRING, offsetof(struct inspect_options, type), "string",
	  "Only inspect objects of this type (\"image\")", NULL },
};

static const struct later_flag later[] = {
	{ "size", 's', false, false },
};

static void inspect_options_done(void *target)
{
	struct inspect_options *o = target;

	free(o->format);
	free(o->type);
}

static void put_string(struct json_writer *w, const char *key, const char *value)
{
	jw_key(w, key);
	jw_string(w, value);
}

/* {"80/tcp": {}, ...}; null when there are none */
static void put_set(struct json_writer *w, const char *key, char *const *names)
{
	jw_key(w, key);
	if (!names) {
		jw_null(w);
		return;
	}
	jw_object(w);
	for (; *names; names++) {
		jw_key(w, *names);
		jw_object(w);
		jw_object_end(w);
	}
	jw_object_end(w);
}

static int put_labels(struct json_writer *w, char *const *labels, struct err *err)
{
	jw_key(w, "Labels");
	if (!labels) {
		jw_null(w);
		return 0;
	}
	jw_object(w);
	for (; *labels; labels++) {
		size_t len = strcspn(*labels, "=");
		AUTO_FREE char *key = strndup(*labels, len);

		if (!key)
			return err_oom(err);
		put_string(w, key, (*labels)[len] ? *labels + len + 1 : "");
	}
	jw_object_end(w);
	return 0;
}

static int put_config(struct json_writer *w, const struct image_config *c, struct err *err)
{
	int r;

	jw_key(w, "Config");
	jw_object(w);
	put_string(w, "User", c->user ? c->user : "");
	put_set(w, "ExposedPorts", c->exposed_ports);
	jw_key(w, "Env");
	jw_strv(w, c->env);
	jw_key(w, "Cmd");
	jw_strv(w, c->cmd);
	put_set(w, "Volumes", c->volumes);
	put_string(w, "WorkingDir", c->workdir ? c->workdir : "");
	jw_key(w, "Entrypoint");
	jw_strv(w, c->entrypoint);
	r = put_labels(w, c->labels, err);
	if (c->stop_signal)
		put_string(w, "StopSignal", c->stop_signal);
	jw_object_end(w);
	return r;
}

/* "debian@sha256:…" of names that came from a registry. */
static int put_repo_digest(struct json_writer *w, const struct image_record *record,
			   const struct image_title *title, struct err *err)
{
	AUTO_FREE char *text = NULL;

	if (!strchr(record->name, '/') || strncmp(record->name, "oci:", 4) == 0)
		return 0;
	if (asprintf(&text, "%s@%s", title->repository, DIGEST_STR(&record->index)) < 0) {
		text = NULL;
		return err_oom(err);
	}
	jw_string(w, text);
	return 0;
}

static int put_names(struct json_writer *w, const struct record_list *all, const struct digest *id,
		     bool digests, struct err *err)
{
	int r = 0;

	jw_key(w, digests ? "RepoDigests" : "RepoTags");
	jw_array(w);
	for (size_t i = 0; r >= 0 && i < all->n; i++) {
		const struct image_record *record = &all->records[i];
		AUTO(image_title) title = { 0 };

		if (!digest_equal(&record->config, id))
			continue;
		r = image_title_of(record->name, &title, err);
		if (r < 0)
			break;
		if (digests)
			r = put_repo_digest(w, record, &title, err);
		else if (!strchr(title.full, '@'))
			jw_string(w, title.full);
	}
	jw_array_end(w);
	return r;
}

static void put_root_fs(struct json_writer *w, const struct image_config *c)
{
	jw_key(w, "RootFS");
	jw_object(w);
	put_string(w, "Type", "layers");
	jw_key(w, "Layers");
	jw_array(w);
	for (size_t i = 0; i < c->n_diff_ids; i++)
		jw_string(w, DIGEST_STR(&c->diff_ids[i]));
	jw_array_end(w);
	jw_object_end(w);
}

static int put_image(struct json_writer *w, const struct image *image,
		     const struct record_list *all, struct err *err)
{
	const struct image_config *c = &image->config;
	int r;

	jw_object(w);
	put_string(w, "Id", DIGEST_STR(&image->record.config));
	r = put_names(w, all, &image->record.config, false, err);
	if (r >= 0)
		r = put_names(w, all, &image->record.config, true, err);
	if (r < 0)
		return r;
	put_string(w, "Created", c->created ? c->created : "");
	r = put_config(w, c, err);
	put_string(w, "Architecture", c->platform.arch);
	if (c->platform.variant[0])
		put_string(w, "Variant", c->platform.variant);
	put_string(w, "Os", c->platform.os);
	jw_key(w, "Size");
	jw_int(w, image->record.size);
	put_root_fs(w, c);
	put_string(w, "Source", image->record.source);
	jw_object_end(w);
	return r;
}

/* Everything that is found, in an array; *ret_missing: some were not, and have been reported. */
static int inspect(const struct context *ctx, char *const *words, struct strbuf *out,
		   bool *ret_missing, struct err *err)
{
	AUTO(record_list) all = { 0 };
	AUTO(store) store = { .root_fd = -EBADF };
	struct json_writer *w = NULL;
	int r = common_list_records(ctx, &store, &all, err), ended;

	if (r < 0)
		return r;
	r = json_write_begin(out, true, &w);
	if (r < 0)
		return err_oom(err);
	jw_array(w);
	for (; r >= 0 && *words; words++) {
		AUTO(image) image = { 0 };
		struct err why = { 0 };

		/* Without a store there is nothing to look in. */
		if (store.root_fd < 0 || image_find(&store, *words, &image, &why) < 0) {
			if (store.root_fd >= 0 && why.kind != ERR_NOT_FOUND &&
			    why.kind != ERR_USAGE)
				print_err(ctx, &why);
			else
				(void)fprintf(stderr, "Error: No such object: %s\n",
					      QUOTE_PLAIN(*words));
			*ret_missing = true;
			continue;
		}
		r = put_image(w, &image, &all, err);
	}
	jw_array_end(w);
	ended = json_write_end(w);
	if (r < 0)
		return r;
	return ended < 0 ? err_set(err, ERR_SYSTEM, ended, "write JSON: %s", strerror(-ended)) : 0;
}

static int inspect_main(const struct context *ctx, void *target, char *const *operands)
{
	const struct inspect_options *o = target;
	__attribute__((cleanup(strbuf_done))) struct strbuf out = STRBUF_INIT(OUTPUT_BYTES_MAX);
	struct err err = { 0 };
	bool missing = false;
	int r = common_check_format(o->format, NULL, &err);

	if (r >= 0 && o->type && strcmp(o->type, "image") != 0)
		r = err_set(&err, ERR_UNSUPPORTED, -EOPNOTSUPP, "--type %s is not supported yet",
			    QUOTE_PLAIN(o->type));
	if (r >= 0)
		r = inspect(ctx, operands, &out, &missing, &err);
	if (r < 0) {
		print_err(ctx, &err);
		return exit_status_of_command(&err);
	}
	/* Pretty JSON ends its last line itself. */
	(void)fputs(strbuf_str(&out), stdout);
	return missing ? EXIT_STATUS_FAILED : EXIT_SUCCESS;
}

const struct command command_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] NAME|ID [NAME|ID...]",
	.summary = "Return low-level information on images",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.later = later,
	.n_later = ARRAY_SIZE(later),
	.min_operands = 1,
	.max_operands = -1,
	.main = inspect_main,
	.options_size = sizeof(struct inspect_options),
	.options_done = inspect_options_done,
};
