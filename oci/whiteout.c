// SPDX-License-Identifier: MIT
/* Whiteouts (see whiteout.h). */
#include "oci/whiteout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/cleanup.h"

#define PREFIX ".wh."
#define PREFIX_LEN 4
#define META_PREFIX ".wh..wh."
#define META_PREFIX_LEN 8

static int classify_last(const char *name, size_t len, const char **ret_name, struct err *err)
{
	const char *hidden = name + PREFIX_LEN;
	size_t n = len - PREFIX_LEN;

	if (n == 0 || (n == 1 && hidden[0] == '.') || (n == 2 && memcmp(hidden, "..", 2) == 0))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "whiteout of nothing");
	*ret_name = hidden;
	return WHITEOUT_NAME;
}

int whiteout_classify(const char *path, const char **ret_name, struct err *err)
{
	const char *p = path;

	for (;;) {
		size_t n = strcspn(p, "/");
		bool last = p[n] == '\0';

		if (n >= META_PREFIX_LEN && memcmp(p, META_PREFIX, META_PREFIX_LEN) == 0)
			return last && strcmp(p, ".wh..wh..opq") == 0 ? WHITEOUT_OPAQUE :
									WHITEOUT_METADATA;
		if (n >= PREFIX_LEN && memcmp(p, PREFIX, PREFIX_LEN) == 0) {
			if (last)
				return classify_last(p, n, ret_name, err);
			return err_set(err, ERR_CORRUPT, -EBADMSG, "entry below a whiteout");
		}
		if (last)
			return WHITEOUT_NONE;
		p += n + 1;
	}
}

bool whiteout_is(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int whiteout_make(int dir_fd, const char *name, struct err *err)
{
	AUTO_CLOSE int fd = -EBADF;

	if (mknodat(dir_fd, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno == EPERM)
		return err_sys(err, ERR_SYSTEM,
			       "make a whiteout (a 0:0 character device, needs CAP_MKNOD)");
	if (errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "make a whiteout");
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return whiteout_make_opaque(fd, err);
	if (errno == ENOTDIR || errno == ELOOP)
		return 0;
	return err_sys(err, ERR_SYSTEM, "open the directory a whiteout is for");
}

int whiteout_make_opaque(int fd, struct err *err)
{
	if (fsetxattr(fd, OVERLAY_OPAQUE, "y", 1, 0) == 0)
		return 0;
	if (errno == EPERM)
		return err_sys(err, ERR_SYSTEM,
			       "make a directory opaque (set " OVERLAY_OPAQUE
			       ", needs CAP_SYS_ADMIN)");
	return err_sys(err, ERR_SYSTEM, "make a directory opaque (set " OVERLAY_OPAQUE ")");
}

bool whiteout_is_opaque(int fd)
{
	char value = 0;

	return fgetxattr(fd, OVERLAY_OPAQUE, &value, 1) == 1 && value == 'y';
}
