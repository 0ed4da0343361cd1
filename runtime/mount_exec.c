// SPDX-License-Identifier: MIT
/*
 * Carries out a mount plan (see mount_exec.h).
 *
 * The image is not trusted and neither is anything that a bind mount brings in: each target is resolved exactly once, to an O_PATH fd
 * inside the new root, and the detached mount is attached to that fd. Targets of kernel file systems must be real directories.
 */
#include "runtime/mount_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path_at.h"
#include "base/quote.h"
#include "runtime/console.h"
#include "runtime/mount_api.h"

int mount_exec_begin(const struct mount_plan *plan, struct mount_exec *ret, struct err *err)
{
	*ret = (struct mount_exec){ .plan = plan,
				    .root_fd = -EBADF,
				    .scratch_fd = -EBADF,
				    .dev_fd = -EBADF,
				    .empty_fd = -EBADF,
				    .null_fd = -EBADF,
				    .pty_master = -EBADF,
				    .pty_slave = -EBADF };
	ret->source_fds = malloc(plan->n * sizeof(int));
	if (!ret->source_fds)
		return err_oom(err);
	for (size_t i = 0; i < plan->n; i++)
		ret->source_fds[i] = -EBADF;
	for (size_t i = 0; i < plan->n; i++) {
		const struct mount_op *op = &plan->ops[i];
		int r;

		if (op->kind != MOUNT_BIND)
			continue;
		ret->source_fds[i] = mount_clone(AT_FDCWD, op->source, true);
		if (ret->source_fds[i] == -ENOENT)
			return err_set(
				err, ERR_USAGE, -ENOENT,
				"invalid mount config for type \"bind\": bind source path does not exist: %s",
				QUOTE_PLAIN(op->source));
		r = ret->source_fds[i] < 0 ? ret->source_fds[i] :
					     mount_set_private(ret->source_fds[i]);
		if (r < 0) {
			errno = -r;
			return err_sys(err, ERR_SYSTEM, "bind mount %s", QUOTE(op->source));
		}
	}
	return 0;
}

void mount_exec_done(struct mount_exec *x)
{
	for (size_t i = 0; x->source_fds && i < x->plan->n; i++)
		cleanup_close(&x->source_fds[i]);
	free(x->source_fds);
	x->source_fds = NULL;
}

static int target_error(const struct mount_op *op, int r, struct err *err)
{
	static const char *const what[MOUNT_KIND_MAX] = {
		[MOUNT_FS] = "mount a file system on",
		[MOUNT_BIND] = "bind mount on",
		[MOUNT_FILE] = "mount a file on",
		[MOUNT_WRITE] = "write file",
		[MOUNT_DIRECTORY] = "make directory",
		[MOUNT_DEVICE] = "make device",
		[MOUNT_SYMLINK] = "make link",
		[MOUNT_CONSOLE] = "mount console on",
		[MOUNT_MASK] = "mask",
		[MOUNT_READONLY] = "make read-only",
	};

	errno = -r;
	return err_sys(err, ERR_SYSTEM, "%s %s", what[op->kind], QUOTE(op->target));
}

/* Splits "/dev/x" into an fd of its directory and its last component. */
static int parent_of(struct mount_exec *x, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char dir[64];

	if ((size_t)(slash - path) >= sizeof(dir))
		return -EINVAL;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	*ret_name = slash + 1;
	return path_at_open_beneath(x->root_fd, *dir ? dir + 1 : ".", O_PATH | O_DIRECTORY, 0);
}

/* A directory for a kernel file system: made if missing, but a link in its place is refused, wherever it leads. */
static int real_directory(struct mount_exec *x, const char *path)
{
	int fd = path_at_open_beneath(x->root_fd, path + 1, O_PATH | O_DIRECTORY, 0);
	AUTO_CLOSE int parent = -EBADF;
	const char *name;

	if (fd != -ENOENT)
		return fd;
	parent = parent_of(x, path, &name);
	if (parent < 0)
		return MOVE_FD(parent);
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	return path_at_open_beneath(x->root_fd, path + 1, O_PATH | O_DIRECTORY, 0);
}

