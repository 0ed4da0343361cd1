// SPDX-License-Identifier: MIT
/* Attributes of what a layer holds (see unpack_meta.h). */
#include "oci/unpack_meta.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/log.h"
#include "base/quote.h"

#define XATTR_NAMES_MAX 65536 /* XATTR_LIST_MAX of the kernel */

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool meta_xattr_wanted(const char *name)
{
	if (starts_with(name, "user."))
		return !starts_with(name, "user.overlay.");
	return strcmp(name, "security.capability") == 0 ||
	       strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

static int meta_set_xattr(int fd, const struct xattr *x, struct err *err)
{
	if (strlen(x->name) > 255 || x->len > XATTR_VALUE_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "extended attribute %s: name or value is too long", QUOTE(x->name));
	if (fsetxattr(fd, x->name, x->value, x->len, 0) == 0)
		return 0;
	if (errno == EOPNOTSUPP && strcmp(x->name, "security.capability") != 0) {
		log_debug("the file system has no extended attribute %s", QUOTE(x->name));
		return 0;
	}
	if (errno == EPERM)
		return err_sys(err, ERR_SYSTEM, "set extended attribute %s (needs CAP_SETFCAP)",
			       QUOTE(x->name));
	return err_sys(err, ERR_SYSTEM, "set extended attribute %s", QUOTE(x->name));
}

int meta_set_xattrs(int fd, const struct tar_entry *entry, struct err *err)
{
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		int r;

		if (!meta_xattr_wanted(entry->xattrs[i].name)) {
			log_debug("extended attribute %s is not taken over",
				  QUOTE(entry->xattrs[i].name));
			continue;
		}
		r = meta_set_xattr(fd, &entry->xattrs[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int meta_copy_xattrs(int from_fd, int to_fd, struct err *err)
{
	AUTO_FREE char *names = malloc(XATTR_NAMES_MAX);
	AUTO_FREE char *value = malloc(XATTR_VALUE_MAX);
	ssize_t len;

	if (!names || !value)
		return err_oom(err);
	len = flistxattr(from_fd, names, XATTR_NAMES_MAX);
	if (len < 0 && errno == EOPNOTSUPP)
		return 0;
	if (len < 0)
		return err_sys(err, ERR_SYSTEM, "list extended attributes");
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		struct xattr x = { .name = name, .value = value };
		ssize_t n;
		int r;

		if (!meta_xattr_wanted(name))
			continue;
		n = fgetxattr(from_fd, name, value, XATTR_VALUE_MAX);
		if (n < 0)
			return err_sys(err, ERR_SYSTEM, "read extended attribute %s", QUOTE(name));
		x.len = (size_t)n;
		r = meta_set_xattr(to_fd, &x, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int meta_copy(int from_fd, int to_fd, struct err *err)
{
	struct stat st;
	int r;

	if (fstat(from_fd, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat");
	if (fchown(to_fd, st.st_uid, st.st_gid) < 0)
		return err_sys(err, ERR_SYSTEM, "set owner");
	if (fchmod(to_fd, st.st_mode & 07777) < 0)
		return err_sys(err, ERR_SYSTEM, "set mode");
	r = meta_copy_xattrs(from_fd, to_fd, err);
	if (r < 0)
		return r;
	if (futimens(to_fd, (struct timespec[]){ st.st_mtim, st.st_mtim }) < 0)
		return err_sys(err, ERR_SYSTEM, "set time");
	return 0;
}
