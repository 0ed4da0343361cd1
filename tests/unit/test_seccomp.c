// SPDX-License-Identifier: MIT
/*
 * The filters: installed in children that make real system calls, and kept in a cache that may be damaged, foreign or missing.
 * test_seccomp_reference.c asks them about every number.
 */
#include "runtime/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "runtime/caps.h"

#define SYS_ADMIN (UINT64_C(1) << 21)

#define NR_FCHMODAT2 452
#define NR_REMOVEXATTRAT 466 /* the newest of the policy */

static struct seccomp_filters make_as(const char *cache_dir, const struct seccomp_request *req)
{
	struct seccomp_filters f = { 0 };
	struct err err = { 0 };

	if (seccomp_filters_load(cache_dir, req, &f, &err) != 0)
		fail_msg("%s", err.msg);
	return f;
}

static struct seccomp_filters make(const char *cache_dir, uint64_t caps)
{
	return make_as(cache_dir, &(struct seccomp_request){ .bounding_caps = caps });
}

static uint64_t boot_caps(void)
{
	struct err err = { 0 };
	uint64_t caps = 0;

	assert_int_equal(caps_boot(false, &caps, &err), 0);
	return caps;
}

/* ---- real system calls ---- */

struct answer {
	long ret;
	int error;
};

enum call {
	CALL_GETPID,
	CALL_MOUNT,
	CALL_UMOUNT,
	CALL_UNSHARE,
	CALL_CLONE3,
	CALL_CLONE_NEWNS,
	CALL_CLONE,
	CALL_SOCKET_VSOCK,
	CALL_SOCKET_ALG,
	CALL_SOCKET_ALG_HIGH,
	CALL_SOCKET_UNIX,
	CALL_PERSONALITY_QUERY,
	CALL_PERSONALITY_ODD,
	CALL_KEYCTL,
	CALL_REBOOT,
	CALL_PTRACE,
	CALL_TIOCSTI,
	CALL_TIOCSTI_HIGH,
	CALL_TIOCLINUX,
	CALL_TIOCGWINSZ,
	CALL_FCHMODAT2,
	CALL_SOCKET_AUDIT,
	CALL_SOCKET_NETLINK,
	CALL_PIVOT_ROOT,
	CALL_BPF,
	CALL_OPEN_BY_HANDLE,
	CALL_SYNCFS,
	CALL_FSYNC,
	CALL_FSYNC_BAD,
	CALL_MSYNC,
	CALL_MSYNC_ASYNC,
	CALL_OPEN_SYNC,
	CALL_UNKNOWN,
	CALL_MAX,
};

static void record(struct answer *answer, long ret)
{
	*answer = (struct answer){ ret, ret < 0 ? errno : 0 };
}

