// SPDX-License-Identifier: MIT
/* The catalogue that is built in, and documents that are none; what a word for an image means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "oci/reference.h"
#include "provision/catalog.h"
#include "provision/image_name.h"

static void test_built_in(void **state)
{
	static const char *const labels[] = { "debian-bullseye", "debian-bookworm", "debian-trixie",
					      "debian-sid", "fedora-37" };
	AUTO(catalog) c = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(catalog_load(&c, &err), 0);
	assert_int_equal(c.n, ARRAY_SIZE(labels));
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		assert_string_equal(c.entries[i].label, labels[i]);
		assert_ptr_equal(catalog_find(&c, labels[i]), &c.entries[i]);
	}
	assert_ptr_equal(catalog_find(&c, "debian-12"), catalog_find(&c, "debian-bookworm"));
	assert_ptr_equal(catalog_find(&c, "debian-unstable"), catalog_find(&c, "debian-sid"));
	assert_null(catalog_find(&c, "debian"));
	assert_null(catalog_find(&c, ""));
}

static void test_built_in_sources_are_usable(void **state)
{
	AUTO(catalog) c = { 0 };

	(void)state;
	assert_int_equal(catalog_load(&c, NULL), 0);
	for (size_t i = 0; i < c.n; i++) {
		assert_null(strpbrk(c.entries[i].label, ":/@"));
		for (size_t j = 0; j < c.entries[i].n_sources; j++) {
			const struct catalog_source *s = &c.entries[i].sources[j];
			AUTO(image_ref) ref = { 0 };

			if (s->kind == SOURCE_REGISTRY) {
				assert_int_equal(image_ref_parse(s->value, &ref, NULL), 0);
				assert_null(s->packages);
				continue;
			}
			/* What is bootstrapped must boot. */
			assert_true(strlen(s->value) > 0);
			assert_true(strv_contains(s->packages, "systemd-sysv"));
			assert_true(strv_contains(s->packages, "dbus"));
		}
	}
}

static void test_bad_documents(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"version\": 2, \"labels\": []}",
		"{\"version\": 1}",
		"{\"version\": 1, \"labels\": [{}]}",
		"{\"version\": 1, \"labels\": [{\"label\": \"x\"}]}",
		"{\"version\": 1, \"labels\": [{\"label\": \"x\", \"sources\": []}]}",
		"{\"version\": 1, \"labels\": [{\"label\": \"x\", \"sources\": [{\"floppy\": \"a\"}]}]}",
		"{\"version\": 1, \"labels\": [{\"label\": \"x\", \"sources\": [{\"registry\": 1}]}]}",
		"{\"version\": 1, \"labels\": [{\"label\": \"x\", \"sources\": [{\"mmdebstrap\": \"a\","
		" \"packages\": \"b\"}]}]}",
		"{\"version\": 1, \"labels\": [{\"label\": \"x\", \"sources\": [{\"mmdebstrap\": \"a\","
		" \"packages\": [\"b\", 1]}]}]}",
		"{\"version\": 1, \"labels\": [{\"label\": 7, \"sources\": [{\"registry\": \"a\"}]}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(catalog) c = { 0 };
		struct err err = { 0 };

		assert_true(catalog_parse(texts[i], strlen(texts[i]), &c, &err) < 0);
		assert_int_equal(err.kind, ERR_CORRUPT);
		assert_null(c.entries);
	}
}

static void test_label_comes_first(void **state)
{
	AUTO(image_name) n = { 0 };
	AUTO(image_name) alias = { 0 };

	(void)state;
	assert_int_equal(image_name_parse("debian-bookworm", &n, NULL), 0);
	assert_int_equal(n.kind, IMAGE_NAME_LABEL);
	assert_string_equal(n.record, "debian-bookworm");
	assert_int_equal(image_name_parse("debian-12", &alias, NULL), 0);
	assert_string_equal(alias.record, "debian-bookworm");
}

static void test_references(void **state)
{
	static const struct {
		const char *text, *record, *display;
		bool implied;
	} cases[] = {
		{ "debian", "docker.io/library/debian:latest", "debian:latest", true },
		{ "docker://debian", "docker.io/library/debian:latest", "debian:latest", true },
		{ "debian:12", "docker.io/library/debian:12", "debian:12", false },
		{ "localhost:5000/a", "localhost:5000/a:latest", "localhost:5000/a:latest", true },
		{ "localhost:5000/a:1", "localhost:5000/a:1", "localhost:5000/a:1", false },
		{ "debian-bookworm:1", "docker.io/library/debian-bookworm:1", "debian-bookworm:1",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(image_name) n = { 0 };

		assert_int_equal(image_name_parse(cases[i].text, &n, NULL), 0);
		assert_int_equal(n.kind, IMAGE_NAME_REFERENCE);
		assert_string_equal(n.record, cases[i].record);
		assert_string_equal(n.display, cases[i].display);
		assert_int_equal(n.implied_tag, cases[i].implied);
	}
}

static void test_layout(void **state)
{
	AUTO(image_name) n = { 0 };

	(void)state;
	assert_int_equal(image_name_parse("oci:/some/dir:tag", &n, NULL), 0);
	assert_int_equal(n.kind, IMAGE_NAME_LAYOUT);
	assert_string_equal(n.layout, "/some/dir:tag");
	assert_string_equal(n.record, "oci:/some/dir:tag");
}

static void test_refused_names(void **state)
{
	static const struct {
		const char *text, *message;
		int code;
	} cases[] = {
		{ "docker-archive:x.tar", "docker-archive: images are not supported yet",
		  -EOPNOTSUPP },
		{ "oci-archive:x", "not supported yet", -EOPNOTSUPP },
		{ "dir:/x", "not supported yet", -EOPNOTSUPP },
		{ "https://h/x.tar.xz", "not supported yet", -EOPNOTSUPP },
		{ "Foo", "repository name (library/Foo) must be lowercase", -EINVAL },
		{ "a b", "invalid reference format", -EINVAL },
		{ "", "invalid reference format", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(image_name) n = { 0 };
		struct err err = { 0 };

		assert_int_equal(image_name_parse(cases[i].text, &n, &err), cases[i].code);
		assert_non_null(strstr(err.msg, cases[i].message));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_built_in_sources_are_usable),
		cmocka_unit_test(test_bad_documents),
		cmocka_unit_test(test_label_comes_first),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_refused_names),
	};

	return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
