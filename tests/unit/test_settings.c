// SPDX-License-Identifier: MIT
/* Where things are kept: --root, RACKER_ROOT, root's and other users' defaults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "provision/settings.h"

static int clean_environment(void **state)
{
	(void)state;
	unsetenv("RACKER_ROOT");
	unsetenv("RACKER_STRICT");
	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("XDG_RUNTIME_DIR");
	setenv("HOME", "/home/somebody", 1);
	return 0;
}

static void test_one_root(void **state)
{
	AUTO(settings) s = { 0 };

	(void)state;
	assert_int_equal(settings_init("/srv/r//", &s, NULL), 0);
	assert_string_equal(s.store_dir, "/srv/r");
	assert_string_equal(s.cache_dir, "/srv/r/cache");
	assert_string_equal(s.state_dir, "/srv/r/run");
	assert_false(s.strict_tty);
}

static void test_flag_beats_environment(void **state)
{
	AUTO(settings) s = { 0 };
	AUTO(settings) t = { 0 };

	(void)state;
	setenv("RACKER_ROOT", "/env", 1);
	assert_int_equal(settings_init(NULL, &s, NULL), 0);
	assert_string_equal(s.store_dir, "/env");
	assert_int_equal(settings_init("/flag", &t, NULL), 0);
	assert_string_equal(t.store_dir, "/flag");
}

static void test_relative_root_becomes_absolute(void **state)
{
	AUTO(settings) s = { 0 };
	char cwd[PATH_MAX], want[PATH_MAX + 16];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(settings_init("some/dir/", &s, NULL), 0);
	(void)snprintf(want, sizeof(want), "%s/some/dir", cwd);
	assert_string_equal(s.store_dir, want);
}

static void test_root_user_has_documented_paths(void **state)
{
	AUTO(settings) s = { 0 };

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	assert_int_equal(settings_init(NULL, &s, NULL), 0);
	assert_string_equal(s.store_dir, "/var/lib/postroj");
	assert_string_equal(s.cache_dir, "/var/cache/postroj");
	assert_string_equal(s.state_dir, "/run/racker");
}

static void test_other_users_have_xdg_paths(void **state)
{
	AUTO(settings) s = { 0 };
	AUTO(settings) t = { 0 };
	struct err err;

	(void)state;
	if (geteuid() == 0 && seteuid(65534) < 0) {
		print_message("skipped: cannot become another user\n");
		skip();
	}
	setenv("XDG_RUNTIME_DIR", "/run/user/9", 1);
	setenv("XDG_CACHE_HOME", "relative/is/ignored", 1);
	assert_int_equal(settings_init(NULL, &s, NULL), 0);
	assert_string_equal(s.store_dir, "/home/somebody/.local/share/racker");
	assert_string_equal(s.cache_dir, "/home/somebody/.cache/racker");
	assert_string_equal(s.state_dir, "/run/user/9/racker");
	unsetenv("HOME");
	assert_int_equal(settings_init(NULL, &t, &err), -ENOENT);
	assert_null(t.store_dir);
	(void)seteuid(getuid());
}

static void test_bad_roots(void **state)
{
	char *long_path = malloc(PATH_MAX + 1);
	AUTO(settings) s = { 0 };

	(void)state;
	assert_int_equal(settings_init("", &s, NULL), -EINVAL);
	memset(long_path, 'x', PATH_MAX);
	long_path[PATH_MAX] = '\0';
	assert_int_equal(settings_init(long_path, &s, NULL), -ENAMETOOLONG);
	free(long_path);
}

static void test_strict(void **state)
{
	AUTO(settings) s = { 0 };
	AUTO(settings) t = { 0 };

	(void)state;
	setenv("RACKER_STRICT", "1", 1);
	assert_int_equal(settings_init("/x", &s, NULL), 0);
	assert_true(s.strict_tty);
	setenv("RACKER_STRICT", "0", 1);
	assert_int_equal(settings_init("/x", &t, NULL), 0);
	assert_false(t.strict_tty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_root, clean_environment),
		cmocka_unit_test_setup(test_flag_beats_environment, clean_environment),
		cmocka_unit_test_setup(test_relative_root_becomes_absolute, clean_environment),
		cmocka_unit_test_setup(test_root_user_has_documented_paths, clean_environment),
		cmocka_unit_test_setup(test_other_users_have_xdg_paths, clean_environment),
		cmocka_unit_test_setup(test_bad_roots, clean_environment),
		cmocka_unit_test_setup(test_strict, clean_environment),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
