// SPDX-License-Identifier: MIT
/*
 * Copies of all but directories (see copy_state.h).
 *
 * The source is an O_PATH fd: which type it is was asked of the very inode, so that no device and no FIFO is ever opened, whatever
 * takes its name meanwhile. The copy is made under a name of its own and gets the right one by rename() when it is whole; nothing that
 * was there before is opened or written to.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/copy_state.h"
#include "base/fd.h"
#include "base/path_at.h"
#include "base/quote.h"

#define ASIDE_MAX 40
/* What is read of a file that says it is empty: those of procfs and kin do, and some never end. */
#define SIZELESS_MAX ((off_t)64 << 20)

int copy_reopen(int fd, int flags)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int aside_name(char name[static ASIDE_MAX], struct err *err)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(err, ERR_SYSTEM, "get random bytes");
	(void)snprintf(name, ASIDE_MAX, ".racker-copy-%016" PRIx64, random);
	return 0;
}

/* The copy is whole: under its name now. */
static int put_in_place(const struct copy_target *to, const char *aside, struct err *err)
{
	struct statx st;

	/* rename() is content with a mount point of another mount namespace, and detaches what is mounted there. Since Linux 5.8. */
	if (statx(to->dir_fd, to->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) ==
		    0 &&
	    (st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return err_set(err, ERR_CONFLICT, -EBUSY,
			       "cannot be replaced: it is a mount point");
	if (renameat(to->dir_fd, aside, to->dir_fd, to->name) == 0)
		return 0;
	if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST)
		return err_set(err, ERR_CONFLICT, -EISDIR,
			       "cannot overwrite a directory with what is none");
	return err_sys(err, ERR_SYSTEM, "rename");
}

static int write_at(int fd, const char *p, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Return: where the source ended, @end if it did not; -errno */
static off_t copy_range(struct copy *c, int from, int to, off_t at, off_t end, struct err *err)
{
	while (at < end) {
		size_t want = (size_t)(end - at) < COPY_DATA_MAX ? (size_t)(end - at) :
								   COPY_DATA_MAX;
		ssize_t n = pread(from, c->data, want, at);
		int r = copy_check_interrupt(c, err);

		if (r < 0)
			return r;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_SYSTEM, "read");
		if (n == 0)
			return at;
		r = write_at(to, c->data, (size_t)n, at);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, r, "write: %s", strerror(-r));
		at += n;
		c->bytes += (uint64_t)n;
		if (c->options->progress)
			c->options->progress(c->options->arg, c->bytes);
	}
	return end;
}

/* The next stretch of data from @at on; a file system without holes has one stretch. Return: false if there is none */
static bool next_data(int fd, off_t at, off_t size, off_t *ret_begin, off_t *ret_end)
{
	off_t begin = lseek(fd, at, SEEK_DATA), end;

	if (begin < 0 && errno == ENXIO)
		return false;
	if (begin < at)
		begin = at;
	end = lseek(fd, begin, SEEK_HOLE);
	/* A hole made there in between: it reads as zeros. */
	if (end <= begin || end > size)
		end = size;
	*ret_begin = begin;
	*ret_end = end;
	return begin < size;
}

/* The contents, as far as they went when we looked: a file that grows has no end. */
static int copy_data(struct copy *c, int from, int to, const struct stat *st, struct err *err)
{
	off_t size = st->st_size, at = 0, begin, end;
	struct stat now;

	if (size == 0) {
		at = copy_range(c, from, to, 0, SIZELESS_MAX, err);
		if (at == SIZELESS_MAX)
			return err_set(err, ERR_SYSTEM, -EFBIG, "a file without an end");
		return at < 0 ? (int)at : 0;
	}
	while (at < size && next_data(from, at, size, &begin, &end)) {
		at = copy_range(c, from, to, begin, end, err);
		if (at < 0)
			return (int)at;
		if (at < end)
			size = at;
	}
	if (fstat(from, &now) < 0)
		return err_sys(err, ERR_SYSTEM, "stat");
	if (now.st_size < size)
		size = now.st_size;
	if (ftruncate(to, size) < 0)
		return err_sys(err, ERR_SYSTEM, "set size");
	if (now.st_size != st->st_size || now.st_mtim.tv_sec != st->st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != st->st_mtim.tv_nsec)
		copy_notice(c, "changed while it was copied");
	return 0;
}

static int fill_regular(struct copy *c, int fd, const struct stat *st, int to, bool acl,
			struct err *err)
{
	/* O_NONBLOCK: files of procfs and kin may have nothing to read yet. */
	AUTO_CLOSE int from = copy_reopen(fd, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	int r;

	if (from < 0) {
		errno = -from;
		return err_sys(err, ERR_SYSTEM, "open for reading");
	}
	r = copy_data(c, from, to, st, err);
	return r < 0 ? r : copy_attributes(c, from, to, st, acl, err);
}

static int copy_regular(struct copy *c, int fd, const struct stat *st, const struct copy_target *to,
			struct err *err)
{
	char aside[ASIDE_MAX];
	AUTO_CLOSE int new = -EBADF;
	int r = aside_name(aside, err);

