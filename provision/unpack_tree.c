// SPDX-License-Identifier: MIT
/*
 * Layers in overlay form become one tree (see unpack_tree.h).
 *
 * Each layer is copied over what the lower ones left, from its root down. In each directory an entry first removes what is in its way
 * (a whiteout does nothing else), then is made and given its data; its attributes come last, a directory's after its content, because
 * making entries changes its times. Done without mounting anything, so it needs no kernel feature and a kill leaves only files.
 */
#include "provision/unpack_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path_at.h"
#include "base/quote.h"
#include "oci/remove_tree.h"
#include "oci/unpack.h"

#define OVERLAY_XATTR "trusted.overlay."
#define COPY_CHUNK ((size_t)1 << 20)
/* "/proc/self/fd/N/NAME" */
#define PROC_PATH_MAX (64 + NAME_MAX)

/* The first name that a file with several links got, by its inode in the layer. */
struct link_name {
	ino_t ino;
	char path[]; /* in the destination */
};

struct copy {
	int dest_fd;
	const volatile int *interrupted;
	void *links; /* tsearch(3) tree of struct link_name; one layer's */
	char path[PATH_MAX]; /* of the entry in work, relative to the destination */
	size_t path_len;
	unsigned int depth;
	bool xattr_warned;
	struct err *err;
};

/* One entry in work: where it is read and where it is made. */
struct tree_entry {
	int src_dir, dst_dir;
	const char *name;
	struct stat st;
};

static int fail(const struct copy *c, const char *what)
{
	return err_sys(c->err, ERR_SYSTEM, "%s %s", what, QUOTE(c->path));
}

static int interrupted(const struct copy *c)
{
	return err_set(c->err, ERR_INTERRUPTED, -EINTR, "unpack: interrupted");
}

static int compare_links(const void *a, const void *b)
{
	const struct link_name *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int remember_link(struct copy *c, const struct tree_entry *e)
{
	struct link_name *l = malloc(sizeof(*l) + c->path_len + 1);

	if (!l)
		return err_oom(c->err);
	l->ino = e->st.st_ino;
	memcpy(l->path, c->path, c->path_len + 1);
	if (!tsearch(l, &c->links, compare_links)) {
		free(l);
		return err_oom(c->err);
	}
	return 0;
}

/* Return: 1 linked, 0 not seen before, or -errno */
static int try_link(struct copy *c, const struct tree_entry *e)
{
	const struct link_name key = { .ino = e->st.st_ino };
	struct link_name *const *found;
	AUTO_CLOSE int fd = -EBADF;
	char proc[64];

	if (e->st.st_nlink < 2)
		return 0;
	found = tfind(&key, &c->links, compare_links);
	if (!found)
		return 0;
	fd = path_at_open_beneath(c->dest_fd, (*found)->path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0) {
		errno = -fd;
		return fail(c, "link");
	}
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, proc, e->dst_dir, e->name, AT_SYMLINK_FOLLOW) < 0)
		return fail(c, "link");
	return 1;
}

static int copy_plain(int from, int to)
{
	AUTO_FREE char *chunk = malloc(COPY_CHUNK);

	if (!chunk)
		return -ENOMEM;
	for (;;) {
		ssize_t n = fd_read_full(from, chunk, COPY_CHUNK);
		int r;

		if (n <= 0)
			return (int)n;
		r = fd_write_full(to, chunk, (size_t)n);
		if (r < 0)
			return r;
	}
}

