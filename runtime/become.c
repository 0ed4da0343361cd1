// SPDX-License-Identifier: MIT
/* What every process of a container goes through before its command (see become.h). */
#include "runtime/become.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path_at.h"
#include "base/quote.h"
#include "base/strv.h"
#include "runtime/caps.h"
#include "runtime/container_spec.h"

#define PARENT_DIED 125 /* exit code nobody sees */

int become_tied(int ctl_fd, struct err *err)
{
	char byte;
	ssize_t n;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(err, ERR_SYSTEM, "tie the container's life to racker's");
	/* It may have died before; there is no getppid() across PID namespaces, but its socket tells: end of file, or ECONNRESET. */
	n = recv(ctl_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		_exit(PARENT_DIED);
	return 0;
}

int become_env(char *const *env, const struct user_ids *ids, char ***ret, struct err *err)
{
	const char *home = strv_env_get(env, "HOME");
	AUTO_FREE char *assignment = NULL;

	if (strv_copy(env, ret) < 0)
		return err_oom(err);
	if (home && *home)
		return 0;
	if (asprintf(&assignment, "HOME=%s", ids->home) < 0) {
		assignment = NULL;
		return err_oom(err);
	}
	return strv_env_set(ret, assignment) < 0 ? err_oom(err) : 0;
}

int become_in(int root_fd, const char *dir, struct err *err)
{
	const char *wanted = dir && *dir ? dir : "/";
	AUTO_CLOSE int fd = path_at_open(root_fd, wanted, O_PATH | O_DIRECTORY, 0);
	char cwd[PATH_MAX];

	if (fd < 0 || fchdir(fd) < 0) {
		errno = fd < 0 ? -fd : errno;
		return err_sys(err, ERR_SYSTEM, "enter working directory %s", QUOTE(wanted));
	}
	/* Outside of the root the kernel says "(unreachable)/..." (CVE-2024-21626). */
	if (!getcwd(cwd, sizeof(cwd)) || cwd[0] != '/')
		return err_set(err, ERR_SYSTEM, -EXDEV, "working directory %s leads outside",
			       QUOTE(wanted));
	return 0;
}

int become_without_stdin(struct err *err)
{
	AUTO_CLOSE int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open /dev/null");
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(err, ERR_SYSTEM, -ENODEV, "/dev/null is not the null device");
	if (dup2(fd, STDIN_FILENO) < 0)
		return err_sys(err, ERR_SYSTEM, "close stdin");
	return 0;
}

int become_bounded(const struct user_ids *ids, const struct cap_sets *caps, bool no_new_privs,
		   struct err *err)
{
	int r = caps_apply_bounding(caps->bounding, err);

	if (r < 0)
		return r;
	if (setgroups(ids->n_groups, ids->groups) < 0)
		return err_sys(err, ERR_SYSTEM, "set supplementary groups");
	if (setresgid(ids->gid, ids->gid, ids->gid) < 0)
		return err_sys(err, ERR_SYSTEM, "become group %u", ids->gid);
	if (no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "set no_new_privs");
	return 0;
}

int become_user(const struct user_ids *ids, const struct cap_sets *caps, struct err *err)
{
	struct cap_sets sets = *caps;
	int r;

	if (setresuid(ids->uid, ids->uid, ids->uid) < 0)
		return err_sys(err, ERR_SYSTEM, "become user %u", ids->uid);
	/* As docker: another user than root starts with the bounding set alone. */
	if (ids->uid != 0)
		sets.effective = sets.permitted = sets.inheritable = sets.ambient = 0;
	r = caps_apply_sets(&sets, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(err, ERR_SYSTEM, "tie the container's life to racker's");
	(void)umask(0022);
	return 0;
}
