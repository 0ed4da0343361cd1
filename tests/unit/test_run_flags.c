// SPDX-License-Identifier: MIT
/* What `racker run` refuses from its command line alone: no image is looked for, and nothing is made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cmd/dispatch.h"
#include "cmd/exit_status.h"
#include "tests/unit/scratch.h"

#define OUTPUT_MAX 65536
#define NO_IMAGE "oci:/nonexistent/racker-test"

/* Runs a command line; @ret_said: what it wrote to stderr, free(). Return: exit status */
static int run(char *const *argv, char **ret_said)
{
	AUTO_CLOSE int said = memfd_create("stderr", MFD_CLOEXEC);
	AUTO_CLOSE int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int status;

	assert_true(said >= 0 && saved >= 0);
	assert_true(dup2(said, STDERR_FILENO) >= 0);
	status = dispatch(argv);
	(void)fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	assert_int_equal(lseek(said, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(said, OUTPUT_MAX, ret_said, NULL), 0);
	return status;
}

static size_t count_entries(int dir_fd)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	return n;
}

static void root_of(void **state, char path[static 64])
{
	(void)snprintf(path, 64, "/proc/self/fd/%d", SCRATCH_FD(state));
}

static void assert_refused(void **state, char *const *argv, const char *message)
{
	AUTO_FREE char *said = NULL;
	int status = run(argv, &said);

	if (status != EXIT_STATUS_OURS || !strstr(said, message))
		fail_msg("%d: %s", status, said);
	assert_int_equal(count_entries(SCRATCH_FD(state)), 0);
}

#define RUN(root, ...) \
	((char *[]){ "racker", "--root", root, "run", "--pull=never", __VA_ARGS__, NO_IMAGE, NULL })

static void test_bad_detach_keys(void **state)
{
	char root[64];

	root_of(state, root);
	assert_refused(state, RUN(root, "--detach-keys", "xx,"),
		       "racker: invalid detach keys (xx,): ");
	assert_refused(state, RUN(root, "--detach-keys=xx,", "-it"),
		       "racker: invalid detach keys (xx,): ");
	assert_refused(state, RUN(root, "-t", "--detach-keys=ctrl-p,ctrl-Q"),
		       "racker: invalid detach keys (ctrl-p,ctrl-Q): ");
}

/* Good ones get as far as the image, which is not there (or as the question who asks). */
static void test_good_detach_keys(void **state)
{
	static const char *const good[] = { "--detach-keys=", "--detach-keys=ctrl-x,y" };
	char root[64];

	root_of(state, root);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO_FREE char *said = NULL;
		AUTO_FREE char *flag = strdup(good[i]);

		assert_non_null(flag);
		assert_int_equal(run(RUN(root, flag), &said), EXIT_STATUS_OURS);
		assert_null(strstr(said, "detach"));
	}
}

static void test_bad_volume(void **state)
{
	char root[64];

	root_of(state, root);
	assert_refused(state, RUN(root, "-v", "/a:/tmp/.."), "destination can't be '/'");
}

/* No name is no reason to refuse. */
static void test_empty_name(void **state)
{
	AUTO_FREE char *said = NULL;
	char root[64];

	root_of(state, root);
	assert_int_equal(run(RUN(root, "--name", ""), &said), EXIT_STATUS_OURS);
	assert_null(strstr(said, "container name"));
}

int main(void)
{
#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_bad_detach_keys),
		SCRATCH_TEST(test_good_detach_keys),
		SCRATCH_TEST(test_bad_volume),
		SCRATCH_TEST(test_empty_name),
	};

	return cmocka_run_group_tests_name("run_flags", tests, NULL, NULL);
}
