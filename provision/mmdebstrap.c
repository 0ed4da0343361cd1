// SPDX-License-Identifier: MIT
/*
 * Running mmdebstrap (see mmdebstrap.h).
 *
 * The tar goes to a file without a name, which vanishes with its last fd. mmdebstrap mounts file systems and starts many processes, so it
 * gets a mount and a PID namespace of its own from unshare(1), whose death ends them all: on an interrupt we kill unshare, and the
 * kernel does so when we are killed. What is left then are files in LABEL.PID below the work directory, removed at once or, under the
 * label's lock, by the next build or prune. Its stderr is read line by line: steps become progress, the rest is kept for the error message.
 */
#include "provision/mmdebstrap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/spawn.h"
#include "base/strbuf.h"
#include "base/strv.h"
#include "oci/remove_tree.h"
#include "provision/apt_config.h"
#include "provision/host_dir.h"

#define TAIL_LINES 3
#define LINE_BYTES_MAX 400
#define PACKAGES_BYTES_MAX ((size_t)64 << 10)

/* What mmdebstrap says: the line being read, and the last ones that are not mere steps. */
struct chatter {
	const struct mmdebstrap_request *req;
	char line[LINE_BYTES_MAX];
	size_t len;
	char tail[TAIL_LINES][LINE_BYTES_MAX];
	size_t n_tail; /* ever kept */
};

static int interrupted_err(const struct mmdebstrap_request *req, struct err *err)
{
	return err_set(err, ERR_INTERRUPTED, -EINTR, "build %s: interrupted", req->label);
}

static bool is_interrupted(const struct mmdebstrap_request *req)
{
	return req->interrupted && *req->interrupted;
}

static int open_work_dir(const struct mmdebstrap_request *req, struct err *err)
{
	int r = host_dir_make(req->work_dir, err);
	int fd;

	if (r < 0)
		return r;
	fd = open(req->work_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, ERR_SYSTEM, "open %s", QUOTE(req->work_dir)) : fd;
}

/* Length of LABEL in "LABEL.PID", the name of a build's tree; 0 for other names */
static size_t tree_label_len(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot || !dot[1] || dot[1 + strspn(dot + 1, "0123456789")] != '\0')
		return 0;
	return (size_t)(dot - name);
}

static int open_lock(int dir_fd, const char *label, size_t label_len, struct err *err)
{
	char name[NAME_MAX + 1];
	int fd;

	if (snprintf(name, sizeof(name), "%.*s.lock", (int)label_len, label) >= (int)sizeof(name))
		return err_set(err, ERR_USAGE, -ENAMETOOLONG, "lock %s: name too long",
			       QUOTE(label));
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(err, ERR_SYSTEM, "open lock %s", QUOTE(name)) : fd;
}

int mmdebstrap_lock(const struct mmdebstrap_request *req, struct err *err)
{
	AUTO_CLOSE int dir = open_work_dir(req, err), fd = -EBADF;

	if (dir < 0)
		return dir;
	fd = open_lock(dir, req->label, strlen(req->label), err);
	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return err_sys(err, ERR_SYSTEM, "lock %s", QUOTE(req->label));
		if (is_interrupted(req))
			return interrupted_err(req, err);
	}
	return MOVE_FD(fd);
}

/* Remove trees whose builder was killed: the lock of their label is free, or ours. @held: the label that we hold, or NULL */
static void sweep(int dir_fd, const char *held)
{
	int list = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSEDIR DIR *dir = list < 0 ? NULL : fdopendir(list);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		size_t len = tree_label_len(name);
		bool ours = held && strlen(held) == len && strncmp(held, name, len) == 0;
		AUTO_CLOSE int fd = len && !ours ? open_lock(dir_fd, name, len, NULL) : -EBADF;
		int r;

		if (!len || (!ours && (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)))
			continue;
		r = remove_tree_at(dir_fd, name);
		if (r < 0)
			log_warning("remove the unfinished build %s: %s", QUOTE(name),
				    strerror(-r));
	}
}

void mmdebstrap_sweep(const char *work_dir)
{
	AUTO_CLOSE int dir = open(work_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0)
		sweep(dir, NULL);
}

static int make_tar_file(int dir_fd, struct err *err)
{
	int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* File systems without O_TMPFILE: named for a moment, under the label's lock. */
	fd = openat(dir_fd, ".tar", O_CREAT | O_TRUNC | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "make a temporary file");
	(void)unlinkat(dir_fd, ".tar", 0);
	return fd;
}

static int add_aptopts(char ***argv, struct err *err)
{
	AUTO_STRV options = NULL;
	int r = apt_network_options(&options, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < strv_len(options); i++) {
		char *arg;

		if (asprintf(&arg, "--aptopt=%s", options[i]) < 0)
			arg = NULL;
		r = strv_take(argv, arg);
		if (r < 0)
			return err_oom(err);
	}
	return 0;
}

