// SPDX-License-Identifier: MIT
/*
 * Running containers on disk (see state.h).
 *
 * A file is written and locked under a name of its own (a dot and the id) and then renamed to the container's, which fails if that
 * exists: whoever finds a file finds it whole and, while its owner lives, locked. A sweeper holds the lock while it works.
 */
#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

#define ASIDE_MAX 80 /* a dot, 64 digits */
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

static int open_dir(const char *state_dir, bool create, struct err *err)
{
	AUTO_FREE char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/containers", state_dir) < 0) {
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
	jw_key(w, "pidStart");
	jw_int(w, s->pid_start);
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
	    (r = json_member_int(doc, "pidStart", JSON_OPTIONAL, &s->pid_start, err)) < 0 ||
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
		return err_set(err, ERR_SYSTEM, r, "describe container %s: %s", s->name,
			       strerror(-r));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_SYSTEM, "write state of container %s", s->name);
	r = fd_write_full(fd, strbuf_str(&text), text.len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "write state of container %s: %s", s->name,
			       strerror(-r));
	/* Not before, to 0: ext4 takes that for a careless rewrite and allocates blocks when the file is closed, 0.3 ms. */
	if (ftruncate(fd, (off_t)text.len) < 0)
		return err_sys(err, ERR_SYSTEM, "write state of container %s", s->name);
	return 0;
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

/* Whose name it is, for the message. */
static int name_in_use(int dir, const char *name, struct err *err)
{
	AUTO(container_state) holder = { 0 };
	AUTO_CLOSE int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0)
		(void)read_state(fd, &holder, NULL);
	return err_set(
		err, ERR_CONFLICT, -EEXIST,
		"Conflict. The container name \"/%s\" is already in use by container \"%s\". You have to remove (or rename) that container to be able to reuse that name.",
		QUOTE_PLAIN(name), holder.id ? QUOTE_PLAIN(holder.id) : "that is starting");
}

/* The file under a name nobody looks for, locked and complete, before it gets the one that everybody does. Return: fd or -errno */
static int write_aside(int dir, const char *aside, const struct container_state *s, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir, aside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "make state file of container %s", QUOTE(s->name));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_sys(err, ERR_SYSTEM, "lock state file of container %s", QUOTE(s->name));
	r = write_state(fd, s, err);
	return r < 0 ? r : MOVE_FD(fd);
}

int state_register(const char *state_dir, const struct container_state *s, struct err *err)
{
	AUTO_CLOSE int dir = open_dir(state_dir, true, err);
	AUTO_CLOSE int fd = -EBADF;
	char aside[ASIDE_MAX];
	int r = 0;

	if (dir < 0)
		return MOVE_FD(dir);
	(void)snprintf(aside, sizeof(aside), ".%s", s->id);
	fd = write_aside(dir, aside, s, err);
	if (fd < 0)
		r = fd;
	else if (renameat2(dir, aside, dir, s->name, RENAME_NOREPLACE) == 0)
		return MOVE_FD(fd);
	else
		r = errno == EEXIST ? name_in_use(dir, s->name, err) :
				      err_sys(err, ERR_SYSTEM, "name state file of container %s",
					      QUOTE(s->name));
	(void)unlinkat(dir, aside, 0);
	return r;
}

int state_replace(const char *state_dir, int *lock_fd, const struct container_state *s,
		  struct err *err)
{
	AUTO_CLOSE int dir = open_dir(state_dir, true, err);
	AUTO_CLOSE int fd = -EBADF;
	char aside[ASIDE_MAX];

	if (dir < 0)
		return MOVE_FD(dir);
	(void)snprintf(aside, sizeof(aside), ".%s", s->id);
	fd = write_aside(dir, aside, s, err);
	if (fd < 0)
		return MOVE_FD(fd);
	if (renameat(dir, aside, dir, s->name) < 0) {
		(void)unlinkat(dir, aside, 0);
		return err_sys(err, ERR_SYSTEM, "replace state file of container %s",
			       QUOTE(s->name));
	}
	cleanup_close(lock_fd);
	*lock_fd = MOVE_FD(fd);
	return 0;
}

