// SPDX-License-Identifier: MIT
/*
 * The open directories of an unpack (see dir_stack.h).
 *
 * The stack always spells a real path: a symlink met on the way is read and its target walked instead, ".." and a leading "/" bounded
 * by the root (what openat2(RESOLVE_IN_ROOT) would find). Nobody but this process changes the tree, so what was walked stays true.
 * A directory gets its mode and time when it is left; one entered again later gets its time restored when left again.
 */
#include "oci/dir_stack.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "oci/unpack.h"
#include "oci/unpack_meta.h"
#include "oci/whiteout.h"

#define SYMLINKS_MAX 40
#define LEVELS_OPEN 64 /* fds held; directories above are found again through ".." */
#define DEFAULT_ACL "system.posix_acl_default"
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct dir_level *dir_stack_top(struct dir_stack *s)
{
	return &s->levels[s->n - 1];
}

int dir_stack_join(const struct dir_stack *s, const char *name, char buf[static PATH_MAX])
{
	size_t dir = s->levels[s->n - 1].path_len, len = strlen(name);

	if (dir + 1 + len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(buf, s->path, dir);
	if (dir > 0)
		buf[dir++] = '/';
	memcpy(buf + dir, name, len + 1);
	return 0;
}

int dir_level_hold_default_acl(struct dir_level *l, struct err *err)
{
	AUTO_FREE void *acl = NULL;
	ssize_t len = fgetxattr(l->fd, DEFAULT_ACL, NULL, 0);

	if (len <= 0)
		return 0;
	acl = malloc((size_t)len);
	if (!acl)
		return err_oom(err);
	if (fgetxattr(l->fd, DEFAULT_ACL, acl, (size_t)len) != len ||
	    fremovexattr(l->fd, DEFAULT_ACL) < 0)
		return err_sys(err, ERR_SYSTEM, "take the default ACL off");
	free(l->default_acl);
	l->default_acl = MOVE_PTR(acl);
	l->default_acl_len = (size_t)len;
	return 0;
}

/* @fd is consumed. s->path already ends with the new directory. */
static int stack_push_fd(struct dir_stack *s, int fd, struct err *err)
{
	AUTO_CLOSE int owned = fd;
	struct dir_level *l;
	struct stat st;

	if (s->n > TAR_DEPTH_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "more than %d directories deep",
			       TAR_DEPTH_MAX);
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;
		struct dir_level *bigger = reallocarray(s->levels, cap, sizeof(*bigger));

		if (!bigger)
			return err_oom(err);
		s->levels = bigger;
		s->cap = cap;
	}
	if (fstat(owned, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat directory");
	l = &s->levels[s->n++];
	*l = (struct dir_level){ .fd = MOVE_FD(owned),
				 .path_len = strlen(s->path),
				 .mtime = st.st_mtim,
				 .setgid = st.st_mode & S_ISGID };
	if (s->n > LEVELS_OPEN && s->levels[s->n - LEVELS_OPEN].fd >= 0) {
		(void)close(s->levels[s->n - LEVELS_OPEN].fd);
		s->levels[s->n - LEVELS_OPEN].fd = -EBADF;
	}
	return s->has_default_acls ? dir_level_hold_default_acl(l, err) : 0;
}

int dir_stack_open(int root_fd, struct path_set *implied, struct dir_stack *ret, struct err *err)
{
	int fd = openat(root_fd, ".", OPEN_DIR);

	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open the layer's directory");
	*ret = (struct dir_stack){ .implied = implied };
	return stack_push_fd(ret, fd, err);
}

static int level_settle(struct dir_level *l, struct err *err)
{
	if (l->default_acl && fsetxattr(l->fd, DEFAULT_ACL, l->default_acl, l->default_acl_len, 0))
		return err_sys(err, ERR_SYSTEM, "put the default ACL back");
	if (l->set_mode && fchmod(l->fd, l->mode & 07777) < 0)
		return err_sys(err, ERR_SYSTEM, "set mode of a directory");
	if (l->touched && futimens(l->fd, (struct timespec[]){ l->mtime, l->mtime }) < 0)
		return err_sys(err, ERR_SYSTEM, "set time of a directory");
	return 0;
}

static int stack_pop(struct dir_stack *s, struct err *err)
{
	struct dir_level *l = dir_stack_top(s);
	int r = level_settle(l, err);

	if (r < 0)
		return err_prefix(err, r, "%s", QUOTE(s->path));
	if (s->n > 1 && l[-1].fd < 0) {
		l[-1].fd = openat(l->fd, "..", OPEN_DIR);
		if (l[-1].fd < 0)
			return err_sys(err, ERR_SYSTEM, "go back up from %s", QUOTE(s->path));
	}
	(void)close(l->fd);
	free(l->default_acl);
	s->n--;
	if (s->n > 0)
		s->path[s->levels[s->n - 1].path_len] = '\0';
	return 0;
}

int dir_stack_leave(struct dir_stack *s, struct err *err)
{
	while (s->n > 0) {
		int r = stack_pop(s, err);

		if (r < 0)
			return r;
	}
	return 0;
}

void dir_stack_done(struct dir_stack *s)
{
	while (s->n > 0) {
		struct dir_level *l = &s->levels[--s->n];

		if (l->fd >= 0)
			(void)close(l->fd);
		free(l->default_acl);
	}
	free(s->levels);
	s->levels = NULL;
	s->cap = 0;
}

static int stack_push_named(struct dir_stack *s, const char *name, int fd, struct err *err)
{
	char path[PATH_MAX];

	if (dir_stack_join(s, name, path) < 0) {
		(void)close(fd);
		return err_set(err, ERR_CORRUPT, -EBADMSG, "path is too long");
	}
	memcpy(s->path, path, sizeof(path));
	return stack_push_fd(s, fd, err);
}

int dir_stack_push(struct dir_stack *s, const char *name, const char *walked, struct err *err)
{
	int r, fd = openat(dir_stack_top(s)->fd, name, OPEN_DIR);

	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open directory");
	r = stack_push_named(s, name, fd, err);
	if (r < 0)
		return r;
	memcpy(s->walked, walked, strlen(walked) + 1);
	return 0;
}

/* @hides: a whiteout stood there, so what layers below have in the directory stays hidden. */
static int make_implied(struct dir_stack *s, const char *name, bool hides, struct err *err)
{
	struct dir_level *top = dir_stack_top(s);
	int r, fd;

	if (mkdirat(top->fd, name, 0755) < 0)
		return err_sys(err, ERR_SYSTEM, "make parent directory %s", QUOTE(name));
	top->touched = true;
	fd = openat(top->fd, name, OPEN_DIR);
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open parent directory %s", QUOTE(name));
	r = stack_push_named(s, name, fd, err);
	if (r < 0)
		return r;
	/* a group of a set-group-id parent may have been handed down */
	if (dir_stack_top(s)->setgid && (fchown(dir_stack_top(s)->fd, geteuid(), getegid()) < 0 ||
					 fchmod(dir_stack_top(s)->fd, 0755) < 0))
		return err_sys(err, ERR_SYSTEM, "set owner of parent directory %s", QUOTE(name));
	dir_stack_top(s)->setgid = false;
	if (hides)
		return whiteout_make_opaque(dir_stack_top(s)->fd, err);
	r = path_set_add(s->implied, s->path);
	if (r == -E2BIG)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "too many directories without an entry");
	return r < 0 ? err_oom(err) : 0;
}

/*
 * One step down to @name.
 * Return: 0, or the length of the symlink's target that was put in @link (not a step yet), or -errno
 */
static ssize_t stack_step(struct dir_stack *s, const char *name, char link[static PATH_MAX],
			  struct err *err)
{
	int dir_fd = dir_stack_top(s)->fd, fd = openat(dir_fd, name, OPEN_DIR);
	struct stat st;
	ssize_t len;

	if (fd >= 0)
		return stack_push_named(s, name, fd, err);
	if (errno == ENOENT)
		return make_implied(s, name, false, err);
	if ((errno != ENOTDIR && errno != ELOOP) ||
	    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, ERR_SYSTEM, "open parent directory %s", QUOTE(name));
	if (whiteout_is(&st)) {
		if (unlinkat(dir_fd, name, 0) < 0)
			return err_sys(err, ERR_SYSTEM, "replace whiteout %s", QUOTE(name));
		return make_implied(s, name, true, err);
	}
	if (!S_ISLNK(st.st_mode))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "parent %s is not a directory",
			       QUOTE(name));
	len = readlinkat(dir_fd, name, link, PATH_MAX - 1);
	if (len < 0)
		return err_sys(err, ERR_SYSTEM, "read symlink %s", QUOTE(name));
	link[len] = '\0';
	return len > 0 ? len : err_set(err, ERR_CORRUPT, -EBADMSG, "empty symlink");
}

