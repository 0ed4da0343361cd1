// SPDX-License-Identifier: MIT
/* Finding the container's command (see command.h). */
#include "runtime/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"

/* Return: 0 if this user may execute it, else -errno (-EISDIR for a directory). */
static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return -errno;
	return 0;
}

/* Docker's words, which are Go's: strerror(3) without the capital. */
static const char *reason(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return "no such file or directory";
	case EACCES:
		return "permission denied";
	case ENOEXEC:
		return "exec format error";
	default:
		return strerror(errnum);
	}
}

static int not_executable(const char *name, const char *path, int r, struct err *err)
{
	if (r == -EISDIR)
		return err_set(err, ERR_EXEC_DENIED, -EACCES,
			       "exec: %s: is a directory: permission denied", QUOTE(name));
	if (r == -EACCES)
		return err_set(err, ERR_EXEC_DENIED, r, "exec: %s: permission denied", QUOTE(name));
	return err_set(err, ERR_EXEC_NOT_FOUND, -ENOENT, "exec: %s: stat %s: %s", QUOTE(name),
		       QUOTE_PLAIN(path), reason(-r));
}

int command_find(const char *name, char *const *env, char **ret, struct err *err)
{
	const char *path = strv_env_get(env, "PATH");
	int denied = 0;

	if (strchr(name, '/')) {
		int r = check_executable(name);
		if (r < 0)
			return not_executable(name, name, r, err);
		*ret = strdup(name);
		return *ret ? 0 : err_oom(err);
	}
	while (path && *path) {
		AUTO_FREE char *candidate = NULL;
		size_t len = strcspn(path, ":");
		int r;

		if (asprintf(&candidate, "%.*s/%s", len ? (int)len : 1, len ? path : ".", name) <
		    0) {
			candidate = NULL;
			return err_oom(err);
		}
		r = check_executable(candidate);
		if (r == 0) {
			*ret = MOVE_PTR(candidate);
			return 0;
		}
		if (r == -EACCES)
			denied = r;
		path += len + (path[len] == ':');
	}
	if (denied < 0)
		return not_executable(name, name, denied, err);
	return err_set(err, ERR_EXEC_NOT_FOUND, -ENOENT,
		       "exec: %s: executable file not found in $PATH", QUOTE(name));
}

int command_exec_error(const char *name, int errnum, struct err *err)
{
	const char *hint = NULL;

	if (errnum == ENOENT || errnum == ELIBBAD)
		hint = "its interpreter or dynamic loader is missing in the image";
	else if (errnum == ENOEXEC)
		hint = "is it a program for another architecture, or a script without #! line?";
	return err_set(err, errnum == ENOENT ? ERR_EXEC_NOT_FOUND : ERR_EXEC_DENIED, -errnum,
		       "exec %s: %s%s%s%s", QUOTE(name), reason(errnum), hint ? " (" : "",
		       hint ? hint : "", hint ? ")" : "");
}
