// SPDX-License-Identifier: MIT
/* Finding the Debian mirror in sources.list(5) of both forms, and proxies in apt-config's dump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strv.h"
#include "provision/apt_config.h"
#include "tests/unit/scratch.h"

struct sample {
	const char *text, *uri, *signed_by; /* uri NULL: none is found */
};

static void check(int (*parse)(const char *, struct apt_mirror *), const struct sample *samples,
		  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(apt_mirror) m = { 0 };
		int r = parse(samples[i].text, &m);

		if (!samples[i].uri) {
			assert_int_equal(r, 0);
			assert_null(m.uri);
			continue;
		}
		assert_int_equal(r, 1);
		assert_string_equal(m.uri, samples[i].uri);
		if (samples[i].signed_by)
			assert_string_equal(m.signed_by, samples[i].signed_by);
		else
			assert_null(m.signed_by);
	}
}

static void test_list(void **state)
{
	static const struct sample samples[] = {
		{ "deb http://h/debian bookworm main\n", "http://h/debian", NULL },
		{ "  deb\thttps://h/x/debian/  bookworm contrib main # c", "https://h/x/debian/",
		  NULL },
		{ "deb-src http://h/debian b main\ndeb http://i/debian b main", "http://i/debian",
		  NULL },
		{ "deb [arch=amd64 signed-by=/k.gpg] http://h/debian b main", "http://h/debian",
		  "/k.gpg" },
		{ "deb [ signed-by=/k.gpg,/l.gpg ] http://h/debian b main", "http://h/debian",
		  "/k.gpg" },
		{ "deb [signed-by=ABCDEF0123] http://h/debian b main", "http://h/debian", NULL },
		{ "# deb http://h/debian b main\n", NULL, NULL },
		{ "deb http://h/debian b contrib\n", NULL, NULL },
		{ "deb http://h/debian-security b main\n", NULL, NULL },
		{ "deb http://h/notdebian b main\n", NULL, NULL },
		{ "deb cdrom:[x]/debian b main\n", NULL, NULL },
		{ "deb file:///srv/debian b main\n", NULL, NULL },
		{ "deb http://h/debian b # main\n", NULL, NULL },
		{ "deb [broken http://h/debian b main\n", NULL, NULL },
		{ "deb\ndeb http://h/debian\n\n", NULL, NULL },
		{ "", NULL, NULL },
	};

	(void)state;
	check(apt_mirror_from_list, samples, ARRAY_SIZE(samples));
}

static void test_deb822(void **state)
{
	static const struct sample samples[] = {
		{ "Types: deb\nURIs: http://h/debian\nSuites: b\nComponents: main\n",
		  "http://h/debian", NULL },
		{ "types: deb deb-src\n# c\nuris:\n http://s/debian-security\n# c\n http://h/debian\n"
		  "Components: contrib\n main\nSigned-By: /k.gpg\n",
		  "http://h/debian", "/k.gpg" },
		{ "Types: deb\nURIs: http://x/debian\nComponents: main\nEnabled: no\n\n\n"
		  "Types: deb\nURIs: http://h/debian\nComponents: main\nEnabled: yes",
		  "http://h/debian", NULL },
		{ "Types: deb\nURIs: http://h/debian\nComponents: main\nSigned-By:\n"
		  " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n xyz\n",
		  "http://h/debian", NULL },
		{ "Types: deb-src\nURIs: http://h/debian\nComponents: main\n", NULL, NULL },
		{ "Types: deb\nURIs: http://h/debian\nComponents: maintenance\n", NULL, NULL },
		{ "Types: deb\n\nURIs: http://h/debian\nComponents: main\n", NULL, NULL },
		{ "no colon here\n: \n \n", NULL, NULL },
		{ " \tcontinuation of nothing\nTypes: deb", NULL, NULL },
		{ "", NULL, NULL },
	};

	(void)state;
	check(apt_mirror_from_deb822, samples, ARRAY_SIZE(samples));
}

/* The scratch directory's name, for functions that take one. */
static void scratch_path(int fd, char path[static PATH_MAX])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	assert_true(n > 0);
	path[n] = '\0';
}

static void put(int dir_fd, const char *path, const char *text)
{
	assert_int_equal(fd_write_file_at(dir_fd, path, 0644, text, strlen(text), NULL), 0);
}

static void test_find(void **state)
{
	int fd = SCRATCH_FD(state);
	char dir[PATH_MAX];
	AUTO(apt_mirror) none = { 0 };
	AUTO(apt_mirror) parts = { 0 };
	AUTO(apt_mirror) main_list = { 0 };

	scratch_path(fd, dir);
	assert_int_equal(apt_mirror_find(dir, &none, NULL), 0);
	assert_string_equal(none.uri, APT_DEFAULT_MIRROR);
	assert_null(none.signed_by);
	assert_int_equal(mkdirat(fd, "sources.list.d", 0755), 0);
	put(fd, "sources.list.d/a.list.disabled", "deb http://off/debian b main\n");
	put(fd, "sources.list.d/b.sources",
	    "Types: deb\nURIs: http://second/debian\nComponents: main\n");
	put(fd, "sources.list.d/a.list", "deb http://first/debian b main\n");
	assert_int_equal(apt_mirror_find(dir, &parts, NULL), 0);
	assert_string_equal(parts.uri, "http://first/debian");
	put(fd, "sources.list", "deb http://zero/debian b main\n");
	assert_int_equal(apt_mirror_find(dir, &main_list, NULL), 0);
	assert_string_equal(main_list.uri, "http://zero/debian");
}

static void test_network_options(void **state)
{
	AUTO_STRV options = NULL;
	AUTO_STRV none = NULL;

	(void)state;
	assert_int_equal(apt_network_options_parse("APT::Architecture=amd64\n"
						   "Acquire::http::Proxy=http://p:3142\n"
						   "Acquire::http::Proxy::example.org=DIRECT\n"
						   "Acquire::https::Verify-Peer=false\n"
						   "Acquire::http::Evil=a\"; Dir::Bin::dpkg \"/x\n"
						   "Acquire::http::Empty=\n"
						   "Acquire::http\n",
						   &options),
			 0);
	assert_int_equal(strv_len(options), 3);
	assert_string_equal(options[0], "Acquire::http::Proxy \"http://p:3142\"");
	assert_string_equal(options[1], "Acquire::http::Proxy::example.org \"DIRECT\"");
	assert_string_equal(options[2], "Acquire::https::Verify-Peer \"false\"");
	assert_int_equal(apt_network_options_parse("", &none), 0);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_deb822),
		cmocka_unit_test_setup_teardown(test_find, scratch_setup, scratch_teardown),
		cmocka_unit_test(test_network_options),
	};

	return cmocka_run_group_tests_name("apt_config", tests, NULL, NULL);
}