void state_free_name(const char *state_dir, const struct container_state *s)
{
	AUTO_CLOSE int dir = open_dir(state_dir, false, NULL);
	char aside[ASIDE_MAX];

	(void)snprintf(aside, sizeof(aside), ".%s", s->id);
	if (dir >= 0)
		(void)renameat2(dir, s->name, dir, aside, RENAME_NOREPLACE);
}

/* Start time of a process in clock ticks since boot, field 22 of /proc/PID/stat; 0 if there is none. Source: proc(5) */
static int64_t start_time(pid_t pid)
{
	char path[64], text[1024];
	const char *at;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : fd_read_full(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* The name, field 2, may hold anything but ends at the last parenthesis. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) : 0;
}

void state_set_pid(struct container_state *s, pid_t pid)
{
	s->pid = pid;
	s->pid_start = start_time(pid);
}

void state_unregister(const char *state_dir, int lock_fd, const struct container_state *s)
{
	AUTO_CLOSE int fd = lock_fd;
	AUTO_CLOSE int dir = fd >= 0 ? open_dir(state_dir, false, NULL) : -EBADF;

	if (dir >= 0)
		(void)unlinkat(dir, s->name, 0);
}

/* Calls @visit for every state file with whether its owner lives; @fd is open, and locked by us with @lock (shared to look,
 * exclusive to remove) when the owner is gone. */
static int each_file(const char *state_dir, int lock, void *arg,
		     int (*visit)(void *arg, int dir, const char *name, int fd, bool alive,
				  struct err *err),
		     struct err *err)
{
	int dir_fd = open_dir(state_dir, false, err);
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

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		fd = openat(dirfd(dir), e->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue; /* ended meanwhile */
		alive = flock(fd, lock | LOCK_NB) < 0;
		r = visit(arg, dirfd(dir), e->d_name, fd, alive, err);
	}
	return r;
}

struct list {
	struct container_state *items;
	size_t n;
};

static int visit_list(void *arg, int dir, const char *name, int fd, bool alive, struct err *err)
{
	struct list *list = arg;
	struct container_state s = { 0 };
	struct container_state *grown;
	struct err why;

	(void)dir;
	if (!alive || name[0] == '.')
		return 0;
	if (read_state(fd, &s, &why) < 0) {
		/* Caught while it is being written; it holds its layers through the store's lock until then. */
		log_debug("state of %s: %s", name, why.msg);
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
	int r = each_file(state_dir, LOCK_SH, &list, visit_list, err);

	if (r < 0) {
		container_states_free(list.items, list.n);
		return r;
	}
	*ret = list.items;
	*ret_n = list.n;
	return 0;
}

/* A container without a cgroup: its PID 1 takes all others along, if that process is still the one. */
static void kill_process(const struct container_state *s)
{
	AUTO_CLOSE int pidfd = s->pid > 0 ? fd_pidfd_open(s->pid) : -EBADF;

	if (pidfd >= 0 && s->pid_start && start_time(s->pid) == s->pid_start)
		(void)fd_pidfd_signal(pidfd, SIGKILL);
}

static int visit_sweep(void *arg, int dir, const char *name, int fd, bool alive, struct err *err)
{
	AUTO(container_state) s = { 0 };
	struct err why;
	struct stat st;

	(void)arg;
	(void)err;
	if (alive || fstat(fd, &st) < 0)
		return 0;
	/* Its owner is between making and locking it, or was killed there; give it a second. */
	if (name[0] == '.' && time(NULL) - st.st_mtime < 2)
		return 0;
	/* Gone or renamed between our open and our lock. */
	if (st.st_nlink == 0)
		return 0;
	log_debug("sweeping container %s, whose owner is gone", name);
	if (read_state(fd, &s, &why) == 0) {
		kill_process(&s);
		if (s.cgroup && cgroup_destroy_path(s.cgroup, &why) < 0) {
			log_debug("%s", why.msg);
			return 0;
		}
	}
	(void)unlinkat(dir, name, 0);
	return 0;
}

int state_sweep(const char *state_dir, struct err *err)
{
	return each_file(state_dir, LOCK_EX, NULL, visit_sweep, err);
}
