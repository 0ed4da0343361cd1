// SPDX-License-Identifier: MIT
/* Defaults and validation of a container's description. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strv.h"
#include "runtime/container_spec.h"

static void test_defaults(void **state)
{
	AUTO(container_spec) spec;

	(void)state;
	assert_int_equal(container_spec_defaults(&spec), 0);
	/* Docker's fourteen, and nothing that a process could inherit (CVE-2022-24769). */
	assert_true(spec.caps.bounding == 0xa80425fbULL);
	assert_true(spec.caps.effective == 0xa80425fbULL);
	assert_true(spec.caps.permitted == 0xa80425fbULL);
	assert_true(spec.caps.inheritable == 0);
	assert_true(spec.caps.ambient == 0);
	assert_true(spec.seccomp_default);
	assert_int_equal(spec.shm_size, 64 << 20);
	for (size_t i = 0; i < NS_MAX; i++)
		assert_int_equal(spec.namespaces[i], NAMESPACE_NEW);
	assert_true(strv_contains(spec.masked_paths, "/proc/kcore"));
	assert_true(strv_contains(spec.readonly_paths, "/proc/sys"));
}

static void refuse(const struct container_spec *spec, const char *text)
{
	struct err err = { 0 };

	assert_int_equal(container_spec_validate(spec, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.msg, text));
}

static void test_validate(void **state)
{
	AUTO(container_spec) spec;

	(void)state;
	assert_int_equal(container_spec_defaults(&spec), 0);
	refuse(&spec, "no command specified");
	assert_int_equal(strv_add(&spec.argv, ""), 0);
	refuse(&spec, "empty string");
	strv_free(spec.argv);
	spec.argv = NULL;
	assert_int_equal(strv_add(&spec.argv, "sh"), 0);
	refuse(&spec, "no root file system");
	assert_int_equal(strv_add(&spec.lower_dirs, "/x"), 0);
	assert_int_equal(container_spec_validate(&spec, NULL), 0);
	spec.workdir = strdup("rel");
	refuse(&spec, "the working directory 'rel' is invalid, it needs to be an absolute path");
	free(spec.workdir);
	spec.workdir = strdup("/abs");
	assert_int_equal(container_spec_validate(&spec, NULL), 0);
	spec.binds = calloc(1, sizeof(*spec.binds));
	spec.n_binds = 1;
	spec.binds[0].source = strdup("/src");
	spec.binds[0].target = strdup("bar");
	refuse(&spec, "mount path must be absolute");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_validate),
	};

	return cmocka_run_group_tests_name("container_spec", tests, NULL, NULL);
}
