// SPDX-License-Identifier: MIT
/*
 * A booted machine's parent (see machine_monitor.h).
 *
 * Sequence: claim the name; launch; then serve PID 1's readiness socket and its console, which must never fill up, and racker's socket,
 * until PID 1 has ended. In a PID namespace reboot(2) ends PID 1 by a signal: SIGHUP for a restart, SIGINT for a halt or power-off
 * (pid_namespaces(7)). A restart is a new launch in the same cgroup, under the same name, with the root of the boot before, which we keep by
 * its mount namespace; everything else ends in ENDED and the release of what the machine held.
 *
 * If we are killed, PID 1 dies with us, and the next start of any container sweeps the rest.
 */
#include "runtime/machine_monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/boot_spec.h"
#include "runtime/monitor.h"

/* A machine that reboots as soon as it is up must not keep the host busy. */
#define BOOT_SPACING USEC_PER_SEC
#define READS_AT_ONCE 64

struct watch {
	struct launch_request launch;
	struct resources *res;
	int sock; /* -EBADF when racker has gone or is not interested any more */
	struct container c;
	int console_slave; /* keeps the console from hanging up while no process inside has it open */
	int root_ns; /* of the boot before */
	struct notify notify, told;
	bool console_taken, killed;
	char tail[MACHINE_TAIL_MAX]; /* a ring */
	size_t tail_end; /* bytes ever written */
};

static void say(struct watch *w, const struct machine_msg *msg, int fd)
{
	if (w->sock >= 0)
		(void)fd_send(w->sock, msg, sizeof(*msg), fd);
}

/* The ring from its oldest byte on. It reaches a terminal: control characters that could do anything there are taken out by the reader. */
static void copy_tail(const struct watch *w, char ret[static MACHINE_TAIL_MAX])
{
	size_t n = w->tail_end < MACHINE_TAIL_MAX ? w->tail_end : MACHINE_TAIL_MAX - 1;

	for (size_t i = 0; i < n; i++)
		ret[i] = w->tail[(w->tail_end - n + i) % MACHINE_TAIL_MAX];
	ret[n] = '\0';
}

/* The console is read whether anybody wants it or not: PID 1 must never wait for it. */
static void read_console(struct watch *w)
{
	char text[512];

	for (int i = 0; i < READS_AT_ONCE; i++) {
		ssize_t n = read(w->c.pty, text, sizeof(text));

		if (n <= 0)
			return;
		for (ssize_t at = 0; at < n; at++)
			w->tail[w->tail_end++ % MACHINE_TAIL_MAX] = text[at];
	}
}

/* Only what changes a state is passed on, so that a machine cannot flood racker. */
static void read_notify(struct watch *w)
{
	struct machine_msg msg = { .type = MACHINE_MSG_TOLD };

	if (!notify_receive(w->c.notify, w->c.pid, &w->notify))
		return;
	if (w->notify.ready == w->told.ready && w->notify.basic == w->told.basic &&
	    w->notify.stopping == w->told.stopping)
		return;
	w->told = msg.notify = w->notify;
	say(w, &msg, -1);
}

/* Racker waits for no more than this: the name is free, and nothing in the machine runs any more. */
static void kill_now(struct watch *w)
{
	struct machine_msg msg = { .type = MACHINE_MSG_ENDED,
				   .exit = { EXIT_HOW_SIGNALED, SIGKILL } };

	w->killed = true;
	container_kill(&w->c);
	resources_free_name(w->res);
	copy_tail(w, msg.tail);
	say(w, &msg, -1);
}

static void read_racker(struct watch *w)
{
	struct machine_msg msg;
	ssize_t n = recv(w->sock, &msg, sizeof(msg), 0);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n == (ssize_t)sizeof(msg) &&
	    (msg.type == MACHINE_MSG_TAKE || msg.type == MACHINE_MSG_GIVE)) {
		w->console_taken = msg.type == MACHINE_MSG_TAKE;
		return;
	}
	if (n == (ssize_t)sizeof(msg) && msg.type == MACHINE_MSG_DETACH)
		w->console_taken = false;
	else
		kill_now(w);
	cleanup_close(&w->sock);
	w->sock = -EBADF;
}

/* Serves until PID 1 has ended. Return: its wait status */
static int serve(struct watch *w)
{
	for (;;) {
		struct pollfd p[] = {
			{ .fd = w->c.pidfd, .events = POLLIN },
			{ .fd = w->sock, .events = POLLIN },
			{ .fd = w->c.notify, .events = POLLIN },
			{ .fd = w->console_taken ? -1 : w->c.pty, .events = POLLIN },
		};

		if (poll(p, ARRAY_SIZE(p), -1) < 0)
			continue;
		if (p[3].revents)
			read_console(w);
		if (p[2].revents)
			read_notify(w);
		if (p[1].revents)
			read_racker(w);
		if (p[0].revents)
			return container_wait(&w->c);
	}
}

