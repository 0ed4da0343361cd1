// SPDX-License-Identifier: MIT
/*
 * The floor of a container's start: floor [-n] SCRATCH LOWER COMMAND... does the clone, the mounts and the pivot that `racker run` does,
 * then executes, waits, and does nothing else: no image, no checks, no message, no state. -n: a network namespace too.
 * SCRATCH is a directory to mount a tmpfs on.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUIET (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static void must(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
		_exit(125);
	}
}

static void mount_dev(void)
{
	static const struct {
		const char *path;
		unsigned int major, minor;
	} nodes[] = { { "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
		      { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };
	static const char *const links[][2] = {
		{ "pts/ptmx", "dev/ptmx" },	     { "/proc/self/fd", "dev/fd" },
		{ "/proc/self/fd/0", "dev/stdin" },  { "/proc/self/fd/1", "dev/stdout" },
		{ "/proc/self/fd/2", "dev/stderr" }, { "/proc/kcore", "dev/core" },
	};

	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"),
	     "/dev");
	umask(0);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		must(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)),
		     nodes[i].path);
	umask(022);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		must(symlink(links[i][0], links[i][1]), links[i][1]);
	must(mkdir("dev/pts", 0755), "mkdir");
	must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   "newinstance,ptmxmode=0666,mode=0620,gid=5"),
	     "/dev/pts");
	must(mkdir("dev/shm", 0755), "mkdir");
	must(mount("shm", "dev/shm", "tmpfs", QUIET, "mode=1777,size=65536k"), "/dev/shm");
	must(mkdir("dev/mqueue", 0755), "mkdir");
	must(mount("mqueue", "dev/mqueue", "mqueue", QUIET, NULL), "/dev/mqueue");
}

static void mount_files(void)
{
	static const char *const files[] = { "hosts", "hostname", "resolv.conf" };
	char source[64], target[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(source, sizeof(source), "../%s", files[i]);
		snprintf(target, sizeof(target), "etc/%s", files[i]);
		int fd = open(source, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		must(fd, source);
		must(write(fd, "127.0.0.1\tlocalhost\n", 20), source);
		close(fd);
		fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		must(fd, target);
		close(fd);
		must(mount(source, target, NULL, MS_BIND, NULL), target);
	}
}

static void hide(void)
{
	static const char *const masked[] = {
		"proc/acpi",
		"proc/asound",
		"proc/interrupts",
		"proc/kcore",
		"proc/keys",
		"proc/latency_stats",
		"proc/sched_debug",
		"proc/scsi",
		"proc/timer_list",
		"proc/timer_stats",
		"sys/devices/virtual/powercap",
		"sys/firmware",
	};
	static const char *const readonly[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys",
						"proc/sysrq-trigger" };
	struct stat st;

	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++) {
		if (stat(masked[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			must(mount("tmpfs", masked[i], "tmpfs", MS_RDONLY | QUIET, "nr_inodes=2"),
			     masked[i]);
		else
			must(mount("dev/null", masked[i], NULL, MS_BIND, NULL), masked[i]);
	}
	for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++) {
		if (stat(readonly[i], &st) < 0)
			continue;
		must(mount(readonly[i], readonly[i], NULL, MS_BIND, NULL), readonly[i]);
		must(mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | QUIET, NULL),
		     readonly[i]);
	}
}

static _Noreturn void child(const char *scratch, const char *lower, char **argv)
{
	char options[4096];

	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
	must(mount("tmpfs", scratch, "tmpfs", 0, "mode=700"), "scratch");
	must(chdir(scratch), "scratch");
	must(mkdir("upper", 0755) | mkdir("work", 0755) | mkdir("root", 0755), "mkdir");
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=upper,workdir=work,volatile",
		 lower);
	must(mount("overlay", "root", "overlay", 0, options), "overlay");
	must(chdir("root"), "root");
	mkdir("proc", 0755);
	mkdir("sys", 0755);
	mkdir("dev", 0755);
	mkdir("etc", 0755);
	must(mount("proc", "proc", "proc", QUIET, NULL), "/proc");
	mount_dev();
	must(mount("sysfs", "sys", "sysfs", QUIET | MS_RDONLY, NULL), "/sys");
	/* Not every host lets a cgroup2 be mounted; racker does without it there, and so do we. */
	(void)mount("cgroup2", "sys/fs/cgroup", "cgroup2", QUIET | MS_RDONLY, NULL);
	mount_files();
	hide();
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount");
	must(chdir("/"), "chdir");
	execv(argv[0], argv);
	must(-1, argv[0]);
	_exit(127);
}

/* A cgroup of our own in the cgroup2 hierarchy. Return: fd, or -1 where there is none */
static int cgroup_make(char *path, size_t size)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, size, "%s/cgroup.procs", roots[i]);
		if (access(path, F_OK) < 0)
			continue;
		snprintf(path, size, "%s/bench-floor-%d", roots[i], getpid());
		if (mkdir(path, 0755) == 0)
			return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS |
					    CLONE_NEWIPC | CLONE_NEWCGROUP,
				   .exit_signal = SIGCHLD };
	char cgroup[256];
	int status = 0, first = 1;

	if (argc > 1 && !strcmp(argv[1], "-n")) {
		args.flags |= CLONE_NEWNET;
		first++;
	}
	if (argc < first + 3)
		return 2;
	int cgroup_fd = cgroup_make(cgroup, sizeof(cgroup));
	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)cgroup_fd;
	}
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	must(pid, "clone3");
	if (pid == 0)
		child(argv[first], argv[first + 1], argv + first + 2);
	must(waitpid(pid, &status, 0), "wait");
	if (cgroup_fd >= 0)
		rmdir(cgroup);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