	if (r < 0)
		return r;
	new = openat(to->dir_fd, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (new < 0)
		return err_sys(err, ERR_SYSTEM, "create");
	r = fill_regular(c, fd, st, new, to->acl, err);
	/* close(2) is where network file systems report what write(2) could not. */
	if (close(MOVE_FD(new)) < 0 && r == 0)
		r = err_sys(err, ERR_SYSTEM, "write");
	if (r == 0)
		r = put_in_place(to, aside, err);
	if (r < 0)
		(void)unlinkat(to->dir_fd, aside, 0);
	return r;
}

/*
 * Owner and times of a symlink or FIFO, which cannot be opened. By fd: in a directory of somebody else's the name may be another
 * inode's by now, which must not get a new owner.
 */
static int settle(const struct copy *c, const struct stat *st, int dir_fd, const char *aside,
		  struct err *err)
{
	struct timespec times[] = { st->st_atim, st->st_mtim };
	AUTO_CLOSE int fd = openat(dir_fd, aside, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat new;
	uid_t uid;
	gid_t gid;

	if (fd < 0 || fstat(fd, &new) < 0)
		return err_sys(err, ERR_SYSTEM, "open what was made");
	if (((new.st_mode ^ st->st_mode) & S_IFMT) || new.st_nlink != 1 || new.st_uid != geteuid())
		return err_set(err, ERR_CONFLICT, -ESTALE, "somebody replaced it meanwhile");
	copy_owner(c, st, &uid, &gid);
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return err_sys(err, ERR_SYSTEM, "set owner %u:%u", uid, gid);
	/* EINVAL, ENOENT: before Linux 5.8, where the times are not worth a failure. */
	if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0 && errno != EINVAL && errno != ENOENT)
		return err_sys(err, ERR_SYSTEM, "set time");
	return 0;
}

static int make_aside(const struct copy *c, int fd, const struct stat *st, int dir_fd,
		      const char *aside, struct err *err)
{
	char target[PATH_MAX];
	ssize_t n;

	if (S_ISFIFO(st->st_mode)) {
		if (mknodat(dir_fd, aside, S_IFIFO | (copy_mode(c, st) & 0777), 0) < 0)
			return err_sys(err, ERR_SYSTEM, "make FIFO");
		return 0;
	}
	n = readlinkat(fd, "", target, sizeof(target));
	if (n < 0)
		return err_sys(err, ERR_SYSTEM, "read symlink");
	if ((size_t)n >= sizeof(target))
		return err_set(err, ERR_SYSTEM, -ENAMETOOLONG, "read symlink: it is too long");
	target[n] = '\0';
	if (symlinkat(target, dir_fd, aside) < 0)
		return err_sys(err, ERR_SYSTEM, "make symlink");
	return 0;
}

static int copy_special(const struct copy *c, int fd, const struct stat *st,
			const struct copy_target *to, struct err *err)
{
	char aside[ASIDE_MAX];
	int r = aside_name(aside, err);

	if (r == 0)
		r = make_aside(c, fd, st, to->dir_fd, aside, err);
	if (r < 0)
		return r;
	r = settle(c, st, to->dir_fd, aside, err);
	if (r == 0)
		r = put_in_place(to, aside, err);
	if (r < 0)
		(void)unlinkat(to->dir_fd, aside, 0);
	return r;
}

/*
 * A further name of a file that was copied to @path below the top. Whoever owns the tree may have moved that away meanwhile: then
 * there is no link.
 * Return: true if it was made
 */
static bool link_to(const struct copy *c, const char *path, const struct copy_target *to)
{
	char parent[PATH_MAX], aside[ASIDE_MAX];
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = slash ? (size_t)(slash - path) : 0;
	AUTO_CLOSE int dir = -EBADF;
	bool done;

	if (len >= sizeof(parent) || aside_name(aside, NULL) < 0)
		return false;
	memcpy(parent, path, len);
	parent[len] = '\0';
	dir = path_at_open_beneath(c->levels[0].to, len ? parent : ".", O_PATH | O_DIRECTORY, 0);
	if (dir < 0 || linkat(dir, name, to->dir_fd, aside, 0) < 0)
		return false;
	done = put_in_place(to, aside, NULL) == 0;
	/* It stays where rename() found that both names are of one file already. */
	(void)unlinkat(to->dir_fd, aside, 0);
	return done;
}

static int copy_new(struct copy *c, int fd, const struct stat *st, const struct copy_target *to,
		    struct err *err)
{
	if (S_ISREG(st->st_mode))
		return copy_regular(c, fd, st, to, err);
	return copy_special(c, fd, st, to, err);
}

int copy_inode(struct copy *c, int fd, const struct stat *st, const struct copy_target *to,
	       struct err *err)
{
	const char *first;
	int r;

	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode) && !S_ISFIFO(st->st_mode)) {
		copy_notice(c, "%s, not copied", S_ISSOCK(st->st_mode) ? "a socket" : "a device");
		return 0;
	}
	if (st->st_nlink < 2 || c->n == 0)
		return copy_new(c, fd, st, to, err);
	first = copy_links_find(&c->links, st->st_dev, st->st_ino);
	if (first && link_to(c, first, to))
		return 0;
	r = copy_new(c, fd, st, to, err);
	if (r < 0 || first)
		return r;
	r = copy_links_add(&c->links, st->st_dev, st->st_ino, c->path);
	return r == -ENOMEM ? err_oom(err) : 0;
}
