// SPDX-License-Identifier: MIT
/* resolv.conf without loopback servers, and the four files of a container. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "provision/etc_files.h"

static void test_filter(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "nameserver 8.8.8.8\nnameserver 8.8.4.4\n" },
		{ "nameserver 127.0.0.53\n", "nameserver 8.8.8.8\nnameserver 8.8.4.4\n" },
		{ "search a\nnameserver 127.0.0.1\nnameserver 192.0.2.1\noptions ndots:1",
		  "search a\nnameserver 192.0.2.1\noptions ndots:1\n" },
		{ "nameserver\t::1\nnameserver ::1%lo\n nameserver 2001:db8::1 # c\n",
		  " nameserver 2001:db8::1 # c\n" },
		{ "# nameserver 127.0.0.1\nnameserver ::1234\n",
		  "# nameserver 127.0.0.1\nnameserver ::1234\n" },
		{ "nameserver\nnameserver \nnameservers 127.0.0.1\n",
		  "nameserver\nnameserver \nnameservers 127.0.0.1\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *out = NULL;

		assert_int_equal(etc_resolv_filter(cases[i].in, &out, NULL), 0);
		assert_string_equal(out, cases[i].out);
	}
}

static void test_stub(void **state)
{
	(void)state;
	assert_true(etc_resolv_is_stub("nameserver 127.0.0.53\noptions edns0\n"));
	assert_true(etc_resolv_is_stub("nameserver 127.0.0.53"));
	assert_false(etc_resolv_is_stub(""));
	assert_false(etc_resolv_is_stub("nameserver 127.0.0.5\n"));
	assert_false(etc_resolv_is_stub("nameserver 127.0.0.53\nnameserver 192.0.2.1\n"));
}

static const char *text_of(const struct container_spec *spec, const char *target)
{
	for (size_t i = 0; i < spec->n_files; i++)
		if (strcmp(spec->files[i].target, target) == 0)
			return spec->files[i].text;
	return NULL;
}

static void test_private_network(void **state)
{
	AUTO(container_spec) spec = { 0 };

	(void)state;
	spec.hostname = strdup("box");
	assert_int_equal(etc_files_add(&spec, false, NULL, NULL), 0);
	assert_int_equal(spec.n_files, 4);
	assert_string_equal(text_of(&spec, "/etc/hostname"), "box\n");
	assert_string_equal(text_of(&spec, "/etc/hosts"), etc_hosts_default());
	assert_string_equal(text_of(&spec, "/.dockerenv"), "");
	assert_non_null(strstr(text_of(&spec, "/etc/resolv.conf"), "nameserver"));
	assert_null(strstr(text_of(&spec, "/etc/resolv.conf"), "nameserver 127."));
}

static void test_host_network(void **state)
{
	AUTO(container_spec) spec = { 0 };

	(void)state;
	spec.hostname = strdup("box");
	assert_int_equal(etc_files_add(&spec, true, NULL, NULL), 0);
	assert_int_equal(spec.n_files, 4);
	assert_non_null(text_of(&spec, "/etc/hosts"));
	assert_non_null(text_of(&spec, "/etc/resolv.conf"));
}

static void test_a_machine(void **state)
{
	AUTO(container_spec) spec = { 0 };
	const char *hosts;

	(void)state;
	spec.hostname = strdup("box");
	assert_int_equal(etc_files_add(&spec, false, "00112233", NULL), 0);
	assert_string_equal(text_of(&spec, "/etc/machine-id"), "00112233\n");
	assert_null(text_of(&spec, "/.dockerenv"));
	hosts = text_of(&spec, "/etc/hosts");
	assert_memory_equal(hosts, etc_hosts_default(), strlen(etc_hosts_default()));
	assert_string_equal(hosts + strlen(etc_hosts_default()), "127.0.1.1\tbox\n");
	for (size_t i = 0; i < spec.n_files; i++)
		assert_true(spec.files[i].in_root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),		cmocka_unit_test(test_stub),
		cmocka_unit_test(test_private_network), cmocka_unit_test(test_host_network),
		cmocka_unit_test(test_a_machine),
	};

	return cmocka_run_group_tests_name("etc_files", tests, NULL, NULL);
}
