// SPDX-License-Identifier: MIT
/*
 * The container's root (see rootfs.h).
 *
 * Everything is mounted in the container's own mount namespace, so the kernel takes it away with the last process, however that ends.
 *
 *	SCRATCH_DIR		tmpfs, seen by this namespace alone
 *	  l/0, l/1, ...		links to the layers, or id-mapped mounts of them: 500 such names fit in the one page that mount(2) takes
 *	  upper, work		of the overlay
 *	  root			the overlay
 */
#include "runtime/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strbuf.h"
#include "runtime/mount_api.h"

#define OVERLAY_OPTIONS_MAX 4000 /* mount(2) takes one page */
#define LOWER_DIRS_MAX 500 /* the kernel's own limit (OVL_MAX_STACK) */

int rootfs_private(struct err *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 && errno == EINVAL)
		return err_set(
			err, ERR_SYSTEM, -EINVAL,
			"cut mount propagation to the host: / is not a mount point (in a chroot, bind mount its directory on itself first)");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(err, ERR_SYSTEM, "cut mount propagation to the host");
	return 0;
}

/* A tmpfs on the scratch directory with the directories of the overlay. Return: fd of its root */
static int mount_scratch(const struct rootfs_request *req, struct err *err)
{
	static const char *const names[] = { "l", "upper", "work", "root" };
	const char *dir = req->scratch_dir ? req->scratch_dir : "the state directory";
	AUTO_CLOSE int target = req->scratch_dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) :
						   fcntl(req->scratch_dir_fd, F_DUPFD_CLOEXEC, 0);
	AUTO_CLOSE int scratch = -EBADF;
	int r;

	if (target < 0)
		return err_sys(err, ERR_SYSTEM, "open %s", QUOTE(dir));
	scratch = mount_new("tmpfs", "mode=700", 0, err);
	if (scratch < 0)
		return err_prefix(err, scratch, "volatile upper directory");
	r = mount_attach(scratch, target);
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "mount tmpfs on %s", QUOTE(dir));
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdirat(scratch, names[i], 0755) < 0)
			return err_sys(err, ERR_SYSTEM, "make directory %s", names[i]);
	return MOVE_FD(scratch);
}

/*
 * Layers by fd, detached, are what only Linux 6.15 and newer stack; these names work since 5.19, when overlayfs learned of id-mapped
 * layers.
 */
static int map_layer(int links_fd, const char *name, const char *layer, int userns_fd,
		     struct err *err)
{
	AUTO_CLOSE int mount_fd = mount_clone(AT_FDCWD, layer, false);
	AUTO_CLOSE int target = -EBADF;
	int r = mount_fd < 0 ? mount_fd : mount_set_idmap(mount_fd, userns_fd);

	if (r == -EINVAL || r == -ENOSYS || r == -EOPNOTSUPP)
		return err_set(
			err, ERR_UNSUPPORTED, r,
			"map the ids of layer %s: its file system or this kernel cannot (%s)",
			QUOTE(layer), strerror(-r));
	if (r == 0 && mkdirat(links_fd, name, 0700) < 0)
		r = -errno;
	if (r == 0) {
		target = openat(links_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = target < 0 ? -errno : mount_attach(mount_fd, target);
	}
	return r < 0 ? err_set(err, ERR_SYSTEM, r, "map the ids of layer %s: %s", QUOTE(layer),
			       strerror(-r)) :
		       0;
}

/* Names l/0, l/1, … and "lowerdir=0:1:…" relative to l/. */
static int name_layers(int links_fd, const struct rootfs_request *req, struct strbuf *options,
		       struct err *err)
{
	int r = strbuf_adds(options, "lowerdir=");

