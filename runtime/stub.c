// SPDX-License-Identifier: MIT
/* The stub program inside racker (see stub.h). The Makefile builds it first, as build/stub. */
#include "runtime/stub.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strv.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* linux/memfd.h since 6.3 */
#endif

extern const char stub_program[];
extern const uint64_t stub_program_len;

__asm__(".pushsection .rodata\n"
	"stub_program: .incbin \"build/stub\"\n"
	"0: .balign 8\n"
	"stub_program_len: .8byte 0b - stub_program\n"
	".popsection\n");

int stub_place(int dir_fd, struct err *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, "init", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0555);
	int r;

	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "make the container's init");
	r = fd_write_full(fd, stub_program, (size_t)stub_program_len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "write the container's init: %s", strerror(-r));
	r = openat(dir_fd, "init", O_PATH | O_CLOEXEC);
	return r < 0 ? err_sys(err, ERR_SYSTEM, "open the container's init") : r;
}

/* Linux 6.3 wants to be told that it is to be executed; before, it is not known. */
static int make_memory(void)
{
	int fd = memfd_create("racker-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("racker-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

int stub_in_memory(struct err *err)
{
	AUTO_CLOSE int fd = make_memory();
	int r;

	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "make memory for the command's start");
	r = fd_write_full(fd, stub_program, (size_t)stub_program_len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "copy the command's start: %s", strerror(-r));
	if (fchmod(fd, 0555) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(err, ERR_SYSTEM, "seal the command's start");
	return MOVE_FD(fd);
}

/* Every fd but 0, 1, 2 closes on exec, save the control socket, which gets the number that the stub knows. */
static int arrange_fds(int *stub_fd, int ctl_fd, struct err *err)
{
	/* Out of the way of STUB_CTL_FD first. */
	int ctl = fcntl(ctl_fd, F_DUPFD_CLOEXEC, STUB_CTL_FD + 1);
	int r;

	*stub_fd = fcntl(*stub_fd, F_DUPFD_CLOEXEC, STUB_CTL_FD + 1);
	if (ctl < 0 || *stub_fd < 0)
		return err_sys(err, ERR_SYSTEM, "arrange file descriptors");
	r = fd_cloexec_from(STDERR_FILENO + 1);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "close file descriptors: %s", strerror(-r));
	if (dup2(ctl, STUB_CTL_FD) < 0)
		return err_sys(err, ERR_SYSTEM, "arrange file descriptors");
	return 0;
}

static const char *options(const struct stub_command *cmd)
{
	if (cmd->init)
		return cmd->tty ? STUB_INIT STUB_TTY : STUB_INIT;
	if (cmd->join)
		return cmd->tty ? STUB_JOIN STUB_TTY : STUB_JOIN;
	return STUB_PLAIN;
}

int stub_exec(int stub_fd, int ctl_fd, const struct stub_command *cmd, struct err *err)
{
	static char *const nothing[] = { NULL };
	size_t n = strv_len(cmd->argv);
	const char **argv = calloc(n + 4, sizeof(*argv));
	int r;

	if (!argv)
		return err_oom(err);
	r = arrange_fds(&stub_fd, ctl_fd, err);
	if (r == 0) {
		argv[0] = "racker-init";
		argv[1] = options(cmd);
		argv[2] = cmd->path;
		memcpy(argv + 3, cmd->argv, n * sizeof(*argv));
		(void)syscall(SYS_execveat, stub_fd, "", argv, cmd->env ? cmd->env : nothing,
			      AT_EMPTY_PATH);
		r = err_sys(err, ERR_EXEC_DENIED, "start the command");
	}
	free(argv);
	return r;
}
