// SPDX-License-Identifier: MIT
/*
 * A layer's tar stream applied to a directory (see unpack.h).
 *
 * Order: each entry's parent becomes the top of a stack of open directories (dir_stack.h), the entry is made under its fd. Directories
 * get mode and time when they are left. After the last entry: hardlinks whose target was not there are tried once more (what still has
 * none needs a lower layer), then the rest of the stream is hashed. On failure the directory is left as it is; the caller drops it.
 */
#include "oci/unpack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/log.h"
#include "base/path_at.h"
#include "base/quote.h"
#include "base/strv.h"
#include "oci/dir_stack.h"
#include "oci/entry_path.h"
#include "oci/layer_reader.h"
#include "oci/needs.h"
#include "oci/unpack_inode.h"
#include "oci/unpack_meta.h"
#include "oci/whiteout.h"

struct unpack {
	struct layer_reader *reader;
	struct dir_stack stack;
	struct needs needs;
	int root_fd; /* borrowed */
	uid_t uid;
	gid_t gid;
	uint64_t bytes, entries;
};

static void unpack_done(struct unpack *u)
{
	layer_reader_free(u->reader);
	dir_stack_done(&u->stack);
	needs_done(&u->needs);
}

/* A directory with this name in the top of the stack: the one that is there, or a new one in place of something else. */
static int make_dir(struct unpack *u, const char *name, mode_t mode, bool *ret_existed,
		    struct err *err)
{
	int r, dir_fd = dir_stack_top(&u->stack)->fd;
	bool whiteout;
	struct stat st;

	*ret_existed = false;
	if (mkdirat(dir_fd, name, (mode & 0777) | 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "make directory");
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
		*ret_existed = true;
		return 0;
	}
	r = inode_clear(dir_fd, name, &whiteout, err);
	if (r < 0)
		return r;
	if (mkdirat(dir_fd, name, (mode & 0777) | 0700) < 0)
		return err_sys(err, ERR_SYSTEM, "make directory");
	if (whiteout) {
		AUTO_CLOSE int fd =
			openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return err_sys(err, ERR_SYSTEM, "open directory");
		return whiteout_make_opaque(fd, err);
	}
	return 0;
}

/* An entry over a directory that has some already replaces its attributes: those it does not name go. */
static int drop_xattrs(int fd, struct err *err)
{
	AUTO_FREE char *names = NULL;
	ssize_t len = flistxattr(fd, NULL, 0);

	if (len <= 0)
		return 0;
	names = malloc((size_t)len);
	if (!names)
		return err_oom(err);
	len = flistxattr(fd, names, (size_t)len);
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		if (meta_xattr_wanted(name) && fremovexattr(fd, name) < 0)
			return err_sys(err, ERR_SYSTEM, "remove extended attribute %s",
				       QUOTE(name));
	}
	return 0;
}

/* The top of the stack gets the attributes of its entry: owner and xattrs now, mode and time when it is left. */
static int settle_dir(struct unpack *u, const struct tar_entry *entry, bool existed, bool inherits,
		      struct err *err)
{
	struct dir_level *l = dir_stack_top(&u->stack);
	int r;

	if (existed) {
		free(l->default_acl);
		l->default_acl = NULL;
		r = drop_xattrs(l->fd, err);
		if (r < 0)
			return r;
	}
	if ((existed || inherits || entry->uid != u->uid || entry->gid != u->gid) &&
	    fchown(l->fd, entry->uid, entry->gid) < 0)
		return err_sys(err, ERR_SYSTEM, "set owner");
	if (inherits && fchmod(l->fd, 0700) < 0)
		return err_sys(err, ERR_SYSTEM, "set mode");
	l->setgid = false;
	l->mode = entry->mode;
	l->set_mode = existed || inherits || (entry->mode & 07000) || (entry->mode & 0700) != 0700;
	l->mtime = entry->mtime;
	l->touched = true;
	r = meta_set_xattrs(l->fd, entry, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		if (strcmp(entry->xattrs[i].name, "system.posix_acl_default") == 0) {
			u->stack.has_default_acls = true;
			return dir_level_hold_default_acl(l, err);
		}
	}
	return 0;
}

static int apply_dir(struct unpack *u, const struct tar_entry *entry, const char *path,
		     const char *name, struct err *err)
{
	bool existed, inherits = dir_stack_top(&u->stack)->setgid;
	int r = make_dir(u, name, entry->mode, &existed, err);

	if (r < 0)
		return r;
	r = dir_stack_push(&u->stack, name, path, err);
	if (r < 0)
		return r;
	if (existed)
		path_set_remove(&u->needs.implied, u->stack.path);
	return settle_dir(u, entry, existed, inherits, err);
}

