// SPDX-License-Identifier: MIT
/*
 * What a copied file has beside its contents (see copy_state.h).
 *
 * The order: owner first, since a change of owner takes set-id bits and capabilities off; then extended attributes, of which an ACL
 * changes the mode; then the mode; the times last.
 * Ids stand in three places: the owner, the entries of an ACL, the root of file capabilities. All go through the container's map.
 */
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/copy_state.h"
#include "base/log.h"
#include "base/quote.h"

#define ID_NOBODY 65534U
#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"
#define FILE_CAPS "security.capability"
/* Tags of ACL entries, which <linux/posix_acl.h> keeps to the kernel. */
#define TAG_USER 0x02
#define TAG_GROUP 0x08

/* Return: false if the container does not know the id; *id is then the stand-in. */
static bool shift(const struct copy *c, const struct id_map *map, uint32_t *id)
{
	uint32_t old = *id;

	if (!map)
		return true;
	if (!c->options->inward) {
		*id = ID_NOBODY;
		return id_map_inward(map, old, id);
	}
	if (id_map_outward(map, old, id))
		return true;
	(void)id_map_outward(map, 0, id);
	return false;
}

void copy_owner(const struct copy *c, const struct stat *st, uid_t *ret_uid, gid_t *ret_gid)
{
	*ret_uid = st->st_uid;
	*ret_gid = st->st_gid;
	(void)shift(c, c->options->uids, ret_uid);
	(void)shift(c, c->options->gids, ret_gid);
}

mode_t copy_mode(const struct copy *c, const struct stat *st)
{
	mode_t set_ids = st->st_mode & (S_ISUID | S_ISGID);

	/* On a directory they run nothing. */
	if (c->options->keep_privileges || S_ISDIR(st->st_mode) || !set_ids)
		return st->st_mode & 07777;
	copy_notice(c, "copied without its %s bit",
		    set_ids & S_ISUID ? "set-user-ID" : "set-group-ID");
	return st->st_mode & 01777;
}

/* Ids in an ACL; an entry for one that the container does not know stays without permissions. */
static bool shift_acl(const struct copy *c, char *value, size_t len)
{
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entry;

	if (len < sizeof(header) || (len - sizeof(header)) % sizeof(entry) != 0)
		return false;
	memcpy(&header, value, sizeof(header));
	if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION)
		return false;
	for (char *p = value + sizeof(header); p < value + len; p += sizeof(entry)) {
		const struct id_map *map = NULL;
		uint32_t id;

		memcpy(&entry, p, sizeof(entry));
		if (le16toh(entry.e_tag) == TAG_USER)
			map = c->options->uids;
		if (le16toh(entry.e_tag) == TAG_GROUP)
			map = c->options->gids;
		id = le32toh(entry.e_id);
		if (!shift(c, map, &id))
			entry.e_perm = 0;
		if (map)
			entry.e_id = htole32(id);
		memcpy(p, &entry, sizeof(entry));
	}
	return true;
}

/*
 * File capabilities count for one user namespace, told by the id of its root: 0, which a shorter form leaves out, or another.
 * Return: the new length, 0 if they are of a third namespace or malformed
 * Source: capabilities(7) "File capability extended attribute versioning"
 */
static size_t shift_caps(const struct copy *c, char *value, size_t len)
{
	struct vfs_ns_cap_data caps = { 0 };
	uint32_t revision, root;

	if (len != XATTR_CAPS_SZ_2 && len != XATTR_CAPS_SZ_3)
		return 0;
	memcpy(&caps, value, len);
	revision = le32toh(caps.magic_etc) & VFS_CAP_REVISION_MASK;
	if (revision != (len == XATTR_CAPS_SZ_2 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3))
		return 0;
	root = le32toh(caps.rootid);
	if (!shift(c, c->options->uids, &root))
		return 0;
	len = root == 0 ? XATTR_CAPS_SZ_2 : XATTR_CAPS_SZ_3;
	revision = root == 0 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3;
	caps.magic_etc =
		htole32((le32toh(caps.magic_etc) & ~(uint32_t)VFS_CAP_REVISION_MASK) | revision);
	caps.rootid = htole32(root);
	memcpy(value, &caps, len);
	return len;
}

static bool is_acl(const char *name)
{
	return strcmp(name, ACL_ACCESS) == 0 || strcmp(name, ACL_DEFAULT) == 0;
}

/* Those of overlayfs on top of user.* would mean something to an overlay mount alone. */
static bool is_wanted(const char *name)
{
	if (strncmp(name, "user.", 5) == 0)
		return strncmp(name, "user.overlay.", 13) != 0;
	return is_acl(name) || strcmp(name, FILE_CAPS) == 0;
}

static void copy_xattr(const struct copy *c, int from, int to, const char *name)
{
	ssize_t n = fgetxattr(from, name, c->value, COPY_XATTR_MAX);
	size_t len = n > 0 ? (size_t)n : 0;

	if (n < 0) {
		/* ENODATA: removed meanwhile. */
		if (errno != ENODATA)
			copy_notice(c, "extended attribute %s cannot be read: %s", QUOTE(name),
				    strerror(errno));
		return;
	}
	if (strcmp(name, FILE_CAPS) == 0) {
		len = c->options->keep_privileges ? shift_caps(c, c->value, len) : 0;
		if (len == 0) {
			copy_notice(c, "copied without its file capabilities");
			return;
		}
	}
	if (is_acl(name) && !shift_acl(c, c->value, len)) {
		copy_notice(c, "copied without its ACL, which is malformed");
		return;
	}
	if (fsetxattr(to, name, c->value, len, 0) == 0)
		return;
	if (errno == EOPNOTSUPP)
		log_debug("%s: extended attribute %s cannot be kept there", QUOTE(c->path),
			  QUOTE(name));
	else
		copy_notice(c, "extended attribute %s is not copied: %s", QUOTE(name),
			    strerror(errno));
}

static void copy_xattrs(const struct copy *c, int from, int to)
{
	/* One byte is kept for the end of the last name, should the kernel leave it out. */
	ssize_t n = flistxattr(from, c->names, COPY_XATTR_MAX - 1);

	if (n < 0) {
		if (errno != EOPNOTSUPP && errno != ENOSYS)
			copy_notice(c, "extended attributes cannot be listed: %s", strerror(errno));
		return;
	}
	c->names[n] = '\0';
	for (const char *name = c->names; name < c->names + n; name += strlen(name) + 1)
		if (is_wanted(name))
			copy_xattr(c, from, to, name);
}

int copy_attributes(struct copy *c, int from, int to, const struct stat *st, bool acl,
		    struct err *err)
{
	struct timespec times[] = { st->st_atim, st->st_mtim };
	uid_t uid;
	gid_t gid;

	copy_owner(c, st, &uid, &gid);
	if (fchown(to, uid, gid) < 0)
		return err_sys(err, ERR_SYSTEM, "set owner %u:%u", uid, gid);
	if (acl) {
		(void)fremovexattr(to, ACL_ACCESS);
		(void)fremovexattr(to, ACL_DEFAULT);
	}
	copy_xattrs(c, from, to);
	if (fchmod(to, copy_mode(c, st)) < 0)
		return err_sys(err, ERR_SYSTEM, "set mode");
	if (futimens(to, times) < 0)
		return err_sys(err, ERR_SYSTEM, "set time");
	return 0;
}
