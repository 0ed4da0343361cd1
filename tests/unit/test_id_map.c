// SPDX-License-Identifier: MIT
/* Maps of ids: what /proc/PID/uid_map says, both ways, and what it cannot say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "base/id_map.h"
#include "base/strbuf.h"

static void test_both_ways(void **state)
{
	AUTO(id_map) m = { 0 };
	uint32_t id = 7;

	(void)state;
	assert_int_equal(id_map_parse("         0     100000       1000\n"
				      "      1000       1000          1\n"
				      "      1001     101001      64535\n",
				      &m),
			 0);
	assert_int_equal(m.n, 3);
	assert_true(id_map_outward(&m, 0, &id) && id == 100000);
	assert_true(id_map_outward(&m, 999, &id) && id == 100999);
	assert_true(id_map_outward(&m, 1000, &id) && id == 1000);
	assert_true(id_map_outward(&m, 65535, &id) && id == 165535);
	assert_true(id_map_inward(&m, 1000, &id) && id == 1000);
	assert_true(id_map_inward(&m, 165535, &id) && id == 65535);
	id = 7;
	assert_false(id_map_outward(&m, 65536, &id));
	assert_false(id_map_inward(&m, 0, &id));
	assert_false(id_map_inward(&m, 101000, &id));
	assert_false(id_map_inward(&m, 165536, &id));
	assert_int_equal(id, 7);
}

static void test_whole_range(void **state)
{
	AUTO(id_map) m = { 0 };
	uint32_t id;

	(void)state;
	assert_int_equal(id_map_parse("0 0 4294967295", &m), 0);
	assert_true(id_map_outward(&m, UINT32_MAX - 1, &id) && id == UINT32_MAX - 1);
	assert_false(id_map_outward(&m, UINT32_MAX, &id));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"0 0\n",
		"0 0 0\n",
		"0 0 1 2\n",
		"a 0 1\n",
		"-1 0 1\n",
		"0 0 4294967296\n",
		"1 0 4294967295",
		"0 1 4294967295",
		"0 0 1\n\n",
		"0 0 1x\n",
		"4294967295 0 1\n",
	};
	AUTO(strbuf) many = STRBUF_INIT((size_t)1 << 20);
	AUTO(id_map) m = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (id_map_parse(bad[i], &m) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	for (unsigned i = 0; i < ID_RANGES_MAX; i++)
		assert_int_equal(strbuf_addf(&many, "%u %u 1\n", i, i), 0);
	assert_int_equal(id_map_parse(strbuf_str(&many), &m), 0);
	id_map_done(&m);
	assert_int_equal(strbuf_adds(&many, "9000 9000 1\n"), 0);
	assert_int_equal(id_map_parse(strbuf_str(&many), &m), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_whole_range),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("id_map", tests, NULL, NULL);
}
