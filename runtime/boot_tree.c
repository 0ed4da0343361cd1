// SPDX-License-Identifier: MIT
/*
 * A machine's /run (see boot_tree.h). It is a tmpfs that we have just mounted, nothing of the image is in it, and systemd leaves what it
 * finds there alone.
 */
#include "runtime/boot_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/boot_generators.h"
#include "runtime/mount_api.h"

static int make_directory(int run, const char *path, mode_t mode, struct err *err)
{
	int fd;

	if (mkdirat(run, path, mode) < 0)
		return err_sys(err, ERR_SYSTEM, "make directory /run/%s", path);
	fd = openat(run, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(err, ERR_SYSTEM, "open directory /run/%s", path) : fd;
}

/* Makes the directories on the way to @path; its last part is left out. */
static int make_parents(int run, const char *path, struct err *err)
{
	char parent[NAME_MAX + 1];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		size_t len = (size_t)(p - path);

		if (len >= sizeof(parent))
			return err_set(err, ERR_SYSTEM, -ENAMETOOLONG, "mask /run/%s", path);
		memcpy(parent, path, len);
		parent[len] = '\0';
		if (mkdirat(run, parent, 0755) < 0 && errno != EEXIST)
			return err_sys(err, ERR_SYSTEM, "make directory /run/%s", parent);
	}
	return 0;
}

static int make_masks(const struct boot_spec *boot, int run, struct err *err)
{
	for (char *const *path = boot->masks; path && *path; path++) {
		int r = symlinkat("/dev/null", run, *path);

		if (r < 0 && errno == ENOENT) {
			r = make_parents(run, *path, err);
			if (r < 0)
				return r;
			r = symlinkat("/dev/null", run, *path);
		}
		if (r < 0 && errno != EEXIST)
			return err_sys(err, ERR_SYSTEM, "mask /run/%s", *path);
	}
	return boot_generators_mask(boot->idle_generators, run, err);
}

static int write_text(int host, const char *name, const char *text, struct err *err)
{
	return fd_write_file_at(host, name, 0444, text, strlen(text), err);
}

static int make_identity(const struct boot_spec *boot, int host, struct err *err)
{
	int r = write_text(host, "container-manager", "racker", err);

	if (r >= 0)
		r = write_text(host, "container-uuid", boot->machine_id, err);
	if (r >= 0 && boot->os_release)
		r = write_text(host, "os-release", boot->os_release, err);
	return r;
}

static int make_credentials(const struct boot_spec *boot, int host, struct err *err)
{
	AUTO_CLOSE int dir = -EBADF;

	if (boot->n_credentials == 0)
		return 0;
	if (mkdirat(host, "credentials", 0700) < 0)
		return err_sys(err, ERR_SYSTEM, "make directory " BOOT_CREDENTIALS_PATH);
	dir = openat(host, "credentials", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return err_sys(err, ERR_SYSTEM, "open " BOOT_CREDENTIALS_PATH);
	for (size_t i = 0; i < boot->n_credentials; i++) {
		const struct credential *c = &boot->credentials[i];
		int r = fd_write_file_at(dir, c->name, 0400, c->data, c->len, err);

		if (r < 0)
			return r;
	}
	return fchmod(dir, 0500) < 0 ? err_sys(err, ERR_SYSTEM, "protect " BOOT_CREDENTIALS_PATH) :
				       0;
}

/* What systemd mounts over a path that a unit may not see: one node of each sort, of mode 000. Without CAP_MKNOD there are no device nodes. */
static int make_inaccessible(int host, struct err *err)
{
	static const struct {
		const char *name;
		mode_t type;
	} nodes[] = {
		{ "reg", S_IFREG }, { "fifo", S_IFIFO }, { "sock", S_IFSOCK },
		{ "chr", S_IFCHR }, { "blk", S_IFBLK },
	};
	AUTO_CLOSE int dir = -EBADF;

	if (mkdirat(host, "inaccessible", 0755) < 0)
		return err_sys(err, ERR_SYSTEM, "make directory /run/host/inaccessible");
	dir = openat(host, "inaccessible", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0 || mkdirat(dir, "dir", 0) < 0)
		return err_sys(err, ERR_SYSTEM, "make directory /run/host/inaccessible/dir");
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (mknodat(dir, nodes[i].name, nodes[i].type, makedev(0, 0)) < 0 && errno != EPERM)
			return err_sys(err, ERR_SYSTEM, "make node /run/host/inaccessible/%s",
				       nodes[i].name);
	return 0;
}

/* Bound by its path inside, which is short however long the host's paths are. Open to all inside, as the umask is 0 at this time; who sends is
 * checked where it is received. */
static int bind_notify(struct err *err)
{
	static const struct sockaddr_un address = { .sun_family = AF_UNIX,
						    .sun_path = BOOT_NOTIFY_PATH };
	AUTO_CLOSE int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return err_sys(err, ERR_SYSTEM, "make the readiness socket");
	if (bind(sock, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, ERR_SYSTEM, "bind " BOOT_NOTIFY_PATH);
	return MOVE_FD(sock);
}

/* The interface's word: the hierarchy is read-only. A connection to the socket in it needs no writing. */
static int make_readonly(int host, struct err *err)
{
	AUTO_CLOSE int mount_fd = mount_clone(host, "", false);
	int r = mount_fd;

	if (r >= 0)
		r = mount_set_attrs(mount_fd,
				    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					    MOUNT_ATTR_NOEXEC,
				    false);
	if (r >= 0)
		r = mount_attach(mount_fd, host);
	if (r >= 0)
		return 0;
	errno = -r;
	return err_sys(err, ERR_SYSTEM, "make /run/host read-only");
}

int boot_tree_make(const struct boot_spec *boot, struct err *err)
{
	AUTO_CLOSE int run = open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_CLOSE int host = -EBADF;
	AUTO_CLOSE int sock = -EBADF;
	int r;

	if (run < 0)
		return err_sys(err, ERR_SYSTEM, "open /run");
	host = make_directory(run, "host", 0755, err);
	if (host < 0)
		return MOVE_FD(host);
	r = make_masks(boot, run, err);
	if (r >= 0)
		r = make_identity(boot, host, err);
	if (r >= 0)
		r = make_credentials(boot, host, err);
	if (r >= 0)
		r = make_inaccessible(host, err);
	if (r >= 0)
		r = sock = bind_notify(err);
	if (r >= 0)
		r = make_readonly(host, err);
	return r < 0 ? r : MOVE_FD(sock);
}
