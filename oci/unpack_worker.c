// SPDX-License-Identifier: MIT
/*
 * The process that unpacks one layer (see unpack_worker.h).
 *
 * Actors: the parent, which appends to the blob file; the worker, which reads it with pread(2).
 *	parent -> worker	an eventfd: its counter collects bytes that have become available, plus EVENT_COMPLETE once. The
 *				parent never blocks on it, however far behind the worker is.
 *	worker -> parent	a pipe: the whole report (unpack_report.h), then end of file. A pipe that ends early is a dead worker.
 * The parent kills with the pidfd and reaps; should the parent die, PR_SET_PDEATHSIG ends the worker. What the worker leaves in its
 * directory is the caller's to remove.
 *
 * The worker reads hostile bytes, so it holds little: no fds but its own, no network, no way out of the layer's directory, and the
 * capabilities that making a file system tree takes. Everything it reports is checked again.
 */
#include "oci/unpack_worker.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "oci/layer_reader.h"
#include "oci/unpack_report.h"

#define EVENT_COMPLETE ((uint64_t)1 << 62)

struct unpack_worker {
	pid_t pid;
	int pidfd, event_fd, report_fd;
	uint64_t announced;
	bool complete;
};

/* What the worker process works with. */
struct worker_job {
	pid_t parent;
	int blob_fd, event_fd, report_fd, dest_fd;
	enum compression kind;
	uint64_t read, available;
	bool complete;
};

static int wait_for_bytes(struct worker_job *job, struct err *err)
{
	uint64_t event;

	while (job->read == job->available && !job->complete) {
		ssize_t n = read(job->event_fd, &event, sizeof(event));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof(event))
			return err_sys(err, ERR_SYSTEM, "wait for layer data");
		job->complete = event & EVENT_COMPLETE;
		job->available += event & ~EVENT_COMPLETE;
	}
	return 0;
}

