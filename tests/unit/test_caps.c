// SPDX-License-Identifier: MIT
/* Capabilities: the names, docker's set, and what is left in /proc/self/status of children that gave some up. */
#include "runtime/caps.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "runtime/container_spec.h"

#define DOCKER_DEFAULT UINT64_C(0xa80425fb)
#define CHOWN UINT64_C(1)
#define NET_RAW (UINT64_C(1) << 13)

static void test_names(void **state)
{
	static const char *const bad[] = { "",
					   "CHOWN",
					   "CAP_",
					   "CAP_NOSUCH",
					   "0",
					   "CAP_0",
					   "CAP_12",
					   "12",
					   " CAP_CHOWN",
					   "CAP_CHOWN ",
					   "CAP_CHOWN,CAP_KILL",
					   "ALL",
					   "CAP_CHOWNX" };
	char buf[CAPS_NAME_MAX];

	(void)state;
	assert_int_equal(caps_from_name("CAP_CHOWN"), 0);
	assert_int_equal(caps_from_name("cap_sys_admin"), 21);
	assert_int_equal(caps_from_name("CAP_CHECKPOINT_RESTORE"), 40);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (caps_from_name(bad[i]) != -EINVAL)
			fail_msg("\"%s\" is taken for capability %d", bad[i],
				 caps_from_name(bad[i]));
	}
	assert_string_equal(caps_name(0, buf), "CAP_CHOWN");
	assert_string_equal(caps_name(21, buf), "CAP_SYS_ADMIN");
	assert_string_equal(caps_name(63, buf), "CAP_63");
	assert_string_equal(caps_name(4000000000, buf), "CAP_4000000000");
	for (unsigned int cap = 0; cap <= 40; cap++)
		assert_int_equal(caps_from_name(caps_name(cap, buf)), cap);
}

static void test_default(void **state)
{
	(void)state;
	assert_true(caps_default() == DOCKER_DEFAULT);
	assert_int_equal(__builtin_popcountll(caps_default()), 14);
}

/* As a booted systemd-nspawn 252 shows them, but for CAP_AUDIT_CONTROL (30). */
static void test_boot(void **state)
{
	struct err err = { 0 };
	uint64_t host = 0, private = 0;

	(void)state;
	assert_int_equal(caps_boot(false, &host, &err), 0);
	assert_int_equal(caps_boot(true, &private, &err), 0);
	assert_true(host == (UINT64_C(0xfdecafff) & ~(UINT64_C(1) << 30)));
	assert_true(private == (host | UINT64_C(1) << 12));
	assert_true((host & caps_default()) == caps_default());
}

static uint64_t status_mask(const char *key)
{
	AUTO_FCLOSE FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	uint64_t mask = UINT64_MAX;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)) == 0)
			(void)sscanf(line + strlen(key), ":%" SCNx64, &mask);
	}
	return mask;
}

static void test_read_bounding(void **state)
{
	struct err err = { 0 };
	uint64_t mask = 1;

	(void)state;
	assert_int_equal(caps_read_bounding(&mask, &err), 0);
	assert_true(mask == (status_mask("CapBnd") & status_mask("CapPrm")));
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: changing capabilities needs root\n");
		skip();
	}
}

/* Runs @check in a child, whose exit code is the line it failed at. */
static void in_child(int (*check)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		fail_msg("check %d of the child failed", WEXITSTATUS(status));
}

static int check_bounding(void)
{
	struct err err = { 0 };
	uint64_t mask, had = status_mask("CapBnd");

	if (caps_apply_bounding(DOCKER_DEFAULT, &err) != 0)
		return 1;
	if (status_mask("CapBnd") != (had & DOCKER_DEFAULT))
		return 2;
	/* dropped already, and bits that no kernel has */
	if (caps_apply_bounding(DOCKER_DEFAULT | UINT64_C(1) << 63, &err) != 0)
		return 3;
	if (caps_read_bounding(&mask, &err) != 0 || mask != (had & DOCKER_DEFAULT))
		return 4;
	if (caps_apply_bounding(0, &err) != 0 || status_mask("CapBnd") != 0)
		return 5;
	return 0;
}

