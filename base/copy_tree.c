// SPDX-License-Identifier: MIT
/*
 * The walk through a tree that is copied (see copy_tree.h).
 *
 * Both sides go down together, one level of the stack for each directory, with both fds held: nothing is found again by a name, so
 * whoever moves directories about meanwhile cannot lead either side elsewhere. An entry is opened with O_PATH | O_NOFOLLOW and only
 * then looked at. A directory that we make is closed to others until it is left: then it gets its owner, mode and times.
 */
#include "base/copy_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/copy_state.h"
#include "base/quote.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define NOTICE_MAX 300

void copy_notice(const struct copy *c, const char *fmt, ...)
{
	char text[NOTICE_MAX];
	va_list ap;

	if (!c->options->notice)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->options->notice(c->options->arg, c->path, text);
}

int copy_check_interrupt(const struct copy *c, struct err *err)
{
	if (!c->options->interrupted || !*c->options->interrupted)
		return 0;
	return err_set(err, ERR_INTERRUPTED, -EINTR, "interrupted");
}

static void level_done(struct copy_level *l)
{
	cleanup_closedir(&l->from);
	cleanup_close(&l->to);
}

static void copy_done(struct copy *c)
{
	while (c->n > 0)
		level_done(&c->levels[--c->n]);
	free(c->levels);
	copy_links_done(&c->links);
	free(c->path);
	free(c->data);
	free(c->names);
	free(c->value);
}

static int copy_init(struct copy *c, struct err *err)
{
	c->path = calloc(1, COPY_PATH_MAX);
	c->data = malloc(COPY_DATA_MAX);
	c->names = malloc(COPY_XATTR_MAX);
	c->value = malloc(COPY_XATTR_MAX);
	return c->path && c->data && c->names && c->value ? 0 : err_oom(err);
}

/* Makes the path that of @name in the top directory. There is room: COPY_DEPTH_MAX directories and one name more. */
static void path_set(struct copy *c, const char *name)
{
	size_t len = c->n ? c->levels[c->n - 1].path_len : 0;

	if (len > 0)
		c->path[len++] = '/';
	memcpy(c->path + len, name, strlen(name) + 1);
}

static void path_cut(struct copy *c)
{
	c->path[c->n ? c->levels[c->n - 1].path_len : 0] = '\0';
}

/* @from and @to are consumed. */
static int push(struct copy *c, int from, int to, const struct stat *st, bool made, struct err *err)
{
	AUTO_CLOSE int from_fd = from;
	AUTO_CLOSE int to_fd = to;
	struct copy_level *l;
	DIR *dir;

	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 16;
		struct copy_level *bigger = reallocarray(c->levels, cap, sizeof(*bigger));

		if (!bigger)
			return err_oom(err);
		c->levels = bigger;
		c->cap = cap;
	}
	dir = fdopendir(from_fd);
	if (!dir)
		return err_sys(err, ERR_SYSTEM, "read directory");
	(void)MOVE_FD(from_fd);
	l = &c->levels[c->n++];
	*l = (struct copy_level){ .from = dir,
				  .to = MOVE_FD(to_fd),
				  .path_len = strlen(c->path),
				  .st = *st,
				  .made = made };
	l->hands_down_acl = fgetxattr(l->to, "system.posix_acl_default", NULL, 0) > 0;
	return 0;
}

/* Leaves the top directory. After a failure too: what was copied of it shall be readable by whom it belongs to. */
static int pop(struct copy *c, struct err *err)
{
	struct copy_level *l = &c->levels[c->n - 1];
	bool acl = c->n > 1 && c->levels[c->n - 2].hands_down_acl;
	int r = 0;

	path_cut(c);
	if (l->made)
		r = copy_attributes(c, dirfd(l->from), l->to, &l->st, acl || l->hands_down_acl,
				    err);
	if (r < 0 && *c->path)
		(void)err_prefix(err, r, "%s", QUOTE(c->path));
	level_done(l);
	c->n--;
	return r;
}

static bool is_kernel_fs(int fd)
{
	static const unsigned long magics[] = {
		PROC_SUPER_MAGIC,
		SYSFS_MAGIC,
		CGROUP_SUPER_MAGIC,
		CGROUP2_SUPER_MAGIC,
		DEBUGFS_MAGIC,
		TRACEFS_MAGIC,
		SECURITYFS_MAGIC,
		DEVPTS_SUPER_MAGIC,
		BPF_FS_MAGIC,
		BINFMTFS_MAGIC,
		EFIVARFS_MAGIC,
		SELINUX_MAGIC,
		0x19800202U /* mqueue */,
		0x62656570U /* configfs */,
		0x65735543U /* fusectl */,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if ((unsigned long)fs.f_type == magics[i])
			return true;
	return false;
}

/*
 * The directory that a copy goes into: made, or one that is there.
 * Return: fd or -errno
 */
static int open_target(const struct copy_target *to, bool *ret_made, struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;
	struct stat st;

	/* 0700: nobody shall be in there before it has its owner and mode. */
	*ret_made = mkdirat(to->dir_fd, to->name, 0700) == 0;
	if (!*ret_made && errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "make directory");
	fd = openat(to->dir_fd, to->name, OPEN_DIR);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(err, ERR_CONFLICT, -ENOTDIR,
			       "cannot overwrite what is no directory with a directory");
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "open directory");
	/* Somebody put another in its place: it must not get a new owner. */
	if (*ret_made && (st.st_uid != geteuid() || (st.st_mode & 077)))
		return err_set(err, ERR_CONFLICT, -ESTALE,
			       "somebody replaced the new directory meanwhile");
	return MOVE_FD(fd);
}

