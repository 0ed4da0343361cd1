// SPDX-License-Identifier: MIT
/* Everything but directories, made under a parent's fd (see unpack_inode.h). The umask is 0: unpack.c sees to it. */
#include "oci/unpack_inode.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/log.h"
#include "base/quote.h"
#include "oci/remove_tree.h"
#include "oci/unpack_meta.h"
#include "oci/whiteout.h"

int inode_clear(int dir_fd, const char *name, bool *ret_whiteout, struct err *err)
{
	struct stat st;
	int r;

	if (ret_whiteout)
		*ret_whiteout = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
				whiteout_is(&st);
	r = remove_tree_at(dir_fd, name);
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "remove what an earlier entry made");
	}
	return 0;
}

static bool owner_differs(const struct inode_place *at, const struct tar_entry *entry)
{
	return at->inherits || entry->uid != at->uid || entry->gid != at->gid;
}

/* The data, with holes where the archive has them. */
static int file_fill(int fd, int64_t size, struct layer_reader *reader, struct err *err)
{
	int64_t end = 0;

	for (;;) {
		const void *buf;
		int64_t offset;
		ssize_t done, n = layer_reader_data(reader, &buf, &offset, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		for (const char *p = buf; n > 0; p += done, offset += done, n -= done) {
			done = pwrite(fd, p, (size_t)n, offset);
			if (done < 0 && errno != EINTR)
				return err_sys(err, ERR_SYSTEM, "write");
			if (done < 0)
				done = 0;
		}
		end = offset;
	}
	if (end < size && ftruncate(fd, size) < 0)
		return err_sys(err, ERR_SYSTEM, "set size");
	return 0;
}

static int open_new(const struct inode_place *at, mode_t mode, struct err *err)
{
	for (int attempt = 0;; attempt++) {
		int r, fd = openat(at->dir_fd, at->name,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

		if (fd >= 0)
			return fd;
		if (errno != EEXIST || attempt > 0)
			return err_sys(err, ERR_SYSTEM, "create");
		r = inode_clear(at->dir_fd, at->name, NULL, err);
		if (r < 0)
			return r;
	}
}

int inode_make_file(const struct inode_place *at, const struct tar_entry *entry,
		    struct layer_reader *reader, struct err *err)
{
	AUTO_CLOSE int fd = open_new(at, entry->mode & 0777, err);
	int r;

	if (fd < 0)
		return fd;
	r = file_fill(fd, entry->size, reader, err);
	if (r < 0)
		return r;
	if (owner_differs(at, entry) && fchown(fd, entry->uid, entry->gid) < 0)
		return err_sys(err, ERR_SYSTEM, "set owner");
	/* open() was given the plain bits; a directory that hands down an ACL had it taken off (dir_stack.h) */
	if ((entry->mode & 07000) && fchmod(fd, entry->mode & 07777) < 0)
		return err_sys(err, ERR_SYSTEM, "set mode");
	r = meta_set_xattrs(fd, entry, err);
	if (r < 0)
		return r;
	if (futimens(fd, (struct timespec[]){ entry->mtime, entry->mtime }) < 0)
		return err_sys(err, ERR_SYSTEM, "set time");
	return 0;
}

/* Owner and time of what cannot be opened. */
static int name_settle(const struct inode_place *at, const struct tar_entry *entry, struct err *err)
{
	if (owner_differs(at, entry) &&
	    fchownat(at->dir_fd, at->name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, ERR_SYSTEM, "set owner");
	if (utimensat(at->dir_fd, at->name, (struct timespec[]){ entry->mtime, entry->mtime },
		      AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, ERR_SYSTEM, "set time");
	return 0;
}

int inode_make_symlink(const struct inode_place *at, const struct tar_entry *entry, struct err *err)
{
	if (!entry->symlink || !*entry->symlink)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "symlink without a target");
	for (int attempt = 0; symlinkat(entry->symlink, at->dir_fd, at->name) < 0; attempt++) {
		int r;

		if (errno != EEXIST || attempt > 0)
			return err_sys(err, ERR_SYSTEM, "make symlink");
		r = inode_clear(at->dir_fd, at->name, NULL, err);
		if (r < 0)
			return r;
	}
	return name_settle(at, entry, err);
}

int inode_make_special(const struct inode_place *at, const struct tar_entry *entry, struct err *err)
{
	mode_t mode = entry->mode & (S_IFMT | 07777);

	/* on disk it would hide what the layers below have; no overlay can show it as a device */
	if (S_ISCHR(mode) && entry->rdev == makedev(0, 0)) {
		log_debug("%s: a character device 0:0, skipped", QUOTE(entry->path));
		return 0;
	}
	for (int attempt = 0; mknodat(at->dir_fd, at->name, mode, entry->rdev) < 0; attempt++) {
		int r;

		if (errno == EPERM)
			return err_sys(err, ERR_SYSTEM, "make device node (needs CAP_MKNOD)");
		if (errno != EEXIST || attempt > 0)
			return err_sys(err, ERR_SYSTEM, "make device node or FIFO");
		r = inode_clear(at->dir_fd, at->name, NULL, err);
		if (r < 0)
			return r;
	}
	return name_settle(at, entry, err);
}

int inode_make_hardlink(const struct inode_place *at, int target_dir_fd, const char *target,
			struct err *err)
{
	struct stat st, old;
	int r;

	if (fstatat(target_dir_fd, target, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -ENOENT :
					 err_sys(err, ERR_SYSTEM, "stat the hardlink's target");
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "hardlink to a directory");
	if (whiteout_is(&st))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "hardlink to a name that is whited out");
	if (linkat(target_dir_fd, target, at->dir_fd, at->name, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "make hardlink");
	if (fstatat(at->dir_fd, at->name, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
	    old.st_ino == st.st_ino && old.st_dev == st.st_dev)
		return 0;
	r = inode_clear(at->dir_fd, at->name, NULL, err);
	if (r < 0)
		return r;
	/* clearing a directory may have taken the target with it */
	if (linkat(target_dir_fd, target, at->dir_fd, at->name, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "make hardlink");
	return 0;
}
