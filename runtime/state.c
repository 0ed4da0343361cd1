// SPDX-License-Identifier: MIT
/*
 * Running containers on disk (see state.h).
 *
 * Claiming: the file is made under its id and locked, then the name is taken by symlink(2), which fails if it exists. A file is only
 * swept when its lock is free, and the sweeper holds that lock while it works, so two sweepers and a starting owner never meet.
 */
#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/strbuf.h"
#include "base/strv.h"
#include "runtime/cgroup.h"

#define STATE_BYTES_MAX ((size_t)4 << 20)

void container_state_done(struct container_state *s)
{
	free(s->id);
	free(s->name);
	free(s->image);
	free(s->cgroup);
	strv_free(s->argv);
	free(s->layers);
	*s = (struct container_state){ 0 };
}

void container_states_free(struct container_state *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		container_state_done(&list[i]);
	free(list);
}

static int open_dir(const char *state_dir, const char *name, bool create, struct err *err)
{
	AUTO_FREE char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/%s", state_dir, name) < 0) {
		path = NULL;
		return err_oom(err);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && create) {
		/* 0700: what runs, and with which arguments, is the owner's business. */
		if ((mkdir(state_dir, 0700) < 0 && errno != EEXIST) ||
		    (mkdir(path, 0700) < 0 && errno != EEXIST))
			return err_sys(err, ERR_SYSTEM, "make state directory %s", QUOTE(path));
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open state directory %s", QUOTE(path));
	return fd;
}

static int encode(const struct container_state *s, struct strbuf *out)
{
	struct json_writer *w;
	char digest[DIGEST_STR_MAX];
	int r = json_write_begin(out, false, &w);

	if (r < 0)
		return r;
	jw_object(w);
	jw_key(w, "id");
	jw_string(w, s->id);
	jw_key(w, "name");
	jw_string(w, s->name);
	jw_key(w, "image");
	jw_string(w, s->image);
	jw_key(w, "cgroup");
	jw_string(w, s->cgroup);
	jw_key(w, "pid");
	jw_int(w, s->pid);
	jw_key(w, "started");
	jw_int(w, s->started);
	jw_key(w, "argv");
	jw_strv(w, s->argv);
	jw_key(w, "layers");
	jw_array(w);
	for (size_t i = 0; i < s->n_layers; i++)
		jw_string(w, digest_str(&s->layers[i], digest));
	jw_array_end(w);
	jw_object_end(w);
	return json_write_end(w);
}

static int copy_string(const char *from, char **to, struct err *err)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : err_oom(err);
}

static int decode_layers(const struct json *doc, struct container_state *s, struct err *err)
{
	const struct json *layers = NULL;
	int r = json_member_array(doc, "layers", JSON_REQUIRED, &layers, err);

	if (r < 0)
		return r;
	s->layers = calloc(json_len(layers) + 1, sizeof(*s->layers));
	if (!s->layers)
		return err_oom(err);
	for (size_t i = 0; r == 0 && i < json_len(layers); i++) {
		const char *text = json_string(json_at(layers, i));
		r = digest_parse(text ? text : "", &s->layers[i], err);
		s->n_layers = i + 1;
	}
	return r;
}

static int decode(const char *text, size_t len, struct container_state *s, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	const char *id = NULL, *name = NULL, *image = NULL, *cgroup = NULL;
	int64_t pid = 0;
	int r = json_parse(text, len, &doc, err);

	if (r < 0 || (r = json_member_string(doc, "id", JSON_REQUIRED, &id, err)) < 0 ||
	    (r = json_member_string(doc, "name", JSON_REQUIRED, &name, err)) < 0 ||
	    (r = json_member_string(doc, "image", JSON_OPTIONAL, &image, err)) < 0 ||
	    (r = json_member_string(doc, "cgroup", JSON_OPTIONAL, &cgroup, err)) < 0 ||
	    (r = json_member_int(doc, "pid", JSON_OPTIONAL, &pid, err)) < 0 ||
	    (r = json_member_int(doc, "started", JSON_OPTIONAL, &s->started, err)) < 0 ||
	    (r = json_member_strv(doc, "argv", JSON_OPTIONAL, &s->argv, err)) < 0 ||
	    (r = copy_string(id, &s->id, err)) < 0 || (r = copy_string(name, &s->name, err)) < 0 ||
	    (r = copy_string(image, &s->image, err)) < 0 ||
	    (r = copy_string(cgroup, &s->cgroup, err)) < 0)
		return r;
	s->pid = (pid_t)pid;
	return decode_layers(doc, s, err);
}