static int check_directory(const struct copy *c, int from, const struct stat *st, bool *ret_skip,
			   struct err *err)
{
	*ret_skip = false;
	if (c->made_ino && st->st_ino == c->made_ino && st->st_dev == c->made_dev)
		return err_set(err, ERR_CONFLICT, -ELOOP, "cannot copy a directory into itself");
	if (c->n >= COPY_DEPTH_MAX)
		return err_set(err, ERR_UNSUPPORTED, -ELOOP, "more than %d directories deep",
			       COPY_DEPTH_MAX);
	if (c->n > 0 && st->st_dev != c->levels[c->n - 1].st.st_dev && is_kernel_fs(from)) {
		copy_notice(c, "a file system of the kernel, not copied");
		*ret_skip = true;
	}
	return 0;
}

/* @fd: O_PATH. */
static int enter(struct copy *c, int fd, const struct stat *st, const struct copy_target *to,
		 struct err *err)
{
	AUTO_CLOSE int from = openat(fd, ".", OPEN_DIR);
	AUTO_CLOSE int dir = -EBADF;
	struct stat new;
	bool made = false, skip;
	int r;

	if (from < 0)
		return err_sys(err, ERR_SYSTEM, "open directory for reading");
	r = check_directory(c, from, st, &skip, err);
	if (r < 0 || skip)
		return r;
	if (to->name)
		dir = open_target(to, &made, err);
	else if ((dir = openat(to->dir_fd, ".", OPEN_DIR)) < 0)
		return err_sys(err, ERR_SYSTEM, "open directory");
	if (dir < 0)
		return dir;
	if (fstat(dir, &new) < 0)
		return err_sys(err, ERR_SYSTEM, "stat directory");
	if (new.st_dev == st->st_dev &&new.st_ino == st->st_ino)
		return err_set(err, ERR_CONFLICT, -ELOOP, "cannot copy a directory to itself");
	if ((made || !to->name) && !c->made_ino) {
		c->made_dev = new.st_dev;
		c->made_ino = new.st_ino;
	}
	return push(c, MOVE_FD(from), MOVE_FD(dir), st, made, err);
}

/* @fd: O_PATH of the source, which is consumed. */
static int copy_entry(struct copy *c, int fd, const struct copy_target *to, struct err *err)
{
	AUTO_CLOSE int from = fd;
	struct stat st;
	int r;

	if (fstat(from, &st) < 0)
		r = err_sys(err, ERR_SYSTEM, "stat");
	else if (S_ISDIR(st.st_mode))
		r = enter(c, from, &st, to, err);
	else
		r = copy_inode(c, from, &st, to, err);
	return r < 0 && *c->path ? err_prefix(err, r, "%s", QUOTE(c->path)) : r;
}

/* One entry of the top directory. Return: 1, 0 when it was the last, -errno */
static int step(struct copy *c, struct err *err)
{
	struct copy_level *l = &c->levels[c->n - 1];
	const struct dirent *e;
	int r, fd;

	do {
		errno = 0;
		e = readdir(l->from);
	} while (e && (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")));
	path_cut(c);
	if (!e) {
		r = errno ? err_sys(err, ERR_SYSTEM, "read directory") : 0;
		return r < 0 && *c->path ? err_prefix(err, r, "%s", QUOTE(c->path)) : r;
	}
	path_set(c, e->d_name);
	fd = openat(dirfd(l->from), e->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		copy_notice(c, "gone before it was copied");
		return 1;
	}
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open %s", QUOTE(c->path));
	r = copy_entry(c, fd, &(struct copy_target){ l->to, e->d_name, l->hands_down_acl }, err);
	return r < 0 ? r : 1;
}

static int walk(struct copy *c, struct err *err)
{
	int r = 0;

	while (r >= 0 && c->n > 0) {
		r = copy_check_interrupt(c, err);
		if (r == 0)
			r = step(c, err);
		if (r == 0)
			r = pop(c, err);
	}
	while (c->n > 0)
		(void)pop(c, NULL);
	return r < 0 ? r : 0;
}

int copy_tree(const struct copy_options *options, int from_fd, int to_dir_fd, const char *name,
	      struct err *err)
{
	AUTO(copy) c = { .options = options };
	struct copy_target to = { .dir_fd = to_dir_fd, .name = name };
	int r = copy_init(&c, err), fd;

	if (r < 0)
		return r;
	to.acl = fgetxattr(to_dir_fd, "system.posix_acl_default", NULL, 0) > 0;
	fd = fcntl(from_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "duplicate descriptor");
	r = copy_entry(&c, fd, &to, err);
	return r < 0 ? r : walk(&c, err);
}
