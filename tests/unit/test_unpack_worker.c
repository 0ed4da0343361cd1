// SPDX-License-Identifier: MIT
/* The unpack worker: follows a growing file, is confined, reports success, failure and death. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/strv.h"
#include "oci/unpack_report.h"
#include "oci/unpack_worker.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tar_builder.h"

static int blob_of(const struct tar *t)
{
	int fd = memfd_create("blob", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, t->bytes, t->len), 0);
	return fd;
}

static int wait_readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms);
}

static pid_t only_child(void)
{
	AUTO_FREE char *text = NULL;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	assert_int_equal(fd_read_file_at(AT_FDCWD, path, 4096, &text, NULL, NULL), 0);
	return (pid_t)strtol(text, NULL, 10);
}

static void test_follows_a_growing_blob(void **state)
{
	AUTO_PTR(unpack_worker) w = NULL;
	AUTO(unpack_result) result = { 0 };
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int blob = -EBADF;
	struct tar *t = tar_new();
	struct digest whole;

	tar_file(t, "a/b", "content");
	tar_file(t, "c", "more");
	tar_add(t, .path = "l", .type = '1', .link = "below");
	tar_end(t);
	blob = blob_of(t);
	assert_int_equal(unpack_worker_start(blob, COMPRESSION_NONE, SCRATCH_FD(state), &w, NULL),
			 0);
	for (uint64_t n = 0; n < t->len; n += 512)
		assert_int_equal(unpack_worker_announce(w, n, false, NULL), 0);
	assert_int_equal(wait_readable(unpack_worker_fd(w), 50), 0);
	assert_int_equal(unpack_worker_announce(w, t->len, true, NULL), 0);
	assert_int_equal(wait_readable(unpack_worker_fd(w), 30000), 1);
	assert_int_equal(unpack_worker_finish(w, &result, NULL), 0);
	assert_int_equal(result.entries, 3);
	assert_int_equal(result.bytes, 11);
	assert_int_equal(digest_buffer(t->bytes, t->len, &whole, NULL), 0);
	assert_true(digest_equal(&whole, &result.diff_id));
	assert_int_equal(strv_len(result.needs.implied_dirs), 1);
	assert_string_equal(result.needs.implied_dirs[0], "a");
	assert_int_equal(strv_len(result.needs.lower_links), 2);
	assert_string_equal(result.needs.lower_links[0], "below");
	assert_string_equal(result.needs.lower_links[1], "l");
	assert_int_equal(fd_read_file_at(SCRATCH_FD(state), "a/b", 100, &text, NULL, NULL), 0);
	assert_string_equal(text, "content");
	assert_true(unpack_worker_announce(w, t->len, true, NULL) < 0);
	tar_free(t);
}

/* More names than a pipe holds. */
static void test_long_report(void **state)
{
	AUTO_PTR(unpack_worker) w = NULL;
	AUTO(unpack_result) result = { 0 };
	AUTO_CLOSE int blob = -EBADF;
	struct tar *t = tar_new();
	char name[64], target[64];

	for (int i = 0; i < 3000; i++) {
		(void)snprintf(name, sizeof(name), "directory-%d/link-with-a-long-name", i);
		(void)snprintf(target, sizeof(target), "somewhere/below/%d", i);
		tar_add(t, .path = name, .type = '1', .link = target);
	}
	tar_end(t);
	blob = blob_of(t);
	assert_int_equal(unpack_worker_start(blob, COMPRESSION_NONE, SCRATCH_FD(state), &w, NULL),
			 0);
	assert_int_equal(unpack_worker_announce(w, t->len, true, NULL), 0);
	assert_int_equal(unpack_worker_finish(w, &result, NULL), 0);
	assert_int_equal(strv_len(result.needs.implied_dirs), 3000);
	assert_int_equal(strv_len(result.needs.lower_links), 6000);
	assert_string_equal(result.needs.lower_links[5998], "somewhere/below/2999");
	tar_free(t);
}

