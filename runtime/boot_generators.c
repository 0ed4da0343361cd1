// SPDX-License-Identifier: MIT
/*
 * Each generator costs a boot 5 to 10 ms of processor time, and three of them read files that most images do not have, or that most hold
 * nothing: /etc/fstab, /etc/rc.local, init scripts without a unit. So we look ourselves, before PID 1 starts.
 *
 * What is installed later may bring an init script, and then there is a daemon-reload. Therefore the masks are gone by the time anything
 * can be installed: systemd-tmpfiles --boot removes them, which runs anyway.
 */
#include "runtime/boot_generators.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path_at.h"
#include "base/strbuf.h"

#define FSTAB_MAX ((size_t)64 << 10)
#define SCRIPTS_MAX 200
#define RULES_MAX ((size_t)8 << 10)

#define GENERATORS "systemd/system-generators"
#define RULES "tmpfiles.d/racker-generators.conf"

/* No line but blank ones and comments. */
static bool fstab_idle(int root)
{
	AUTO_FREE char *text = NULL;
	int r = path_at_read(root, "/etc/fstab", FSTAB_MAX, &text, NULL);

	if (r < 0)
		return r == -ENOENT;
	for (const char *line = text; *line;) {
		line += strspn(line, " \t");
		if (*line != '#' && *line != '\n' && *line)
			return false;
		line = strchrnul(line, '\n');
		line += *line == '\n';
	}
	return true;
}

/* Debian's place and Red Hat's. */
static bool rc_local_idle(int root)
{
	static const char *const places[] = { "/etc/rc.local", "/etc/rc.d/rc.local" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO_CLOSE int fd = path_at_open(root, places[i], O_PATH, 0);
		struct stat st;

		if (fd == -ENOENT || fd == -ENOTDIR)
			continue;
		if (fd < 0 || fstat(fd, &st) < 0 || (st.st_mode & S_IXUSR))
			return false;
	}
	return true;
}

/* A unit, or the link of one that is masked, under the script's name without ".sh". */
static bool has_unit(int root, const char *script)
{
	static const char *const places[] = { "/etc/systemd/system", "/usr/lib/systemd/system",
					      "/lib/systemd/system" };
	size_t len = strlen(script);
	char unit[NAME_MAX + sizeof(".service")];

	if (len > 3 && strcmp(script + len - 3, ".sh") == 0)
		len -= 3;
	(void)snprintf(unit, sizeof(unit), "%.*s.service", (int)len, script);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO_CLOSE int dir = path_at_open(root, places[i], O_PATH | O_DIRECTORY, 0);
		struct stat st;

		if (dir >= 0 && fstatat(dir, unit, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

/* No script that is not a unit too. */
static bool sysv_idle(int root)
{
	AUTO_CLOSE int fd = path_at_open(root, "/etc/init.d", O_RDONLY | O_DIRECTORY, 0);
	AUTO_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t n = 0;

	if (!dir)
		return fd == -ENOENT;
	fd = -EBADF; /* the stream's */
	while ((entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		if (++n > SCRIPTS_MAX ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISLNK(st.st_mode))
			return false;
		if (S_ISREG(st.st_mode) && (st.st_mode & S_IXUSR) && !has_unit(root, entry->d_name))
			return false;
	}
	return true;
}

static const struct {
	const char *name;
	bool (*idle)(int root);
} generators[] = {
	{ "systemd-fstab-generator", fstab_idle },
	{ "systemd-rc-local-generator", rc_local_idle },
	{ "systemd-sysv-generator", sysv_idle },
};

bool boot_generator_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(generators); i++) {
		if (strcmp(generators[i].name, name) == 0)
			return true;
	}
	return false;
}

bool boot_generator_idle(int root_fd, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(generators); i++) {
		if (strcmp(generators[i].name, name) == 0)
			return generators[i].idle(root_fd);
	}
	return false;
}

static int make_dirs(int run, struct err *err)
{
	static const char *const dirs[] = { "systemd", GENERATORS, "tmpfiles.d" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (mkdirat(run, dirs[i], 0755) < 0 && errno != EEXIST)
			return err_sys(err, ERR_SYSTEM, "make directory /run/%s", dirs[i]);
	}
	return 0;
}

static int mask(int run, const char *name, struct strbuf *rules, struct err *err)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), GENERATORS "/%s", name);
	if (symlinkat("/dev/null", run, path) < 0 && errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "mask /run/%s", path);
	return strbuf_addf(rules, "r! /run/%s\n", path) < 0 ? err_oom(err) : 0;
}

int boot_generators_mask(char *const *names, int run, struct err *err)
{
	AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO(strbuf) rules = STRBUF_INIT(RULES_MAX);
	int r = 0;

	if (root < 0)
		return err_sys(err, ERR_SYSTEM, "open /");
	for (; r == 0 && names && *names; names++) {
		if (!boot_generator_idle(root, *names))
			continue;
		if (rules.len == 0)
			r = make_dirs(run, err);
		if (r == 0)
			r = mask(run, *names, &rules, err);
	}
	if (r < 0 || rules.len == 0)
		return r;
	return fd_write_file_at(run, RULES, 0644, strbuf_str(&rules), rules.len, err);
}
