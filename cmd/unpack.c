// SPDX-License-Identifier: MIT
/* racker unpack: an image's root file system as a plain directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/interrupt.h"
#include "cmd/print_err.h"
#include "oci/remove_tree.h"
#include "provision/image_ensure.h"
#include "provision/unpack_tree.h"

struct unpack_options {
	bool quiet;
	char *platform;
};

static const struct option_spec options[] = {
	{ "platform", 0, OPT_STRING, offsetof(struct unpack_options, platform), "string",
	  "Set platform if the image has several", NULL },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct unpack_options, quiet), NULL,
	  "Suppress the pull output", NULL },
};

static void unpack_options_done(void *target)
{
	struct unpack_options *o = target;

	free(o->platform);
}

static DIR *list_dir(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopendir(fd);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Return: fd; *ret_made: it was not there before */
static int open_target(const char *path, bool *ret_made, struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;
	AUTO_CLOSEDIR DIR *dir = NULL;
	const struct dirent *entry;

	*ret_made = mkdir(path, 0755) == 0;
	if (!*ret_made && errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "make directory %s", QUOTE(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : list_dir(fd);
	if (!dir)
		return err_sys(err, ERR_SYSTEM, "open directory %s", QUOTE(path));
	while ((entry = readdir(dir)))
		if (!is_dot(entry->d_name))
			return err_set(err, ERR_USAGE, -ENOTEMPTY,
				       "unpack to %s: the directory is not empty", QUOTE(path));
	return MOVE_FD(fd);
}

/* As it was before: empty, or not there. What cannot be removed stays; the failure itself is what is reported. */
static void undo(const char *path, int dir_fd, bool made)
{
	AUTO_CLOSEDIR DIR *dir = list_dir(dir_fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!is_dot(entry->d_name))
			(void)remove_tree_at(dir_fd, entry->d_name);
	if (made)
		(void)rmdir(path);
}

static int unpack(const struct context *ctx, const struct unpack_options *o, char *const *operands,
		  struct err *err)
{
	AUTO(store) store = { 0 };
	AUTO(image) image = { 0 };
	AUTO_CLOSE int dir = -EBADF;
	struct image_request request = {
		.settings = &ctx->settings,
		.name = operands[0],
		.quiet = o->quiet,
		.progress = stderr,
		.announce_missing = true,
		.interrupted = interrupt_flag(),
	};
	struct platform platform;
	bool made = false;
	int r = common_platform(o->platform, &platform, &request.platform, err);

	if (r >= 0)
		r = common_require_root(err);
	if (r >= 0)
		r = store_open(ctx->settings.store_dir, true, &store, err);
	if (r < 0)
		return r;
	interrupt_catch();
	r = image_ensure(&request, &store, &image, err);
	if (r < 0)
		return r;
	dir = open_target(operands[1], &made, err);
	if (dir < 0)
		return dir;
	r = unpack_tree(&store, image.record.layers, image.record.n_layers, dir, interrupt_flag(),
			err);
	if (r < 0)
		undo(operands[1], dir, made);
	return r;
}

static int unpack_main(const struct context *ctx, void *target, char *const *operands)
{
	struct err err = { 0 };

	if (unpack(ctx, target, operands, &err) >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

const struct command command_unpack = {
	.name = "unpack",
	.usage = "[OPTIONS] IMAGE DIR",
	.summary = "Unpack the root file system of an image into a directory",
	.details = "DIR must be empty or absent. The image is pulled if missing.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_operands = 2,
	.max_operands = 2,
	.main = unpack_main,
	.options_size = sizeof(struct unpack_options),
	.options_done = unpack_options_done,
};
