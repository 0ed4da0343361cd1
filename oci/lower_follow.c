// SPDX-License-Identifier: MIT
/*
 * Implied directories over symlinks (see lower_state.h).
 *
 * A layer with lib/b.so and no entry for lib gets a directory lib when it is unpacked, knowing nothing of the layers below. If those
 * have lib -> usr/lib, that directory would hide the symlink and all that is behind it, while the archive means usr/lib/b.so, as a tar
 * extracted over the lower tree would have it. So the directory's content, whiteouts and the opaque mark included, goes there.
 *
 * Whether a directory is implied is kept by inode number, which its moves do not change. Its present path is looked up in the merged
 * tree: once lib is gone from the layer, lib/x is found under usr/lib/x. The directory to move first goes to a name in the layer's root
 * that no archive can make, so the target may be its own parent. Where both have a name, what adds wins over what hides, directories
 * merge, and of two files the one that was there stays: the archive's order is not known any more.
 *
 * A move may bring a directory over another symlink, so there are passes until nothing moves. On failure the caller drops the layer.
 */
#include "oci/lower_state.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/path_at.h"
#include "base/quote.h"
#include "base/strv.h"
#include "oci/entry_path.h"
#include "oci/merged.h"
#include "oci/remove_tree.h"
#include "oci/unpack_meta.h"
#include "oci/whiteout.h"

#define PASSES_MAX 40
#define MOVING ".wh..wh.moving" /* the unpacker makes nothing that is named so */
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A directory to merge: its path below MOVING, "" for itself. */
struct pending {
	struct pending *next;
	char *dir;
};

struct follow {
	struct settle *s;
	struct path_set implied; /* inode numbers */
	struct pending *todo; /* of the move under way */
};

/* @dir: consumed, NULL is -ENOMEM */
static int todo_push(struct follow *f, char *dir, struct err *err)
{
	struct pending *p = dir ? malloc(sizeof(*p)) : NULL;

	if (!p) {
		free(dir);
		return err_oom(err);
	}
	*p = (struct pending){ .next = f->todo, .dir = dir };
	f->todo = p;
	return 0;
}

/* Return: owned, or NULL when there is none */
static char *todo_pop(struct follow *f)
{
	struct pending *p = f->todo;
	char *dir = NULL;

	if (p) {
		dir = p->dir;
		f->todo = p->next;
		free(p);
	}
	return dir;
}

static void follow_done(struct follow *f)
{
	char *dir;

	while ((dir = todo_pop(f)) != NULL)
		free(dir);
	path_set_done(&f->implied);
}

struct inode_key {
	char text[24];
};

static struct inode_key inode_key(const struct stat *st)
{
	struct inode_key k;

	(void)snprintf(k.text, sizeof(k.text), "%" PRIuMAX, (uintmax_t)st->st_ino);
	return k;
}

static bool is_implied(const struct follow *f, const struct stat *st)
{
	return path_set_contains(&f->implied, inode_key(st).text);
}

static int note_implied(struct follow *f, char *const *dirs, struct err *err)
{
	for (char *const *d = dirs; d && *d; d++) {
		AUTO_CLOSE int fd =
			path_at_open_beneath(f->s->layer_fd, *d, O_PATH | O_DIRECTORY, 0);
		struct stat st;

		if (fd >= 0 && fstat(fd, &st) == 0 &&
		    path_set_add(&f->implied, inode_key(&st).text) < 0)
			return err_oom(err);
	}
	return 0;
}

static void restore_time(int fd, const struct stat *st)
{
	(void)futimens(fd, (struct timespec[]){ { .tv_nsec = UTIME_OMIT }, st->st_mtim });
}

/* "a", "b": "a/b", where both may be empty. Return: owned, or NULL */
static char *join(const char *dir, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s%s%s", dir, *dir && *name ? "/" : "", name) < 0 ? NULL : path;
}

