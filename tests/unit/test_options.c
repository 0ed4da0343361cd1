// SPDX-License-Identifier: MIT
/* Command lines: every spelling that docker takes, its words for errors, its help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/options.h"
#include "base/quote.h"
#include "base/strv.h"

struct flags {
	bool interactive, tty, rm;
	char *name;
	char **env;
	int64_t count, memory;
	unsigned bare;
};

static void flags_done(struct flags *f)
{
	free(f->name);
	strv_free(f->env);
}

static int call_memory(void *target, const char *value, struct err *err)
{
	struct flags *f = target;

	if (!strcmp(value, "oom"))
		return err_oom(err);
	if (strcmp(value, "1g") != 0)
		return err_set(err, ERR_USAGE, -EINVAL, "invalid size: %s", QUOTE(value));
	f->memory = 1 << 30;
	return 0;
}

static int call_bare(void *target, const char *value, struct err *err)
{
	if (value && strcmp(value, "yes") != 0)
		return err_set(err, ERR_USAGE, -EINVAL, "not yes");
	((struct flags *)target)->bare += value ? 10 : 1;
	return 0;
}

static const struct option_spec specs[] = {
	{ "tty", 't', OPT_FLAG, offsetof(struct flags, tty), NULL, "Allocate a pseudo-TTY", NULL },
	{ "interactive", 'i', OPT_FLAG, offsetof(struct flags, interactive), NULL,
	  "Keep STDIN open even if not attached", NULL },
	{ "rm", 0, OPT_FLAG, offsetof(struct flags, rm), NULL, "Remove the container", NULL },
	{ "name", 0, OPT_STRING, offsetof(struct flags, name), "string", "Assign a name", NULL },
	{ "env", 'e', OPT_STRV, offsetof(struct flags, env), "list", "Set environment variables",
	  NULL },
	{ "count", 'c', OPT_INT, offsetof(struct flags, count), "int", "Count", NULL },
	{ "memory", 'm', OPT_CALL, 0, "bytes", "Memory limit", call_memory },
	{ "bare", 'b', OPT_CALL, 0, NULL, NULL, call_bare },
};

#define PARSE(f, err, ...)                                                                     \
	options_parse(specs, ARRAY_SIZE(specs),                                                \
		      (char *const *)(const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL }, \
		      (f), (err))

/* Parses, and says what went wrong. */
#define ASSERT_PARSES(n, f, ...)                     \
	do {                                         \
		struct err e_ = { 0 };               \
		int r_ = PARSE(f, &e_, __VA_ARGS__); \
		if (r_ < 0)                          \
			fail_msg("%s", e_.msg);      \
		assert_int_equal(r_, n);             \
	} while (0)

#define ASSERT_REFUSES(message, ...)                                     \
	do {                                                             \
		AUTO(flags) f_ = { 0 };                                  \
		struct err e_ = { 0 };                                   \
		assert_int_equal(PARSE(&f_, &e_, __VA_ARGS__), -EINVAL); \
		assert_int_equal(e_.kind, ERR_USAGE);                    \
		assert_string_equal(e_.msg, message);                    \
	} while (0)

static void test_nothing(void **state)
{
	AUTO(flags) f = { 0 };
	char *const none[] = { NULL };

	(void)state;
	assert_int_equal(options_parse(specs, ARRAY_SIZE(specs), none, &f, NULL), 0);
	assert_int_equal(options_parse(NULL, 0, none, &f, NULL), 0);
}

static void test_stops_at_the_first_operand(void **state)
{
	AUTO(flags) f = { 0 };

	(void)state;
	ASSERT_PARSES(1, &f, "-i", "debian", "-t", "--version");
	assert_true(f.interactive);
	assert_false(f.tty);
	ASSERT_PARSES(0, &f, "-", "-t");
	ASSERT_PARSES(0, &f, "", "-t");
	ASSERT_PARSES(2, &f, "--rm", "--", "-t");
	ASSERT_PARSES(1, &f, "--", "--", "-t");
	assert_false(f.tty);
	assert_true(f.rm);
}

