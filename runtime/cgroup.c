// SPDX-License-Identifier: MIT
/* One cgroup v2 directory a container (see cgroup.h). */
#include "runtime/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/quote.h"

#define CGROUP_PREFIX "racker-"
#define CONTAINER_ID_LEN 64
#define CGROUP_FILE_MAX 65536
#define KILL_TIMEOUT (5 * USEC_PER_SEC)

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Where systemd and everybody else mount it: alone, or beside v1. NULL: nowhere. */
static const char *cgroup2_mount(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (is_cgroup2(places[i]))
			return places[i];
	return NULL;
}

const char *cgroup_mode(void)
{
	const char *mount = cgroup2_mount();

	if (mount)
		return strcmp(mount, "/sys/fs/cgroup") ? "2 (hybrid)" : "2";
	return "1";
}

/* Our own place in the v2 tree: the line "0::/path". *ret is owned, "" for the top. */
static int own_path(char **ret, struct err *err)
{
	AUTO_FREE char *text = NULL;
	const char *line;
	size_t len;
	int r = fd_read_file_at(AT_FDCWD, "/proc/self/cgroup", CGROUP_FILE_MAX, &text, NULL, err);

	if (r < 0)
		return r;
	line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	if (!line)
		return err_set(err, ERR_SYSTEM, -ENOENT, "find our cgroup in /proc/self/cgroup");
	line = strchr(line, '/');
	len = line ? strcspn(line, "\n") : 0;
	/* Seen from a cgroup namespace that we have left: no path that means anything here. */
	if (len == 1 || (len >= 3 && !strncmp(line, "/..", 3)))
		len = 0;
	*ret = strndup(line ? line : "", len);
	return *ret ? 0 : err_oom(err);
}

/* Our own cgroup as a directory path. Return: 0 with *ret owned, NULL where there is no v2; -errno */
static int own_directory(char **ret, struct err *err)
{
	const char *mount = cgroup2_mount();
	AUTO_FREE char *own = NULL;
	char *path = NULL;
	int r;

	*ret = NULL;
	if (!mount)
		return 0;
	r = own_path(&own, err);
	if (r < 0)
		return r;
	if (asprintf(&path, "%s%s", mount, own) < 0)
		return err_oom(err);
	*ret = path;
	return 0;
}

/* Return: fd of the new directory, locked; -EAGAIN when a sweeper took it for an orphan before we had the lock, and has removed it */
static int make_locked(const char *path)
{
	AUTO_CLOSE int fd = -EBADF;

	if (mkdir(path, 0755) < 0)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	/* A sweeper holds the lock until the directory is gone: only then can it be made again. */
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	if (access(path, F_OK) < 0)
		return -EAGAIN;
	return MOVE_FD(fd);
}

int cgroup_create(const char *id, struct cgroup *ret, struct err *err)
{
	AUTO_FREE char *parent = NULL;
	AUTO_FREE char *path = NULL;
	int r = own_directory(&parent, err);

	*ret = CGROUP_NONE;
	if (r < 0 || !parent)
		return r;
	if (asprintf(&path, "%s/" CGROUP_PREFIX "%s", parent, id) < 0) {
		path = NULL;
		return err_oom(err);
	}
	for (int tries = 0; tries < 100; tries++) {
		r = make_locked(path);
		if (r != -EAGAIN)
			break;
	}
	/* Read-only, not ours or not allowed any more below (racker inside a container): carry on without. */
	if (r == -EAGAIN || r == -EROFS || r == -EACCES || r == -EPERM || r == -ENOENT)
		return 0;
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "make cgroup %s", QUOTE(path));
	}
	ret->fd = r;
	ret->path = MOVE_PTR(path);
	return 0;
}

static bool is_populated(int events_fd)
{
	char text[256];
	ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

/* cgroup.kill (Linux 5.14) ends every process, frozen or forking; cgroup.events tells when they are gone. */
static int kill_all(const char *path, struct err *err)
{
	usec_t deadline = now_usec() + KILL_TIMEOUT;
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int kill_fd = -EBADF;
	AUTO_CLOSE int events_fd = -EBADF;

	if (dir < 0)
		return errno == ENOENT ? 0 :
					 err_sys(err, ERR_SYSTEM, "open cgroup %s", QUOTE(path));
	kill_fd = openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (kill_fd < 0 || write(kill_fd, "1", 1) != 1)
		return err_sys(err, ERR_SYSTEM, "kill the processes of cgroup %s", QUOTE(path));
	events_fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events_fd < 0)
		return err_sys(err, ERR_SYSTEM, "watch cgroup %s", QUOTE(path));
	while (is_populated(events_fd)) {
		struct pollfd p = { .fd = events_fd, .events = POLLPRI };
		int left = deadline_poll_ms(deadline);

		if (left == 0)
			return err_set(err, ERR_TIMEOUT, -ETIMEDOUT,
				       "processes of cgroup %s do not end", QUOTE(path));
		(void)poll(&p, 1, left);
	}
	return 0;
}