/* A directory that is added under a name the layer hides in the same breath: it hides what is below it. */
static int replace_whiteout(struct follow *f, int from, int to, const char *name,
			    const struct stat *st, struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;

	if (unlinkat(to, name, 0) < 0 || renameat(from, name, to, name) < 0)
		return err_sys(err, ERR_SYSTEM, "replace whiteout %s", QUOTE(name));
	if (!S_ISDIR(st->st_mode))
		return 0;
	path_set_remove(&f->implied, inode_key(st).text);
	fd = openat(to, name, OPEN_DIR);
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open directory %s", QUOTE(name));
	return whiteout_make_opaque(fd, err);
}

/* @dir: path of @from below MOVING */
static int move_entry(struct follow *f, const char *dir, int from, int to, const char *name,
		      struct err *err)
{
	struct stat st, there;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, ERR_SYSTEM, "stat %s", QUOTE(name));
	if (fstatat(to, name, &there, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT || renameat(from, name, to, name) < 0)
			return err_sys(err, ERR_SYSTEM, "move %s", QUOTE(name));
		return 0;
	}
	if (whiteout_is(&st))
		return whiteout_make(to, name, err);
	if (whiteout_is(&there))
		return replace_whiteout(f, from, to, name, &st, err);
	if (S_ISDIR(st.st_mode) && S_ISDIR(there.st_mode))
		return todo_push(f, join(dir, name), err);
	log_debug("%s: the layer has it twice, through a symlink below; one is dropped",
		  QUOTE(name));
	return 0;
}