static void test_letters(void **state)
{
	AUTO(flags) f = { 0 };

	(void)state;
	ASSERT_PARSES(1, &f, "-it");
	assert_true(f.interactive && f.tty);
	ASSERT_PARSES(1, &f, "-ieA=1");
	ASSERT_PARSES(2, &f, "-te", "B=2", "x");
	ASSERT_PARSES(1, &f, "-e=C=3");
	ASSERT_PARSES(1, &f, "-e=");
	ASSERT_PARSES(2, &f, "-e", "-t");
	ASSERT_PARSES(2, &f, "-e", "--");
	ASSERT_PARSES(2, &f, "-e", "");
	assert_int_equal(strv_len(f.env), 7);
	assert_string_equal(f.env[0], "A=1");
	assert_string_equal(f.env[1], "B=2");
	assert_string_equal(f.env[2], "C=3");
	assert_string_equal(f.env[3], "=");
	assert_string_equal(f.env[4], "-t");
	assert_string_equal(f.env[5], "--");
	assert_string_equal(f.env[6], "");
	ASSERT_PARSES(1, &f, "-t=false");
	assert_false(f.tty);
	ASSERT_PARSES(1, &f, "-ti=0");
	assert_true(f.tty);
	assert_false(f.interactive);
}

static void test_long(void **state)
{
	AUTO(flags) f = { 0 };

	(void)state;
	ASSERT_PARSES(2, &f, "--name", "a");
	assert_string_equal(f.name, "a");
	ASSERT_PARSES(1, &f, "--name=b=c");
	assert_string_equal(f.name, "b=c");
	ASSERT_PARSES(1, &f, "--name=");
	assert_string_equal(f.name, "");
	ASSERT_PARSES(2, &f, "--name", "--rm");
	assert_string_equal(f.name, "--rm");
	assert_false(f.rm);
	/* a boolean never takes the next word */
	ASSERT_PARSES(1, &f, "--rm", "false");
	assert_true(f.rm);
}

static void test_booleans(void **state)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };
	char word[20];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		AUTO(flags) f = { 0 };

		(void)snprintf(word, sizeof(word), "--rm=%s", yes[i]);
		ASSERT_PARSES(1, &f, word);
		assert_true(f.rm);
		(void)snprintf(word, sizeof(word), "--rm=%s", no[i]);
		ASSERT_PARSES(1, &f, word);
		assert_false(f.rm);
	}
	ASSERT_REFUSES("invalid argument \"abc\" for \"--rm\" flag: strconv.ParseBool: parsing "
		       "\"abc\": invalid syntax",
		       "--rm=abc");
	ASSERT_REFUSES("invalid argument \"\" for \"-t, --tty\" flag: strconv.ParseBool: parsing "
		       "\"\": invalid syntax",
		       "--tty=");
	ASSERT_REFUSES("invalid argument \"tRUE\" for \"-t, --tty\" flag: strconv.ParseBool: "
		       "parsing \"tRUE\": invalid syntax",
		       "-t=tRUE");
}

static void test_integers(void **state)
{
	static const struct {
		const char *text;
		int64_t n;
	} good[] = { { "0", 0 },
		     { "-5", -5 },
		     { "+5", 5 },
		     { "0x1F", 31 },
		     { "010", 8 },
		     { "9223372036854775807", INT64_MAX },
		     { "-9223372036854775808", INT64_MIN } };
	static const char *const bad[] = { "",	" 1", "1 ", "a",   "1a",  "--1", "+-1",
					   "+", "-",  "0x", "1.0", "1e3", "\t1", "08" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO(flags) f = { 0 };

		ASSERT_PARSES(2, &f, "-c", good[i].text);
		assert_true(f.count == good[i].n);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(flags) f = { .count = 7 };

		assert_int_equal(PARSE(&f, NULL, "--count", bad[i]), -EINVAL);
		assert_int_equal(f.count, 7);
	}
	ASSERT_REFUSES("invalid argument \"x\" for \"-c, --count\" flag: strconv.ParseInt: parsing "
		       "\"x\": invalid syntax",
		       "--count", "x");
	ASSERT_REFUSES("invalid argument \"9223372036854775808\" for \"-c, --count\" flag: "
		       "strconv.ParseInt: parsing \"9223372036854775808\": value out of range",
		       "-c9223372036854775808");
}

