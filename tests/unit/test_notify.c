// SPDX-License-Identifier: MIT
/* Readiness messages: what is understood, who is believed, what reaches a terminal. */
#include "runtime/notify.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void parse(struct notify *n, const char *text)
{
	*n = (struct notify){ 0 };
	notify_parse(n, text, strlen(text));
}

static void test_words(void **state)
{
	struct notify n;

	(void)state;
	parse(&n, "READY=1\nSTATUS=Ready.");
	assert_true(n.ready);
	assert_false(n.basic || n.stopping);
	parse(&n, "X_SYSTEMD_UNIT_ACTIVE=basic.target");
	assert_true(n.basic);
	assert_false(n.ready);
	parse(&n, "X_SYSTEMD_UNIT_ACTIVE=sysinit.target\n");
	assert_false(n.basic);
	parse(&n, "STOPPING=1");
	assert_true(n.stopping);
	parse(&n, "X_SYSTEMD_SHUTDOWN=reboot");
	assert_true(n.stopping);
}

static void test_nearly_words(void **state)
{
	static const char *const texts[] = { "",	 "READY=",     "READY=10",  "READY=0",
					     "xREADY=1", "ready=1",    "READY=1 ",  "\n\n\n",
					     "=",	 "STOPPING=0", "READY\n=1", "STATUS" };
	struct notify n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		parse(&n, texts[i]);
		assert_false(n.ready || n.basic || n.stopping);
	}
}

static void open_pair(int socks[static 2])
{
	int on = 1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, socks), 0);
	assert_int_equal(setsockopt(socks[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
}

static void test_only_the_leader_is_believed(void **state)
{
	struct notify n = { 0 };
	int socks[2], status;
	pid_t pid;

	(void)state;
	open_pair(socks);
	pid = fork();
	if (pid == 0)
		_exit(send(socks[1], "READY=1", 7, 0) == 7 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(notify_receive(socks[0], getpid(), &n));
	assert_false(n.ready);
	assert_int_equal(send(socks[1], "READY=1", 7, 0), 7);
	assert_true(notify_receive(socks[0], getpid(), &n));
	assert_true(n.ready);
	/* Nothing more to read: it must not wait. */
	assert_false(notify_receive(socks[0], getpid(), &n));
	(void)close(socks[0]);
	(void)close(socks[1]);
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void send_with_fds(int sock, const char *text, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(3 * sizeof(int))];
	} control = { 0 };
	const int fds[3] = { 0, 1, 2 };
	struct iovec iov = { (void *)(uintptr_t)text, len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	assert_int_equal(sendmsg(sock, &msg, 0), len);
}

static void test_fds_do_not_stay(void **state)
{
	struct notify n = { 0 };
	int socks[2], before;

	(void)state;
	open_pair(socks);
	before = open_fds();
	send_with_fds(socks[1], "BARRIER=1\nREADY=1", 17);
	(void)notify_receive(socks[0], getpid(), &n);
	assert_int_equal(open_fds(), before);
	(void)close(socks[0]);
	(void)close(socks[1]);
}

static void test_a_huge_message_is_cut(void **state)
{
	static char text[60000];
	struct notify n = { 0 };
	int socks[2];

	(void)state;
	open_pair(socks);
	memset(text, 'A', sizeof(text));
	memcpy(text, "READY=1\n", 8);
	memcpy(text + sizeof(text) - 11, "\nSTOPPING=1", 11);
	assert_int_equal(send(socks[1], text, sizeof(text), 0), sizeof(text));
	assert_true(notify_receive(socks[0], getpid(), &n));
	assert_true(n.ready);
	assert_false(n.stopping);
	(void)close(socks[0]);
	(void)close(socks[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_nearly_words),
		cmocka_unit_test(test_only_the_leader_is_believed),
		cmocka_unit_test(test_fds_do_not_stay),
		cmocka_unit_test(test_a_huge_message_is_cut),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
