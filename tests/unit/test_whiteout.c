// SPDX-License-Identifier: MIT
/* Whiteouts: which names are one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "oci/whiteout.h"

static void test_classify(void **state)
{
	static const struct {
		const char *path;
		int kind;
		const char *hidden;
	} rows[] = {
		{ "a", WHITEOUT_NONE, NULL },
		{ "a/.whatever", WHITEOUT_NONE, NULL },
		{ "a/x.wh.y", WHITEOUT_NONE, NULL },
		{ "a/.wh", WHITEOUT_NONE, NULL },
		{ ".wh.x", WHITEOUT_NAME, "x" },
		{ "a/b/.wh.x", WHITEOUT_NAME, "x" },
		{ ".wh...x", WHITEOUT_NAME, "..x" },
		{ ".wh..x", WHITEOUT_NAME, ".x" },
		{ ".wh..wh", WHITEOUT_NAME, ".wh" },
		{ ".wh....", WHITEOUT_NAME, "..." },
		{ ".wh..wh..opq", WHITEOUT_OPAQUE, NULL },
		{ "a/.wh..wh..opq", WHITEOUT_OPAQUE, NULL },
		{ "a/.wh..wh..opq/x", WHITEOUT_METADATA, NULL },
		{ ".wh..wh.aufs", WHITEOUT_METADATA, NULL },
		{ ".wh..wh.", WHITEOUT_METADATA, NULL },
		{ ".wh..wh..opqx", WHITEOUT_METADATA, NULL },
		{ "a/.wh..wh.plnk/1.2", WHITEOUT_METADATA, NULL },
		{ ".wh.", -EBADMSG, NULL },
		{ "a/.wh.", -EBADMSG, NULL },
		{ ".wh..", -EBADMSG, NULL },
		{ "a/.wh...", -EBADMSG, NULL },
		{ ".wh.x/y", -EBADMSG, NULL },
		{ "a/.wh./y", -EBADMSG, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *hidden = NULL;

		if (whiteout_classify(rows[i].path, &hidden, NULL) != rows[i].kind)
			print_error("%s\n", rows[i].path);
		assert_int_equal(whiteout_classify(rows[i].path, &hidden, NULL), rows[i].kind);
		if (rows[i].hidden)
			assert_string_equal(hidden, rows[i].hidden);
		else
			assert_null(hidden);
	}
}

static void test_is(void **state)
{
	struct stat st = { .st_mode = S_IFCHR, .st_rdev = makedev(0, 0) };

	(void)state;
	assert_true(whiteout_is(&st));
	st.st_rdev = makedev(1, 3);
	assert_false(whiteout_is(&st));
	st = (struct stat){ .st_mode = S_IFBLK };
	assert_false(whiteout_is(&st));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classify),
		cmocka_unit_test(test_is),
	};

	return cmocka_run_group_tests_name("whiteout", tests, NULL, NULL);
}
