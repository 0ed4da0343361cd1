// SPDX-License-Identifier: MIT
/* File descriptors (see fd.h): whole reads and writes, bounded contents, flags, pidfds, fds over sockets. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"

#define READ_CHUNK ((size_t)4096)

/* <linux/close_range.h>, which C libraries before glibc 2.34 do not bring. */
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

ssize_t fd_read_full(int fd, void *buf, size_t len)
{
	size_t done = 0;

	if (len > SSIZE_MAX)
		return -EINVAL;
	while (done < len) {
		ssize_t n = read(fd, (char *)buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fd_write_full(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Room for the file as fstat(2) tells it and one byte more, which finds its end; procfs tells 0. */
static size_t first_capacity(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return READ_CHUNK;
	return (uintmax_t)st.st_size < max ? (size_t)st.st_size + 1 : max + 1;
}

int fd_read_all(int fd, size_t max, char **ret_buf, size_t *ret_len)
{
	AUTO_FREE char *buf = NULL;
	size_t len = 0, cap = 0;

	if (max >= SSIZE_MAX)
		return -EINVAL;
	for (;;) {
		size_t want = cap ? cap * 2 : first_capacity(fd, max);
		char *grown;
		ssize_t n;

		/* One byte over the maximum is read to tell "too big" from "just fits". */
		if (want > max + 1)
			want = max + 1;
		grown = realloc(buf, want + 1);
		if (!grown)
			return -ENOMEM;
		buf = grown;
		cap = want;
		n = fd_read_full(fd, buf + len, cap - len);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
		if (len > max)
			return -E2BIG;
		if (len < cap)
			break;
	}
	buf[len] = '\0';
	*ret_buf = MOVE_PTR(buf);
	if (ret_len)
		*ret_len = len;
	return 0;
}

static enum err_kind kind_of(int code)
{
	return code == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
}

int fd_read_file_at(int dir_fd, const char *path, size_t max, char **ret_buf, size_t *ret_len,
		    struct err *err)
{
	/* O_NONBLOCK: a fifo of this name must not make us wait. */
	AUTO_CLOSE int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0)
		return err_sys(err, kind_of(errno), "open %s", QUOTE_PLAIN(path));
	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_SYSTEM, "stat %s", QUOTE_PLAIN(path));
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_SYSTEM, -EINVAL, "read %s: not a regular file",
			       QUOTE_PLAIN(path));
	r = fd_read_all(fd, max, ret_buf, ret_len);
	if (r == -E2BIG)
		return err_set(err, ERR_CORRUPT, r, "read %s: larger than %zu bytes",
			       QUOTE_PLAIN(path), max);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "read %s: %s", QUOTE_PLAIN(path), strerror(-r));
	return 0;
}

int fd_write_file_at(int dir_fd, const char *path, mode_t mode, const void *buf, size_t len,
		     struct err *err)
{
	AUTO_CLOSE int fd =
		openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, mode);
	int r;

	if (fd < 0)
		return err_sys(err, kind_of(errno), "open %s for writing", QUOTE_PLAIN(path));
	r = fd_write_full(fd, buf, len);
	/* close(2) is where network file systems report what write(2) could not. */
	if (close(MOVE_FD(fd)) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "write %s: %s", QUOTE_PLAIN(path), strerror(-r));
	return 0;
}

int fd_set_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0)
		return -errno;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags) < 0 ? -errno : 0;
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

/* Before Linux 5.11, or where a seccomp filter does not know close_range(2). */
static int cloexec_each(int first)
{
	AUTO_CLOSEDIR DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		char *end;
		long fd = strtol(entry->d_name, &end, 10);
		int r;

		if (end == entry->d_name || *end || fd < first || fd > INT_MAX)
			continue;
		r = fd_set_cloexec((int)fd, true);
		if (r < 0)
			return r;
	}
	return 0;
}

int fd_cloexec_from(int first)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	return cloexec_each(first);
}

int fd_pidfd_open(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

int fd_pidfd_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

/* Aligned as cmsg(3) asks; the padding of CMSG_SPACE() has room for a second fd, see fd_recv(). */
union fd_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

ssize_t fd_send(int sock, const void *buf, size_t len, int fd)
{
	union fd_control control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Takes the first fd of a control message and closes what else came. Return: how many came. */
static size_t take_fds(const struct cmsghdr *c, int *fd)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		int got;

		memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(got));
		if (*fd < 0)
			*fd = got;
		else
			(void)close(got);
	}
	return n;
}

ssize_t fd_recv(int sock, void *buf, size_t len, int *ret_fd)
{
	union fd_control control = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.bytes) };
	AUTO_CLOSE int fd = -EBADF;
	size_t n_fds = 0;
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			n_fds += take_fds(c, &fd);
	if (n_fds > 1 || (msg.msg_flags & MSG_CTRUNC))
		return -EBADMSG;
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	*ret_fd = MOVE_FD(fd);
	return n;
}
