// SPDX-License-Identifier: MIT
// The one program of the tests' smallest image: tells from inside what a container is, and ends in every way a program can.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "payload.h"

static const char *errno_name(int error)
{
	return error ? strerrorname_np(error) : "OK";
}

static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

static int cmd_hello(char **args)
{
	(void)args;
	puts("Hello from a container with nothing in it but this program.");
	return 0;
}

static int cmd_exit(char **args)
{
	return args[0] ? atoi(args[0]) : 0;
}

/* As PID 1 the kernel ignores it, as docker's users know: then the exit code is 0. */
static int cmd_signal(char **args)
{
	kill(getpid(), args[0] ? atoi(args[0]) : SIGTERM);
	return 0;
}

static int cmd_spin(char **args)
{
	(void)args;
	say_ready();
	while (pause() < 0)
		;
	return 0;
}

static volatile sig_atomic_t caught;

static void on_signal(int signo)
{
	caught = signo;
}

/* trap SIGNAL CODE: exit with CODE once SIGNAL has come; trap all: say each signal's number, until SIGTERM */
static int cmd_trap(char **args)
{
	bool all = args[0] && !strcmp(args[0], "all");

	for (int s = 1; s < NSIG; s++)
		if (all || (args[0] && atoi(args[0]) == s))
			signal(s, on_signal);
	say_ready();
	for (;;) {
		if (!caught)
			poll(NULL, 0, 20);
		if (!caught)
			continue;
		printf("caught %d\n", (int)caught);
		fflush(stdout);
		if (!all)
			return args[1] ? atoi(args[1]) : 0;
		if (caught == SIGTERM)
			return 0;
		caught = 0;
	}
}

