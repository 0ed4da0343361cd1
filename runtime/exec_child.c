// SPDX-License-Identifier: MIT
/*
 * A command that joins a running container (see exec_child.h). Actors: racker, this process, and the command's.
 *
 *	racker	-- clone3 into the cgroup -->  this process  -- clone, by the stub -->  the command
 *
 * This process joins all namespaces but one: a PID namespace is for children only. So nothing in the container, whatever its capabilities, sees
 * a process that runs racker's own program, or gets at the host's file of it (CVE-2019-5736). It gives up what it must, and executes the stub
 * from sealed memory; that makes the command's process inside, as a child of racker, and goes. Order matters:
 *
 *	join			the user namespace too: from here on its root
 *	user, workdir		by the container's own files
 *	stdio			a pty of the container's devpts, handed to racker
 *	bounding, seccomp	need the privileges that the next stage gives up
 *	credentials		from here on this is the user that was asked for
 *	exec			all fds but 0, 1, 2 close; the stub takes over
 *
 * The container is hostile and its files may be anything: racker does not wait for ever (exec.c).
 */
#include "runtime/exec_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path_at.h"
#include "base/quote.h"
#include "base/sigreset.h"
#include "runtime/become.h"
#include "runtime/command.h"
#include "runtime/console.h"
#include "runtime/ctl.h"
#include "runtime/fault.h"
#include "runtime/stub.h"

#define CHILD_FAILED 125 /* exit code nobody sees: the error went over the control socket */
#define PTY_MODE 0620

struct child {
	const struct exec_child *req;
	int root_fd;
	struct user_ids user;
	char **env;
};

static int stage_parent_death(struct child *c, struct err *err)
{
	/* While we have it open ourselves, its closing would not show. */
	(void)close(c->req->parent_ctl_fd);
	return become_tied(c->req->ctl_fd, err);
}