static void fail(struct watch *w, const struct err *err)
{
	struct machine_msg msg = { .type = MACHINE_MSG_FAILED };

	resources_release(w->res);
	msg.err = *err;
	say(w, &msg, -1);
	_exit(1);
}

/* What has to be there before PID 1 runs: a state file that names it. */
static int record_pid(void *arg, pid_t pid, struct err *err)
{
	return resources_set_pid(arg, pid, err);
}

static void keep_root(struct watch *w)
{
	char path[64];

	cleanup_close(&w->root_ns);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", w->c.pid);
	w->root_ns = open(path, O_RDONLY | O_CLOEXEC);
}

static void boot(struct watch *w)
{
	struct machine_msg msg = { .type = MACHINE_MSG_STARTED };
	struct err err = { 0 };

	w->launch.root_ns_fd = w->root_ns;
	w->launch.beside = record_pid;
	w->launch.started = resources_started;
	w->launch.beside_arg = w->res;
	if (container_launch(&w->launch, &w->c, &err) < 0)
		fail(w, &err);
	keep_root(w);
	w->notify = w->told = (struct notify){ 0 };
	w->console_slave = ioctl(w->c.pty, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	(void)fd_set_nonblock(w->c.pty, true);
	msg.pid = w->c.pid;
	say(w, &msg, w->c.pidfd);
	msg.type = MACHINE_MSG_CONSOLE;
	say(w, &msg, w->c.pty);
}

static void end_boot(struct watch *w)
{
	if (!w->console_taken)
		read_console(w);
	cleanup_close(&w->console_slave);
	w->console_slave = -EBADF;
	container_done(&w->c);
}

static bool wants_reboot(const struct watch *w, int status)
{
	return !w->killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP;
}

/* Makes way for the next boot. Return: false when that is not to be */
static bool prepare_reboot(struct watch *w, usec_t started)
{
	const struct machine_msg msg = { .type = MACHINE_MSG_REBOOT };
	struct err err = { 0 };

	say(w, &msg, -1);
	/* Those that were let in from outside have died with PID 1, and so has every other; their cgroups are empty. */
	if (boot_spec_renew(w->launch.spec->boot, &err) < 0 || resources_renew(w->res, &err) < 0)
		fail(w, &err);
	while (now_usec() < started + BOOT_SPACING) {
		struct pollfd p = { .fd = w->sock, .events = POLLIN };

		if (poll(&p, 1, deadline_poll_ms(started + BOOT_SPACING)) > 0)
			read_racker(w);
		if (w->killed)
			return false;
	}
	return true;
}

static void exit_from_status(int status, struct exit_info *ret)
{
	*ret = (struct exit_info){ EXIT_HOW_EXITED, 0 };
	if (WIFEXITED(status))
		ret->value = WEXITSTATUS(status);
	else if (WTERMSIG(status) != SIGINT)
		*ret = (struct exit_info){ EXIT_HOW_SIGNALED, WTERMSIG(status) };
}

_Noreturn void machine_monitor(const struct launch_request *launch, struct resources *res, int sock)
{
	struct watch w = { .launch = *launch,
			   .res = res,
			   .sock = sock,
			   .c = CONTAINER_NONE,
			   .console_slave = -EBADF,
			   .root_ns = -EBADF };
	struct machine_msg msg = { .type = MACHINE_MSG_ENDED };
	struct err err = { 0 };
	usec_t started;
	int status;

	(void)prctl(PR_SET_NAME, "racker-monitor");
	(void)setsid();
	/* A racker that does not listen must not hold us up. */
	(void)fd_set_nonblock(sock, true);
	if (resources_register(res, 0, &err) < 0)
		fail(&w, &err);
	do {
		started = now_usec();
		boot(&w);
		monitor_drop_surroundings();
		status = serve(&w);
		end_boot(&w);
	} while (wants_reboot(&w, status) && prepare_reboot(&w, started));
	cleanup_close(&w.root_ns);
	/* Before all is cleared away, as after a kill: racker need not wait for that. */
	resources_free_name(res);
	exit_from_status(status, &msg.exit);
	copy_tail(&w, msg.tail);
	say(&w, &msg, -1);
	resources_release(res);
	_exit(0);
}
