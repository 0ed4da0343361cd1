// SPDX-License-Identifier: MIT
/* From a command's specification to a machine's: who gets which words, which environment, which credentials. */
#include "provision/machine_spec.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strv.h"
#include "runtime/boot_spec.h"

static void begin(struct container_spec *spec)
{
	assert_int_equal(container_spec_defaults(spec), 0);
	assert_int_equal(strv_add(&spec->argv, "bash"), 0);
	assert_int_equal(strv_add(&spec->env, "PATH=/bin"), 0);
	assert_int_equal(strv_add(&spec->env, "HOSTNAME=m"), 0);
	assert_int_equal(strv_add(&spec->env, "TERM=xterm"), 0);
	spec->user = strdup("daemon");
	spec->workdir = strdup("/srv");
	spec->tty = spec->interactive = true;
}

static void test_the_command_moves(void **state)
{
	AUTO(container_spec) spec;
	const struct machine_request req = { 0 };

	(void)state;
	begin(&spec);
	assert_int_equal(machine_spec_apply(&req, &spec, NULL), 0);
	assert_null(spec.argv);
	assert_null(spec.user);
	assert_null(spec.workdir);
	assert_false(spec.tty || spec.interactive);
	assert_string_equal(spec.boot->command.argv[0], "bash");
	assert_string_equal(spec.boot->command.user, "daemon");
	assert_string_equal(spec.boot->command.workdir, "/srv");
	assert_string_equal(strv_env_get(spec.boot->command.env, "TERM"), "xterm");
	assert_string_equal(strv_env_get(spec.boot->command.env, "HOSTNAME"), "m");
	assert_null(strv_env_get(spec.boot->command.env, "container"));
	assert_null(strv_env_get(spec.boot->command.env, "NOTIFY_SOCKET"));
	assert_string_equal(strv_env_get(spec.env, "container"), "racker");
	assert_string_equal(strv_env_get(spec.env, "container_uuid"), spec.boot->machine_id);
	assert_string_equal(strv_env_get(spec.env, "NOTIFY_SOCKET"), "/run/host/notify");
	assert_null(strv_env_get(spec.env, "HOSTNAME"));
	assert_null(strv_env_get(spec.env, "CREDENTIALS_DIRECTORY"));
	assert_true(strv_contains(spec.masked_paths, "/sys/kernel/debug"));
}

static void test_an_init_stays(void **state)
{
	AUTO(container_spec) spec;
	const struct machine_request req = { .command_is_init = true };

	(void)state;
	begin(&spec);
	assert_int_equal(machine_spec_apply(&req, &spec, NULL), 0);
	assert_string_equal(spec.argv[0], "bash");
	assert_null(spec.boot->command.argv);
}

static void test_no_command(void **state)
{
	AUTO(container_spec) spec;
	const struct machine_request req = { .no_command = true };

	(void)state;
	begin(&spec);
	assert_int_equal(machine_spec_apply(&req, &spec, NULL), 0);
	assert_null(spec.argv);
	assert_null(spec.boot->command.argv);
}

static void test_ids(void **state)
{
	struct boot_spec *a = NULL, *b = NULL;
	char before[BOOT_ID_LEN + 1];

	(void)state;
	assert_int_equal(boot_spec_new(&a, NULL), 0);
	assert_int_equal(boot_spec_new(&b, NULL), 0);
	assert_string_not_equal(a->machine_id, b->machine_id);
	assert_int_equal(strlen(a->machine_id), MACHINE_ID_LEN);
	for (const char *p = a->machine_id; *p; p++)
		assert_true(isxdigit((unsigned char)*p) && !isupper((unsigned char)*p));
	assert_int_equal(strlen(a->boot_id), BOOT_ID_LEN);
	assert_int_equal(a->boot_id[8], '-');
	assert_int_equal(a->boot_id[23], '-');
	assert_int_equal(a->boot_id[BOOT_ID_LEN - 1], '\n');
	memcpy(before, a->boot_id, sizeof(before));
	assert_int_equal(boot_spec_renew(a, NULL), 0);
	assert_string_not_equal(before, a->boot_id);
	boot_spec_free(a);
	boot_spec_free(b);
}

static void test_credentials(void **state)
{
	AUTO(container_spec) spec;
	char *credentials[] = { (char *)(uintptr_t) "a.b-c_d:a:b", (char *)(uintptr_t) "x:", NULL };
	const struct machine_request req = { .credentials = credentials };

	(void)state;
	begin(&spec);
	assert_int_equal(machine_spec_apply(&req, &spec, NULL), 0);
	assert_int_equal(spec.boot->n_credentials, 2);
	assert_string_equal(spec.boot->credentials[0].name, "a.b-c_d");
	assert_int_equal(spec.boot->credentials[0].len, 3);
	assert_memory_equal(spec.boot->credentials[0].data, "a:b", 3);
	assert_int_equal(spec.boot->credentials[1].len, 0);
	assert_string_equal(strv_env_get(spec.env, "CREDENTIALS_DIRECTORY"),
			    "/run/host/credentials");
}

static void test_bad_credentials(void **state)
{
	static const char *const bad[] = {
		"novalue", ":x", "..:x", ".:x", "a/b:x", "a b:x", "a\n:x"
	};
	AUTO_FREE char *huge = malloc(((size_t)1 << 20) + 16);
	struct err err = { 0 };
	char *list[] = { NULL, NULL, NULL };
	const struct machine_request req = { .credentials = list };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		list[0] = (char *)(uintptr_t)bad[i];
		assert_int_equal(machine_spec_check(&req, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
	}
	list[0] = list[1] = (char *)(uintptr_t) "a:x";
	assert_int_equal(machine_spec_check(&req, &err), -EEXIST);
	assert_non_null(huge);
	memset(huge, 'x', ((size_t)1 << 20) + 15);
	memcpy(huge, "big:", 4);
	huge[((size_t)1 << 20) + 15] = '\0';
	list[0] = huge;
	list[1] = NULL;
	assert_int_equal(machine_spec_check(&req, &err), -E2BIG);
}

static void test_sync_is_suppressed_where_nothing_lasts(void **state)
{
	static const struct {
		enum suppress_sync wish;
		bool volume, readonly, want;
	} rows[] = {
		{ SUPPRESS_SYNC_AUTO, false, false, true },
		{ SUPPRESS_SYNC_AUTO, true, false, false },
		{ SUPPRESS_SYNC_AUTO, true, true, true },
		{ SUPPRESS_SYNC_YES, true, false, true },
		{ SUPPRESS_SYNC_NO, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(container_spec) spec;
		const struct machine_request req = { .suppress_sync = rows[i].wish };

		begin(&spec);
		if (rows[i].volume) {
			spec.binds = calloc(1, sizeof(*spec.binds));
			assert_non_null(spec.binds);
			spec.n_binds = 1;
			spec.binds[0] =
				(struct bind_spec){ strdup("/a"), strdup("/b"), rows[i].readonly };
		}
		assert_int_equal(machine_spec_apply(&req, &spec, NULL), 0);
		assert_int_equal(spec.boot->suppress_sync, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_command_moves),
		cmocka_unit_test(test_an_init_stays),
		cmocka_unit_test(test_no_command),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_bad_credentials),
		cmocka_unit_test(test_sync_is_suppressed_where_nothing_lasts),
	};

	return cmocka_run_group_tests_name("machine_spec", tests, NULL, NULL);
}