static void test_apply_bounding(void **state)
{
	(void)state;
	need_root();
	in_child(check_bounding);
}

static int check_sets(void)
{
	struct cap_sets some = { .permitted = CHOWN | NET_RAW, .effective = CHOWN };
	struct cap_sets more = { .permitted = CHOWN | NET_RAW | 2, .effective = CHOWN };
	struct cap_sets none = { 0 };
	struct err err = { 0 };

	if (caps_apply_sets(&some, &err) != 0)
		return 1;
	if (status_mask("CapPrm") != (CHOWN | NET_RAW) || status_mask("CapEff") != CHOWN ||
	    status_mask("CapInh") != 0 || status_mask("CapAmb") != 0)
		return 2;
	/* nothing comes back */
	if (caps_apply_sets(&more, &err) != -EPERM || err.kind != ERR_SYSTEM)
		return 3;
	/* without CAP_SETPCAP the bounding set stays, and that is told */
	if (caps_apply_bounding(0, &err) != -EPERM || !strstr(err.msg, "bounding"))
		return 4;
	if (caps_apply_sets(&none, &err) != 0)
		return 5;
	if (status_mask("CapPrm") != 0 || status_mask("CapEff") != 0)
		return 6;
	return 0;
}

static void test_apply_sets(void **state)
{
	(void)state;
	need_root();
	in_child(check_sets);
}

static int check_ambient(void)
{
	struct cap_sets sets = {
		.permitted = CHOWN | NET_RAW,
		.effective = CHOWN | NET_RAW,
		.inheritable = NET_RAW,
		.ambient = NET_RAW,
	};
	struct err err = { 0 };

	if (caps_apply_sets(&sets, &err) != 0 || status_mask("CapAmb") != NET_RAW)
		return 1;
	/* ambient is never more than inheritable */
	sets.ambient |= CHOWN;
	if (caps_apply_sets(&sets, &err) != -EPERM || !strstr(err.msg, "ambient"))
		return 2;
	sets.ambient = 0;
	if (caps_apply_sets(&sets, &err) != 0 || status_mask("CapAmb") != 0)
		return 3;
	return 0;
}

static void test_ambient(void **state)
{
	(void)state;
	need_root();
	in_child(check_ambient);
}

/* Docker's way for another user: the bounding set stays, the rest is empty. */
static int check_other_user(void)
{
	struct cap_sets none = { .bounding = DOCKER_DEFAULT };
	struct err err = { 0 };
	uint64_t had = status_mask("CapBnd");

	if (caps_apply_bounding(DOCKER_DEFAULT, &err) != 0 || setresuid(1000, 1000, 1000) < 0)
		return 1;
	if (caps_apply_sets(&none, &err) != 0)
		return 2;
	if (status_mask("CapBnd") != (had & DOCKER_DEFAULT) || status_mask("CapPrm") != 0 ||
	    status_mask("CapEff") != 0 || status_mask("CapInh") != 0)
		return 3;
	return 0;
}

static void test_other_user(void **state)
{
	(void)state;
	need_root();
	in_child(check_other_user);
}

static int check_of_another(void)
{
	uint64_t mask = 0;
	struct err err;

	if (caps_apply_bounding(DOCKER_DEFAULT, &err) != 0)
		return 1;
	if (caps_read_bounding_of(getpid(), &mask) != 0 || mask != status_mask("CapBnd"))
		return 2;
	return caps_read_bounding_of(getppid(), &mask) == 0 && mask != status_mask("CapBnd") ? 0 :
											       3;
}

static void test_read_bounding_of(void **state)
{
	uint64_t mask;
	pid_t gone = fork();

	(void)state;
	if (gone == 0)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	assert_int_equal(caps_read_bounding_of(gone, &mask), -ENOENT);
	need_root();
	in_child(check_of_another);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_read_bounding),
		cmocka_unit_test(test_apply_bounding),
		cmocka_unit_test(test_apply_sets),
		cmocka_unit_test(test_read_bounding_of),
		cmocka_unit_test(test_ambient),
		cmocka_unit_test(test_other_user),
	};

	return cmocka_run_group_tests_name("caps", tests, NULL, NULL);
}