/* --include=A,B */
static int add_packages(char *const *packages, char ***argv, struct err *err)
{
	__attribute__((cleanup(strbuf_done))) struct strbuf arg = STRBUF_INIT(PACKAGES_BYTES_MAX);

	for (size_t i = 0; i < strv_len(packages); i++) {
		int r = strbuf_addf(&arg, "%s%s", i ? "," : "--include=", packages[i]);

		if (r == -E2BIG)
			return err_set(err, ERR_USAGE, r, "too many packages");
		if (r < 0)
			return err_oom(err);
	}
	if (arg.len && strv_add(argv, strbuf_str(&arg)) < 0)
		return err_oom(err);
	return 0;
}

static int build_argv(const struct mmdebstrap_request *req, char ***ret, char **ret_uri,
		      struct err *err)
{
	/* Settings for the build alone must not stay in the image. */
	static const char *const fixed[] = {
		"unshare",
		"--mount",
		"--pid",
		"--fork",
		"--kill-child=KILL",
		"--mount-proc",
		"--",
		"mmdebstrap",
		"--variant=minbase",
		"--format=tar",
		"--aptopt=Acquire::Check-Valid-Until \"false\"",
		/* Empty, as in docker's images: each container mounts its own on them, without copying /etc up. */
		("--customize-hook=cd \"$1/etc\" && rm -f apt/apt.conf.d/99mmdebstrap && "
		 "for f in hostname hosts resolv.conf; do rm -f \"$f\" && : > \"$f\"; done"),
	};
	AUTO(apt_mirror) mirror = { 0 };
	AUTO_STRV argv = NULL;
	char *source;
	int r = apt_mirror_find("/etc/apt", &mirror, err);

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(fixed); i++)
		if (strv_add(&argv, fixed[i]) < 0)
			r = err_oom(err);
	if (r >= 0)
		r = add_aptopts(&argv, err);
	if (r >= 0)
		r = add_packages(req->packages, &argv, err);
	if (r < 0)
		return r;
	if (asprintf(&source, "deb %s%s%s%s %s main", mirror.signed_by ? "[signed-by=" : "",
		     mirror.signed_by ? mirror.signed_by : "", mirror.signed_by ? "] " : "",
		     mirror.uri, req->suite) < 0)
		return err_oom(err);
	if (strv_add(&argv, req->suite) < 0 || strv_add(&argv, "-") < 0) {
		free(source);
		return err_oom(err);
	}
	if (strv_take(&argv, source) < 0)
		return err_oom(err);
	*ret = MOVE_PTR(argv);
	*ret_uri = MOVE_PTR(mirror.uri);
	return 0;
}

static int build_env(const char *tmp_dir, char ***ret, struct err *err)
{
	AUTO_FREE char *assignment = NULL;
	AUTO_STRV env = NULL;

	if (asprintf(&assignment, "TMPDIR=%s", tmp_dir) < 0) {
		assignment = NULL;
		return err_oom(err);
	}
	if (strv_copy(environ, &env) < 0 || strv_env_set(&env, assignment) < 0 ||
	    strv_env_set(&env, "LC_ALL=C.UTF-8") < 0)
		return err_oom(err);
	*ret = MOVE_PTR(env);
	return 0;
}

/* "installing essential packages...", but not what it says about directories and hooks */
static bool is_step(const char *text)
{
	size_t len = strlen(text);

	return len > 3 && strcmp(text + len - 3, "...") == 0 && !strchr(text, '/');
}

static void line_end(struct chatter *c)
{
	static const char step[] = "I: ";
	FILE *out = c->req->progress;

	c->line[c->len] = '\0';
	c->len = 0;
	if (!c->line[0])
		return;
	log_info("mmdebstrap: %s", QUOTE_PLAIN(c->line));
	if (strncmp(c->line, step, sizeof(step) - 1) == 0) {
		if (!out || !is_step(c->line + sizeof(step) - 1))
			return;
		(void)fprintf(out, "%s: %s\n", c->req->label,
			      QUOTE_PLAIN(c->line + sizeof(step) - 1));
		(void)fflush(out);
		return;
	}
	memcpy(c->tail[c->n_tail++ % TAIL_LINES], c->line, sizeof(c->line));
}

static void hear(struct chatter *c, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' || bytes[i] == '\r')
			line_end(c);
		else if (c->len < sizeof(c->line) - 1)
			c->line[c->len++] = bytes[i];
	}
}

/* Return: 0 at the end of the pipe, else 1 */
static int hear_some(struct chatter *c, int fd)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0)
		hear(c, bytes, (size_t)n);
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Read stderr to its end; a signal that wants us to stop ends everything. */
static void listen_to(struct chatter *c, int fd, int pidfd, const sigset_t *mask)
{
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };

		if (is_interrupted(c->req)) {
			(void)fd_pidfd_signal(pidfd, SIGKILL);
			return;
		}
		if (ppoll(&pfd, 1, NULL, mask) <= 0)
			continue;
		if (hear_some(c, fd) == 0)
			return;
	}
}

