/* SPDX-License-Identifier: MIT */
/* File descriptors: whole reads and writes, bounded file contents, pidfds. All fds made here are O_CLOEXEC. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/** fd_read_full() - read until @len bytes or end of file. Return: bytes read, or -errno. EINTR is retried. */
ssize_t fd_read_full(int fd, void *buf, size_t len);
/** fd_write_full() - write all of @len bytes. Return: 0 or -errno. EINTR is retried. */
int fd_write_full(int fd, const void *buf, size_t len);
/**
 * fd_read_all() - everything up to end of file, in a NUL-terminated buffer
 * @max: most bytes accepted; one more is -E2BIG
 * @ret_buf: owned by the caller, free(); @ret_len may be NULL
 * Return: 0 or -errno
 */
int fd_read_all(int fd, size_t max, char **ret_buf, size_t *ret_len);
/** fd_read_file_at() - fd_read_all() of a regular file opened below @dir_fd. Trusted paths only (no symlink protection). */
int fd_read_file_at(int dir_fd, const char *path, size_t max, char **ret_buf, size_t *ret_len,
		    struct err *err);
/** fd_write_file_at() - create or truncate, write, close; not crash-safe (see atomic_file.h). */
int fd_write_file_at(int dir_fd, const char *path, mode_t mode, const void *buf, size_t len,
		     struct err *err);
/** fd_set_cloexec() - Return: 0 or -errno */
int fd_set_cloexec(int fd, bool on);
int fd_set_nonblock(int fd, bool on);
/** fd_cloexec_from() - mark every fd >= @first close-on-exec (close_range(2), /proc/self/fd before Linux 5.11) */
int fd_cloexec_from(int first);
/** fd_pidfd_open() - pidfd_open(2). Return: fd or -errno */
int fd_pidfd_open(pid_t pid);
/** fd_pidfd_signal() - pidfd_send_signal(2). Return: 0 or -errno */
int fd_pidfd_signal(int pidfd, int sig);
/** fd_send() / fd_recv() - one message with one fd over a unix socket (SCM_RIGHTS); fd_recv sets *ret_fd = -EBADF if none came.
 *  Return: bytes, or -errno */
ssize_t fd_send(int sock, const void *buf, size_t len, int fd);
ssize_t fd_recv(int sock, void *buf, size_t len, int *ret_fd);

#endif