static int cmd_cat(char **args)
{
	char buf[65536];
	ssize_t n;

	for (size_t i = 0; i == 0 || args[i]; i++) {
		bool in = !args[i] || !strcmp(args[i], "-");
		int fd = in ? STDIN_FILENO : open(args[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			printf("%s: %s\n", args[i], errno_name(errno));
			return 1;
		}
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			if (write(STDOUT_FILENO, buf, (size_t)n) != n)
				return 1;
		if (n < 0) {
			printf("%s: %s\n", args[i] ? args[i] : "-", errno_name(errno));
			return 1;
		}
		if (!args[i])
			break;
	}
	return 0;
}

static int cmd_status(char **args)
{
	char line[1024];
	FILE *f = fopen("/proc/self/status", "re");

	if (!f)
		return 1;
	while (fgets(line, sizeof(line), f))
		for (size_t i = 0; args[i]; i++)
			if (!strncmp(line, args[i], strlen(args[i])) &&
			    line[strlen(args[i])] == ':')
				fputs(line, stdout);
	fclose(f);
	return 0;
}

static int cmd_ids(char **args)
{
	gid_t groups[128];
	int n = getgroups(128, groups);

	(void)args;
	printf("uid=%u euid=%u gid=%u egid=%u groups=", getuid(), geteuid(), getgid(), getegid());
	for (int i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", groups[i]);
	putchar('\n');
	return 0;
}

/* Open fds, asked of the kernel one by one: opening /proc/self/fd would be one more. */
static int cmd_fds(char **args)
{
	(void)args;
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d\n", fd);
	return 0;
}

static int cmd_env(char **args)
{
	(void)args;
	for (char **e = environ; *e; e++)
		puts(*e);
	return 0;
}

static int cmd_args(char **args)
{
	for (size_t i = 0; args[i]; i++)
		printf("[%s]\n", args[i]);
	return 0;
}

static int cmd_cwd(char **args)
{
	char buf[4096];

	(void)args;
	puts(getcwd(buf, sizeof(buf)) ? buf : errno_name(errno));
	return 0;
}

static int cmd_hostname(char **args)
{
	char buf[256] = "";

	(void)args;
	gethostname(buf, sizeof(buf) - 1);
	puts(buf);
	return 0;
}

static int cmd_ns(char **args)
{
	static const char *const kinds[] = { "cgroup", "ipc", "mnt", "net", "pid", "uts", "user" };
	char path[64], link[128];

	(void)args;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		ssize_t n = readlink(path, link, sizeof(link) - 1);
		link[n < 0 ? 0 : n] = '\0';
		printf("%s %s\n", kinds[i], link);
	}
	return 0;
}

static int cmd_stat(char **args)
{
	struct stat st;

	for (size_t i = 0; args[i]; i++) {
		char link[4096] = "";

		if (lstat(args[i], &st) < 0) {
			printf("%s: %s\n", args[i], errno_name(errno));
			continue;
		}
		if (S_ISLNK(st.st_mode) && readlink(args[i], link, sizeof(link) - 1) < 0)
			return 1;
		printf("%s mode=%o uid=%u gid=%u size=%lld rdev=%u:%u%s%s\n", args[i], st.st_mode,
		       st.st_uid, st.st_gid, (long long)st.st_size, major(st.st_rdev),
		       minor(st.st_rdev), link[0] ? " -> " : "", link);
	}
	return 0;
}

static int cmd_ls(char **args)
{
	struct dirent **list = NULL;
	int n = scandir(args[0], &list, NULL, alphasort);

	if (n < 0) {
		printf("%s: %s\n", args[0], errno_name(errno));
		return 1;
	}
	for (int i = 0; i < n; i++) {
		if (strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0)
			puts(list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return 0;
}

/* How each path takes a write; nothing is written to what was there. */
static int cmd_writable(char **args)
{
	for (size_t i = 0; args[i]; i++) {
		int fd = open(args[i], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

		printf("%s %s\n", args[i], errno_name(fd < 0 ? errno : 0));
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static int cmd_write(char **args)
{
	FILE *f = fopen(args[0], "we");

	if (!f || fputs(args[1], f) < 0 || fclose(f) != 0) {
		printf("%s: %s\n", args[0], errno_name(errno));
		return 1;
	}
	return 0;
}

static int cmd_mkdir(char **args)
{
	printf("%s\n", errno_name(mkdir(args[0], 0755) < 0 ? errno : 0));
	return 0;
}

/* rename A B, and unlink A */
static int cmd_rename(char **args)
{
	printf("%s\n", errno_name(rename(args[0], args[1]) < 0 ? errno : 0));
	return 0;
}

static int cmd_unlink(char **args)
{
	printf("%s\n", errno_name(unlink(args[0]) < 0 ? errno : 0));
	return 0;
}

static int cmd_statfs(char **args)
{
	struct statfs fs;

	if (statfs(args[0], &fs) < 0) {
		puts(errno_name(errno));
		return 1;
	}
	printf("type=%lx bytes=%llu\n", (unsigned long)fs.f_type,
	       (unsigned long long)fs.f_blocks * (unsigned long long)fs.f_bsize);
	return 0;
}

static int cmd_mknod(char **args)
{
	int r = mknod(args[0], S_IFCHR | 0600,
		      makedev((unsigned)atoi(args[1]), (unsigned)atoi(args[2])));

	printf("mknod %s\n", errno_name(r < 0 ? errno : 0));
	if (r < 0)
		return 0;
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);
	printf("open %s\n", errno_name(fd < 0 ? errno : 0));
	return 0;
}

/* Push a byte into the caller's terminal (CVE-2017-5226) and the console's selection. */
static int cmd_tiocsti(char **args)
{
	char c = 'x', paste = 3 /* TIOCL_PASTESEL */;

	(void)args;
	printf("TIOCSTI %s\n", errno_name(ioctl(STDIN_FILENO, TIOCSTI, &c) < 0 ? errno : 0));
	printf("TIOCLINUX %s\n",
	       errno_name(ioctl(STDIN_FILENO, TIOCLINUX, &paste) < 0 ? errno : 0));
	return 0;
}

static void report(const char *name, long result)
{
	printf("%s %s\n", name, errno_name(result < 0 ? errno : 0));
}

/* Calls that docker's default policy refuses, and some that it lets through. */
static int cmd_syscalls(char **args)
{
	char buf[8] = "";

	(void)args;
	report("unshare-user", unshare(CLONE_NEWUSER));
	report("unshare-mount", unshare(CLONE_NEWNS));
	report("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
	report("umount", umount2("/proc", MNT_DETACH));
	report("pivot_root", syscall(SYS_pivot_root, ".", "."));
	report("setns", setns(STDIN_FILENO, 0));
	report("clone3", syscall(SYS_clone3, buf, sizeof(buf)));
	report("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	report("add_key", syscall(SYS_add_key, "user", "a", "b", 1, -3));
	report("bpf", syscall(SYS_bpf, 0, buf, sizeof(buf)));
	report("perf_event_open", syscall(SYS_perf_event_open, buf, 0, -1, -1, 0));
	report("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	report("init_module", syscall(SYS_init_module, buf, 0, ""));
	report("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
	report("swapon", syscall(SYS_swapon, "/x", 0));
	report("settimeofday", syscall(SYS_settimeofday, NULL, buf));
	report("userfaultfd", syscall(SYS_userfaultfd, 0));
	report("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, buf, 0));
	report("personality-addr-no-randomize", personality(ADDR_NO_RANDOMIZE));
	report("socket-vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	report("socket-alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
	report("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
	report("socket-inet", socket(AF_INET, SOCK_STREAM, 0));
	report("chroot", chroot("/"));
	report("sethostname", sethostname("x", 1));
	report("getpid", getpid());
	return 0;
}

static int cmd_tty(char **args)
{
	struct winsize size = { 0 };

	(void)args;
	for (int fd = 0; fd < 3; fd++) {
		char name[64] = "";

		printf("fd%d %s %s\n", fd, isatty(fd) ? "tty" : "no-tty",
		       ttyname_r(fd, name, sizeof(name)) ? "-" : name);
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		printf("size %dx%d\n", size.ws_row, size.ws_col);
	printf("session %s\n", getsid(0) == getpid() ? "leader" : "member");
	printf("foreground %s\n", tcgetpgrp(STDIN_FILENO) == getpgrp() ? "yes" : "no");
	return 0;
}

/* Say the terminal's size each time it changes, up to COUNT times. */
static int cmd_winch(char **args)
{
	int left = args[0] ? atoi(args[0]) : 1;
	struct winsize size = { 0 };

	signal(SIGWINCH, on_signal);
	say_ready();
	while (left > 0) {
		if (!caught)
			poll(NULL, 0, 20);
		if (caught != SIGWINCH)
			continue;
		caught = 0;
		left--;
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
		printf("winch %dx%d\n", size.ws_row, size.ws_col);
		fflush(stdout);
	}
	return 0;
}

/* Leave a grandchild to PID 1, let it die, and say whether it was reaped. */
static int cmd_orphan(char **args)
{
	int fds[2];
	pid_t orphan = 0;

	(void)args;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return 1;
	pid_t child = fork();
	if (child == 0) {
		pid_t grandchild = fork();
		if (grandchild == 0) {
			poll(NULL, 0, 100);
			_exit(0);
		}
		_exit(write(fds[1], &grandchild, sizeof(grandchild)) < 0);
	}
	waitpid(child, NULL, 0);
	if (read(fds[0], &orphan, sizeof(orphan)) != sizeof(orphan))
		return 1;
	for (int i = 0; i < 100; i++) {
		if (kill(orphan, 0) < 0) {
			puts("reaped");
			return 0;
		}
		poll(NULL, 0, 20);
	}
	puts("zombie");
	return 1;
}

/* A process that outlives the command: the container's end must end it. */
static int cmd_background(char **args)
{
	(void)args;
	if (fork() == 0) {
		setsid();
		for (int s = 1; s < NSIG; s++)
			signal(s, SIG_IGN);
		for (;;)
			pause();
	}
	return 0;
}

static int cmd_pids(char **args)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int n = 0;

	(void)args;
	if (!dir)
		return 1;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
	closedir(dir);
	printf("self %d of %d\n", getpid(), n);
	return 0;
}

/* Both streams, in turns: they must stay apart. */
static int cmd_both(char **args)
{
	(void)args;
	for (int i = 0; i < 3; i++) {
		fprintf(stdout, "out %d\n", i);
		fflush(stdout);
		fprintf(stderr, "err %d\n", i);
	}
	return 0;
}

/* flood BYTES: that many on stdout, in a pattern a test can check */
static int cmd_flood(char **args)
{
	long long left = args[0] ? atoll(args[0]) : 0;

	for (long long i = 0; i < left; i++)
		putchar("0123456789abcde\n"[i % 16]);
	return fflush(stdout) ? 1 : 0;
}

static const struct verb commands[] = {
	{ "args", cmd_args },
	{ "background", cmd_background },
	{ "both", cmd_both },
	{ "cat", cmd_cat },
	{ "cwd", cmd_cwd },
	{ "env", cmd_env },
	{ "exit", cmd_exit },
	{ "fds", cmd_fds },
	{ "flood", cmd_flood },
	{ "hello", cmd_hello },
	{ "hostname", cmd_hostname },
	{ "ids", cmd_ids },
	{ "ls", cmd_ls },
	{ "mkdir", cmd_mkdir },
	{ "mknod", cmd_mknod },
	{ "ns", cmd_ns },
	{ "orphan", cmd_orphan },
	{ "pids", cmd_pids },
	{ "rename", cmd_rename },
	{ "signal", cmd_signal },
	{ "spin", cmd_spin },
	{ "stat", cmd_stat },
	{ "statfs", cmd_statfs },
	{ "status", cmd_status },
	{ "syscalls", cmd_syscalls },
	{ "tiocsti", cmd_tiocsti },
	{ "trap", cmd_trap },
	{ "tty", cmd_tty },
	{ "unlink", cmd_unlink },
	{ "winch", cmd_winch },
	{ "writable", cmd_writable },
	{ "write", cmd_write },
};

static int run_verb(const struct verb *verbs, size_t n, char **words)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(verbs[i].name, words[0]))
			return verbs[i].run(words + 1);
	return -1;
}

/* As a machine's init we are told by a file what to be, for PID 1 gets its words from its manager. */
static void read_init_words(char **words, size_t max)
{
	static char text[1024];
	FILE *f = fopen("/etc/init-words", "re");
	size_t n = 0;

	if (f && fgets(text, sizeof(text), f))
		for (char *w = strtok(text, " \n"); w && n < max - 1; w = strtok(NULL, " \n"))
			words[n++] = w;
	if (f)
		fclose(f);
	words[n] = NULL;
}

int main(int argc, char **argv)
{
	static char hello[] = "hello";
	char *fallback[] = { hello, NULL }, *init[16], **words = argc > 1 ? argv + 1 : fallback;
	const char *slash = strrchr(argv[0], '/');
	int code;

	if (!strcmp(slash ? slash + 1 : argv[0], "init")) {
		read_init_words(init, sizeof(init) / sizeof(init[0]));
		if (init[0])
			words = init;
	}
	code = run_verb(commands, sizeof(commands) / sizeof(commands[0]), words);
	if (code < 0)
		code = run_verb(hostile_verbs, n_hostile_verbs, words);
	if (code >= 0)
		return code;
	fprintf(stderr, "payload: no command %s\n", words[0]);
	return 2;
}
