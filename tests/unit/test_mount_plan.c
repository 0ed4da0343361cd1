// SPDX-License-Identifier: MIT
/* The mount plan as text: what is mounted, in which order, with which options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strv.h"
#include "runtime/boot_spec.h"
#include "runtime/mount_plan.h"

/* A spec with docker's defaults; the lists of paths are cut to what a test wants to see. */
static void begin(struct container_spec *spec)
{
	assert_int_equal(container_spec_defaults(spec), 0);
	strv_free(spec->masked_paths);
	strv_free(spec->readonly_paths);
	spec->masked_paths = spec->readonly_paths = NULL;
}

static void plan_text(const struct container_spec *spec, bool nodev, struct strbuf *out)
{
	AUTO(mount_plan) plan = { 0 };

	assert_int_equal(mount_plan_build(spec, nodev, &plan), 0);
	assert_int_equal(mount_plan_print(&plan, out), 0);
}

static void test_golden(void **state)
{
	AUTO(container_spec) spec;
	AUTO(strbuf) text = STRBUF_INIT(65536);

	(void)state;
	begin(&spec);
	assert_int_equal(strv_add(&spec.masked_paths, "/proc/kcore"), 0);
	assert_int_equal(strv_add(&spec.readonly_paths, "/proc/sys"), 0);
	plan_text(&spec, false, &text);
	assert_string_equal(
		strbuf_str(&text),
		"mount /proc proc nosuid nodev noexec\n"
		"mount /dev tmpfs mode=755,size=65536k nosuid strictatime\n"
		"mount /dev/pts devpts newinstance,ptmxmode=0666,mode=0620,gid=5 nosuid noexec\n"
		"mount /dev/mqueue mqueue nosuid nodev noexec\n"
		"mount /dev/shm tmpfs mode=1777,size=67108864 nosuid nodev noexec\n"
		"device /dev/null 1:3 666\n"
		"device /dev/zero 1:5 666\n"
		"device /dev/full 1:7 666\n"
		"device /dev/random 1:8 666\n"
		"device /dev/urandom 1:9 666\n"
		"device /dev/tty 5:0 666\n"
		"symlink /dev/ptmx pts/ptmx\n"
		"symlink /dev/fd /proc/self/fd\n"
		"symlink /dev/stdin /proc/self/fd/0\n"
		"symlink /dev/stdout /proc/self/fd/1\n"
		"symlink /dev/stderr /proc/self/fd/2\n"
		"symlink /dev/core /proc/kcore\n"
		"mount /sys sysfs ro nosuid nodev noexec\n"
		"mount /sys/fs/cgroup cgroup2 ro nosuid nodev noexec\n"
		"mask /proc/kcore\n"
		"readonly /proc/sys\n");
}

static void test_terminal_adds_console(void **state)
{
	AUTO(container_spec) spec;
	AUTO(strbuf) text = STRBUF_INIT(65536);

	(void)state;
	begin(&spec);
	plan_text(&spec, false, &text);
	assert_null(strstr(strbuf_str(&text), "console"));
	spec.tty = true;
	strbuf_reset(&text);
	plan_text(&spec, false, &text);
	assert_non_null(strstr(strbuf_str(&text), "console /dev/console /dev/pts\n"));
}

static void test_readonly_root_comes_last(void **state)
{
	AUTO(container_spec) spec;
	AUTO(strbuf) text = STRBUF_INIT(65536);
	const char *end = "readonly /\n";

	(void)state;
	begin(&spec);
	spec.readonly_rootfs = true;
	plan_text(&spec, false, &text);
	assert_string_equal(strbuf_str(&text) + text.len - strlen(end), end);
}

static void set_bind(struct bind_spec *b, const char *source, const char *target, bool readonly)
{
	b->source = strdup(source);
	b->target = strdup(target);
	b->readonly = readonly;
}

static void test_binds_shallow_first(void **state)
{
	AUTO(container_spec) spec;
	AUTO(strbuf) text = STRBUF_INIT(65536);
	const char *at;

	(void)state;
	begin(&spec);
	spec.binds = calloc(3, sizeof(*spec.binds));
	spec.n_binds = 3;
	set_bind(&spec.binds[0], "/s0", "/a/b/c", false);
	set_bind(&spec.binds[1], "/s1", "/a", true);
	set_bind(&spec.binds[2], "/s2", "/z", false);
	plan_text(&spec, false, &text);
	at = strstr(strbuf_str(&text), "bind ");
	assert_non_null(at);
	assert_string_equal(at, "bind /a /s1 ro\nbind /z /s2\nbind /a/b/c /s0\n");
	strbuf_reset(&text);
	plan_text(&spec, true, &text);
	at = strstr(strbuf_str(&text), "bind ");
	assert_string_equal(at, "bind /a /s1 ro nodev\nbind /z /s2 nodev\nbind /a/b/c /s0 nodev\n");
}

static void test_defaults_hide_the_host(void **state)
{
	AUTO(container_spec) spec;
	AUTO(strbuf) text = STRBUF_INIT(65536);
	static const char *const wanted[] = { "mask /proc/kcore\n",
					      "mask /proc/keys\n",
					      "mask /proc/timer_list\n",
					      "mask /sys/firmware\n",
					      "mask /proc/interrupts\n",
					      "readonly /proc/sys\n",
					      "readonly /proc/sysrq-trigger\n",
					      "readonly /proc/irq\n" };

	(void)state;
	assert_int_equal(container_spec_defaults(&spec), 0);
	plan_text(&spec, false, &text);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		assert_non_null(strstr(strbuf_str(&text), wanted[i]));
}

/* A machine has /run and /tmp of its own, may order its cgroups, and its files lie in its root. */
static void test_a_machine(void **state)
{
	AUTO(container_spec) spec;
	AUTO(strbuf) text = STRBUF_INIT(65536);

	(void)state;
	begin(&spec);
	assert_int_equal(boot_spec_new(&spec.boot, NULL), 0);
	spec.boot->command.workdir = strdup("/srv/app");
	spec.files = calloc(1, sizeof(*spec.files));
	assert_non_null(spec.files);
	spec.n_files = 1;
	spec.files[0] = (struct file_spec){ strdup("/etc/hostname"), strdup("box\n"), true };
	plan_text(&spec, false, &text);
	assert_non_null(strstr(strbuf_str(&text),
			       "console /dev/console /dev/pts\n"
			       "mount /sys sysfs ro nosuid nodev noexec\n"
			       "mount /sys/fs/cgroup cgroup2 nosuid nodev noexec\n"
			       "mount /run tmpfs mode=755 nosuid nodev\n"
			       "mount /tmp tmpfs mode=1777 nosuid nodev\n"
			       "file /proc/sys/kernel/random/boot_id ro nosuid nodev noexec\n"
			       "write /etc/hostname\n"
			       "directory /srv/app\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_terminal_adds_console),
		cmocka_unit_test(test_readonly_root_comes_last),
		cmocka_unit_test(test_binds_shallow_first),
		cmocka_unit_test(test_defaults_hide_the_host),
		cmocka_unit_test(test_a_machine),
	};

	return cmocka_run_group_tests_name("mount_plan", tests, NULL, NULL);
}
