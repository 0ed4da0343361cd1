// SPDX-License-Identifier: MIT
/* racker copy-to and copy-from: files between the host and a running container. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/copy_place.h"
#include "base/copy_tree.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/quote.h"
#include "cmd/commands.h"
#include "cmd/common.h"
#include "cmd/exit_status.h"
#include "cmd/human.h"
#include "cmd/interrupt.h"
#include "cmd/print_err.h"
#include "runtime/root_view.h"
#include "runtime/state.h"

#define PROGRESS_USEC (100 * USEC_PER_MSEC)
#define NOTICES_MAX 50 /* a container must not fill the terminal */
#define START_USEC (2 * USEC_PER_SEC) /* how long a container may be about to start */
#define START_POLL_MS 5
#define FILES_WANTED ((rlim_t)2 * COPY_DEPTH_MAX + 64)

struct copy_flags {
	bool archive, follow, force, quiet;
};

static const struct option_spec options[] = {
	{ "archive", 'a', OPT_FLAG, offsetof(struct copy_flags, archive), NULL,
	  "Keep set-user-ID and set-group-ID bits and file capabilities from a container", NULL },
	{ "follow-link", 'L', OPT_FLAG, offsetof(struct copy_flags, follow), NULL,
	  "Follow a symbolic link that is the source itself", NULL },
	{ "force", 0, OPT_FLAG, offsetof(struct copy_flags, force), NULL,
	  "Accepted: existing files are always replaced", NULL },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct copy_flags, quiet), NULL,
	  "Suppress progress output", NULL },
};

/* One run of the command. */
struct transfer {
	bool inward; /* copy-to */
	bool exact; /* no destination was given: it is the source's path */
	const char *container, *from, *to; /* as typed; borrowed, but for an absolute @to */
	char absolute[PATH_MAX]; /* @to, made of the source's */
	bool terminal; /* progress is wanted */
	usec_t shown; /* when it was printed last; 0: never */
	uint64_t bytes;
	size_t notices;
};

/* "m1:"/etc/x"" for the container's side, "/x" in quotation marks for the host's. */
static const char *describe(const struct transfer *t, bool inside, const char *path,
			    char buf[static 2 * QUOTE_MAX])
{
	(void)snprintf(buf, (size_t)2 * QUOTE_MAX, "%s%s%s",
		       inside ? QUOTE_PLAIN(t->container) : "", inside ? ":" : "", QUOTE(path));
	return buf;
}

static void clear_progress(const struct transfer *t)
{
	if (t->shown)
		(void)fputs("\r\033[K", stderr);
}

static void on_progress(void *arg, uint64_t bytes)
{
	struct transfer *t = arg;
	char size[HUMAN_MAX];
	usec_t now;

	t->bytes = bytes;
	if (!t->terminal || (now = now_usec()) - t->shown < PROGRESS_USEC)
		return;
	t->shown = now;
	(void)fprintf(stderr, "\r\033[KCopying %s container - %s", t->inward ? "to" : "from",
		      human_size(size, (int64_t)bytes, 3));
}

static void on_notice(void *arg, const char *path, const char *what)
{
	struct transfer *t = arg;
	char text[2 * QUOTE_MAX];

	if (t->notices++ >= NOTICES_MAX)
		return;
	clear_progress(t);
	if (*path)
		log_warning("%s: %s", QUOTE(path), what);
	else
		log_warning("%s: %s", describe(t, !t->inward, t->from, text), what);
}

static void print_end(const struct transfer *t, bool done)
{
	char size[HUMAN_MAX], to[2 * QUOTE_MAX];

	clear_progress(t);
	if (t->notices > NOTICES_MAX)
		log_warning("%zu more such messages", t->notices - NOTICES_MAX);
	if (done && t->terminal)
		(void)fprintf(stderr, "Successfully copied %s to %s\n",
			      human_size(size, (int64_t)t->bytes, 3),
			      describe(t, t->inward, t->to, to));
}

