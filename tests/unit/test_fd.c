// SPDX-License-Identifier: MIT
/* File descriptors: short and whole reads, caps, flags, fds over sockets from friendly and hostile peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "tests/unit/scratch.h"

static size_t count_fds(void)
{
	AUTO_CLOSEDIR DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	return n;
}

static void make_pipe(int fds[2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
}

static void test_read_full_gathers(void **state)
{
	char buf[10] = { 0 };
	int fds[2], status;
	pid_t pid;

	(void)state;
	make_pipe(fds);
	pid = fork();
	if (pid == 0) {
		bool ok = write(fds[1], "abc", 3) == 3 && usleep(20000) == 0 &&
			  write(fds[1], "def", 3) == 3;

		_exit(!ok);
	}
	close(fds[1]);
	assert_int_equal(fd_read_full(fds[0], buf, 4), 4);
	assert_string_equal(buf, "abcd");
	assert_int_equal(fd_read_full(fds[0], buf, sizeof(buf)), 2);
	assert_int_equal(fd_read_full(fds[0], buf, sizeof(buf)), 0);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(fd_read_full(-EBADF, buf, 1), -EBADF);
}

static void test_write_full(void **state)
{
	AUTO_CLOSE int fd = memfd_create("t", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(fd_write_full(fd, "abc", 3), 0);
	assert_int_equal(fd_write_full(fd, NULL, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 3);
	assert_int_equal(fd_write_full(-EBADF, "a", 1), -EBADF);
}

/* Sizes around the first buffer and the cap, from a file and from a pipe, which tells no size. */
static void test_read_all_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 8192, 60000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		AUTO_FREE char *content = calloc(1, sizes[i] + 1);
		AUTO_FREE char *got = NULL, *piped = NULL;
		AUTO_CLOSE int fd = memfd_create("t", MFD_CLOEXEC);
		char *none = NULL;
		size_t len = 99;
		int fds[2];

		memset(content, 'x', sizes[i]);
		assert_int_equal(fd_write_full(fd, content, sizes[i]), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(fd_read_all(fd, sizes[i], &got, &len), 0);
		assert_int_equal(len, sizes[i]);
		assert_memory_equal(got, content, len + 1);
		make_pipe(fds);
		assert_int_equal(fd_write_full(fds[1], content, sizes[i]), 0);
		close(fds[1]);
		assert_int_equal(fd_read_all(fds[0], sizes[i], &piped, NULL), 0);
		assert_string_equal(piped, content);
		close(fds[0]);
		if (!sizes[i])
			continue;
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(fd_read_all(fd, sizes[i] - 1, &none, NULL), -E2BIG);
		assert_null(none);
	}
}

static void test_read_all_endless(void **state)
{
	AUTO_CLOSE int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char *none = NULL;

	(void)state;
	assert_int_equal(fd_read_all(fd, 100000, &none, NULL), -E2BIG);
	assert_null(none);
}

static void test_file_round_trip(void **state)
{
	int dir = SCRATCH_FD(state);
	AUTO_FREE char *got = NULL;
	struct err e = { 0 };
	struct stat st;
	size_t len;

	assert_int_equal(fd_write_file_at(dir, "f", 0640, "hello world", 11, &e), 0);
	assert_int_equal(fd_write_file_at(dir, "f", 0640, "hello", 5, &e), 0);
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(fd_read_file_at(dir, "f", 5, &got, &len, &e), 0);
	assert_string_equal(got, "hello");
	assert_int_equal(len, 5);
}

static void test_file_errors(void **state)
{
	int dir = SCRATCH_FD(state);
	struct err e = { 0 };
	char *got = NULL;

	assert_int_equal(fd_read_file_at(dir, "none", 5, &got, NULL, &e), -ENOENT);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_string_equal(e.msg, "open none: No such file or directory");
	assert_int_equal(fd_write_file_at(dir, "none/x", 0600, "a", 1, &e), -ENOENT);
	assert_int_equal(fd_write_file_at(dir, "f", 0600, "123456", 6, &e), 0);
	assert_int_equal(fd_read_file_at(dir, "f", 5, &got, NULL, &e), -E2BIG);
	assert_string_equal(e.msg, "read f: larger than 5 bytes");
	assert_int_equal(mkdirat(dir, "d", 0700), 0);
	assert_int_equal(fd_read_file_at(dir, "d", 5, &got, NULL, &e), -EINVAL);
	/* nobody writes to it: an open that blocks would hang here */
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(fd_read_file_at(dir, "fifo", 5, &got, NULL, NULL), -EINVAL);
	assert_null(got);
}