/* Arguments are such that a call that gets through fails with something that no filter says, or does nothing. */
static void make_calls(struct answer *a)
{
	char clone_args[8] = { 0 };
	long pid;

	record(&a[CALL_GETPID], syscall(SYS_getpid));
	record(&a[CALL_MOUNT], syscall(SYS_mount, NULL, NULL, NULL, 0, NULL));
	record(&a[CALL_UMOUNT], syscall(SYS_umount2, NULL, 0));
	record(&a[CALL_UNSHARE], syscall(SYS_unshare, 1));
	record(&a[CALL_CLONE3], syscall(SYS_clone3, clone_args, 1));
	record(&a[CALL_CLONE_NEWNS], syscall(SYS_clone, CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0));
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	record(&a[CALL_CLONE], pid);
	record(&a[CALL_SOCKET_VSOCK], syscall(SYS_socket, 40, 0xbad, 0));
	record(&a[CALL_SOCKET_ALG], syscall(SYS_socket, 38, 0xbad, 0));
	record(&a[CALL_SOCKET_ALG_HIGH], syscall(SYS_socket, 0x100000026, 0xbad, 0));
	record(&a[CALL_SOCKET_UNIX], syscall(SYS_socket, 1, SOCK_STREAM | SOCK_CLOEXEC, 0));
	record(&a[CALL_PERSONALITY_QUERY], syscall(SYS_personality, 0xffffffff));
	record(&a[CALL_PERSONALITY_ODD], syscall(SYS_personality, 0x0040000));
	record(&a[CALL_KEYCTL], syscall(SYS_keyctl, -1));
	record(&a[CALL_REBOOT], syscall(SYS_reboot, 0, 0, 0, 0));
	record(&a[CALL_PTRACE], syscall(SYS_ptrace, 0xbad, 0, 0, 0));
	record(&a[CALL_TIOCSTI], syscall(SYS_ioctl, -1, 0x5412, 0));
	record(&a[CALL_TIOCSTI_HIGH], syscall(SYS_ioctl, -1, 0x700005412, 0));
	record(&a[CALL_TIOCLINUX], syscall(SYS_ioctl, -1, 0x541c, 0));
	record(&a[CALL_TIOCGWINSZ], syscall(SYS_ioctl, -1, 0x5413, 0));
	record(&a[CALL_FCHMODAT2], syscall(NR_FCHMODAT2, -1, "x", 0, 0));
	record(&a[CALL_SOCKET_AUDIT], syscall(SYS_socket, 16, SOCK_RAW, 0x100000009));
	record(&a[CALL_SOCKET_NETLINK], syscall(SYS_socket, 16, SOCK_RAW, 0));
	record(&a[CALL_PIVOT_ROOT], syscall(SYS_pivot_root, NULL, NULL));
	record(&a[CALL_BPF], syscall(SYS_bpf, -1, NULL, 0));
	record(&a[CALL_OPEN_BY_HANDLE], syscall(SYS_open_by_handle_at, -1, NULL, 0));
	record(&a[CALL_SYNCFS], syscall(SYS_syncfs, 1000000));
	record(&a[CALL_FSYNC], syscall(SYS_fsync, 1000000));
	record(&a[CALL_FSYNC_BAD], syscall(SYS_fsync, -1));
	record(&a[CALL_MSYNC], syscall(SYS_msync, 0x1000, 4096, MS_SYNC));
	record(&a[CALL_MSYNC_ASYNC], syscall(SYS_msync, 0x1000, 4096, MS_ASYNC));
	record(&a[CALL_OPEN_SYNC], syscall(SYS_openat, -1, "x", O_WRONLY | O_SYNC));
	record(&a[CALL_UNKNOWN], syscall(NR_REMOVEXATTRAT + 1, -1, 0, 0, 0, 0));
}

static struct answer answers[CALL_MAX];

/* Every call in a child behind the filters. */
static void run_calls(const struct seccomp_request *req)
{
	AUTO(seccomp_filters) f = make_as(NULL, req);
	struct answer *shared = mmap(NULL, sizeof(answers), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int status;

	assert_true(shared != MAP_FAILED);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = { 0 };

		/* so that the test needs no privileges */
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_install(&f, &err) < 0)
			_exit(1);
		make_calls(shared);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	memcpy(answers, shared, sizeof(answers));
	(void)munmap(shared, sizeof(answers));
}

struct expected {
	enum call call;
	int error;
};

static void check_answers(const struct expected *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (answers[cases[i].call].error != cases[i].error)
			fail_msg("call %u: %s, not %s", cases[i].call,
				 strerror(answers[cases[i].call].error), strerror(cases[i].error));
	}
}

static void test_default_caps(void **state)
{
	static const struct expected cases[] = {
		{ CALL_GETPID, 0 },
		{ CALL_MOUNT, EPERM },
		{ CALL_UMOUNT, EPERM },
		{ CALL_UNSHARE, EPERM },
		{ CALL_CLONE3, ENOSYS },
		{ CALL_CLONE_NEWNS, EPERM },
		{ CALL_CLONE, 0 },
		{ CALL_SOCKET_VSOCK, EPERM },
		{ CALL_SOCKET_ALG, EPERM },
		{ CALL_SOCKET_ALG_HIGH, EPERM },
		{ CALL_SOCKET_UNIX, 0 },
		{ CALL_PERSONALITY_QUERY, 0 },
		{ CALL_PERSONALITY_ODD, EPERM },
		{ CALL_KEYCTL, EPERM },
		{ CALL_REBOOT, EPERM },
		{ CALL_PTRACE, ESRCH },
		{ CALL_TIOCSTI, EPERM },
		{ CALL_TIOCSTI_HIGH, EPERM },
		{ CALL_TIOCLINUX, EPERM },
		{ CALL_TIOCGWINSZ, EBADF },
		{ CALL_SOCKET_NETLINK, 0 },
		{ CALL_PIVOT_ROOT, EPERM },
		{ CALL_BPF, EPERM },
		{ CALL_OPEN_BY_HANDLE, EPERM },
		{ CALL_SYNCFS, EBADF },
		{ CALL_FSYNC, EBADF },
		{ CALL_MSYNC, ENOMEM },
		{ CALL_OPEN_SYNC, EBADF },
		{ CALL_UNKNOWN, ENOSYS },
	};

	(void)state;
	run_calls(&(struct seccomp_request){ .bounding_caps = caps_default() });
	check_answers(cases, ARRAY_SIZE(cases));
	/* allowed although libseccomp may not know it: EBADF, or ENOSYS of an older kernel */
	assert_int_not_equal(answers[CALL_FCHMODAT2].error, EPERM);
}

