// SPDX-License-Identifier: MIT
/* The caller's stdin, made fit to be handed to a container (see stdin_guard.h). */
#include "runtime/stdin_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "runtime/mount_api.h"

static int refuse_directories(struct err *err)
{
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
			return err_set(
				err, ERR_USAGE, -EISDIR,
				"file descriptor %d is a directory: it would lead the container into the host",
				fd);
	return 0;
}

/* The same file, opened on a detached read-only copy of its mount. Return: fd or -errno */
static int reopen_read_only(void)
{
	AUTO_CLOSE int mount_fd = mount_clone(STDIN_FILENO, "", false);
	char path[64];
	int r = mount_fd < 0 ? mount_fd : mount_set_attrs(mount_fd, MOUNT_ATTR_RDONLY, false);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", mount_fd);
	r = open(path, O_RDONLY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

int stdin_protect(bool wanted, struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;
	struct stat st;
	off_t at;
	int r = refuse_directories(err);

	if (r < 0)
		return r;
	if (!wanted || fstat(STDIN_FILENO, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) != O_RDONLY)
		return 0;
	at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	fd = reopen_read_only();
	if (fd == -EINVAL) {
		/* On no mount of ours (a memfd, a deleted here-document): there is no file of the host to protect. */
		log_debug("stdin is not on a mounted file system: handed on as it is");
		return 0;
	}
	if (fd < 0) {
		errno = -fd;
		return err_sys(err, ERR_SYSTEM, "open stdin on a read-only mount");
	}
	if (at < 0 || lseek(fd, at, SEEK_SET) < 0 || dup2(fd, STDIN_FILENO) < 0)
		return err_sys(err, ERR_SYSTEM, "put stdin on a read-only mount");
	return 0;
}
