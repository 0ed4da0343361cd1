// SPDX-License-Identifier: MIT
/* The fd-based mount calls (see mount_api.h). Raw system calls: glibc has wrappers only since 2.36. */
#include "runtime/mount_api.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define OPTIONS_MAX 1024

/* Turns errno into an error; the last message the kernel left in the context says more than the number. */
static int context_error(int fs_fd, const char *fstype, struct err *err)
{
	int saved = errno;
	char last[256] = "", line[256];
	ssize_t n;

	/* One message a read, "e text" for errors; ENODATA at the end. */
	while ((n = read(fs_fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		memcpy(last, line, (size_t)n + 1);
	}
	if (strlen(last) > 2)
		return err_set(err, ERR_SYSTEM, -saved, "mount %s: %s (%s)", fstype, last + 2,
			       strerror(saved));
	errno = saved;
	return err_sys(err, ERR_SYSTEM, "mount %s", fstype);
}

static int set_option(int fs_fd, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs_fd, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			    key, value, 0);
}

/* "key=value,flag": cuts a copy into pieces. */
static int set_options(int fs_fd, const char *options)
{
	char text[OPTIONS_MAX], *rest = text, *option;

	if (strlen(options) >= sizeof(text)) {
		errno = E2BIG;
		return -1;
	}
	memcpy(text, options, strlen(options) + 1);
	while ((option = strsep(&rest, ","))) {
		char *value = strchr(option, '=');
		if (value)
			*value++ = '\0';
		if (set_option(fs_fd, option, value) < 0)
			return -1;
	}
	return 0;
}

int mount_new(const char *fstype, const char *options, uint64_t attrs, struct err *err)
{
	AUTO_CLOSE int fs_fd = (int)syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC);
	int mount_fd;

	if (fs_fd < 0)
		return err_sys(err, ERR_SYSTEM, "mount %s", fstype);
	if ((options && set_options(fs_fd, options) < 0) ||
	    set_option(fs_fd, "source", fstype) < 0 ||
	    syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return context_error(fs_fd, fstype, err);
	mount_fd = (int)syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, (unsigned int)attrs);
	if (mount_fd < 0)
		return context_error(fs_fd, fstype, err);
	return mount_fd;
}

int mount_clone(int dir_fd, const char *path, bool recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	int fd;

	if (recursive)
		flags |= AT_RECURSIVE;
	fd = (int)syscall(SYS_open_tree, dir_fd, path, flags);
	return fd < 0 ? -errno : fd;
}

int mount_set_private(int mount_fd)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };

	if (syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
		    sizeof(attr)) < 0)
		return -errno;
	return 0;
}

int mount_attach(int mount_fd, int target_fd)
{
	if (syscall(SYS_move_mount, mount_fd, "", target_fd, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

int mount_set_attrs(int mount_fd, uint64_t attrs, bool recursive)
{
	struct mount_attr attr = { .attr_set = attrs };

	if (syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
		    &attr, sizeof(attr)) < 0)
		return -errno;
	return 0;
}

int mount_make_writable(int mount_fd)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
	AUTO_CLOSE int fs_fd =
		(int)syscall(SYS_fspick, mount_fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);

	if (fs_fd < 0 || set_option(fs_fd, "rw", NULL) < 0 ||
	    syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0 ||
	    syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return 0;
}

int mount_set_idmap(int mount_fd, int userns_fd)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP,
				   .userns_fd = (unsigned int)userns_fd };

	if (syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return 0;
}
