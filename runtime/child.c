// SPDX-License-Identifier: MIT
/*
 * The container's side of a start (see child.h).
 *
 * The process was cloned into its namespaces and its cgroup, with a copy of the parent's memory. Each stage either succeeds or fills one error,
 * which goes to the parent over the control socket; the process exits then, and with it the namespaces and all mounts. After the last stage
 * the command is executed, which closes the socket: the parent takes that as success. Order matters:
 *
 *	parent-death, sources	host paths are opened while they can still be seen, and as the host's root
 *	userns			from here on we are root of the container's own user namespace, if it has one, and nobody outside
 *	rootfs ... pivot	as root with all capabilities, since targets are made and devices created
 *	machine			what a machine's init finds in /run
 *	user, workdir		looked up inside, by the image's own files
 *	bounding, seccomp	need the privileges that the next stage gives up
 *	credentials		from here on this is the container's user
 *	go			the parent has registered the container and attached the device filter
 *	exec			all fds but 0, 1, 2 close; the stub program takes over and executes the command
 */
#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/sigreset.h"
#include "base/strv.h"
#include "runtime/become.h"
#include "runtime/boot_tree.h"
#include "runtime/command.h"
#include "runtime/console.h"
#include "runtime/ctl.h"
#include "runtime/fault.h"
#include "runtime/mount_exec.h"
#include "runtime/rootfs.h"
#include "runtime/stub.h"
#include "runtime/user.h"

#define CHILD_FAILED 125 /* exit code nobody sees: the error went over the control socket */

struct child {
	const struct child_request *req;
	const struct container_spec *spec;
	struct mount_exec mounts;
	int scratch_dir_fd; /* the host's directory that the scratch file system is mounted on */
	int scratch_fd, root_fd, stub_fd;
	struct user_ids user;
	char **env;
};

/* The container ends when racker is killed. A set-user-ID command loses this, and any command can give it up; the next start sweeps those. */
static int stage_parent_death(struct child *c, struct err *err)
{
	return become_tied(c->req->ctl_fd, err);
}

static int stage_sources(struct child *c, struct err *err)
{
	int r = rootfs_private(err);

	if (r < 0)
		return r;
	(void)umask(0);
	c->scratch_dir_fd = open(c->req->scratch_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->scratch_dir_fd < 0)
		return err_sys(err, ERR_SYSTEM, "open %s", QUOTE(c->req->scratch_dir));
	if (!c->req->mounts)
		return mount_exec_begin(c->req->plan, &c->mounts, err);
	c->mounts = *c->req->mounts;
	return 0;
}

/* Up to here we have been the host's root, with capabilities in the new namespace alone. */
static int stage_userns(struct child *c, struct err *err)
{
	struct ctl_msg msg;
	int fd;

	if (!c->spec->userns)
		return 0;
	if (ctl_recv(c->req->ctl_fd, &msg, &fd) != 1 || msg.type != CTL_MAPPED)
		return err_set(err, ERR_SYSTEM, -ECANCELED, "the start was called off");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "become root of the user namespace");
	/* Changing the user forgot it. */
	return become_tied(c->req->ctl_fd, err);
}

static int stage_rootfs(struct child *c, struct err *err)
{
	const struct rootfs_request req = { .scratch_dir_fd = c->scratch_dir_fd,
					    .lower_dirs = c->spec->lower_dirs,
					    .nodev = c->req->nodev,
					    .userns_fd = -EBADF,
					    .root_fd = c->req->root_fd,
					    .root_ns_fd = c->req->root_ns_fd };

	return rootfs_mount(&req, &c->scratch_fd, &c->root_fd, err);
}

static int stage_mounts(struct child *c, struct err *err)
{
	c->mounts.root_fd = c->root_fd;
	c->mounts.scratch_fd = c->scratch_fd;
	return mount_exec_run(&c->mounts, err);
}

static int bring_up_loopback(struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return err_sys(err, ERR_SYSTEM, "bring up the loopback interface");
	return 0;
}

