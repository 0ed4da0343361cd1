// SPDX-License-Identifier: MIT
/* The container's pseudo-terminal, made in its own devpts (see console.h). */
#include "runtime/console.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CONSOLE_MODE 0620

int console_open(int pts_fd, int *ret_master, int *ret_slave, struct err *err)
{
	AUTO_CLOSE int master = openat(pts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_CLOSE int slave = -EBADF;
	int unlock = 0;

	if (master < 0)
		return err_sys(err, ERR_SYSTEM, "open a pseudo-terminal");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(err, ERR_SYSTEM, "unlock a pseudo-terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_sys(err, ERR_SYSTEM, "open the other end of a pseudo-terminal");
	*ret_master = MOVE_FD(master);
	*ret_slave = MOVE_FD(slave);
	return 0;
}

int console_use(int slave_fd, struct err *err)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(slave_fd, fd) < 0)
			return err_sys(err, ERR_SYSTEM, "put the pseudo-terminal on fd %d", fd);
	return 0;
}

int console_attach(int slave_fd, uid_t uid, struct err *err)
{
	if (fchown(slave_fd, uid, (gid_t)-1) < 0 || fchmod(slave_fd, CONSOLE_MODE) < 0)
		return err_sys(err, ERR_SYSTEM, "hand the pseudo-terminal to user %u", uid);
	if (ioctl(slave_fd, TIOCSCTTY, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "take the pseudo-terminal as controlling terminal");
	return console_use(slave_fd, err);
}