static int apply_root(struct unpack *u, const struct tar_entry *entry, struct err *err)
{
	int r;

	if (!S_ISDIR(entry->mode) || entry->hardlink)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "the root must be a directory");
	r = dir_stack_enter(&u->stack, "", err);
	if (r < 0)
		return r;
	return settle_dir(u, entry, true, false, err);
}

/*
 * Link @at to a target path of this layer.
 * Return: 0, -ENOENT with err untouched: the layer has no such target, -errno
 */
static int link_in_layer(struct unpack *u, const struct inode_place *at, const char *target,
			 struct err *err)
{
	AUTO_CLOSE int dir_fd = -EBADF;
	char path[PATH_MAX];
	const char *parent, *name;

	memcpy(path, target, strlen(target) + 1);
	entry_path_split(path, &parent, &name);
	dir_fd = path_at_open(u->root_fd, *parent ? parent : ".", O_PATH | O_DIRECTORY, 0);
	if (dir_fd == -ENOENT)
		return -ENOENT;
	if (dir_fd < 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "hardlink to %s: its directory cannot be opened: %s", QUOTE(target),
			       strerror(-dir_fd));
	return inode_make_hardlink(at, dir_fd, name, err);
}

static int apply_hardlink(struct unpack *u, const struct tar_entry *entry,
			  const struct inode_place *at, struct err *err)
{
	char target[PATH_MAX], name[PATH_MAX];
	int r = entry_path_clean(entry->hardlink, target, err);

	if (r < 0)
		return err_prefix(err, r, "hardlink to %s", QUOTE(entry->hardlink));
	if (!*target)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "hardlink to the root");
	r = link_in_layer(u, at, target, err);
	if (r != -ENOENT)
		return r;
	/* What an earlier entry put there is replaced by a file to come. */
	r = inode_clear(at->dir_fd, at->name, NULL, err);
	if (r < 0)
		return r;
	if (dir_stack_join(&u->stack, at->name, name) < 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "path is too long");
	r = needs_add_link(&u->needs, target, name);
	if (r == -E2BIG)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "too many hardlinks to files of other layers");
	return r < 0 ? err_oom(err) : 0;
}

static int apply_inode(struct unpack *u, const struct tar_entry *entry, const char *name,
		       struct err *err)
{
	struct dir_level *top = dir_stack_top(&u->stack);
	struct inode_place at = {
		.dir_fd = top->fd,
		.name = name,
		.uid = u->uid,
		.gid = u->gid,
		.inherits = top->setgid,
	};

	top->touched = true;
	if (entry->hardlink)
		return apply_hardlink(u, entry, &at, err);
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		if ((uint64_t)entry->size > LAYER_BYTES_MAX - u->bytes)
			return err_set(err, ERR_CORRUPT, -EFBIG, "the layer is too large");
		u->bytes += (uint64_t)entry->size;
		return inode_make_file(&at, entry, u->reader, err);
	case S_IFLNK:
		return inode_make_symlink(&at, entry, err);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return inode_make_special(&at, entry, err);
	default:
		log_debug("%s: not a type of file that layers hold, skipped", QUOTE(entry->path));
		return 0;
	}
}

static int apply_whiteout(struct unpack *u, enum whiteout kind, const char *hidden, struct err *err)
{
	struct dir_level *top = dir_stack_top(&u->stack);

	if (kind == WHITEOUT_OPAQUE)
		return whiteout_make_opaque(top->fd, err);
	top->touched = true;
	return whiteout_make(top->fd, hidden, err);
}

static int apply_entry(struct unpack *u, const struct tar_entry *entry, struct err *err)
{
	char path[PATH_MAX], split[PATH_MAX];
	const char *parent, *name, *hidden = NULL;
	int r, kind;

	r = entry_path_clean(entry->path, path, err);
	if (r < 0)
		return r;
	if (!*path)
		return apply_root(u, entry, err);
	kind = whiteout_classify(path, &hidden, err);
	if (kind < 0)
		return kind;
	if (kind == WHITEOUT_METADATA)
		return 0;
	memcpy(split, path, strlen(path) + 1);
	entry_path_split(split, &parent, &name);
	r = dir_stack_enter(&u->stack, parent, err);
	if (r < 0)
		return r;
	if (kind != WHITEOUT_NONE)
		return apply_whiteout(u, (enum whiteout)kind, hidden, err);
	if (!S_ISDIR(entry->mode) || entry->hardlink)
		return apply_inode(u, entry, name, err);
	dir_stack_top(&u->stack)->touched = true;
	return apply_dir(u, entry, path, name, err);
}

static int apply_all(struct unpack *u, struct err *err)
{
	struct tar_entry entry;
	int r;

	while ((r = layer_reader_next(u->reader, &entry, err)) > 0) {
		u->entries++;
		r = apply_entry(u, &entry, err);
		if (r < 0)
			return err_prefix(err, r, "unpack %s", QUOTE(entry.path));
	}
	if (r < 0)
		return r;
	return dir_stack_leave(&u->stack, err);
}