static int failed(const struct chatter *c, int status, struct err *err)
{
	char words[TAIL_LINES * QUOTE_MAX + 16] = "";
	size_t used = 0, n = c->n_tail < TAIL_LINES ? c->n_tail : TAIL_LINES;

	for (size_t i = c->n_tail - n; i < c->n_tail && used < sizeof(words); i++) {
		int r = snprintf(words + used, sizeof(words) - used, "%s%s", used ? "; " : ": ",
				 QUOTE_PLAIN(c->tail[i % TAIL_LINES]));

		if (r < 0)
			break;
		used += (size_t)r;
	}
	return err_set(err, ERR_NETWORK, -EIO, "mmdebstrap failed with status %d%s", status, words);
}

/* @tar_fd, @log_fd: its stdout and stderr. */
static pid_t start(char *const *argv, char *const *env, int tar_fd, int log_fd, int *ret_pidfd,
		   struct err *err)
{
	const struct spawn_request spawn = {
		.argv = (const char *const *)argv,
		.env = (const char *const *)env,
		.stdin_fd = -1,
		.stdout_fd = tar_fd,
		.stderr_fd = log_fd,
		.die_with_parent = true,
	};
	/* The modes of what mmdebstrap makes follow the umask. */
	mode_t old = umask(022);
	pid_t pid = spawn_start(&spawn, ret_pidfd, err);

	(void)umask(old);
	return pid;
}

static int run(const struct mmdebstrap_request *req, char *const *argv, char *const *env,
	       int tar_fd, struct err *err)
{
	AUTO_CLOSE int ears = -EBADF, mouth = -EBADF, pidfd = -EBADF;
	struct chatter c = { .req = req };
	sigset_t block, old;
	pid_t pid;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, ERR_SYSTEM, "make a pipe");
	ears = fds[0];
	mouth = fds[1];
	pid = start(argv, env, tar_fd, mouth, &pidfd, err);
	if (pid < 0)
		return (int)pid;
	(void)close(MOVE_FD(mouth));
	/* Blocked but in ppoll(), so that no signal comes between the look at the flag and the wait. */
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGINT);
	(void)sigaddset(&block, SIGTERM);
	(void)sigaddset(&block, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &block, &old);
	listen_to(&c, ears, pidfd, &old);
	r = spawn_wait(pid, pidfd, err);
	/* The others die after unshare; the pipe ends when the last of them is gone, and nobody writes to the tree any more. */
	while (hear_some(&c, ears) > 0)
		;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (is_interrupted(req))
		return interrupted_err(req, err);
	if (r < 0)
		return r;
	line_end(&c);
	return r == 0 ? 0 : failed(&c, r, err);
}

static int build_in(const struct mmdebstrap_request *req, const char *tmp_dir, int tar_fd,
		    struct err *err)
{
	AUTO_STRV argv = NULL;
	AUTO_STRV env = NULL;
	AUTO_FREE char *uri = NULL;
	int r = build_argv(req, &argv, &uri, err);

	if (r >= 0)
		r = build_env(tmp_dir, &env, err);
	if (r < 0)
		return r;
	if (req->progress) {
		(void)fprintf(req->progress, "%s: Building %s with mmdebstrap from %s\n",
			      req->label, req->suite, QUOTE_PLAIN(uri));
		(void)fflush(req->progress);
	}
	return run(req, argv, env, tar_fd, err);
}

int mmdebstrap_build(const struct mmdebstrap_request *req, struct err *err)
{
	AUTO_CLOSE int dir = -EBADF, tar = -EBADF;
	AUTO_FREE char *name = NULL, *tmp_dir = NULL;
	int r;

	if (!spawn_in_path("mmdebstrap"))
		return err_set(err, ERR_NOT_FOUND, -ENOENT, "not installed");
	if (!spawn_in_path("unshare"))
		return err_set(err, ERR_NOT_FOUND, -ENOENT,
			       "unshare, which it needs here, is not installed");
	dir = open_work_dir(req, err);
	if (dir < 0)
		return dir;
	sweep(dir, req->label);
	tar = make_tar_file(dir, err);
	if (tar < 0)
		return tar;
	if (asprintf(&name, "%s.%d", req->label, (int)getpid()) < 0) {
		name = NULL;
		return err_oom(err);
	}
	if (asprintf(&tmp_dir, "%s/%s", req->work_dir, name) < 0) {
		tmp_dir = NULL;
		return err_oom(err);
	}
	/* apt downloads as user _apt, who must be able to pass. */
	if (mkdirat(dir, name, 0755) < 0)
		return err_sys(err, ERR_SYSTEM, "make %s", QUOTE(tmp_dir));
	r = build_in(req, tmp_dir, tar, err);
	(void)remove_tree_at(dir, name);
	if (r < 0)
		return r;
	if (lseek(tar, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_SYSTEM, "rewind the root file system's tar");
	return MOVE_FD(tar);
}