static int stage_join(struct child *c, struct err *err)
{
	/* One call for all of them (Linux 5.8): by the pidfd, so of the process that was checked and no other. */
	if (setns(c->req->pidfd, c->req->namespaces) < 0)
		return errno == ESRCH ?
			       err_set(err, ERR_NOT_FOUND, -ESRCH, "the container has just ended") :
			       err_sys(err, ERR_SYSTEM, "join the container's namespaces");
	/* Whom we were has no meaning in another user namespace; its root is what this process is from now on. */
	if ((c->req->namespaces & CLONE_NEWUSER) &&
	    (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return err_sys(err, ERR_SYSTEM, "become root of the container's user namespace");
	/* The caller's session keyring may hold secrets; where keyrings are not to be had there are none to hide. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	c->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c->root_fd < 0 ? err_sys(err, ERR_SYSTEM, "open the container's root") : 0;
}

/* Docker calls these failures of the command's start, not of racker. */
static int denied(struct err *err, int r)
{
	if (r < 0 && err)
		err->kind = ERR_EXEC_DENIED;
	return r;
}

static int stage_user(struct child *c, struct err *err)
{
	int r = user_lookup(c->root_fd, c->req->user, &c->user, err);

	return r < 0 ? denied(err, r) : become_env(c->req->env, &c->user, &c->env, err);
}

static int stage_workdir(struct child *c, struct err *err)
{
	int r = become_in(c->root_fd, c->req->workdir, NULL);

	if (r < 0)
		return err_set(err, ERR_EXEC_DENIED, r, "chdir to cwd (%s) failed: %s",
			       QUOTE(c->req->workdir),
			       r == -ENOENT ? "no such file or directory" : strerror(-r));
	return 0;
}

/* By the file system that it is, not by what lies at the path. */
static int open_devpts(const struct child *c, struct err *err)
{
	AUTO_CLOSE int fd = path_at_open(c->root_fd, "/dev/pts", O_PATH | O_DIRECTORY, 0);
	struct statfs fs;

	if (fd < 0) {
		errno = -fd;
		return err_sys(err, ERR_SYSTEM, "open the container's /dev/pts");
	}
	if (fstatfs(fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(err, ERR_SYSTEM, -ENODEV,
			       "the container's /dev/pts holds no pseudo-terminals");
	return MOVE_FD(fd);
}

static int use_pty(const struct child *c, struct err *err)
{
	const struct ctl_msg msg = { .type = CTL_PTY };
	AUTO_CLOSE int pts = open_devpts(c, err);
	AUTO_CLOSE int master = -EBADF, slave = -EBADF;
	int r;

	if (pts < 0)
		return MOVE_FD(pts);
	r = console_open(pts, &master, &slave, err);
	if (r < 0)
		return r;
	if (c->req->winsize && ioctl(slave, TIOCSWINSZ, c->req->winsize) < 0)
		return err_sys(err, ERR_SYSTEM, "set the size of the pseudo-terminal");
	if (fchown(slave, c->user.uid, (gid_t)-1) < 0 || fchmod(slave, PTY_MODE) < 0)
		return err_sys(err, ERR_SYSTEM, "hand the pseudo-terminal to user %u", c->user.uid);
	r = ctl_send(c->req->ctl_fd, &msg, master);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "hand over the pseudo-terminal: %s",
			       strerror(-r));
	return console_use(slave, err);
}

static int stage_stdio(struct child *c, struct err *err)
{
	int r;

	if (c->req->tty)
		return use_pty(c, err);
	if (c->req->interactive)
		return 0;
	r = become_without_stdin(err);
	if (r == 0 && c->req->detached &&
	    (dup2(STDIN_FILENO, STDOUT_FILENO) < 0 || dup2(STDIN_FILENO, STDERR_FILENO) < 0))
		return err_sys(err, ERR_SYSTEM, "close stdout and stderr");
	return r;
}

static int stage_bounding(struct child *c, struct err *err)
{
	return become_bounded(&c->user, &c->req->caps, c->req->no_new_privs, err);
}

static int stage_seccomp(struct child *c, struct err *err)
{
	return c->req->filters ? seccomp_install(c->req->filters, err) : 0;
}

static int stage_credentials(struct child *c, struct err *err)
{
	return become_user(&c->user, &c->req->caps, err);
}

static int stage_exec(struct child *c, struct err *err)
{
	struct stub_command cmd = {
		.argv = c->req->argv, .env = c->env, .join = true, .tty = c->req->tty
	};
	AUTO_FREE char *path = NULL;
	int r = command_find(c->req->argv[0], c->env, &path, err);

	if (r < 0)
		return r;
	cmd.path = path;
	sigreset_all();
	return stub_exec(c->req->stub_fd, c->req->ctl_fd, &cmd, err);
}

static const struct {
	const char *name;
	int (*run)(struct child *c, struct err *err);
} stages[] = {
	{ "exec-parent-death", stage_parent_death },
	{ "exec-join", stage_join },
	{ "exec-user", stage_user },
	{ "exec-workdir", stage_workdir },
	{ "exec-stdio", stage_stdio },
	{ "exec-bounding", stage_bounding },
	{ "exec-seccomp", stage_seccomp },
	{ "exec-credentials", stage_credentials },
	{ "exec-exec", stage_exec },
};

const char *exec_child_stage_name(unsigned int stage)
{
	return stage < ARRAY_SIZE(stages) ? stages[stage].name : "?";
}

_Noreturn void exec_child_main(const struct exec_child *req)
{
	struct child c = { .req = req, .root_fd = -EBADF };
	struct ctl_msg msg = { .type = CTL_ERROR };

	for (unsigned int i = 0; i < ARRAY_SIZE(stages); i++) {
		int r = fault_check(stages[i].name, &msg.err);

		if (r == 0)
			r = stages[i].run(&c, &msg.err);
		if (r < 0) {
			msg.stage = i;
			(void)ctl_send(req->ctl_fd, &msg, -1);
			break;
		}
	}
	_exit(CHILD_FAILED);
}