/* Of an implied directory and one with an entry, the entry's attributes count. Return: 0 or -errno */
static int merge_attributes(struct follow *f, int from, int to, const char *to_path,
			    const struct stat *to_st, struct err *err)
{
	struct stat st;

	if (fstat(from, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat directory");
	if (is_implied(f, &st)) {
		/* its number is free for another inode soon */
		path_set_remove(&f->implied, inode_key(&st).text);
		return 0;
	}
	if (!is_implied(f, to_st) && !path_set_contains(&f->s->made, to_path))
		return 0;
	path_set_remove(&f->implied, inode_key(to_st).text);
	path_set_remove(&f->s->made, to_path);
	return meta_copy(from, to, err);
}

static int merge_dir(struct follow *f, const char *dir, const char *target, struct err *err)
{
	AUTO_FREE char *from_path = join(MOVING, dir);
	AUTO_FREE char *to_path = join(target, dir);
	AUTO_CLOSE int to = -EBADF;
	AUTO_CLOSEDIR DIR *d = NULL;
	struct dirent *e;
	struct stat st, from_st;
	int r, from;

	if (!from_path || !to_path)
		return err_oom(err);
	if (strlen(to_path) >= PATH_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "path is too long");
	from = path_at_open_beneath(f->s->layer_fd, from_path, O_RDONLY | O_DIRECTORY, 0);
	if (from < 0) {
		errno = -from;
		return err_sys(err, ERR_SYSTEM, "open directory");
	}
	d = fdopendir(from);
	if (!d) {
		(void)close(from);
		return err_oom(err);
	}
	to = settle_open_dir(f->s, to_path, err);
	if (to < 0)
		return to;
	if (fstat(to, &st) < 0 || fstat(from, &from_st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat directory");
	r = whiteout_is_opaque(from) ? whiteout_make_opaque(to, err) : 0;
	while (r == 0 && (errno = 0, e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = move_entry(f, dir, from, to, e->d_name, err);
	}
	if (r < 0)
		return r;
	restore_time(from, &from_st);
	restore_time(to, &st);
	return merge_attributes(f, from, to, to_path, &st, err);
}

/* Take the directory out of its place, leaving its parent's time. */
static int take_out(struct follow *f, const char *path, struct err *err)
{
	AUTO_CLOSE int dir_fd = -EBADF;
	char split[PATH_MAX];
	const char *parent, *name;
	struct stat st;

	memcpy(split, path, strlen(path) + 1);
	entry_path_split(split, &parent, &name);
	dir_fd = path_at_open_beneath(f->s->layer_fd, *parent ? parent : ".",
				      O_RDONLY | O_DIRECTORY, 0);
	if (dir_fd < 0) {
		errno = -dir_fd;
		return err_sys(err, ERR_SYSTEM, "open parent directory");
	}
	if (fstat(dir_fd, &st) < 0 || renameat(dir_fd, name, f->s->layer_fd, MOVING) < 0)
		return err_sys(err, ERR_SYSTEM, "move directory");
	restore_time(dir_fd, &st);
	return 0;
}

static int move_dir(struct follow *f, const char *path, const char *target, struct err *err)
{
	AUTO_CLOSE int root = openat(f->s->layer_fd, ".", OPEN_DIR);
	struct stat root_st;
	int r;

	if (root < 0 || fstat(root, &root_st) < 0)
		return err_sys(err, ERR_SYSTEM, "open the layer");
	r = take_out(f, path, err);
	if (r == 0)
		r = todo_push(f, join("", ""), err);
	while (r == 0 && f->todo) {
		AUTO_FREE char *dir = todo_pop(f);

		r = merge_dir(f, dir, target, err);
	}
	if (r < 0)
		return r;
	r = remove_tree_at(root, MOVING);
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "remove what was moved");
	}
	restore_time(root, &root_st);
	return 0;
}

/* The present path of what was unpacked as the implied directory @dir. Return: 1, 0 it is none any more, -errno */
static int find_implied(struct follow *f, const char *dir, struct merged_entry *ret,
			struct err *err)
{
	int r = merged_find(f->s->stack, f->s->n_stack, dir, ret, err);

	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	return r > 0 && S_ISDIR(ret->st.st_mode) && is_implied(f, &ret->st);
}

/* Return: 1 moved, 0, -errno */
static int follow_dir(struct follow *f, const char *dir, struct err *err)
{
	AUTO(merged_entry) at = { .dir_fd = -EBADF };
	char target[PATH_MAX];
	size_t len;
	int r = find_implied(f, dir, &at, err);

	if (r <= 0)
		return r;
	r = merged_follow_below(f->s->stack, f->s->n_stack, at.path, target, err);
	if (r <= 0)
		return r;
	len = strlen(at.path);
	/* a circle: with the directory out of the way it leads nowhere */
	if (strncmp(target, at.path, len) == 0 && (target[len] == '/' || target[len] == '\0'))
		return 0;
	log_debug("directory %s: moved to %s, through a symlink below", QUOTE(at.path),
		  QUOTE(target));
	r = move_dir(f, at.path, target, err);
	return r < 0 ? r : 1;
}

static int follow_pass(struct follow *f, char *const *dirs, struct err *err)
{
	int moved = 0;

	for (char *const *d = dirs; d && *d; d++) {
		int r = follow_dir(f, *d, err);

		if (r < 0)
			return err_prefix(err, r, "directory %s", QUOTE(*d));
		moved |= r;
	}
	return moved;
}

int settle_follow(struct settle *s, char *const *dirs, char ***ret, struct err *err)
{
	AUTO(follow) f = { .s = s };
	struct path_set stand = { 0 };
	int r = note_implied(&f, dirs, err);

	if (r == 0)
		r = follow_pass(&f, dirs, err);
	if (r == 0)
		return strv_copy(dirs, ret) < 0 ? err_oom(err) : 0;
	for (int pass = 1; r > 0 && pass < PASSES_MAX; pass++)
		r = follow_pass(&f, dirs, err);
	for (char *const *d = dirs; r >= 0 && *d; d++) {
		AUTO(merged_entry) at = { .dir_fd = -EBADF };

		r = find_implied(&f, *d, &at, err);
		if (r > 0 && path_set_add(&stand, at.path) < 0)
			r = err_oom(err);
	}
	if (r >= 0)
		*ret = path_set_steal(&stand);
	path_set_done(&stand);
	return r < 0 ? r : 0;
}
