// SPDX-License-Identifier: MIT
/* Asking a machine to end or to boot again (see machine_power.h). */
#include "runtime/machine_power.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/quote.h"
#include "runtime/exec.h"

/* By the file that PID 1 executes, which no image can make look like another. */
static bool is_systemd(pid_t pid)
{
	char path[64], exe[PATH_MAX];
	const char *name;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return false;
	exe[n] = '\0';
	name = strrchr(exe, '/');
	return name && strcmp(name, "/systemd") == 0;
}

static int ask_program(const struct container_state *m, enum machine_power what,
		       const char *cache_dir, struct err *err)
{
	static char poweroff[] = "poweroff", reboot[] = "reboot";
	char *const argv[] = { what == MACHINE_POWER_OFF ? poweroff : reboot, NULL };
	const struct exec_request req = { .container = m,
					  .cache_dir = cache_dir,
					  .argv = argv,
					  .env = m->env,
					  .workdir = "/",
					  .user = "root",
					  .detach = true };
	struct exit_info info;
	int r = exec_run(&req, -EBADF, &info, err);

	return r < 0 ? err_prefix(err, r, "ask the init of machine %s", QUOTE_PLAIN(m->name)) : 0;
}

int machine_power(const struct container_state *m, int pidfd, enum machine_power what,
		  const char *cache_dir, struct err *err)
{
	int r;

	if (!is_systemd(m->pid))
		return ask_program(m, what, cache_dir, err);
	r = fd_pidfd_signal(pidfd, what == MACHINE_POWER_OFF ? SIGRTMIN + 4 : SIGRTMIN + 5);
	if (r >= 0 || r == -ESRCH)
		return 0;
	errno = -r;
	return err_sys(err, ERR_SYSTEM, "signal machine %s", QUOTE_PLAIN(m->name));
}
