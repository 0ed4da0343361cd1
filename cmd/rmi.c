// SPDX-License-Identifier: MIT
/*
 * racker rmi: names go first, then what no name needs any more. All under the store's exclusive lock: pulls and starting containers
 * hold it shared, running ones are known by their state files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/quote.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/image_title.h"
#include "cmd/print_err.h"
#include "provision/image_ensure.h"
#include "provision/image_name.h"

struct rmi_options {
	bool force;
};

static const struct option_spec options[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct rmi_options, force), NULL,
	  "Force removal of the image", NULL },
};

static const struct later_flag later[] = {
	{ "no-prune", 0, false, false },
	{ "platform", 0, true, false },
};

struct removal {
	struct store *store;
	const struct container_list *containers;
	bool force;
};

/* The container that runs from these layers, or NULL. */
static const struct container_state *user_of(const struct removal *rm,
					     const struct image_record *record)
{
	for (size_t i = 0; i < rm->containers->n; i++) {
		const struct container_state *c = &rm->containers->v[i];

		if (c->n_layers == record->n_layers &&
		    memcmp(c->layers, record->layers, c->n_layers * sizeof(*c->layers)) == 0)
			return c;
	}
	return NULL;
}

static int untag(const struct removal *rm, const char *record_name, struct err *err)
{
	AUTO(image_title) title = { 0 };
	int r = image_title_of(record_name, &title, err);

	if (r >= 0)
		r = image_record_remove(rm->store, record_name, err);
	if (r >= 0)
		(void)printf("Untagged: %s\n", QUOTE_PLAIN(title.full));
	return r;
}

/* How many names the image has; @ret_names: those, borrowed from @all, when not NULL. */
static size_t names_of(const struct record_list *all, const struct digest *id,
		       const char **ret_names)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (digest_equal(&all->records[i].config, id)) {
			if (ret_names)
				ret_names[n] = all->records[i].name;
			n++;
		}
	return n;
}

static int check_in_use(const struct removal *rm, const struct image *image, bool by_name,
			const char *word, struct err *err)
{
	const struct container_state *user = user_of(rm, &image->record);

	if (!user || rm->force)
		return 0;
	if (by_name)
		return err_set(err, ERR_CONFLICT, -EBUSY,
			       "conflict: unable to remove repository reference %s (must force) - "
			       "container %.12s is using its referenced image %.12s",
			       QUOTE(word), user->id, image->record.config.hex);
	return err_set(err, ERR_CONFLICT, -EBUSY,
		       "conflict: unable to delete %.12s (must be forced) - image is being used by "
		       "running container %.12s",
		       image->record.config.hex, user->id);
}

/* Was the image named, or meant by its ID? */
static bool named_by(const char *word, const struct image *image)
{
	AUTO(image_name) name = { 0 };

	return image_name_parse(word, &name, NULL) >= 0 &&
	       strcmp(name.record, image->record.name) == 0;
}

/*
 * With -f an image goes that cannot be read: its record is damaged, or what the record names. Others may have what it had, so nothing
 * but the name is told. Return: as image_find() with @found if there is nothing of this name
 */
static int remove_damaged(const struct removal *rm, const char *word, const struct err *found,
			  struct err *err)
{
	AUTO(image_name) name = { 0 };
	bool parsed = image_name_parse(word, &name, NULL) >= 0;
	int r = -ENOENT;

	if (parsed)
		r = image_record_discard(rm->store, name.record, err);
	if (r == -ENOENT)
		r = image_record_discard(rm->store, word, err);
	if (r == -ENOENT && parsed && found->kind == ERR_CORRUPT)
		r = image_record_remove(rm->store, name.record, err);
	if (r >= 0)
		(void)printf("Untagged: %s\n", QUOTE_PLAIN(parsed ? name.display : word));
	if (r != -ENOENT)
		return r;
	*err = *found;
	return found->code;
}

static int remove_image(const struct removal *rm, const char *word, struct err *err)
{
	AUTO(record_list) all = { 0 };
	AUTO(image) image = { 0 };
	AUTO_FREE const char **names = NULL;
	size_t n;
	bool by_name;
	int r = image_find(rm->store, word, &image, err);

	if (r < 0 && rm->force) {
		struct err found = *err;

		return remove_damaged(rm, word, &found, err);
	}
	if (r >= 0)
		r = image_record_list(rm->store, &all.records, &all.n, err);
	if (r < 0)
		return r;
	names = calloc(all.n + 1, sizeof(*names));
	if (!names)
		return err_oom(err);
	n = names_of(&all, &image.record.config, names);
	by_name = named_by(word, &image);
	if (!by_name && n > 1 && !rm->force)
		return err_set(err, ERR_CONFLICT, -EBUSY,
			       "conflict: unable to delete %.12s (must be forced) - image is "
			       "referenced in multiple repositories",
			       image.record.config.hex);
	if (by_name && n > 1)
		return untag(rm, image.record.name, err);
	r = check_in_use(rm, &image, by_name, word, err);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = untag(rm, names[i], err);
	if (r >= 0)
		(void)printf("Deleted: %s\n", DIGEST_STR(&image.record.config));
	return r;
}

/* Every word is tried. Return: exit status */
static int remove_all(const struct context *ctx, const struct removal *rm, char *const *words)
{
	int status = EXIT_SUCCESS;

	for (; *words; words++) {
		struct err err = { 0 };
		int r = remove_image(rm, *words, &err);

		if (r >= 0)
			continue;
		print_err(ctx, &err);
		/* Docker: with -f it is fine that there is nothing to remove. */
		if (!(rm->force && err.kind == ERR_NOT_FOUND))
			status = exit_status_of_command(&err);
	}
	return status;
}

static int collect(const struct removal *rm, struct err *err)
{
	AUTO_FREE struct digest *in_use = NULL;
	struct store_collected gone = { 0 };
	size_t n = 0;
	int r = common_layers_in_use(rm->containers, &in_use, &n, err);

	if (r >= 0)
		r = store_collect(rm->store, in_use, n, &gone, err);
	if (r >= 0)
		log_info("removed %zu layers and %zu documents", gone.layers, gone.blobs);
	return r;
}

static int rmi_main(const struct context *ctx, void *target, char *const *operands)
{
	const struct rmi_options *o = target;
	AUTO(container_list) containers = { 0 };
	AUTO(store) store = { 0 };
	struct removal rm = { .store = &store, .containers = &containers, .force = o->force };
	struct err err = { 0 };
	int status = EXIT_SUCCESS;
	int r = store_open(ctx->settings.store_dir, true, &store, &err);

	if (r >= 0)
		r = store_lock(&store, STORE_LOCK_EXCLUSIVE, &err);
	/* Under the lock: a container that starts now has not found its image yet. */
	if (r >= 0)
		r = common_list_containers(ctx, &containers, &err);
	if (r >= 0) {
		status = remove_all(ctx, &rm, operands);
		r = collect(&rm, &err);
	}
	if (r >= 0)
		return status;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_rmi = {
	.name = "rmi",
	.usage = "[OPTIONS] IMAGE [IMAGE...]",
	.summary = "Remove one or more images",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.later = later,
	.n_later = ARRAY_SIZE(later),
	.min_operands = 1,
	.max_operands = -1,
	.main = rmi_main,
	.options_size = sizeof(struct rmi_options),
};