static void test_flags(void **state)
{
	int fds[2];

	(void)state;
	make_pipe(fds);
	assert_int_equal(fd_set_cloexec(fds[0], false), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), 0);
	assert_int_equal(fd_set_cloexec(fds[0], true), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_set_nonblock(fds[0], true), 0);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_nonblock(fds[0], false), 0);
	assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(fd_set_cloexec(-EBADF, true), -EBADF);
	assert_int_equal(fd_set_nonblock(-EBADF, true), -EBADF);
}

static void test_cloexec_from(void **state)
{
	AUTO_CLOSE int low = fcntl(0, F_DUPFD, 100), high = fcntl(0, F_DUPFD, 200);

	(void)state;
	assert_int_equal(low, 100);
	assert_int_equal(fd_cloexec_from(101), 0);
	assert_int_equal(fcntl(low, F_GETFD), 0);
	assert_int_equal(fcntl(high, F_GETFD), FD_CLOEXEC);
}

static void test_pidfd(void **state)
{
	AUTO_CLOSE int pidfd = -EBADF;
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		for (;;)
			pause();
	pidfd = fd_pidfd_open(pid);
	assert_true(pidfd >= 0);
	assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_pidfd_signal(pidfd, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(fd_pidfd_signal(pidfd, 0), -ESRCH);
	assert_int_equal(fd_pidfd_open(pid), -ESRCH);
}

static void test_send_fd(void **state)
{
	AUTO_CLOSE int file = memfd_create("t", MFD_CLOEXEC);
	AUTO_CLOSE int got = -EBADF;
	struct stat a, b;
	char buf[8];
	int s[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	assert_int_equal(fd_send(s[0], "abc", 3, file), 3);
	assert_int_equal(fd_recv(s[1], buf, sizeof(buf), &got), 3);
	assert_memory_equal(buf, "abc", 3);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(file, &a), 0);
	assert_int_equal(fstat(got, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	close(s[0]);
	close(s[1]);
}

static void test_recv_without_fd(void **state)
{
	char buf[4];
	int got = 77, s[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	assert_int_equal(fd_send(s[0], "abc", 3, -EBADF), 3);
	assert_int_equal(fd_recv(s[1], buf, sizeof(buf), &got), 3);
	assert_int_equal(got, -EBADF);
	got = 77;
	assert_int_equal(fd_send(s[0], "abcde", 5, -EBADF), 5);
	assert_int_equal(fd_recv(s[1], buf, sizeof(buf), &got), -EMSGSIZE);
	assert_int_equal(got, 77);
	close(s[0]);
	assert_int_equal(fd_recv(s[1], buf, sizeof(buf), &got), 0);
	/* no SIGPIPE */
	assert_int_equal(fd_send(s[1], "a", 1, -EBADF), -EPIPE);
	close(s[1]);
}

static void send_many(int sock, size_t n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memset(CMSG_DATA(c), 0, n * sizeof(int));
	assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

static void test_recv_closes_what_it_did_not_ask_for(void **state)
{
	size_t before;
	char buf[4];
	int s[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	before = count_fds();
	for (size_t n = 2; n <= 16; n++) {
		int got = -EBADF;

		send_many(s[0], n);
		assert_int_equal(fd_recv(s[1], buf, sizeof(buf), &got), -EBADMSG);
		assert_int_equal(got, -EBADF);
		assert_int_equal(count_fds(), before);
	}
	close(s[0]);
	close(s[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_full_gathers),
		cmocka_unit_test(test_write_full),
		cmocka_unit_test(test_read_all_sizes),
		cmocka_unit_test(test_read_all_endless),
		cmocka_unit_test_setup_teardown(test_file_round_trip, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_file_errors, scratch_setup, scratch_teardown),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_cloexec_from),
		cmocka_unit_test(test_pidfd),
		cmocka_unit_test(test_send_fd),
		cmocka_unit_test(test_recv_without_fd),
		cmocka_unit_test(test_recv_closes_what_it_did_not_ask_for),
	};

	return cmocka_run_group_tests_name("fd", tests, NULL, NULL);
}