static int stack_pop_to(struct dir_stack *s, size_t n, struct err *err)
{
	while (s->n > n) {
		int r = stack_pop(s, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Put a symlink's target before what is left to walk. */
static int put_before(char todo[static PATH_MAX], const char *link, const char *rest,
		      struct err *err)
{
	char joined[2 * PATH_MAX];
	int n = snprintf(joined, sizeof(joined), "%s/%s", link, rest);

	if (n < 0 || n >= PATH_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "path is too long");
	memcpy(todo, joined, (size_t)n + 1);
	return 0;
}

static int stack_walk(struct dir_stack *s, const char *path, struct err *err)
{
	char todo[PATH_MAX], link[PATH_MAX], name[NAME_MAX + 1];
	unsigned int links = 0;
	char *p = todo;

	memcpy(todo, path, strlen(path) + 1);
	for (;;) {
		ssize_t r;
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 0)
			return 0;
		if (n > NAME_MAX)
			return err_set(err, ERR_CORRUPT, -EBADMSG, "name is too long");
		memcpy(name, p, n);
		name[n] = '\0';
		p += n;
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0)
			r = stack_pop_to(s, s->n > 1 ? s->n - 1 : 1, err);
		else
			r = stack_step(s, name, link, err);
		if (r < 0)
			return (int)r;
		if (r == 0)
			continue;
		if (++links > SYMLINKS_MAX)
			return err_set(err, ERR_CORRUPT, -EBADMSG, "too many symlinks");
		r = put_before(todo, link, p, err);
		if (r == 0 && link[0] == '/')
			r = stack_pop_to(s, 1, err);
		if (r < 0)
			return (int)r;
		p = todo;
	}
}

/* How many levels of the stack are on the way to @path; *ret_rest is what is left to walk. */
static size_t common_levels(const struct dir_stack *s, const char *path, const char **ret_rest)
{
	size_t n = 1;

	*ret_rest = path;
	while (n < s->n) {
		size_t len = s->levels[n].path_len;

		if (strncmp(path, s->path, len) != 0 || (path[len] != '/' && path[len] != '\0'))
			break;
		*ret_rest = path + len;
		n++;
	}
	return n;
}

int dir_stack_enter(struct dir_stack *s, const char *path, struct err *err)
{
	const char *rest;
	int r;

	if (strcmp(path, s->walked) == 0)
		return 0;
	r = stack_pop_to(s, common_levels(s, path, &rest), err);
	if (r < 0)
		return r;
	r = stack_walk(s, rest, err);
	if (r < 0)
		return r;
	memcpy(s->walked, path, strlen(path) + 1);
	return 0;
}