static void test_calls(void **state)
{
	AUTO(flags) f = { 0 };
	struct err e = { 0 };

	(void)state;
	ASSERT_PARSES(2, &f, "-m", "1g");
	assert_int_equal(f.memory, 1 << 30);
	ASSERT_PARSES(2, &f, "-bb", "--bare", "x");
	assert_int_equal(f.bare, 3);
	ASSERT_PARSES(2, &f, "-b=yes", "--bare=yes");
	assert_int_equal(f.bare, 23);
	ASSERT_REFUSES("invalid argument \"abc\" for \"-m, --memory\" flag: invalid size: \"abc\"",
		       "--memory=abc");
	ASSERT_REFUSES("invalid argument \"no\" for \"-b, --bare\" flag: not yes", "--bare=no");
	/* what is not the user's fault is not called so */
	assert_int_equal(PARSE(&f, &e, "-m", "oom"), -ENOMEM);
	assert_string_equal(e.msg, "out of memory");
	assert_int_equal(e.kind, ERR_SYSTEM);
}

static void test_errors(void **state)
{
	(void)state;
	ASSERT_REFUSES("unknown flag: --foo", "--foo");
	ASSERT_REFUSES("unknown flag: --foo", "--foo=bar");
	ASSERT_REFUSES("unknown flag: --nam", "--nam", "x");
	ASSERT_REFUSES("unknown flag: --names", "--names", "x");
	ASSERT_REFUSES("unknown flag: --a\\x0ab", "--a\nb");
	ASSERT_REFUSES("bad flag syntax: --=x", "--=x");
	ASSERT_REFUSES("bad flag syntax: ---x", "---x");
	ASSERT_REFUSES("unknown shorthand flag: 'x' in -xyz", "-xyz");
	ASSERT_REFUSES("unknown shorthand flag: 'x' in -xt", "-itxt");
	ASSERT_REFUSES("unknown shorthand flag: '=' in -=", "-t=");
	ASSERT_REFUSES("unknown shorthand flag: '\\x1b' in -\\x1b[", "-\x1b[");
	ASSERT_REFUSES("flag needs an argument: --name", "--name");
	ASSERT_REFUSES("flag needs an argument: 'e' in -e", "-e");
	ASSERT_REFUSES("flag needs an argument: 'e' in -e", "-ite");
}

/* A long name cannot push its message out of the error object. */
static void test_long_unknown_name(void **state)
{
	AUTO(flags) f = { 0 };
	struct err e = { 0 };
	char word[5000];

	(void)state;
	memset(word, '-', 2);
	memset(word + 2, 'x', sizeof(word) - 3);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(PARSE(&f, &e, word), -EINVAL);
	assert_memory_equal(e.msg, "unknown flag: --xxx", 19);
}

static void test_help(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(10000);

	(void)state;
	assert_int_equal(options_help(specs, ARRAY_SIZE(specs), &b), 0);
	assert_string_equal(strbuf_str(&b),
			    "Options:\n"
			    "  -c, --count int      Count\n"
			    "  -e, --env list       Set environment variables\n"
			    "  -i, --interactive    Keep STDIN open even if not attached\n"
			    "  -m, --memory bytes   Memory limit\n"
			    "      --name string    Assign a name\n"
			    "      --rm             Remove the container\n"
			    "  -t, --tty            Allocate a pseudo-TTY\n");
}

static void test_help_limits(void **state)
{
	AUTO(strbuf) b = STRBUF_INIT(100);
	AUTO(strbuf) none = STRBUF_INIT(100);

	(void)state;
	assert_int_equal(options_help(specs, ARRAY_SIZE(specs), &b), -E2BIG);
	/* hidden rows alone: no heading either */
	assert_int_equal(options_help(&specs[ARRAY_SIZE(specs) - 1], 1, &none), 0);
	assert_string_equal(strbuf_str(&none), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_stops_at_the_first_operand),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_long_unknown_name),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_help_limits),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
