// SPDX-License-Identifier: MIT
/* Whether a generator has work in a root file system: what an image may hold, and what a hostile one might. */
#include "runtime/boot_generators.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path_at.h"
#include "tests/unit/scratch.h"

#define FSTAB "systemd-fstab-generator"
#define RC_LOCAL "systemd-rc-local-generator"
#define SYSV "systemd-sysv-generator"

static void put(int root, const char *path, const char *text, mode_t mode)
{
	struct err err = { 0 };
	char *dir = strdup(path);

	assert_non_null(dir);
	*strrchr(dir, '/') = '\0';
	assert_true(close(path_at_mkdir_p(root, dir, 0755)) == 0);
	free(dir);
	if (fd_write_file_at(root, path, mode, text, strlen(text), &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(fchmodat(root, path, mode, 0), 0);
}

static void put_link(int root, const char *path, const char *target)
{
	(void)unlinkat(root, path, 0);
	put(root, path, "", 0600);
	assert_int_equal(unlinkat(root, path, 0), 0);
	assert_int_equal(symlinkat(target, root, path), 0);
}

static void test_known(void **state)
{
	int root = SCRATCH_FD(state);

	assert_true(boot_generator_known(FSTAB));
	assert_true(boot_generator_known(RC_LOCAL));
	assert_true(boot_generator_known(SYSV));
	assert_false(boot_generator_known("systemd-debug-generator"));
	assert_false(boot_generator_idle(root, "systemd-debug-generator"));
}

static void test_empty_root(void **state)
{
	int root = SCRATCH_FD(state);

	assert_true(boot_generator_idle(root, FSTAB));
	assert_true(boot_generator_idle(root, RC_LOCAL));
	assert_true(boot_generator_idle(root, SYSV));
}

static void test_fstab(void **state)
{
	static const char *const idle[] = { "", "\n\n", "# UNCONFIGURED", " \t# x\n\n#y\n", "  " };
	static const char *const busy[] = { "tmpfs /mnt tmpfs defaults", "# x\n  LABEL=x / auto\n",
					    "\nx", "\001", "\r\n" };
	int root = SCRATCH_FD(state);
	char *big;

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
		put(root, "etc/fstab", idle[i], 0644);
		if (!boot_generator_idle(root, FSTAB))
			fail_msg("idle[%zu]", i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(busy); i++) {
		put(root, "etc/fstab", busy[i], 0644);
		if (boot_generator_idle(root, FSTAB))
			fail_msg("busy[%zu]", i);
	}
	big = calloc(1, 70000);
	assert_non_null(big);
	memset(big, '\n', 69999);
	put(root, "etc/fstab", big, 0644);
	free(big);
	assert_false(boot_generator_idle(root, FSTAB));
	/* neither hangs nor is read */
	assert_int_equal(unlinkat(root, "etc/fstab", 0), 0);
	assert_int_equal(mkfifoat(root, "etc/fstab", 0600), 0);
	assert_false(boot_generator_idle(root, FSTAB));
	put_link(root, "etc/fstab", "/dev/null");
	assert_true(boot_generator_idle(root, FSTAB)); /* there is none in this root */
}

static void test_rc_local(void **state)
{
	int root = SCRATCH_FD(state);

	put(root, "etc/rc.d/rc.local", "", 0644);
	assert_true(boot_generator_idle(root, RC_LOCAL));
	put(root, "etc/rc.d/rc.local", "", 0755);
	assert_false(boot_generator_idle(root, RC_LOCAL));
	assert_int_equal(unlinkat(root, "etc/rc.d/rc.local", 0), 0);
	put(root, "etc/rc.local", "", 0700);
	assert_false(boot_generator_idle(root, RC_LOCAL));
	put_link(root, "etc/rc.local", "rc.local");
	assert_false(boot_generator_idle(root, RC_LOCAL));
}

static void test_sysv(void **state)
{
	int root = SCRATCH_FD(state);

	put(root, "etc/init.d/README", "", 0644);
	put(root, "etc/init.d/.hidden", "", 0755);
	put(root, "etc/init.d/dbus", "", 0755);
	assert_false(boot_generator_idle(root, SYSV));
	put(root, "usr/lib/systemd/system/dbus.service", "", 0644);
	assert_true(boot_generator_idle(root, SYSV));
	put(root, "etc/init.d/hwclock.sh", "", 0755);
	assert_false(boot_generator_idle(root, SYSV));
	put_link(root, "etc/systemd/system/hwclock.service", "/dev/null");
	assert_true(boot_generator_idle(root, SYSV));
	put_link(root, "etc/init.d/other", "dbus");
	assert_false(boot_generator_idle(root, SYSV));
	assert_int_equal(unlinkat(root, "etc/init.d/other", 0), 0);
	for (int i = 0; i < 300; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "etc/init.d/n%d", i);
		put(root, path, "", 0644);
	}
	assert_false(boot_generator_idle(root, SYSV));
}

/* Red Hat's /etc/init.d is a link; one that leads out is followed inside. */
static void test_sysv_links(void **state)
{
	int root = SCRATCH_FD(state);

	put_link(root, "etc/init.d", "rc.d/init.d");
	assert_true(boot_generator_idle(root, SYSV));
	put(root, "etc/rc.d/init.d/network", "", 0755);
	assert_false(boot_generator_idle(root, SYSV));
	put(root, "srv/mine", "", 0755);
	put_link(root, "etc/init.d", "../../../../../../srv");
	assert_false(boot_generator_idle(root, SYSV));
	put_link(root, "etc/init.d", "/usr");
	assert_true(boot_generator_idle(root, SYSV)); /* there is none in this root */
	put_link(root, "etc/init.d", "/proc/self/fd/0");
	assert_true(boot_generator_idle(root, SYSV));
	put_link(root, "etc/init.d", "init.d");
	assert_false(boot_generator_idle(root, SYSV));
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(test_known),	   IN_SCRATCH(test_empty_root), IN_SCRATCH(test_fstab),
		IN_SCRATCH(test_rc_local), IN_SCRATCH(test_sysv),	IN_SCRATCH(test_sysv_links),
	};

	return cmocka_run_group_tests_name("boot_generators", tests, NULL, NULL);
}