static void test_error_travels(void **state)
{
	AUTO_PTR(unpack_worker) w = NULL;
	struct unpack_result result;
	AUTO_CLOSE int blob = -EBADF;
	struct tar *t = tar_new();
	struct err err = { 0 };

	tar_file(t, "../evil", "x");
	tar_end(t);
	blob = blob_of(t);
	assert_int_equal(unpack_worker_start(blob, COMPRESSION_NONE, SCRATCH_FD(state), &w, NULL),
			 0);
	assert_int_equal(unpack_worker_announce(w, t->len, false, NULL), 0);
	assert_int_equal(wait_readable(unpack_worker_fd(w), 30000), 1);
	assert_int_equal(unpack_worker_finish(w, &result, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_non_null(strstr(err.msg, "\"../evil\""));
	tar_free(t);
}

static void test_truncated_gzip(void **state)
{
	static const unsigned char gz[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b };
	AUTO_PTR(unpack_worker) w = NULL;
	struct unpack_result result;
	AUTO_CLOSE int blob = memfd_create("blob", MFD_CLOEXEC);
	struct err err = { 0 };

	assert_int_equal(fd_write_full(blob, gz, sizeof(gz)), 0);
	assert_int_equal(unpack_worker_start(blob, COMPRESSION_GZIP, SCRATCH_FD(state), &w, NULL),
			 0);
	assert_int_equal(unpack_worker_announce(w, sizeof(gz), true, NULL), 0);
	assert_int_equal(unpack_worker_finish(w, &result, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void test_blob_shorter_than_announced(void **state)
{
	AUTO_PTR(unpack_worker) w = NULL;
	struct unpack_result result;
	AUTO_CLOSE int blob = memfd_create("blob", MFD_CLOEXEC);

	assert_int_equal(unpack_worker_start(blob, COMPRESSION_NONE, SCRATCH_FD(state), &w, NULL),
			 0);
	assert_int_equal(unpack_worker_announce(w, 512, true, NULL), 0);
	assert_int_equal(unpack_worker_finish(w, &result, NULL), -EIO);
}

static void test_death_is_told(void **state)
{
	AUTO_PTR(unpack_worker) w = NULL;
	struct unpack_result result;
	AUTO_CLOSE int blob = memfd_create("blob", MFD_CLOEXEC);
	struct err err = { 0 };
	pid_t pid;

	assert_int_equal(unpack_worker_start(blob, COMPRESSION_NONE, SCRATCH_FD(state), &w, NULL),
			 0);
	pid = only_child();
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(wait_readable(unpack_worker_fd(w), 30000), 1);
	assert_int_equal(unpack_worker_finish(w, &result, &err), -EIO);
	assert_string_equal(err.msg, "unpack worker died (signal 9)");
}

static void test_free_kills(void **state)
{
	struct unpack_worker *w = NULL;
	AUTO_CLOSE int blob = memfd_create("blob", MFD_CLOEXEC);
	pid_t pid;

	assert_int_equal(unpack_worker_start(blob, COMPRESSION_NONE, SCRATCH_FD(state), &w, NULL),
			 0);
	pid = only_child();
	unpack_worker_free(w);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	unpack_worker_free(NULL);
}

static void status_line(const char *text, const char *key, char *buf, size_t size)
{
	const char *line = strstr(text, key);

	assert_non_null(line);
	line += strlen(key);
	line += strspn(line, "\t ");
	(void)snprintf(buf, size, "%.*s", (int)strcspn(line, "\n"), line);
}

/* What /proc says about a worker that waits for bytes. */
static void test_confinement(void **state)
{
	AUTO_PTR(unpack_worker) w = NULL;
	AUTO_CLOSE int blob = memfd_create("blob", MFD_CLOEXEC);
	AUTO_CLOSE int leaked = open("/etc/passwd", O_RDONLY);
	AUTO_FREE char *text = NULL;
	AUTO_CLOSE int proc = -EBADF;
	struct stat root, dest;
	char path[64], value[128];
	unsigned long long caps;
	pid_t pid;

	assert_int_equal(unpack_worker_start(blob, COMPRESSION_NONE, SCRATCH_FD(state), &w, NULL),
			 0);
	/* a header's worth, so that it waits in the middle of the work, not in its beginning */
	assert_int_equal(ftruncate(blob, 512), 0);
	assert_int_equal(unpack_worker_announce(w, 512, false, NULL), 0);
	pid = only_child();
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(proc >= 0);
	for (int i = 0; i < 3000; i++) {
		free(text);
		text = NULL;
		assert_int_equal(fd_read_file_at(proc, "status", 65536, &text, NULL, NULL), 0);
		status_line(text, "CapPrm:", value, sizeof(value));
		caps = strtoull(value, NULL, 16);
		if ((caps & (1ULL << 18)) == 0) /* CAP_SYS_CHROOT goes last */
			break;
		(void)wait_readable(unpack_worker_fd(w), 10);
	}
	assert_int_equal(fstatat(proc, "root/.", &root, 0), 0);
	assert_int_equal(fstat(SCRATCH_FD(state), &dest), 0);
	assert_int_equal(root.st_ino, dest.st_ino);
	/* chown, dac_override, fowner, fsetid, sys_admin, mknod, setfcap */
	assert_int_equal(caps & ~0x8820001bULL, 0);
	status_line(text, "CapEff:", value, sizeof(value));
	assert_int_equal(strtoull(value, NULL, 16), caps);
	status_line(text, "CapInh:", value, sizeof(value));
	assert_string_equal(value, "0000000000000000");
	status_line(text, "CapBnd:", value, sizeof(value));
	assert_string_equal(value, "0000000000000000");
	status_line(text, "NoNewPrivs:", value, sizeof(value));
	assert_string_equal(value, "1");
	(void)snprintf(path, sizeof(path), "fd/%d", leaked);
	if (faccessat(proc, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		char link[64] = { 0 };

		/* the number may be taken again, never by the file */
		assert_true(readlinkat(proc, path, link, sizeof(link) - 1) > 0);
		assert_string_not_equal(link, "/etc/passwd");
	}
}

static void test_report_is_checked(void **state)
{
	AUTO_FREE char *bytes = NULL;
	AUTO_CLOSE int fd = memfd_create("report", MFD_CLOEXEC);
	char *dirs[] = { (char *)"../../etc", NULL };
	char *good[] = { (char *)"usr", NULL };
	struct unpack_result in = { .needs = { .implied_dirs = dirs } };
	AUTO(unpack_result) out = { 0 };
	size_t len;

	(void)state;
	memset(in.diff_id.hex, 'a', DIGEST_HEX_LEN);
	assert_int_equal(unpack_report_send(fd, &in), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, 1 << 20, &bytes, &len), 0);
	assert_int_equal(unpack_report_parse(bytes, len, &out, NULL), -EIO);
	free(bytes);
	bytes = NULL;
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	in.needs.implied_dirs = good;
	assert_int_equal(unpack_report_send(fd, &in), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, 1 << 20, &bytes, &len), 0);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(unpack_report_parse(bytes, n, &out, NULL), -EIO);
	assert_int_equal(unpack_report_parse(bytes, len, &out, NULL), 0);
	assert_string_equal(out.needs.implied_dirs[0], "usr");
}

static void test_reported_error_is_made_safe(void **state)
{
	AUTO_FREE char *bytes = NULL;
	AUTO_CLOSE int fd = memfd_create("report", MFD_CLOEXEC);
	struct err sent = { .code = -123456, .kind = (enum err_kind)99 }, got = { 0 };
	struct unpack_result out;
	size_t len;

	(void)state;
	memset(sent.msg, '\033', sizeof(sent.msg));
	assert_int_equal(unpack_report_send_error(fd, &sent), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, 1 << 20, &bytes, &len), 0);
	assert_int_equal(unpack_report_parse(bytes, len, &out, &got), -EIO);
	assert_int_equal(got.kind, ERR_SYSTEM);
	assert_null(strchr(got.msg, '\033'));
}

#define T(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest reports[] = {
		T(test_report_is_checked),
		T(test_reported_error_is_made_safe),
	};
	const struct CMUnitTest workers[] = {
		T(test_follows_a_growing_blob),
		T(test_long_report),
		T(test_error_travels),
		T(test_truncated_gzip),
		T(test_blob_shorter_than_announced),
		T(test_death_is_told),
		T(test_free_kills),
		T(test_confinement),
	};
	int r = cmocka_run_group_tests_name("unpack_report", reports, NULL, NULL);

	if (geteuid() != 0) {
		print_message("skipped: owners, chroot and capabilities need root\n");
		return r;
	}
	return r + cmocka_run_group_tests_name("unpack_worker", workers, NULL, NULL);
}