static ssize_t follow_blob(void *arg, void *buf, size_t len, struct err *err)
{
	struct worker_job *job = arg;
	ssize_t n;
	int r = wait_for_bytes(job, err);

	if (r < 0)
		return r;
	if (len > job->available - job->read)
		len = job->available - job->read;
	if (len == 0)
		return 0;
	do
		n = pread(job->blob_fd, buf, len, (off_t)job->read);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, ERR_SYSTEM, "read layer data");
	if (n == 0)
		return err_set(err, ERR_SYSTEM, -EIO, "layer data is shorter than announced");
	job->read += (uint64_t)n;
	return n;
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Standard error stays for debug lines; input and output become /dev/null. */
static int worker_close_fds(const struct worker_job *job, struct err *err)
{
	int keep[] = { STDERR_FILENO, job->blob_fd, job->event_fd, job->report_fd, job->dest_fd };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int first = 0;

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		return err_sys(err, ERR_SYSTEM, "open /dev/null");
	qsort(keep, ARRAY_SIZE(keep), sizeof(keep[0]), compare_fds);
	first = STDERR_FILENO;
	for (size_t i = 0; i < ARRAY_SIZE(keep); i++) {
		unsigned int fd = (unsigned int)keep[i];

		if (fd > first && close_range(first, fd - 1, 0) < 0)
			return err_sys(err, ERR_SYSTEM, "close file descriptors");
		first = fd + 1;
	}
	if (close_range(first, ~0U, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "close file descriptors");
	return 0;
}

/* Namespaces are a second wall; without the privilege for one the first still stands. */
static void worker_unshare(void)
{
	(void)unshare(CLONE_NEWNET);
	(void)unshare(CLONE_NEWIPC);
	if (unshare(CLONE_NEWNS) == 0)
		(void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* From here no name outside the layer's directory can be said. */
static int worker_chroot(const struct worker_job *job, struct err *err)
{
	if (fchdir(job->dest_fd) < 0)
		return err_sys(err, ERR_SYSTEM, "enter the layer's directory");
	if (chroot(".") < 0 || chdir("/") < 0) {
		/* an unprivileged unpack (a test, a fuzzer) keeps to fds all the same */
		return errno == EPERM ? 0 :
					err_sys(err, ERR_SYSTEM, "chroot to the layer's directory");
	}
	return 0;
}

/* SYS_ADMIN is what trusted.* extended attributes ask for: opaque directories of overlayfs. SETFCAP: security.capability. */
static const int kept_caps[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER,   CAP_FSETID,
				 CAP_MKNOD, CAP_SETFCAP,      CAP_SYS_ADMIN };

static int worker_drop_caps(struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2], kept[2] = { 0 };

	if (syscall(SYS_capget, &header, now) < 0)
		return err_sys(err, ERR_SYSTEM, "get capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(kept_caps); i++) {
		unsigned int word = (unsigned int)kept_caps[i] / 32;
		uint32_t bit = (uint32_t)1 << (kept_caps[i] % 32);

		kept[word].permitted |= now[word].permitted & bit;
		kept[word].effective |= now[word].permitted & bit;
	}
	/* The bounding set only matters to execve(), which no_new_privs and the chroot make pointless; dropped where allowed. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, kept) < 0)
		return err_sys(err, ERR_SYSTEM, "reduce capabilities");
	return 0;
}

static int worker_confine(struct worker_job *job, struct err *err)
{
	sigset_t all;
	int r;

	/* The parent's handlers mean nothing here; SIGKILL ends the worker. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, ERR_SYSTEM, "prctl");
	if (getppid() != job->parent)
		return err_set(err, ERR_INTERRUPTED, -EINTR, "the parent is gone");
	(void)umask(0);
	r = worker_close_fds(job, err);
	if (r < 0)
		return r;
	layer_reader_prepare();
	worker_unshare();
	r = worker_chroot(job, err);
	if (r < 0)
		return r;
	return worker_drop_caps(err);
}

static int worker_unpack(struct worker_job *job, struct unpack_result *ret, struct err *err)
{
	AUTO_PTR(decompress) stream = NULL;
	int r = worker_confine(job, err);

	if (r < 0)
		return err_prefix(err, r, "start the unpack worker");
	r = decompress_open(job->kind, follow_blob, job, LAYER_BYTES_MAX, &stream, err);
	if (r < 0)
		return r;
	return unpack_layer(stream, job->dest_fd, ret, err);
}

static _Noreturn void worker_main(struct worker_job *job)
{
	struct unpack_result result = { 0 };
	struct err err = { 0 };
	int r = worker_unpack(job, &result, &err);

	if (r < 0)
		r = unpack_report_send_error(job->report_fd, &err);
	else
		r = unpack_report_send(job->report_fd, &result);
	_exit(r < 0 ? 1 : 0);
}

static int worker_fork(struct worker_job *job, struct unpack_worker *w, struct err *err)
{
	int report[2];

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(err, ERR_SYSTEM, "make a pipe for the unpack worker");
	w->report_fd = report[0];
	job->report_fd = report[1];
	job->parent = getpid();
	w->pid = fork();
	if (w->pid == 0)
		worker_main(job);
	if (w->pid < 0) {
		(void)close(report[1]);
		return err_sys(err, ERR_SYSTEM, "fork the unpack worker");
	}
	(void)close(report[1]);
	w->pidfd = fd_pidfd_open(w->pid);
	if (w->pidfd < 0) {
		int r = w->pidfd;

		(void)kill(w->pid, SIGKILL);
		(void)waitpid(w->pid, NULL, 0);
		w->pid = -1;
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "open a pidfd of the unpack worker");
	}
	return 0;
}

int unpack_worker_start(int blob_fd, enum compression kind, int dest_fd, struct unpack_worker **ret,
			struct err *err)
{
	AUTO_PTR(unpack_worker) w = calloc(1, sizeof(*w));
	struct worker_job job = { .blob_fd = blob_fd, .dest_fd = dest_fd, .kind = kind };
	struct digest loaded;
	int r;

	if (!w)
		return err_oom(err);
	*w = (struct unpack_worker){
		.pid = -1, .pidfd = -EBADF, .event_fd = -EBADF, .report_fd = -EBADF
	};
	/* libcrypto is loaded on first use, and in the chroot that would be the image's */
	r = digest_buffer("", 0, &loaded, err);
	if (r < 0)
		return r;
	w->event_fd = eventfd(0, EFD_CLOEXEC);
	if (w->event_fd < 0)
		return err_sys(err, ERR_SYSTEM, "make an eventfd for the unpack worker");
	job.event_fd = w->event_fd;
	r = worker_fork(&job, w, err);
	if (r < 0)
		return r;
	*ret = MOVE_PTR(w);
	return 0;
}

int unpack_worker_announce(struct unpack_worker *w, uint64_t available, bool complete,
			   struct err *err)
{
	uint64_t event;

	if (w->complete || available < w->announced)
		return err_set(err, ERR_SYSTEM, -EINVAL, "announce layer data: it cannot shrink");
	event = available - w->announced;
	if (complete)
		event |= EVENT_COMPLETE;
	if (event == 0)
		return 0;
	if (write(w->event_fd, &event, sizeof(event)) != sizeof(event))
		return err_sys(err, ERR_SYSTEM, "announce layer data");
	w->announced = available;
	w->complete = complete;
	return 0;
}

int unpack_worker_fd(const struct unpack_worker *w)
{
	return w->report_fd;
}

static int worker_reap(struct unpack_worker *w, siginfo_t *ret)
{
	int r;

	*ret = (siginfo_t){ 0 };
	if (w->pid < 0)
		return 0;
	do
		r = waitid(P_PIDFD, (id_t)w->pidfd, ret, WEXITED);
	while (r < 0 && errno == EINTR);
	w->pid = -1;
	return r < 0 ? -errno : 0;
}

int unpack_worker_finish(struct unpack_worker *w, struct unpack_result *ret, struct err *err)
{
	AUTO_FREE char *report = NULL;
	siginfo_t how;
	size_t len = 0;
	int r = fd_read_all(w->report_fd, UNPACK_REPORT_MAX, &report, &len);

	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "read the unpack worker's report");
	}
	r = worker_reap(w, &how);
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "wait for the unpack worker");
	}
	if (how.si_code == CLD_KILLED || how.si_code == CLD_DUMPED)
		return err_set(err, ERR_SYSTEM, -EIO, "unpack worker died (signal %d)",
			       how.si_status);
	if (len == 0)
		return err_set(err, ERR_SYSTEM, -EIO, "unpack worker died (exit code %d)",
			       how.si_status);
	return unpack_report_parse(report, len, ret, err);
}

void unpack_worker_free(struct unpack_worker *w)
{
	siginfo_t how;

	if (!w)
		return;
	if (w->pid >= 0) {
		(void)fd_pidfd_signal(w->pidfd, SIGKILL);
		(void)worker_reap(w, &how);
	}
	if (w->pidfd >= 0)
		(void)close(w->pidfd);
	if (w->event_fd >= 0)
		(void)close(w->event_fd);
	if (w->report_fd >= 0)
		(void)close(w->report_fd);
	free(w);
}
