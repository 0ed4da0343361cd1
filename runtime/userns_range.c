// SPDX-License-Identifier: MIT
/*
 * Which ids of the host a container gets (see userns.h).
 *
 * A range in use is a file STATE_DIR/uids/BASE, flock()ed by the process that owns the container: when that is killed, the range is free.
 * The file is removed while it is locked, so whoever locks one looks whether it is still there; what killed owners left is removed by the
 * next claim.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/quote.h"
#include "runtime/userns.h"

#define DATABASE_BYTES_MAX ((size_t)16 << 20) /* a directory service may write many lines */
#define SLOTS ((USERNS_LAST - USERNS_FIRST) / USERNS_IDS + 1)

/* Slots that somebody else may use. */
struct slot_set {
	unsigned char bits[SLOTS / 8 + 1];
};

void userns_range_done(struct userns_range *r)
{
	struct stat held, there;
	char name[16];

	(void)snprintf(name, sizeof(name), "%u", r->base);
	/* Another process may have given it back already, and a third one have it now. */
	if (r->lock_fd >= 0 && fstat(r->lock_fd, &held) == 0 &&
	    fstatat(r->dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    held.st_ino == there.st_ino && held.st_dev == there.st_dev)
		(void)unlinkat(r->dir_fd, name, 0);
	cleanup_close(&r->lock_fd);
	cleanup_close(&r->dir_fd);
	*r = (struct userns_range){ .lock_fd = -EBADF, .dir_fd = -EBADF };
}

static void reserve(struct slot_set *s, uint64_t first, uint64_t count)
{
	uint64_t end = first + count;

	if (count == 0 || end <= USERNS_FIRST || first >= (uint64_t)USERNS_LAST + USERNS_IDS)
		return;
	first = first < USERNS_FIRST ? 0 : (first - USERNS_FIRST) / USERNS_IDS;
	end = (end - 1 - USERNS_FIRST) / USERNS_IDS;
	for (uint64_t i = first; i <= end && i < SLOTS; i++)
		s->bits[i / 8] |= (unsigned char)(1U << i % 8);
}

static bool is_reserved(const struct slot_set *s, uint32_t slot)
{
	return s->bits[slot / 8] & 1U << slot % 8;
}

/* The number at @p, up to a colon or the end of the line. Return: false if there is none, or one that is no id */
static bool take_id(const char *p, uint64_t *ret)
{
	char *end;

	if (*p < '0' || *p > '9')
		return false;
	*ret = strtoull(p, &end, 10);
	return *ret <= UINT32_MAX && (*end == ':' || *end == '\n' || *end == '\0');
}

/* What follows the @n-th colon of a line; "" if the line has fewer. */
static const char *field(const char *line, int n)
{
	while (n-- > 0) {
		line += strcspn(line, ":\n");
		if (*line != ':')
			return "";
		line++;
	}
	return line;
}

/* "name:first:count" in subuid(5) and subgid(5), "name:password:id:…" in passwd(5) and group(5). A line of another form means nobody. */
static int reserve_file(struct slot_set *s, const char *dir, const char *name, bool ranges,
			struct err *err)
{
	AUTO_FREE char *path = NULL, *text = NULL;
	int r;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return err_oom(err);
	}
	r = fd_read_file_at(AT_FDCWD, path, DATABASE_BYTES_MAX, &text, NULL, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		uint64_t first, count = 1;

		if (take_id(field(line, ranges ? 1 : 2), &first) &&
		    (!ranges || take_id(field(line, 2), &count)))
			reserve(s, first, count);
	}
	return 0;
}

static int reserve_all(struct slot_set *s, const char *etc_dir, struct err *err)
{
	static const struct {
		const char *name;
		bool ranges;
	} files[] = {
		{ "subuid", true }, { "subgid", true }, { "passwd", false }, { "group", false }
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++)
		r = reserve_file(s, etc_dir, files[i].name, files[i].ranges, err);
	return r;
}

static int open_uids(const char *state_dir, struct err *err)
{
	AUTO_FREE char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/uids", state_dir) < 0) {
		path = NULL;
		return err_oom(err);
	}
	if ((mkdir(state_dir, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0700) < 0 && errno != EEXIST))
		return err_sys(err, ERR_SYSTEM, "make state directory %s", QUOTE(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, ERR_SYSTEM, "open state directory %s", QUOTE(path)) : fd;
}

/* Locks @name, made if @create. Return: fd, -EAGAIN if another has it, other -errno */
static int lock_file(int dir_fd, const char *name, bool create)
{
	AUTO_CLOSE int fd = openat(dir_fd, name,
				   O_RDWR | (create ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* Removed between our open and our lock. */
	return st.st_nlink == 0 ? -EAGAIN : MOVE_FD(fd);
}

static int sweep(int dir_fd, struct err *err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir) {
		cleanup_close(&fd);
		return err_sys(err, ERR_SYSTEM, "list id ranges in use");
	}
	while ((e = readdir(dir))) {
		AUTO_CLOSE int lock = -EBADF;

		if (e->d_name[0] == '.')
			continue;
		lock = lock_file(dir_fd, e->d_name, false);
		if (lock >= 0)
			(void)unlinkat(dir_fd, e->d_name, 0);
	}
	return 0;
}

static bool nspawn_has(const char *nspawn_dir, const char *name)
{
	AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s", nspawn_dir, name) < 0) {
		path = NULL;
		return true;
	}
	return access(path, F_OK) == 0;
}

static uint32_t slot_of(const char *name)
{
	uint32_t h = 0x811c9dc5U;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x01000193U;
	return h % SLOTS;
}

/* Return: 0 with *ret, -EAGAIN if the slot is not free, other -errno */
static int try_slot(const struct userns_places *places, int dir_fd, uint32_t slot,
		    struct userns_range *ret)
{
	uint32_t base = USERNS_FIRST + slot * USERNS_IDS;
	char name[16];
	int fd;

	(void)snprintf(name, sizeof(name), "%u", base);
	if (nspawn_has(places->nspawn_dir, name))
		return -EAGAIN;
	fd = lock_file(dir_fd, name, true);
	if (fd < 0)
		return fd;
	ret->base = base;
	ret->lock_fd = fd;
	return 0;
}

int userns_claim(const struct userns_places *places, const char *name, struct userns_range *ret,
		 struct err *err)
{
	AUTO_CLOSE int dir = open_uids(places->state_dir, err);
	struct slot_set reserved = { 0 };
	uint32_t first = slot_of(name);
	int r = dir < 0 ? dir : sweep(dir, err);

	if (r == 0)
		r = reserve_all(&reserved, places->etc_dir, err);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < SLOTS; i++) {
		uint32_t slot = (first + i) % SLOTS;

		if (is_reserved(&reserved, slot))
			continue;
		r = try_slot(places, dir, slot, ret);
		if (r == 0) {
			ret->dir_fd = MOVE_FD(dir);
			return 0;
		}
		if (r != -EAGAIN)
			return err_set(err, ERR_SYSTEM, r, "lock a range of ids: %s", strerror(-r));
	}
	return err_set(err, ERR_CONFLICT, -EUSERS, "no range of %u ids is free for the container",
		       USERNS_IDS);
}
