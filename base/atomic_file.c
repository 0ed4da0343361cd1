// SPDX-License-Identifier: MIT
/*
 * Files that are either wholly there or not at all (see atomic_file.h).
 *
 * 1. The content goes to a file of a random temporary name in the same directory, and fsync() puts it on the disk.
 * 2. rename() gives it its name: whoever opens the name sees the old content or the new one, after a power cut too.
 * 3. fsync() of the directory puts the new name on the disk.
 * A failure in 1 or 2 unlinks the temporary file; after a kill there it stays, for whoever sweeps the directory.
 */
#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/quote.h"

#define TMP_NAME_MAX 32

static bool is_component(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int create_tmp(int dir_fd, char name[static TMP_NAME_MAX], struct err *err)
{
	uint64_t random;
	int fd;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(err, ERR_SYSTEM, "get random bytes");
	(void)snprintf(name, TMP_NAME_MAX, ATOMIC_FILE_TMP_PREFIX "%016" PRIx64, random);
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? err_sys(err, ERR_SYSTEM, "create %s", name) : fd;
}

/* Content and mode, on the disk. The fd is consumed. */
static int fill_tmp(int tmp_fd, mode_t mode, const void *buf, size_t len, struct err *err)
{
	AUTO_CLOSE int fd = tmp_fd;
	int r = fd_write_full(fd, buf, len);

	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "write: %s", strerror(-r));
	if (fchmod(fd, mode) < 0)
		return err_sys(err, ERR_SYSTEM, "set mode %03o", (unsigned)mode);
	if (fsync(fd) < 0)
		return err_sys(err, ERR_SYSTEM, "fsync");
	if (close(MOVE_FD(fd)) < 0)
		return err_sys(err, ERR_SYSTEM, "close");
	return 0;
}

static int sync_dir(int dir_fd, struct err *err)
{
	/* The caller's may be an O_PATH fd, which cannot be synced. */
	AUTO_CLOSE int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open its directory");
	/* EINVAL: a file system that has nothing to sync. */
	if (fsync(fd) < 0 && errno != EINVAL)
		return err_sys(err, ERR_SYSTEM, "fsync its directory");
	return 0;
}

int atomic_file_write(int dir_fd, const char *name, mode_t mode, const void *buf, size_t len,
		      struct err *err)
{
	char tmp[TMP_NAME_MAX];
	int r;

	if (!is_component(name))
		return err_set(err, ERR_SYSTEM, -EINVAL, "write %s: not a file name", QUOTE(name));
	r = create_tmp(dir_fd, tmp, err);
	if (r < 0)
		return err_prefix(err, r, "write %s", QUOTE_PLAIN(name));
	r = fill_tmp(r, mode, buf, len, err);
	if (r == 0 && renameat(dir_fd, tmp, dir_fd, name) < 0)
		r = err_sys(err, ERR_SYSTEM, "rename %s", tmp);
	if (r < 0)
		(void)unlinkat(dir_fd, tmp, 0);
	else
		r = sync_dir(dir_fd, err);
	return r < 0 ? err_prefix(err, r, "write %s", QUOTE_PLAIN(name)) : 0;
}