/* Is the place of a pending hardlink still free, and which is it? Return: 1 with *ret_dir_fd (owned), 0, -errno */
static int open_link_place(struct unpack *u, char *path, int *ret_dir_fd, const char **ret_name,
			   struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;
	const char *parent;
	struct stat st;

	entry_path_split(path, &parent, ret_name);
	fd = path_at_open_beneath(u->root_fd, *parent ? parent : ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0) {
		errno = -fd;
		return err_sys(err, ERR_SYSTEM, "open directory %s", QUOTE(parent));
	}
	if (fstatat(fd, *ret_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		/* what the layer adds wins over its whiteout of the same name */
		if (!whiteout_is(&st))
			return 0;
		if (unlinkat(fd, *ret_name, 0) < 0)
			return err_sys(err, ERR_SYSTEM, "replace whiteout %s", QUOTE(*ret_name));
	}
	*ret_dir_fd = MOVE_FD(fd);
	return 1;
}

/* The target may have come later in the archive. Return: 1 when still pending, 0, -errno */
static int retry_link(struct unpack *u, const char *target, const char *name, struct err *err)
{
	AUTO_CLOSE int dir_fd = -EBADF;
	struct inode_place at = { 0 };
	char path[PATH_MAX];
	struct stat st;
	int r;

	memcpy(path, name, strlen(name) + 1);
	r = open_link_place(u, path, &dir_fd, &at.name, err);
	if (r <= 0)
		return r;
	if (fstat(dir_fd, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat directory");
	at.dir_fd = dir_fd;
	r = link_in_layer(u, &at, target, err);
	if (r == -ENOENT)
		return 1;
	if (r < 0)
		return err_prefix(err, r, "unpack %s", QUOTE(name));
	if (futimens(dir_fd, (struct timespec[]){ st.st_mtim, st.st_mtim }) < 0)
		return err_sys(err, ERR_SYSTEM, "set time of a directory");
	return 0;
}

static int settle_links(struct unpack *u, struct err *err)
{
	struct needs *n = &u->needs;
	size_t kept = 0;

	for (size_t i = 0; i < n->n_links; i += 2) {
		char *target = n->links[i], *name = n->links[i + 1];
		int r = retry_link(u, target, name, err);

		if (r < 0) {
			/* what was taken out of order stays owned once */
			memmove(n->links + kept, n->links + i,
				(n->n_links - i) * sizeof(*n->links));
			n->n_links -= i - kept;
			return r;
		}
		if (r == 0) {
			free(target);
			free(name);
			continue;
		}
		n->links[kept++] = target;
		n->links[kept++] = name;
	}
	n->n_links = kept;
	return 0;
}

/* A later entry may have put something else in the place of an implied directory. */
static void drop_replaced_dirs(int root_fd, struct layer_needs *needs)
{
	char **to = needs->implied_dirs;

	if (!to)
		return;
	for (char **from = needs->implied_dirs; *from; from++) {
		AUTO_CLOSE int fd = path_at_open_beneath(root_fd, *from, O_PATH | O_DIRECTORY, 0);

		if (fd >= 0)
			*to++ = *from;
		else
			free(*from);
	}
	*to = NULL;
	if (to == needs->implied_dirs) {
		free(needs->implied_dirs);
		needs->implied_dirs = NULL;
	}
}

static int unpack_stream(struct decompress *stream, int dest_fd, struct unpack_result *ret,
			 struct err *err)
{
	AUTO(unpack) u = { .root_fd = dest_fd, .uid = geteuid(), .gid = getegid() };
	AUTO(unpack_result) result = { 0 };
	int r = layer_reader_open(stream, &u.reader, err);

	if (r < 0)
		return r;
	r = dir_stack_open(dest_fd, &u.needs.implied, &u.stack, err);
	if (r < 0)
		return r;
	r = apply_all(&u, err);
	if (r < 0)
		return r;
	r = settle_links(&u, err);
	if (r < 0)
		return r;
	r = layer_reader_finish(u.reader, &result.diff_id, err);
	if (r < 0)
		return r;
	if (needs_settle(&u.needs, &result.needs) < 0)
		return err_oom(err);
	drop_replaced_dirs(dest_fd, &result.needs);
	result.bytes = u.bytes;
	result.entries = u.entries;
	*ret = result;
	result = (struct unpack_result){ 0 };
	return 0;
}

int unpack_layer(struct decompress *stream, int dest_fd, struct unpack_result *ret, struct err *err)
{
	mode_t saved = umask(0); /* the modes are the layer's */
	int r = unpack_stream(stream, dest_fd, ret, err);

	(void)umask(saved);
	return r;
}