/* Docker's settings of a private network namespace: anyone may ping and use low ports there. A kernel without one of them does without. */
static void set_net_sysctls(void)
{
	static const char *const settings[][2] = {
		{ "/proc/sys/net/ipv4/ping_group_range", "0 2147483647" },
		{ "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		AUTO_CLOSE int fd = open(settings[i][0], O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)!write(fd, settings[i][1], strlen(settings[i][1]));
	}
}

static int stage_identity(struct child *c, struct err *err)
{
	if (c->spec->hostname && c->spec->namespaces[NS_UTS] == NAMESPACE_NEW &&
	    sethostname(c->spec->hostname, strlen(c->spec->hostname)) < 0)
		return err_sys(err, ERR_SYSTEM, "set host name %s", QUOTE(c->spec->hostname));
	/* The caller's session keyring may hold secrets; where keyrings are not to be had there are none to hide. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (c->spec->namespaces[NS_NET] != NAMESPACE_NEW)
		return 0;
	set_net_sysctls();
	return bring_up_loopback(err);
}

static int stage_pivot(struct child *c, struct err *err)
{
	return rootfs_pivot(c->root_fd, err);
}

static int stage_machine(struct child *c, struct err *err)
{
	const struct ctl_msg msg = { .type = CTL_NOTIFY };
	AUTO_CLOSE int sock = -EBADF;
	int r;

	if (!c->spec->boot)
		return 0;
	sock = boot_tree_make(c->spec->boot, err);
	if (sock < 0)
		return MOVE_FD(sock);
	r = ctl_send(c->req->ctl_fd, &msg, sock);
	return r < 0 ? err_set(err, ERR_SYSTEM, r, "hand over the readiness socket: %s",
			       strerror(-r)) :
		       0;
}

static int stage_user(struct child *c, struct err *err)
{
	int r = user_lookup(c->root_fd, c->spec->user, &c->user, err);

	return r < 0 ? r : become_env(c->spec->env, &c->user, &c->env, err);
}

static int stage_stub(struct child *c, struct err *err)
{
	c->stub_fd = stub_place(c->scratch_fd, err);
	return c->stub_fd < 0 ? c->stub_fd : 0;
}

static int stage_workdir(struct child *c, struct err *err)
{
	return become_in(c->root_fd, c->spec->workdir, err);
}

static int stage_stdio(struct child *c, struct err *err)
{
	const struct ctl_msg msg = { .type = CTL_PTY };
	int r;

	if (setsid() < 0)
		return err_sys(err, ERR_SYSTEM, "start a session");
	if (!c->spec->tty && !c->spec->boot)
		return c->spec->interactive ? 0 : become_without_stdin(err);
	if (c->req->winsize && ioctl(c->mounts.pty_slave, TIOCSWINSZ, c->req->winsize) < 0)
		return err_sys(err, ERR_SYSTEM, "set the size of the pseudo-terminal");
	r = ctl_send(c->req->ctl_fd, &msg, c->mounts.pty_master);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "hand over the pseudo-terminal: %s",
			       strerror(-r));
	/* A machine's init gives its console to whom it sees fit; a Ctrl-C typed there is not meant for PID 1. */
	if (c->spec->boot)
		return console_use(c->mounts.pty_slave, err);
	return console_attach(c->mounts.pty_slave, c->user.uid, err);
}

static int stage_bounding(struct child *c, struct err *err)
{
	return become_bounded(&c->user, &c->req->caps, c->spec->no_new_privs, err);
}

static int stage_seccomp(struct child *c, struct err *err)
{
	return c->req->filters ? seccomp_install(c->req->filters, err) : 0;
}

static int stage_credentials(struct child *c, struct err *err)
{
	return become_user(&c->user, &c->req->caps, err);
}

/* The parent does its own part of the start meanwhile; without it (or without the parent) nothing of the image may run. */
static int stage_go(struct child *c, struct err *err)
{
	struct ctl_msg msg;
	int fd, r = ctl_recv(c->req->ctl_fd, &msg, &fd);

	if (r == 1 && msg.type == CTL_GO)
		return 0;
	return err_set(err, ERR_SYSTEM, -ECANCELED, "the start was called off");
}

/* The init that an image has, where no command names it (the places where nspawn and the kernel look). */
static int find_init(char **ret_path, struct err *err)
{
	static const char *const places[] = { "/sbin/init", "/usr/sbin/init",
					      "/usr/lib/systemd/systemd", "/lib/systemd/systemd",
					      "/bin/init" };
	static char *const no_env[] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (command_find(places[i], no_env, ret_path, NULL) >= 0)
			return 0;
	return err_set(err, ERR_NO_INIT, -ENOENT,
		       "the image has no init (such as systemd) to boot");
}

static int stage_exec(struct child *c, struct err *err)
{
	struct stub_command cmd = {
		.argv = c->spec->argv, .env = c->env, .init = c->spec->init, .tty = c->spec->tty
	};
	AUTO_FREE char *path = NULL;
	char *found[] = { NULL, NULL };
	bool named = strv_len(c->spec->argv) > 0;
	int r = named ? command_find(c->spec->argv[0], c->env, &path, err) : find_init(&path, err);

	if (r < 0)
		return r;
	if (!named) {
		found[0] = path;
		cmd.argv = found;
	}
	cmd.path = path;
	/* What racker itself ignores (nohup) is not the container's business. */
	sigreset_all();
	return stub_exec(c->stub_fd, c->req->ctl_fd, &cmd, err);
}

static const struct {
	const char *name;
	int (*run)(struct child *c, struct err *err);
} stages[] = {
	{ "parent-death", stage_parent_death },
	{ "sources", stage_sources },
	{ "userns", stage_userns },
	{ "rootfs", stage_rootfs },
	{ "mounts", stage_mounts },
	{ "identity", stage_identity },
	{ "pivot", stage_pivot },
	{ "machine", stage_machine },
	{ "user", stage_user },
	{ "workdir", stage_workdir },
	{ "stub", stage_stub },
	{ "stdio", stage_stdio },
	{ "bounding", stage_bounding },
	{ "seccomp", stage_seccomp },
	{ "credentials", stage_credentials },
	{ "go", stage_go },
	{ "exec", stage_exec },
};

const char *child_stage_name(unsigned int stage)
{
	return stage < ARRAY_SIZE(stages) ? stages[stage].name : "?";
}

unsigned int child_stage_count(void)
{
	return (unsigned int)ARRAY_SIZE(stages);
}

_Noreturn void child_main(const struct child_request *req)
{
	struct child c = { .req = req,
			   .spec = req->spec,
			   .scratch_fd = -EBADF,
			   .root_fd = -EBADF,
			   .stub_fd = -EBADF };
	struct ctl_msg msg = { 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(stages); i++) {
		int r;

		*req->stage = i;
		r = fault_check(stages[i].name, &msg.err);
		if (r == 0)
			r = stages[i].run(&c, &msg.err);
		if (r < 0) {
			msg.type = CTL_ERROR;
			msg.stage = i;
			(void)ctl_send(req->ctl_fd, &msg, -1);
			break;
		}
	}
	_exit(CHILD_FAILED);
}
