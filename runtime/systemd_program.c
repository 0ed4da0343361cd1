// SPDX-License-Identifier: MIT
/* Programs of a running machine, seen from outside (see systemd_program.h). */
#include "runtime/systemd_program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path_at.h"
#include "base/quote.h"
#include "base/strv.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Return: 0, -ENOENT, -EISDIR, -EACCES, other -errno */
static int check(int root, const char *path)
{
	AUTO_CLOSE int fd = path_at_open(root, path, O_PATH, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) && st.st_mode & 0111 ? 0 : -EACCES;
}

static int cannot(const char *name, int r, struct err *err)
{
	switch (r) {
	case -EISDIR:
		return err_set(err, ERR_EXEC_DENIED, -EACCES,
			       "exec: %s: is a directory: permission denied", QUOTE(name));
	case -EACCES:
		return err_set(err, ERR_EXEC_DENIED, r, "exec: %s: permission denied", QUOTE(name));
	default:
		return err_set(err, ERR_EXEC_NOT_FOUND, -ENOENT, "exec: %s: stat %s: %s",
			       QUOTE(name), QUOTE_PLAIN(name),
			       r == -ENOENT || r == -ENOTDIR ? "no such file or directory" :
							       strerror(-r));
	}
}

static int look_up(int root, const char *name, const char *path, char **ret, struct err *err)
{
	int denied = 0;

	while (*path) {
		size_t len = strcspn(path, ":");
		AUTO_FREE char *candidate = NULL;
		int r;

		if (asprintf(&candidate, "%.*s/%s", (int)len, path, name) < 0) {
			candidate = NULL;
			return err_oom(err);
		}
		/* Relative entries mean nothing without a working directory. */
		r = *path == '/' ? check(root, candidate) : -ENOENT;
		if (r == 0) {
			*ret = MOVE_PTR(candidate);
			return 0;
		}
		if (r == -EACCES)
			denied = r;
		path += len + (path[len] == ':');
	}
	if (denied)
		return cannot(name, denied, err);
	return err_set(err, ERR_EXEC_NOT_FOUND, -ENOENT,
		       "exec: %s: executable file not found in $PATH", QUOTE(name));
}

int systemd_program_find(pid_t leader, int pidfd, const char *name, const char *const *env,
			 char **ret, struct err *err)
{
	const char *path = env ? strv_env_get((char *const *)env, "PATH") : NULL;
	AUTO_CLOSE int root = -EBADF;
	char proc[32];
	int r;

	if (*name != '/' && strchr(name, '/'))
		return err_set(err, ERR_USAGE, -EINVAL, "exec: %s: the path must be absolute",
			       QUOTE(name));
	(void)snprintf(proc, sizeof(proc), "/proc/%d/root", (int)leader);
	root = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* The signal proves that the number still was this machine's. */
	if (root < 0 || fd_pidfd_signal(pidfd, 0) < 0)
		return err_set(err, ERR_NOT_FOUND, -ESRCH, "the machine has ended");
	if (*name != '/')
		return look_up(root, name, path ? path : DEFAULT_PATH, ret, err);
	r = check(root, name);
	if (r < 0)
		return cannot(name, r, err);
	*ret = strdup(name);
	return *ret ? 0 : err_oom(err);
}
