// SPDX-License-Identifier: MIT
/*
 * Running containers on disk (see state.h).
 *
 * A file is written and locked under a name of its own (a dot and the id) and then renamed to the container's, which fails if that
 * exists: whoever finds a file finds it whole and, while its owner lives, locked. A sweeper holds the lock while it works. That the command
 * runs is said by the file's mode, since that changes in one step where a second writing could be read half-done.
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
#include "base/log.h"
#include "base/quote.h"
#include "base/strbuf.h"
#include "runtime/cgroup.h"
#include "runtime/state_json.h"

#define ASIDE_MAX 80 /* a dot, 64 digits */
#define STATE_BYTES_MAX ((size_t)16 << 20) /* argv and env of any command, escaped */
#define FULL_ID_LEN 64
#define MODE_STARTING 0600
#define MODE_RUNNING 0700

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

static int write_state(int fd, const struct container_state *s, struct err *err)
{
	AUTO(strbuf) text = STRBUF_INIT(STATE_BYTES_MAX);
	int r = state_encode(s, &text);

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
	struct stat st;
	size_t len;
	int r = fd_read_all(fd, STATE_BYTES_MAX, &text, &len);

	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "read container state: %s", strerror(-r));
	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "read container state");
	s->running = (st.st_mode & 0777) == MODE_RUNNING;
	return state_decode(text, len, s, err);
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
	AUTO_CLOSE int fd =
		openat(dir, aside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, MODE_STARTING);
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

void state_free_name(const char *state_dir, struct container_state *s)
{
	AUTO_CLOSE int dir = open_dir(state_dir, false, NULL);
	char aside[ASIDE_MAX];

	if (dir < 0 || s->nameless)
		return;
	(void)snprintf(aside, sizeof(aside), ".%s", s->id);
	s->nameless = renameat2(dir, s->name, dir, aside, RENAME_NOREPLACE) == 0;
}

void state_set_running(int lock_fd, struct container_state *s)
{
	s->running = fchmod(lock_fd, MODE_RUNNING) == 0;
}

void state_unregister(const char *state_dir, int lock_fd, const struct container_state *s)
{
	AUTO_CLOSE int fd = lock_fd;
	AUTO_CLOSE int dir = fd >= 0 ? open_dir(state_dir, false, NULL) : -EBADF;
	char aside[ASIDE_MAX];

	(void)snprintf(aside, sizeof(aside), ".%s", s->id);
	if (dir >= 0)
		(void)unlinkat(dir, s->nameless ? aside : s->name, 0);
}

/* With a lock of our own when the owner is gone. One that was replaced while we looked is alive under the same name. Return: fd, -errno */
static int open_state(int dir, const char *name, int lock, bool *ret_alive)
{
	for (int tries = 0; tries < 100; tries++) {
		AUTO_CLOSE int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		struct stat st;

		if (fd < 0)
			return -errno;
		*ret_alive = flock(fd, lock | LOCK_NB) < 0;
		if (*ret_alive || (fstat(fd, &st) == 0 && st.st_nlink > 0))
			return MOVE_FD(fd);
	}
	return -ENOENT;
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
		bool alive = false;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		fd = open_state(dirfd(dir), e->d_name, lock, &alive);
		if (fd < 0)
			continue; /* ended meanwhile */
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

/* The usual case, a name, without reading the others. Return: 0 with *ret, -ENOENT */
static int find_by_name(int dir, const char *name, struct container_state *ret)
{
	AUTO(container_state) s = { 0 };
	AUTO_CLOSE int fd = -EBADF;
	bool alive = false;

	if (!*name || name[0] == '.' || strchr(name, '/'))
		return -ENOENT;
	fd = open_state(dir, name, LOCK_SH, &alive);
	if (fd < 0 || !alive || read_state(fd, &s, NULL) < 0 || strcmp(s.name, name) != 0)
		return -ENOENT;
	*ret = s;
	s = (struct container_state){ 0 };
	return 0;
}

/* Docker's order: a full id, a name, the beginning of one id. Return: index, -ENOENT, -ENOTUNIQ */
static ssize_t choose(const struct list *list, const char *wanted)
{
	ssize_t by_name = -ENOENT, by_prefix = -ENOENT;

	for (size_t i = 0; i < list->n; i++) {
		const struct container_state *s = &list->items[i];

		if (strcmp(s->id, wanted) == 0)
			return (ssize_t)i;
		if (strcmp(s->name, wanted) == 0)
			by_name = (ssize_t)i;
		if (*wanted && strncmp(s->id, wanted, strlen(wanted)) == 0)
			by_prefix = by_prefix == -ENOENT ? (ssize_t)i : -ENOTUNIQ;
	}
	return by_name >= 0 ? by_name : by_prefix;
}

static int find_in_list(const char *state_dir, const char *wanted, struct container_state *ret,
			struct err *err)
{
	struct list list = { 0 };
	ssize_t at = state_list(state_dir, &list.items, &list.n, err);

	if (at < 0)
		return (int)at;
	at = choose(&list, wanted);
	if (at >= 0) {
		*ret = list.items[at];
		list.items[at] = (struct container_state){ 0 };
	}
	container_states_free(list.items, list.n);
	if (at == -ENOTUNIQ)
		return err_set(err, ERR_CONFLICT, -ENOTUNIQ,
			       "multiple IDs found with provided prefix: %s", QUOTE_PLAIN(wanted));
	if (at < 0)
		return err_set(err, ERR_NOT_FOUND, -ENOENT, "No such container: %s",
			       QUOTE_PLAIN(wanted));
	return 0;
}

int state_watch(const char *state_dir, const struct container_state *s)
{
	AUTO_CLOSE int dir = open_dir(state_dir, false, NULL);
	int fd = dir < 0 ? dir : openat(dir, s->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 && dir >= 0 ? -errno : fd;
}

int state_find(const char *state_dir, const char *wanted, struct container_state *ret,
	       struct err *err)
{
	const char *name = *wanted == '/' ? wanted + 1 : wanted;
	AUTO_CLOSE int dir = open_dir(state_dir, false, NULL);

	/* What looks like a full id may be one. */
	if (dir >= 0 && strlen(name) != FULL_ID_LEN && find_by_name(dir, name, ret) == 0)
		return 0;
	return find_in_list(state_dir, name, ret, err);
}

/* A container without a cgroup: its PID 1 takes all others along, if that process is still the one. */
static void kill_process(const struct container_state *s)
{
	AUTO_CLOSE int pidfd = state_open_pid(s, NULL);

	if (pidfd >= 0)
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