/*
 * The next cgroup below @fd that rmdir(2) does not take, since it has others below. Those before it are gone then.
 * Return: its fd; -ENOENT when there is none left
 */
static int remove_children(int fd, bool *ret_progress)
{
	int list_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSEDIR DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);
	struct dirent *e;

	*ret_progress = false;
	if (list_fd >= 0 && !dir)
		(void)close(list_fd);
	while (dir && (e = readdir(dir))) {
		int below;

		if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(fd, e->d_name, AT_REMOVEDIR) == 0) {
			*ret_progress = true;
			continue;
		}
		below = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (below >= 0)
			return below;
	}
	return -ENOENT;
}

/*
 * What a machine made below its cgroup, from the innermost on: down to where nothing is left, then up again. However deep a hostile one has
 * nested them, this holds three fds. Nothing runs in them any more, so each step up finds that the one it comes from can be removed; where
 * that is not so, it is given up.
 */
static void remove_below(int top)
{
	AUTO_CLOSE int at = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t depth = 0;
	bool came_up = false;

	while (at >= 0) {
		bool progress;
		int next = remove_children(at, &progress);

		if (came_up && !progress) {
			cleanup_close(&next);
			return;
		}
		came_up = next < 0 && depth > 0;
		if (next >= 0) {
			depth++;
		} else if (came_up) {
			next = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			depth--;
		}
		(void)close(at);
		at = next;
	}
}

int cgroup_destroy_path(const char *path, struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;
	int r;

	/* The usual case, where everybody has gone home, costs one call. */
	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return err_sys(err, ERR_SYSTEM, "remove cgroup %s", QUOTE(path));
	r = kill_all(path, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		remove_below(fd);
	if (rmdir(path) < 0 && errno != ENOENT)
		return err_sys(err, ERR_SYSTEM, "remove cgroup %s", QUOTE(path));
	return 0;
}

int cgroup_renew(struct cgroup *cg, struct err *err)
{
	int r = cg->path ? cgroup_destroy_path(cg->path, err) : 0;

	if (r < 0 || !cg->path)
		return r;
	cleanup_close(&cg->fd);
	r = cg->fd = make_locked(cg->path);
	if (r >= 0)
		return 0;
	errno = -r;
	return err_sys(err, ERR_SYSTEM, "make cgroup %s again", QUOTE(cg->path));
}

int cgroup_delegate(const struct cgroup *cg, uint32_t uid, struct err *err)
{
	/* Of kernels that do not list them (before Linux 4.15). */
	static const char always[] = "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n";
	AUTO_FREE char *listed = NULL;
	const char *names = always;

	if (cg->fd < 0)
		return 0;
	if (fd_read_file_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", CGROUP_FILE_MAX, &listed, NULL,
			    NULL) == 0)
		names = listed;
	if (fchownat(cg->fd, "", uid, uid, AT_EMPTY_PATH) < 0)
		return err_sys(err, ERR_SYSTEM, "give cgroup %s away", QUOTE(cg->path));
	while (*names) {
		size_t len = strcspn(names, "\n");
		char name[128];

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, names);
		/* A file of a controller that this cgroup does not have. */
		if (len > 0 && fchownat(cg->fd, name, uid, uid, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			return err_sys(err, ERR_SYSTEM, "give %s of cgroup %s away", QUOTE(name),
				       QUOTE(cg->path));
		names += len + (names[len] == '\n');
	}
	return 0;
}

static void sweep_one(const char *parent, int parent_fd, const char *name)
{
	AUTO_CLOSE int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FREE char *path = NULL;
	struct err why;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	log_debug("sweeping cgroup %s, whose owner is gone", name);
	if (asprintf(&path, "%s/%s", parent, name) < 0)
		path = NULL;
	else if (cgroup_destroy_path(path, &why) < 0)
		log_debug("%s", why.msg);
}

void cgroup_sweep(const struct cgroup *own)
{
	AUTO_FREE char *parent = own->path ? strdup(own->path) : NULL;
	AUTO_CLOSEDIR DIR *dir = NULL;
	struct dirent *e;

	if (!parent)
		return;
	*strrchr(parent, '/') = '\0';
	dir = opendir(parent);
	while (dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, CGROUP_PREFIX, strlen(CGROUP_PREFIX)) &&
		    strlen(e->d_name) == strlen(CGROUP_PREFIX) + CONTAINER_ID_LEN)
			sweep_one(parent, dirfd(dir), e->d_name);
}

int cgroup_destroy(struct cgroup *cg, struct err *err)
{
	int r = cg->path ? cgroup_destroy_path(cg->path, err) : 0;

	cgroup_done(cg);
	return r;
}

void cgroup_done(struct cgroup *cg)
{
	cleanup_close(&cg->fd);
	free(cg->path);
	*cg = CGROUP_NONE;
}