static int exec_fs(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	AUTO_CLOSE int target = real_directory(x, op->target);
	AUTO_CLOSE int mount_fd = -EBADF;
	int r;

	if (target == -ELOOP || target == -ENOTDIR)
		return err_set(err, ERR_CORRUPT, target,
			       "the image has something other than a directory at %s", op->target);
	if (target < 0)
		return target_error(op, target, err);
	mount_fd = mount_new(op->source, op->data, op->attrs, err);
	if (mount_fd < 0)
		return err_prefix(err, mount_fd, "%s", op->target);
	r = mount_attach(mount_fd, target);
	return r < 0 ? target_error(op, r, err) : 0;
}

/* An inode of the same sort as the source, to mount it on. */
static int bind_target(struct mount_exec *x, const struct mount_op *op, bool is_dir)
{
	int fd = is_dir ? path_at_mkdir_p(x->root_fd, op->target, 0755) :
			  path_at_make_file(x->root_fd, op->target, 0755);

	return fd == -EISDIR ? -ENOTDIR : fd;
}

static bool lies_in_proc(int target)
{
	struct statfs fs;

	return fstatfs(target, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Nothing may stand in for procfs (CVE-2019-19921), but for the files that runc lets lxcfs and its kin provide. */
static bool may_cover_proc(const char *target)
{
	static const char *const allowed[] = {
		"/proc/cpuinfo",
		"/proc/diskstats",
		"/proc/meminfo",
		"/proc/stat",
		"/proc/swaps",
		"/proc/uptime",
		"/proc/loadavg",
		"/proc/slabinfo",
		"/proc/net/dev",
		"/proc/sys/kernel/ns_last_pid",
		"/proc/sys/crypto/fips_enabled",
	};

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (!strcmp(target, allowed[i]))
			return true;
	return false;
}

static int exec_bind(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	AUTO_CLOSE int target = -EBADF;
	struct stat st;
	int r;

	if (fstat(x->source_fds[i], &st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat %s", QUOTE(op->source));
	target = bind_target(x, op, S_ISDIR(st.st_mode));
	if (target == -ENOTDIR)
		return err_set(
			err, ERR_USAGE, -ENOTDIR,
			"mounting %s on %s: not a directory: Are you trying to mount a directory onto a file (or vice-versa)?",
			QUOTE(op->source), QUOTE(op->target));
	if (target < 0)
		return target_error(op, target, err);
	if (lies_in_proc(target) && !may_cover_proc(op->target))
		return err_set(err, ERR_USAGE, -EPERM,
			       "mounting %s on %s: it is, or leads, inside /proc",
			       QUOTE(op->source), QUOTE(op->target));
	if (op->attrs && (r = mount_set_attrs(x->source_fds[i], op->attrs, true)) < 0)
		return target_error(op, r, err);
	r = mount_attach(x->source_fds[i], target);
	return r < 0 ? target_error(op, r, err) : 0;
}

static int exec_file(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	AUTO_CLOSE int target = path_at_make_file(x->root_fd, op->target, 0644);
	AUTO_CLOSE int mount_fd = -EBADF;
	char name[32];
	int r;

	if (target < 0)
		return target_error(op, target, err);
	/* Nothing to say: that it is there is all (/.dockerenv). */
	if (!*op->data)
		return 0;
	(void)snprintf(name, sizeof(name), "file-%zu", i);
	r = fd_write_file_at(x->scratch_fd, name, 0644, op->data, strlen(op->data), err);
	if (r < 0)
		return r;
	mount_fd = mount_clone(x->scratch_fd, name, false);
	r = mount_fd < 0 || !op->attrs ? mount_fd : mount_set_attrs(mount_fd, op->attrs, false);
	if (r >= 0)
		r = mount_attach(mount_fd, target);
	return r < 0 ? target_error(op, r, err) : 0;
}

/* A new file beside the target, which then takes its place: whatever was there, a symlink too, is neither followed nor written to. */
static int replace_file(int dir, const char *name, const char *text)
{
	static const char aside[] = ".racker-new";
	AUTO_CLOSE int fd = -EBADF;
	int r;

	if (unlinkat(dir, aside, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = fd_write_full(fd, text, strlen(text));
	if (r < 0)
		return r;
	return renameat(dir, aside, dir, name) < 0 ? -errno : 0;
}

static int exec_write(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	const char *name = strrchr(op->target, '/') + 1;
	AUTO_FREE char *path = strndup(op->target, (size_t)(name - op->target));
	AUTO_CLOSE int dir = -EBADF;
	int r;

	if (!path)
		return err_oom(err);
	dir = path_at_mkdir_p(x->root_fd, path, 0755);
	r = dir < 0 ? dir : replace_file(dir, name, op->data);
	return r < 0 ? target_error(op, r, err) : 0;
}

static int exec_directory(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	AUTO_CLOSE int fd = path_at_mkdir_p(x->root_fd, op->target, 0755);

	if (fd == -ENOTDIR || fd == -EISDIR)
		return err_set(err, ERR_USAGE, -ENOTDIR, "Cannot mkdir: %s is not a directory",
			       QUOTE_PLAIN(op->target));
	if (fd < 0) {
		errno = -fd;
		return err_sys(err, ERR_SYSTEM, "make directory %s", QUOTE(op->target));
	}
	return 0;
}

/* Name of a node or link in the container's /dev, which is ours by now. Return: 0 with x->dev_fd open, or -errno */
static int dev_entry(struct mount_exec *x, const struct mount_op *op, const char **ret_name)
{
	if (strncmp(op->target, "/dev/", 5) != 0 || strchr(op->target + 5, '/'))
		return -EINVAL;
	*ret_name = op->target + 5;
	if (x->dev_fd < 0)
		x->dev_fd = path_at_open_beneath(x->root_fd, "dev", O_PATH | O_DIRECTORY, 0);
	return x->dev_fd < 0 ? x->dev_fd : 0;
}

static int exec_device(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	const char *name;
	int r = dev_entry(x, op, &name);

	if (r < 0)
		return target_error(op, r, err);
	if (mknodat(x->dev_fd, name, S_IFCHR | op->mode, makedev(op->major, op->minor)) == 0)
		return 0;
	if (errno != EPERM)
		return err_sys(err, ERR_SYSTEM, "make device %s", op->target);

	/* No CAP_MKNOD (racker itself runs in a container): the host's node serves as well. */
	AUTO_CLOSE int source = mount_clone(AT_FDCWD, op->target, false);
	AUTO_CLOSE int target = path_at_make_file(x->root_fd, op->target, 0666);
	r = source < 0 ? source : target < 0 ? target : mount_set_private(source);
	if (r == 0)
		r = mount_attach(source, target);
	return r < 0 ? target_error(op, r, err) : 0;
}

static int exec_symlink(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	const char *name;
	int r = dev_entry(x, op, &name);

	if (r < 0)
		return target_error(op, r, err);
	if (symlinkat(op->source, x->dev_fd, name) < 0)
		return err_sys(err, ERR_SYSTEM, "make link %s", op->target);
	return 0;
}

static int exec_console(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	AUTO_CLOSE int pts =
		path_at_open_beneath(x->root_fd, op->source + 1, O_PATH | O_DIRECTORY, 0);
	AUTO_CLOSE int target = path_at_make_file(x->root_fd, op->target, 0600);
	AUTO_CLOSE int mount_fd = -EBADF;
	int r;

	if (pts < 0 || target < 0)
		return target_error(op, pts < 0 ? pts : target, err);
	r = console_open(pts, &x->pty_master, &x->pty_slave, err);
	if (r < 0)
		return r;
	mount_fd = mount_clone(x->pty_slave, "", false);
	r = mount_fd < 0 ? mount_fd : mount_attach(mount_fd, target);
	return r < 0 ? target_error(op, r, err) : 0;
}

/* The container's /dev/null, checked by what it is and not by its name (CVE-2025-31133). */
static int open_null(struct mount_exec *x)
{
	AUTO_CLOSE int fd = -EBADF;
	struct stat st;

	if (x->null_fd >= 0)
		return 0;
	fd = path_at_open_beneath(x->root_fd, "dev/null", O_PATH, 0);
	if (fd < 0)
		return MOVE_FD(fd);
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return -ENODEV;
	x->null_fd = MOVE_FD(fd);
	return 0;
}

/*
 * What covers a masked directory: one empty, read-only file system, copied for all but the first. The copies are made of the attached
 * one: before Linux 6.15 a detached mount cannot be copied.
 * Return: fd of a detached mount, owned by the caller for a copy and by @x for the first
 */
static int cover_directory(struct mount_exec *x, bool *ret_is_copy, struct err *err)
{
	*ret_is_copy = x->empty_fd >= 0;
	if (*ret_is_copy)
		return mount_clone(x->empty_fd, "", false);
	x->empty_fd = mount_new(
		"tmpfs", "mode=755,size=0",
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
	return x->empty_fd;
}

static int mask_directory(struct mount_exec *x, const struct mount_op *op, int target,
			  struct err *err)
{
	bool is_copy;
	int fd = cover_directory(x, &is_copy, err);
	int r = fd < 0 ? fd : mount_attach(fd, target);

	if (is_copy && fd >= 0)
		(void)close(fd);
	return r < 0 ? target_error(op, r, err) : 0;
}

static int mask_file(struct mount_exec *x, const struct mount_op *op, int target, struct err *err)
{
	AUTO_CLOSE int cover = -EBADF;
	int r = open_null(x);

	if (r == -ENODEV)
		return err_set(err, ERR_CORRUPT, r,
			       "mask %s: the container's /dev/null is not the null device",
			       op->target);
	if (r == 0)
		r = cover = mount_clone(x->null_fd, "", false);
	if (r >= 0)
		r = mount_attach(cover, target);
	return r < 0 ? target_error(op, r, err) : 0;
}

static int exec_mask(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	AUTO_CLOSE int target = path_at_open(x->root_fd, op->target, O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	if (target < 0)
		return op->optional && (target == -ENOENT || target == -ENOTDIR) ?
			       0 :
			       target_error(op, target, err);
	if (fstat(target, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat %s", QUOTE(op->target));
	return S_ISDIR(st.st_mode) ? mask_directory(x, op, target, err) :
				     mask_file(x, op, target, err);
}

static int exec_readonly(struct mount_exec *x, size_t i, struct err *err)
{
	const struct mount_op *op = &x->plan->ops[i];
	AUTO_CLOSE int target = -EBADF;
	AUTO_CLOSE int mount_fd = -EBADF;
	int r;

	/* The root itself is a mount already, and what is mounted in it keeps its own flags. */
	if (!strcmp(op->target, "/")) {
		r = mount_set_attrs(x->root_fd, MOUNT_ATTR_RDONLY, false);
		return r < 0 ? target_error(op, r, err) : 0;
	}
	target = path_at_open(x->root_fd, op->target, O_PATH | O_NOFOLLOW, 0);
	if (target < 0)
		return op->optional && (target == -ENOENT || target == -ENOTDIR) ?
			       0 :
			       target_error(op, target, err);
	mount_fd = mount_clone(target, "", true);
	r = mount_fd < 0 ? mount_fd : mount_set_attrs(mount_fd, MOUNT_ATTR_RDONLY, true);
	if (r >= 0)
		r = mount_attach(mount_fd, target);
	return r < 0 ? target_error(op, r, err) : 0;
}

int mount_exec_run(struct mount_exec *x, struct err *err)
{
	static int (*const exec_op[MOUNT_KIND_MAX])(struct mount_exec *, size_t, struct err *) = {
		[MOUNT_FS] = exec_fs,
		[MOUNT_BIND] = exec_bind,
		[MOUNT_FILE] = exec_file,
		[MOUNT_WRITE] = exec_write,
		[MOUNT_DIRECTORY] = exec_directory,
		[MOUNT_DEVICE] = exec_device,
		[MOUNT_SYMLINK] = exec_symlink,
		[MOUNT_CONSOLE] = exec_console,
		[MOUNT_MASK] = exec_mask,
		[MOUNT_READONLY] = exec_readonly,
	};

	for (size_t i = 0; i < x->plan->n; i++) {
		int r = exec_op[x->plan->ops[i].kind](x, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}