/* The source's path on the other side, where none is given. */
static int same_path(struct transfer *t, struct err *err)
{
	size_t used = 0;

	t->exact = true;
	if (t->from[0] != '/') {
		if (!t->inward)
			return err_set(err, ERR_USAGE, -EINVAL,
				       "a path that is not absolute needs PATH");
		if (!getcwd(t->absolute, sizeof(t->absolute) - 1))
			return err_sys(err, ERR_SYSTEM, "get working directory");
		used = strlen(t->absolute);
		t->absolute[used++] = '/';
	}
	if (strlen(t->from) >= sizeof(t->absolute) - used)
		return err_set(err, ERR_USAGE, -ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
	memcpy(t->absolute + used, t->from, strlen(t->from) + 1);
	t->to = t->absolute;
	return 0;
}

/* Both sides of a deep tree stay open. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= FILES_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* A container whose command has just been executed says so a moment later: whoever hears from the command first need not fail. */
static int find_container(const struct context *ctx, const char *name, struct container_state *ret,
			  struct err *err)
{
	usec_t deadline = now_usec() + START_USEC;

	for (;;) {
		AUTO(container_state) state = { 0 };
		int r = state_find(ctx->settings.state_dir, name, &state, err);

		if (r < 0)
			return r;
		if (state.running) {
			*ret = state;
			state = (struct container_state){ 0 };
			return 0;
		}
		/* Until then, it may see the host's files. */
		if (now_usec() >= deadline)
			return err_set(err, ERR_CONFLICT, -EAGAIN, "container %s is still starting",
				       QUOTE_PLAIN(name));
		(void)poll(NULL, 0, START_POLL_MS);
	}
}

static int open_container(const struct context *ctx, const char *name, struct root_view *ret,
			  struct err *err)
{
	AUTO(container_state) state = { 0 };
	AUTO_CLOSE int pidfd = -EBADF;
	int r = find_container(ctx, name, &state, err);

	if (r < 0)
		return r;
	pidfd = state_open_pid(&state, err);
	return pidfd < 0 ? pidfd : root_view_open(pidfd, state.pid, ret, err);
}

static int copy(struct transfer *t, const struct copy_flags *flags, const struct root_view *view,
		struct err *err)
{
	AUTO(copy_source) source = { .fd = -EBADF };
	AUTO(copy_place) place = { .dir_fd = -EBADF };
	struct copy_options how = {
		.uids = view->mapped ? &view->uids : NULL,
		.gids = view->mapped ? &view->gids : NULL,
		.inward = t->inward,
		.keep_privileges = t->inward || flags->archive,
		.interrupted = interrupt_flag(),
		.notice = on_notice,
		.progress = on_progress,
		.arg = t,
	};
	int r = copy_source_open(t->inward ? COPY_SIDE_HOST : view->root_fd, t->from, flags->follow,
				 &source, err);

	if (r < 0)
		return err_prefix(err, r, "source");
	r = copy_place_open(t->inward ? view->root_fd : COPY_SIDE_HOST, t->to, &source, t->exact,
			    &place, err);
	if (r < 0)
		return err_prefix(err, r, "destination");
	(void)umask(0);
	r = copy_tree(&how, source.fd, place.dir_fd, *place.name ? place.name : NULL, err);
	print_end(t, r == 0);
	return r;
}

static int transfer(const struct context *ctx, struct transfer *t, const struct copy_flags *flags,
		    struct err *err)
{
	AUTO(root_view) view = { .root_fd = -EBADF };
	char from[2 * QUOTE_MAX], to[2 * QUOTE_MAX];
	int r = common_require_root(err);

	if (r == 0)
		r = open_container(ctx, t->container, &view, err);
	if (r == 0 && !t->to)
		r = same_path(t, err);
	if (r < 0)
		return r;
	allow_files();
	interrupt_catch();
	r = copy(t, flags, &view, err);
	return r < 0 ? err_prefix(err, r, "copy %s to %s", describe(t, !t->inward, t->from, from),
				  describe(t, t->inward, t->to, to)) :
		       0;
}

static int copy_main(const struct context *ctx, const struct copy_flags *flags, bool inward,
		     char *const *operands)
{
	struct transfer t = {
		.inward = inward,
		.container = operands[0],
		.from = operands[1],
		.to = operands[2],
		.terminal = !flags->quiet && isatty(STDERR_FILENO),
	};
	struct err err = { 0 };

	if (transfer(ctx, &t, flags, &err) >= 0)
		return EXIT_SUCCESS;
	print_err(ctx, &err);
	return exit_status_of_command(&err);
}

static int copy_to_main(const struct context *ctx, void *target, char *const *operands)
{
	return copy_main(ctx, target, true, operands);
}

static int copy_from_main(const struct context *ctx, void *target, char *const *operands)
{
	return copy_main(ctx, target, false, operands);
}

const struct command command_copy_to = {
	.name = "copy-to",
	.usage = "[OPTIONS] CONTAINER PATH [CONTAINER-PATH]",
	.summary = "Copy files or directories from the host to a running container",
	.details = "Into CONTAINER-PATH if that is a directory; without it, to the same path.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_operands = 2,
	.max_operands = 3,
	.main = copy_to_main,
	.options_size = sizeof(struct copy_flags),
};

const struct command command_copy_from = {
	.name = "copy-from",
	.usage = "[OPTIONS] CONTAINER CONTAINER-PATH [PATH]",
	.summary = "Copy files or directories from a running container to the host",
	.details = "Into PATH if that is a directory; without it, to the same path.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.min_operands = 2,
	.max_operands = 3,
	.main = copy_from_main,
	.options_size = sizeof(struct copy_flags),
};
