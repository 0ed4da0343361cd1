// SPDX-License-Identifier: MIT
/* Ranges of ids: the same for a name, never somebody else's, free again when given back or when the owner is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/userns.h"
#include "tests/unit/scratch.h"

#define NO_RANGE ((struct userns_range){ .lock_fd = -EBADF, .dir_fd = -EBADF })

struct fixture {
	void *scratch;
	int fd;
	char state[64], etc[64], nspawn[64];
	struct userns_places places;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f || scratch_setup(&f->scratch))
		return -1;
	f->fd = SCRATCH_FD(&f->scratch);
	(void)snprintf(f->state, sizeof(f->state), "/proc/self/fd/%d/state", f->fd);
	(void)snprintf(f->etc, sizeof(f->etc), "/proc/self/fd/%d/etc", f->fd);
	(void)snprintf(f->nspawn, sizeof(f->nspawn), "/proc/self/fd/%d/nspawn", f->fd);
	f->places = (struct userns_places){ f->state, f->etc, f->nspawn };
	return mkdirat(f->fd, "etc", 0755) || mkdirat(f->fd, "nspawn", 0755) ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = scratch_teardown(&f->scratch);

	free(f);
	return r;
}

static uint32_t claim(const struct fixture *f, const char *name, struct userns_range *ret)
{
	struct err err;

	*ret = NO_RANGE;
	if (userns_claim(&f->places, name, ret, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(ret->base >= USERNS_FIRST && ret->base <= USERNS_LAST);
	assert_int_equal(ret->base % USERNS_IDS, 0);
	return ret->base;
}

static uint32_t claim_once(const struct fixture *f, const char *name)
{
	AUTO(userns_range) r = NO_RANGE;

	return claim(f, name, &r);
}

__attribute__((format(printf, 3, 4))) static void etc_file(const struct fixture *f,
							   const char *name, const char *fmt, ...)
{
	char path[32], text[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(path, sizeof(path), "etc/%s", name);
	assert_int_equal(fd_write_file_at(f->fd, path, 0644, text, strlen(text), NULL), 0);
}

static size_t count_claims(const struct fixture *f)
{
	AUTO_CLOSEDIR DIR *dir = fdopendir(openat(f->fd, "state/uids", O_RDONLY | O_CLOEXEC));
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	return n - 2;
}

static void test_same_name_same_range(void **state)
{
	const struct fixture *f = *state;
	uint32_t base = claim_once(f, "m1");

	assert_int_equal(claim_once(f, "m1"), base);
	assert_int_not_equal(claim_once(f, "m2"), base);
	assert_int_equal(count_claims(f), 0);
}

static void test_in_use(void **state)
{
	const struct fixture *f = *state;
	AUTO(userns_range) a = NO_RANGE;
	AUTO(userns_range) b = NO_RANGE;
	uint32_t base = claim(f, "m1", &a);

	assert_int_equal(claim(f, "m1", &b), base + USERNS_IDS);
	assert_int_equal(count_claims(f), 2);
	userns_range_done(&a);
	assert_int_equal(claim(f, "m1", &a), base);
}

static void test_owner_is_gone(void **state)
{
	const struct fixture *f = *state;
	AUTO(userns_range) r = NO_RANGE;
	uint32_t base = claim_once(f, "m1");
	pid_t pid = fork();

	if (pid == 0) {
		AUTO(userns_range) mine = NO_RANGE;

		(void)userns_claim(&f->places, "other", &mine, NULL);
		_exit(mine.lock_fd >= 0 ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count_claims(f), 1);
	assert_int_equal(claim(f, "m1", &r), base);
	assert_int_equal(count_claims(f), 1);
}

static void test_ids_of_others(void **state)
{
	const struct fixture *f = *state;
	uint32_t base = claim_once(f, "m1");

	/* The last id of the range before, the whole range, and the first of the range after. */
	etc_file(f, "subuid", "a:%u:65538\n", base - 1);
	assert_int_equal(claim_once(f, "m1"), base + 2 * USERNS_IDS);
	etc_file(f, "subuid", "a:%u:65537\n", base - 1);
	assert_int_equal(claim_once(f, "m1"), base + USERNS_IDS);
	etc_file(f, "subuid", "a:%u:1\n", base - 1);
	assert_int_equal(claim_once(f, "m1"), base);
	etc_file(f, "subgid", "# none\n\nx\na:1:2:3\nb:%u:1", base + USERNS_IDS - 1);
	assert_int_equal(claim_once(f, "m1"), base + USERNS_IDS);
	etc_file(f, "passwd", "root:x:0:0::/:/bin/sh\nu:x:%u:100::/:\n", base + USERNS_IDS);
	assert_int_equal(claim_once(f, "m1"), base + 2 * USERNS_IDS);
	etc_file(f, "group", "g:x:%u:a,b\n", base + 2 * USERNS_IDS + 5);
	assert_int_equal(claim_once(f, "m1"), base + 3 * USERNS_IDS);
	char name[32];
	(void)snprintf(name, sizeof(name), "nspawn/%u", base + 3 * USERNS_IDS);
	assert_int_equal(fd_write_file_at(f->fd, name, 0600, "", 0, NULL), 0);
	assert_int_equal(claim_once(f, "m1"), base + 4 * USERNS_IDS);
}

static void test_malformed_databases(void **state)
{
	const struct fixture *f = *state;
	uint32_t base = claim_once(f, "m1");

	etc_file(
		f, "subuid",
		":::\na:%u\na:-1:5\na:4294967296:99999999999999999999\nb:99:-1\na:0x80000:1000000000\n\n",
		base);
	assert_int_equal(claim_once(f, "m1"), base);
}

static void test_all_taken(void **state)
{
	const struct fixture *f = *state;
	AUTO(userns_range) r = NO_RANGE;
	struct err err;

	etc_file(f, "subuid", "a:%u:4000000000\n", 100000);
	assert_int_equal(userns_claim(&f->places, "m1", &r, &err), -EUSERS);
	assert_int_equal(err.kind, ERR_CONFLICT);
	/* One is left, however far away. */
	etc_file(f, "subuid", "a:0:%u\n", USERNS_LAST);
	assert_int_equal(claim(f, "m1", &r), USERNS_LAST);
	AUTO(userns_range) none = NO_RANGE;
	assert_int_equal(userns_claim(&f->places, "m2", &none, &err), -EUSERS);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_same_name_same_range), TEST(test_in_use),
		TEST(test_owner_is_gone),	 TEST(test_ids_of_others),
		TEST(test_malformed_databases),	 TEST(test_all_taken),
	};

	return cmocka_run_group_tests_name("userns_range", tests, NULL, NULL);
}