static int copy_data(const struct copy *c, int from, int to)
{
	for (;;) {
		ssize_t n;

		if (c->interrupted && *c->interrupted)
			return -EINTR;
		n = copy_file_range(from, NULL, to, NULL, COPY_CHUNK, 0);
		if (n == 0)
			return 0;
		if (n > 0 || errno == EINTR)
			continue;
		/* Between file systems of different types, or on ones that cannot: before anything was copied. */
		if (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
			return copy_plain(from, to);
		return -errno;
	}
}

static int make_file(struct copy *c, const struct tree_entry *e)
{
	AUTO_CLOSE int from = openat(e->src_dir, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int to = -EBADF;
	int r;

	if (from < 0)
		return fail(c, "read");
	to = openat(e->dst_dir, e->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (to < 0)
		return fail(c, "make");
	r = copy_data(c, from, to);
	if (r == -EINTR)
		return interrupted(c);
	if (r < 0) {
		errno = -r;
		return fail(c, "copy");
	}
	return 0;
}

static int make_symlink(const struct copy *c, const struct tree_entry *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->src_dir, e->name, target, sizeof(target) - 1);

	if (n < 0)
		return fail(c, "read link");
	target[n] = '\0';
	return symlinkat(target, e->dst_dir, e->name) < 0 ? fail(c, "make") : 0;
}

static const char *proc_path(char buf[static PROC_PATH_MAX], int dir_fd, const char *name)
{
	(void)snprintf(buf, PROC_PATH_MAX, "/proc/self/fd/%d/%s", dir_fd, name);
	return buf;
}

static int copy_xattr(struct copy *c, const char *from, const char *to, const char *name)
{
	AUTO_FREE char *value = NULL;
	ssize_t n = lgetxattr(from, name, NULL, 0);

	if (n >= 0) {
		value = malloc((size_t)n + 1);
		if (!value)
			return err_oom(c->err);
		n = lgetxattr(from, name, value, (size_t)n);
	}
	if (n < 0)
		return fail(c, "read extended attributes of");
	if (lsetxattr(to, name, value, (size_t)n, 0) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return fail(c, "set extended attributes of");
	if (!c->xattr_warned)
		log_warning("the file system does not keep extended attributes such as %s",
			    QUOTE(name));
	c->xattr_warned = true;
	return 0;
}

static int copy_xattrs(struct copy *c, const struct tree_entry *e)
{
	char from_buf[PROC_PATH_MAX], to_buf[PROC_PATH_MAX], fixed[1024];
	const char *from = proc_path(from_buf, e->src_dir, e->name);
	const char *to = proc_path(to_buf, e->dst_dir, e->name);
	AUTO_FREE char *large = NULL;
	const char *names = fixed;
	ssize_t n = llistxattr(from, fixed, sizeof(fixed));

	if (n < 0 && errno == ERANGE) {
		large = malloc(XATTR_LIST_MAX);
		if (!large)
			return err_oom(c->err);
		names = large;
		n = llistxattr(from, large, XATTR_LIST_MAX);
	}
	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : fail(c, "list extended attributes of");
	for (const char *p = names; p < names + n; p += strlen(p) + 1) {
		int r;

		if (strncmp(p, OVERLAY_XATTR, strlen(OVERLAY_XATTR)) == 0)
			continue;
		r = copy_xattr(c, from, to, p);
		if (r < 0)
			return r;
	}
	return 0;
}

/* In this order: chown(2) clears set-user-ID and file capabilities; everything changes ctime, nothing after it mtime. */
static int copy_attributes(struct copy *c, const struct tree_entry *e)
{
	const struct timespec times[2] = { e->st.st_atim, e->st.st_mtim };
	int r;

	if (fchownat(e->dst_dir, e->name, e->st.st_uid, e->st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(c, "set owner of");
	if (!S_ISLNK(e->st.st_mode) && fchmodat(e->dst_dir, e->name, e->st.st_mode & 07777, 0) < 0)
		return fail(c, "set mode of");
	r = copy_xattrs(c, e);
	if (r < 0)
		return r;
	if (utimensat(e->dst_dir, e->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(c, "set times of");
	return 0;
}

static int remove_existing(const struct copy *c, const struct tree_entry *e)
{
	int r = remove_tree_at(e->dst_dir, e->name);

	if (r < 0) {
		errno = -r;
		return fail(c, "replace");
	}
	return 0;
}

static int copy_other(struct copy *c, const struct tree_entry *e)
{
	int r = remove_existing(c, e);

	if (r < 0)
		return r;
	r = try_link(c, e);
	if (r != 0)
		return r < 0 ? r : 0;
	if (S_ISREG(e->st.st_mode))
		r = make_file(c, e);
	else if (S_ISLNK(e->st.st_mode))
		r = make_symlink(c, e);
	else if (mknodat(e->dst_dir, e->name, e->st.st_mode & S_IFMT, e->st.st_rdev) < 0)
		r = fail(c, "make");
	if (r >= 0)
		r = copy_attributes(c, e);
	if (r >= 0 && e->st.st_nlink > 1)
		r = remember_link(c, e);
	return r;
}

static bool is_opaque(int dir_fd)
{
	char value[2];

	return fgetxattr(dir_fd, OVERLAY_XATTR "opaque", value, sizeof(value)) == 1 &&
	       value[0] == 'y';
}

static int copy_content(struct copy *c, int src, int dst);

static int copy_dir(struct copy *c, const struct tree_entry *e)
{
	AUTO_CLOSE int src =
		openat(e->src_dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int dst = -EBADF;
	struct stat st;
	int r;

	if (src < 0)
		return fail(c, "read directory");
	if (is_opaque(src) ||
	    (fstatat(e->dst_dir, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))) {
		r = remove_existing(c, e);
		if (r < 0)
			return r;
	}
	if (mkdirat(e->dst_dir, e->name, 0700) < 0 && errno != EEXIST)
		return fail(c, "make directory");
	dst = openat(e->dst_dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dst < 0)
		return fail(c, "open directory");
	r = copy_content(c, src, dst);
	return r < 0 ? r : copy_attributes(c, e);
}

static int copy_entry(struct copy *c, const struct tree_entry *e)
{
	if (c->interrupted && *c->interrupted)
		return interrupted(c);
	if (S_ISCHR(e->st.st_mode) && e->st.st_rdev == makedev(0, 0))
		return remove_existing(c, e);
	return S_ISDIR(e->st.st_mode) ? copy_dir(c, e) : copy_other(c, e);
}

/* c->path grows by "/name" for the time of the entry. */
static int enter(struct copy *c, const char *name)
{
	size_t len = strlen(name);

	if (c->path_len + 1 + len >= sizeof(c->path))
		return err_set(c->err, ERR_SYSTEM, -ENAMETOOLONG, "unpack below %s: path too long",
			       QUOTE(c->path));
	if (c->path_len)
		c->path[c->path_len++] = '/';
	memcpy(c->path + c->path_len, name, len + 1);
	c->path_len += len;
	return 0;
}

static int copy_content(struct copy *c, int src, int dst)
{
	int list = openat(src, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSEDIR DIR *dir = list < 0 ? NULL : fdopendir(list);
	const struct dirent *d;
	int r = 0;

	if (!dir)
		return fail(c, "list directory");
	if (++c->depth > TAR_DEPTH_MAX)
		return err_set(c->err, ERR_CORRUPT, -ELOOP, "unpack %s: too deep", QUOTE(c->path));
	while (r >= 0 && (d = readdir(dir))) {
		struct tree_entry e = { .src_dir = src, .dst_dir = dst, .name = d->d_name };
		size_t old = c->path_len;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		r = enter(c, d->d_name);
		if (r < 0)
			break;
		if (fstatat(src, d->d_name, &e.st, AT_SYMLINK_NOFOLLOW) < 0)
			r = fail(c, "look at");
		else
			r = copy_entry(c, &e);
		c->path_len = old;
		c->path[old] = '\0';
	}
	c->depth--;
	return r;
}

static int copy_layer(struct copy *c, int layer_fd)
{
	AUTO_CLOSE int src = openat(layer_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tree_entry root = { .src_dir = src, .dst_dir = c->dest_fd, .name = "." };
	int r;

	if (src < 0 || fstat(src, &root.st) < 0)
		return fail(c, "open layer");
	r = copy_content(c, src, c->dest_fd);
	if (r >= 0)
		r = copy_attributes(c, &root);
	tdestroy(c->links, free);
	c->links = NULL;
	return r;
}

/* Directories are held open down to the deepest one, three fds a level. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int unpack_tree(const struct store *s, const struct digest *layers, size_t n_layers, int dest_fd,
		const volatile int *interrupted, struct err *err)
{
	struct copy c = { .dest_fd = dest_fd, .interrupted = interrupted, .err = err };

	raise_fd_limit();
	for (size_t i = 0; i < n_layers; i++) {
		AUTO_CLOSE int fd = store_layer_open(s, &layers[i], err);
		int r = fd < 0 ? fd : copy_layer(&c, fd);

		if (r < 0)
			return r;
	}
	return 0;
}