static int write_state(int fd, const struct container_state *s, struct err *err)
{
	AUTO(strbuf) text = STRBUF_INIT(STATE_BYTES_MAX);
	int r = encode(s, &text);

	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "describe container %s", s->name);
	if (lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "write state of container %s", s->name);
	r = fd_write_full(fd, strbuf_str(&text), text.len);
	return r < 0 ? err_set(err, ERR_SYSTEM, r, "write state of container %s: %s", s->name,
			       strerror(-r)) :
		       0;
}

/* A name whose container has no file: its owner was killed between the two; nobody will ever give it back. */
static bool holder_is_gone(const char *state_dir, const char *holder)
{
	AUTO_CLOSE int dir = open_dir(state_dir, "containers", false, NULL);

	return dir >= 0 && *holder && faccessat(dir, holder, F_OK, 0) < 0 && errno == ENOENT;
}

/* Takes the name, or says who has it. */
static int claim_name(const char *state_dir, const struct container_state *s, struct err *err)
{
	AUTO_CLOSE int names = open_dir(state_dir, "names", true, err);
	char holder[256];
	ssize_t n;

	if (names < 0)
		return MOVE_FD(names);
	if (symlinkat(s->id, names, s->name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "claim container name %s", QUOTE(s->name));
	n = readlinkat(names, s->name, holder, sizeof(holder) - 1);
	holder[n > 0 ? n : 0] = '\0';
	if (holder_is_gone(state_dir, holder) && unlinkat(names, s->name, 0) == 0 &&
	    symlinkat(s->id, names, s->name) == 0)
		return 0;
	return err_set(
		err, ERR_CONFLICT, -EEXIST,
		"Conflict. The container name \"/%s\" is already in use by container \"%s\". You have to remove (or rename) that container to be able to reuse that name.",
		QUOTE_PLAIN(s->name), QUOTE_PLAIN(holder));
}

int state_register(const char *state_dir, const struct container_state *s, struct err *err)
{
	AUTO_CLOSE int dir = open_dir(state_dir, "containers", true, err);
	AUTO_CLOSE int fd = -EBADF;
	int r;

	if (dir < 0)
		return MOVE_FD(dir);
	fd = openat(dir, s->id, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "make state file of container %s", QUOTE(s->id));
	/* Nobody else has seen the file for longer than a sweeper needs to find it locked or empty. */
	if (flock(fd, LOCK_EX) < 0)
		r = err_sys(err, ERR_SYSTEM, "lock state file of container %s", QUOTE(s->id));
	else
		r = write_state(fd, s, err);
	if (r == 0)
		r = claim_name(state_dir, s, err);
	if (r < 0) {
		(void)unlinkat(dir, s->id, 0);
		return r;
	}
	return MOVE_FD(fd);
}

int state_update(int lock_fd, const struct container_state *s, struct err *err)
{
	return write_state(lock_fd, s, err);
}

/* The name goes only if it is (still) ours: another container may have it by now. */
static void release_name(int names, const char *name, const char *id)
{
	char holder[256];
	ssize_t n = readlinkat(names, name, holder, sizeof(holder) - 1);

	if (n <= 0)
		return;
	holder[n] = '\0';
	if (!strcmp(holder, id))
		(void)unlinkat(names, name, 0);
}

void state_unregister(const char *state_dir, const struct container_state *s)
{
	AUTO_CLOSE int names = open_dir(state_dir, "names", false, NULL);
	AUTO_CLOSE int dir = open_dir(state_dir, "containers", false, NULL);

	if (!s->id)
		return;
	if (names >= 0 && s->name)
		release_name(names, s->name, s->id);
	if (dir >= 0)
		(void)unlinkat(dir, s->id, 0);
}

/* Calls @visit for every state file with whether its owner lives; @fd is open, and locked by us when the owner is gone. */
static int each_file(const char *state_dir, void *arg,
		     int (*visit)(void *arg, int dir, const char *id, int fd, bool alive,
				  struct err *err),
		     struct err *err)
{
	int dir_fd = open_dir(state_dir, "containers", false, err);
	AUTO_CLOSEDIR DIR *dir = NULL;
	struct dirent *e;
	int r = 0;

	if (dir_fd == -ENOENT)
		return 0;
	if (dir_fd < 0)
		return dir_fd;
	dir = fdopendir(dir_fd);
	if (!dir) {
		(void)close(dir_fd);
		return err_oom(err);
	}
	while (r == 0 && (e = readdir(dir))) {
		AUTO_CLOSE int fd = -EBADF;
		bool alive;

		if (e->d_name[0] == '.')
			continue;
		fd = openat(dirfd(dir), e->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue; /* ended meanwhile */
		alive = flock(fd, LOCK_EX | LOCK_NB) < 0;
		r = visit(arg, dirfd(dir), e->d_name, fd, alive, err);
	}
	return r;
}

static int read_state(int fd, struct container_state *s, struct err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int r = fd_read_all(fd, STATE_BYTES_MAX, &text, &len);

	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "read container state: %s", strerror(-r));
	return decode(text, len, s, err);
}

struct list {
	struct container_state *items;
	size_t n;
};

static int visit_list(void *arg, int dir, const char *id, int fd, bool alive, struct err *err)
{
	struct list *list = arg;
	struct container_state s = { 0 };
	struct container_state *grown;
	struct err why;

	(void)dir;
	if (!alive)
		return 0;
	if (read_state(fd, &s, &why) < 0) {
		/* Caught while it is being written; it holds its layers through the store's lock until then. */
		log_debug("state of %s: %s", id, why.msg);
		container_state_done(&s);
		return 0;
	}
	grown = reallocarray(list->items, list->n + 1, sizeof(*grown));
	if (!grown) {
		container_state_done(&s);
		return err_oom(err);
	}
	list->items = grown;
	list->items[list->n++] = s;
	return 0;
}

int state_list(const char *state_dir, struct container_state **ret, size_t *ret_n, struct err *err)
{
	struct list list = { 0 };
	int r = each_file(state_dir, &list, visit_list, err);

	if (r < 0) {
		container_states_free(list.items, list.n);
		return r;
	}
	*ret = list.items;
	*ret_n = list.n;
	return 0;
}

static int visit_sweep(void *arg, int dir, const char *id, int fd, bool alive, struct err *err)
{
	const char *state_dir = arg;
	AUTO(container_state) s = { 0 };
	struct err why;
	struct stat st;

	(void)err;
	if (alive || fstat(fd, &st) < 0)
		return 0;
	/* Empty and unlocked: its owner is between making and locking it, or was killed there; give it a second. */
	if (st.st_size == 0 && time(NULL) - st.st_mtime < 2)
		return 0;
	log_debug("sweeping container %s, whose owner is gone", id);
	if (read_state(fd, &s, &why) == 0) {
		if (s.cgroup && cgroup_destroy_path(s.cgroup, &why) < 0) {
			log_debug("%s", why.msg);
			return 0;
		}
		state_unregister(state_dir, &s);
	}
	(void)unlinkat(dir, id, 0);
	return 0;
}

int state_sweep(const char *state_dir, struct err *err)
{
	union {
		const char *in;
		void *arg;
	} dir = { .in = state_dir };

	return each_file(state_dir, dir.arg, visit_sweep, err);
}