static void test_sys_admin(void **state)
{
	(void)state;
	run_calls(&(struct seccomp_request){ .bounding_caps = caps_default() | SYS_ADMIN });
	/* the kernel's own answers, as the arguments are wrong */
	assert_int_equal(answers[CALL_MOUNT].error, EFAULT);
	assert_int_equal(answers[CALL_UNSHARE].error, EINVAL);
	assert_int_equal(answers[CALL_CLONE3].error, EINVAL);
	assert_int_equal(answers[CALL_CLONE_NEWNS].error, EINVAL);
	/* and what it does not open */
	assert_int_equal(answers[CALL_SOCKET_ALG].error, EPERM);
	assert_int_equal(answers[CALL_TIOCSTI].error, EPERM);
	assert_int_equal(answers[CALL_KEYCTL].error, EPERM);
}

static void test_boot_policy(void **state)
{
	static const struct expected cases[] = {
		{ CALL_GETPID, 0 },
		{ CALL_MOUNT, EFAULT },
		{ CALL_UNSHARE, EINVAL },
		{ CALL_CLONE3, EINVAL },
		{ CALL_CLONE_NEWNS, EINVAL },
		{ CALL_CLONE, 0 },
		{ CALL_SOCKET_VSOCK, EPERM },
		{ CALL_SOCKET_ALG, EPERM },
		{ CALL_SOCKET_ALG_HIGH, EPERM },
		{ CALL_SOCKET_UNIX, 0 },
		{ CALL_SOCKET_AUDIT, EAFNOSUPPORT },
		{ CALL_SOCKET_NETLINK, 0 },
		{ CALL_PERSONALITY_QUERY, 0 },
		{ CALL_PERSONALITY_ODD, 0 },
		{ CALL_KEYCTL, EPERM },
		{ CALL_PTRACE, ESRCH },
		{ CALL_TIOCSTI, EPERM },
		{ CALL_TIOCLINUX, EPERM },
		{ CALL_PIVOT_ROOT, EFAULT },
		{ CALL_BPF, EPERM },
		{ CALL_OPEN_BY_HANDLE, EPERM },
		{ CALL_FSYNC, EBADF },
		{ CALL_UNKNOWN, ENOSYS },
	};

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: what the kernel lets through needs root\n");
		skip();
	}
	run_calls(&(struct seccomp_request){ .policy = SECCOMP_POLICY_BOOT,
					     .bounding_caps = boot_caps() });
	check_answers(cases, ARRAY_SIZE(cases));
}

/* No descriptor 1000000, no memory at 0x1000: the kernel would have said so. */
static void test_suppress_sync(void **state)
{
	static const struct expected cases[] = {
		{ CALL_SYNCFS, 0 },	      { CALL_FSYNC, 0 },
		{ CALL_FSYNC_BAD, EBADF },    { CALL_MSYNC, 0 },
		{ CALL_MSYNC_ASYNC, ENOMEM }, { CALL_OPEN_SYNC, EBADF },
		{ CALL_TIOCSTI, EPERM },      { CALL_TIOCGWINSZ, EBADF },
		{ CALL_KEYCTL, EPERM },	      { CALL_GETPID, 0 },
	};

	(void)state;
	for (int policy = SECCOMP_POLICY_DEFAULT; policy <= SECCOMP_POLICY_BOOT; policy++) {
		run_calls(&(struct seccomp_request){ .policy = (enum seccomp_policy)policy,
						     .suppress_sync = true,
						     .bounding_caps = caps_default() });
		check_answers(cases, ARRAY_SIZE(cases));
	}
}

static void test_install_fails(void **state)
{
	static const struct sock_filter broken[] = { { 0xffff, 0, 0, 0 } };
	struct seccomp_filters f = { .tty = { broken, sizeof(broken) },
				     .policy = { broken, sizeof(broken) } };
	struct err err = { 0 };

	(void)state;
	assert_true(seccomp_install(&f, &err) < 0);
	assert_non_null(strstr(err.msg, "terminal seccomp filter"));
}