	for (unsigned int i = 0; r == 0 && req->lower_dirs[i]; i++) {
		const char *layer = req->lower_dirs[i];
		char name[16];

		if (i >= LOWER_DIRS_MAX)
			return err_set(
				err, ERR_UNSUPPORTED, -E2BIG,
				"the image has more than %d layers, which is all the kernel can stack",
				LOWER_DIRS_MAX);
		(void)snprintf(name, sizeof(name), "%u", i);
		if (req->userns_fd >= 0) {
			r = map_layer(links_fd, name, layer, req->userns_fd, err);
			if (r < 0)
				return r;
		} else if (symlinkat(layer, links_fd, name) < 0) {
			return err_sys(err, ERR_SYSTEM, "link layer %s", QUOTE(layer));
		}
		r = strbuf_addf(options, "%s%s", i ? ":" : "", name);
	}
	return r < 0 ? err_set(err, ERR_SYSTEM, r, "list the layers for the overlay") : 0;
}

/* The overlay's root shows owner and mode of the upper directory: those of the topmost layer. */
static int copy_root_attributes(int scratch, struct err *err)
{
	struct stat st;

	if (fstatat(scratch, "l/0", &st, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "stat the topmost layer");
	if (fchownat(scratch, "upper", st.st_uid, st.st_gid, 0) < 0 ||
	    fchmodat(scratch, "upper", st.st_mode & 07777, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "set attributes of the root directory");
	return 0;
}

static int mount_overlay(int scratch, const struct rootfs_request *req, struct err *err)
{
	AUTO(strbuf) options = STRBUF_INIT(OVERLAY_OPTIONS_MAX);
	AUTO_CLOSE int links = openat(scratch, "l", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (links < 0)
		return err_sys(err, ERR_SYSTEM, "open the links to the layers");
	r = name_layers(links, req, &options, err);
	if (r < 0)
		return r;
	r = copy_root_attributes(scratch, err);
	if (r < 0)
		return r;
	r = strbuf_adds(&options, ",upperdir=../upper,workdir=../work,volatile");
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "list the layers for the overlay");
	/* Relative names in the options are looked up from the working directory. */
	if (fchdir(links) < 0)
		return err_sys(err, ERR_SYSTEM, "enter the links to the layers");
	if (mount("overlay", "../root", "overlay", req->nodev ? MS_NODEV : 0,
		  strbuf_str(&options)) < 0)
		return err_sys(err, ERR_SYSTEM, "mount overlay of %s (%s)",
			       QUOTE(req->lower_dirs[0]), strbuf_str(&options));
	return 0;
}

/* Into @ns, take a copy of its root mount, and back with our own root and directory: setns(2) changes both. Return: mount fd or -errno */
static int clone_root_of(int ns)
{
	AUTO_CLOSE int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int mount_fd = -EBADF;

	if (own < 0 || root < 0 || setns(ns, CLONE_NEWNS) < 0)
		return -errno;
	mount_fd = mount_clone(AT_FDCWD, "/", false);
	if (setns(own, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0)
		return -errno;
	return MOVE_FD(mount_fd);
}

static int attach_root(int scratch, int mount_fd)
{
	AUTO_CLOSE int target =
		openat(scratch, "root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return target < 0 ? -errno : mount_attach(mount_fd, target);
}

/*
 * The overlay of the boot before. It cannot be mounted anew: its upper directory is in a tmpfs that nothing but it holds, and the kernel
 * refuses to use a volatile one twice.
 */
static int mount_again(int scratch, int ns, struct err *err)
{
	AUTO_CLOSE int mount_fd = clone_root_of(ns);
	int r = mount_fd < 0 ? mount_fd : attach_root(scratch, mount_fd);

	/* An init makes its root read-only before it reboots. */
	if (r >= 0)
		r = mount_make_writable(mount_fd);
	return r < 0 ? err_set(err, ERR_SYSTEM, r, "take over the root of the boot before: %s",
			       strerror(-r)) :
		       0;
}

/* What of the three the request asks for, on root. */
static int mount_root(int scratch, const struct rootfs_request *req, struct err *err)
{
	int r;

	if (req->root_ns_fd >= 0)
		return mount_again(scratch, req->root_ns_fd, err);
	if (req->root_fd < 0)
		return mount_overlay(scratch, req, err);
	r = attach_root(scratch, req->root_fd);
	return r < 0 ? err_set(err, ERR_SYSTEM, r, "mount the prepared root: %s", strerror(-r)) : 0;
}

int rootfs_mount(const struct rootfs_request *req, int *ret_scratch, int *ret_root, struct err *err)
{
	AUTO_CLOSE int scratch = mount_scratch(req, err);
	AUTO_CLOSE int root = -EBADF;
	int r;

	if (scratch < 0)
		return MOVE_FD(scratch);
	r = mount_root(scratch, req, err);
	if (r < 0)
		return r;
	root = openat(scratch, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, ERR_SYSTEM, "open the mounted root");
	*ret_scratch = MOVE_FD(scratch);
	*ret_root = MOVE_FD(root);
	return 0;
}

int rootfs_pivot(int root_fd, struct err *err)
{
	if (fchdir(root_fd) < 0)
		return err_sys(err, ERR_SYSTEM, "enter the new root");
	/* With "." twice the old root ends up mounted on top of the new one, and is detached from there. */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, ERR_SYSTEM, "switch to the new root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(err, ERR_SYSTEM, "detach the host's file systems");
	if (chdir("/") < 0)
		return err_sys(err, ERR_SYSTEM, "enter the new root");
	return 0;
}