/* ---- the cache ---- */

struct cache {
	char dir[40];
	char sub[64];
	char file[320];
};

static int setup_cache(void **state)
{
	struct cache *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	(void)snprintf(c->dir, sizeof(c->dir), "/tmp/test_seccomp.XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	(void)snprintf(c->sub, sizeof(c->sub), "%s/seccomp", c->dir);
	*state = c;
	return 0;
}

/* The name of the only file, in c->file. Return: how many there are. */
static size_t find_files(struct cache *c)
{
	AUTO_CLOSEDIR DIR *dir = opendir(c->sub);
	struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' && strlen(entry->d_name) < 3)
			continue;
		(void)snprintf(c->file, sizeof(c->file), "%.60s/%s", c->sub, entry->d_name);
		n++;
	}
	return n;
}

static int teardown_cache(void **state)
{
	struct cache *c = *state;

	(void)chmod(c->dir, 0700);
	while (find_files(c) > 0 && unlink(c->file) == 0)
		continue;
	(void)unlink(c->sub);
	(void)rmdir(c->sub);
	(void)rmdir(c->dir);
	free(c);
	return 0;
}

static bool same(const struct seccomp_filters *a, const struct seccomp_filters *b)
{
	return a->tty.len_bytes == b->tty.len_bytes && a->policy.len_bytes == b->policy.len_bytes &&
	       a->sync.len_bytes == b->sync.len_bytes &&
	       memcmp(a->tty.bpf, b->tty.bpf, a->tty.len_bytes) == 0 &&
	       memcmp(a->policy.bpf, b->policy.bpf, a->policy.len_bytes) == 0 &&
	       memcmp(a->sync.bpf, b->sync.bpf, a->sync.len_bytes) == 0;
}

static void test_cache_hit(void **state)
{
	struct cache *c = *state;
	AUTO(seccomp_filters) plain = make(NULL, caps_default());
	AUTO(seccomp_filters) first = make(c->dir, caps_default());
	struct stat before, after;
	usec_t start, best = USEC_INFINITY;

	assert_int_equal(find_files(c), 1);
	assert_int_equal(stat(c->sub, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0700);
	assert_int_equal(stat(c->file, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	for (int i = 0; i < 20; i++) {
		start = now_usec();
		AUTO(seccomp_filters) again = make(c->dir, caps_default());

		start = now_usec() - start;
		if (start < best)
			best = start;
		assert_true(same(&again, &first));
	}
	assert_true(same(&first, &plain));
	assert_int_equal(find_files(c), 1);
	assert_int_equal(stat(c->file, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	/* generous, for sanitizers and a loaded machine; compiling takes 2 ms without either */
	print_message("from the cache: %llu us\n", (unsigned long long)best);
	assert_true(best < 1000);
}

/* All that a request says is in the file's name, and comes back from the file. */
static void test_cache_key(void **state)
{
	static const struct seccomp_request reqs[] = {
		{ SECCOMP_POLICY_DEFAULT, false, 0xa80425fb },
		{ SECCOMP_POLICY_DEFAULT, false, 0xa80425fb | SYS_ADMIN },
		{ SECCOMP_POLICY_DEFAULT, true, 0xa80425fb },
		{ SECCOMP_POLICY_BOOT, false, 0xa80425fb },
		{ SECCOMP_POLICY_BOOT, true, 0xa80425fb },
	};
	struct cache *c = *state;

	for (size_t i = 0; i < ARRAY_SIZE(reqs); i++) {
		AUTO(seccomp_filters) first = make_as(c->dir, &reqs[i]);
		AUTO(seccomp_filters) again = make_as(c->dir, &reqs[i]);

		assert_int_equal(find_files(c), i + 1);
		assert_true(same(&first, &again));
		assert_int_equal(again.sync.len_bytes > 0, reqs[i].suppress_sync);
		for (size_t k = 0; k < i; k++) {
			AUTO(seccomp_filters) other = make_as(c->dir, &reqs[k]);

			assert_false(same(&first, &other));
		}
	}
}

/* Any byte of the file changed, and any other size: compiled again, and the file replaced. */
static void test_cache_damage(void **state)
{
	struct cache *c = *state;
	AUTO(seccomp_filters) want = make(c->dir, caps_default());
	struct stat st;

	assert_int_equal(find_files(c), 1);
	assert_int_equal(stat(c->file, &st), 0);
	for (off_t at = 0; at < st.st_size; at += at < 40 ? 1 : 331) {
		AUTO_CLOSE int fd = open(c->file, O_RDWR | O_CLOEXEC);
		unsigned char byte;

		assert_true(fd >= 0);
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= (unsigned char)(1U << (at % 8));
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		AUTO(seccomp_filters) got = make(c->dir, caps_default());

		assert_true(same(&got, &want));
	}
	for (off_t size = 0; size <= st.st_size + 8; size += size < 48 ? 1 : 997) {
		assert_int_equal(truncate(c->file, size), 0);
		AUTO(seccomp_filters) got = make(c->dir, caps_default());

		assert_true(same(&got, &want));
	}
	assert_int_equal(truncate(c->file, st.st_size + 1), 0);
	AUTO(seccomp_filters) longer = make(c->dir, caps_default());

	assert_true(same(&longer, &want));
	assert_int_equal(find_files(c), 1);
	assert_int_equal(truncate(c->file, (off_t)1 << 40), 0);
	AUTO(seccomp_filters) huge = make(c->dir, caps_default());

	assert_true(same(&huge, &want));
}

/* A file that somebody else could have written decides nothing. */
static void test_cache_foreign(void **state)
{
	struct cache *c = *state;
	AUTO(seccomp_filters) want = make(c->dir, caps_default());
	AUTO_FREE char *other = NULL;
	struct stat st;

	/* another container's filters under this one's name: valid, but anybody could write there */
	assert_int_equal(find_files(c), 1);
	other = strdup(c->file);
	assert_non_null(other);
	assert_int_equal(unlink(other), 0);
	AUTO(seccomp_filters) wide = make(c->dir, UINT64_MAX);

	assert_false(same(&wide, &want));
	assert_int_equal(find_files(c), 1);
	assert_int_equal(rename(c->file, other), 0);
	assert_int_equal(chmod(other, 0666), 0);
	{
		AUTO(seccomp_filters) got = make(c->dir, caps_default());

		assert_true(same(&got, &want));
	}
	/* it was replaced */
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* nor does a link, or a fifo, which would hang */
	assert_int_equal(unlink(other), 0);
	assert_int_equal(symlink("/dev/zero", other), 0);
	{
		AUTO(seccomp_filters) got = make(c->dir, caps_default());

		assert_true(same(&got, &want));
	}
	assert_int_equal(unlink(other), 0);
	assert_int_equal(mkfifo(other, 0600), 0);
	{
		AUTO(seccomp_filters) got = make(c->dir, caps_default());

		assert_true(same(&got, &want));
	}
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(other, 12345, 12345), 0);
	{
		AUTO(seccomp_filters) got = make(c->dir, caps_default());

		assert_true(same(&got, &want));
	}
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

/* Where nothing can be kept, filters are made all the same. */
static void test_cache_unusable(void **state)
{
	struct cache *c = *state;
	AUTO(seccomp_filters) want = make(NULL, caps_default());
	AUTO_CLOSE int fd = open(c->sub, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char name[5000];

	assert_true(fd >= 0);
	{
		AUTO(seccomp_filters) got = make(c->dir, caps_default());

		assert_true(same(&got, &want));
	}
	{
		AUTO(seccomp_filters) got = make("/proc/no/such", caps_default());

		assert_true(same(&got, &want));
	}
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	{
		AUTO(seccomp_filters) got = make(name, caps_default());

		assert_true(same(&got, &want));
	}
	/* the cache directory itself is made */
	assert_int_equal(unlink(c->sub), 0);
	assert_int_equal(rmdir(c->dir), 0);
	AUTO(seccomp_filters) got = make(c->dir, caps_default());

	assert_true(same(&got, &want));
	assert_int_equal(find_files(c), 1);
}

int main(void)
{
#define WITH_CACHE(test) cmocka_unit_test_setup_teardown(test, setup_cache, teardown_cache)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_caps),  cmocka_unit_test(test_sys_admin),
		cmocka_unit_test(test_boot_policy),   cmocka_unit_test(test_suppress_sync),
		cmocka_unit_test(test_install_fails), WITH_CACHE(test_cache_hit),
		WITH_CACHE(test_cache_key),	      WITH_CACHE(test_cache_damage),
		WITH_CACHE(test_cache_foreign),	      WITH_CACHE(test_cache_unusable),
	};

	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
