// SPDX-License-Identifier: MIT
/* Docker's merge of an image's configuration with a command line: environment, command, volumes, identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "provision/run_spec.h"
#include "provision/volume.h"
#include "tests/unit/scratch.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static char store_path[] = "/store";
static struct store store = { .path = store_path };

/* Two layers, as every case here has them. */
static struct digest layers[2] = { { .hex = "aaaa" }, { .hex = "bbbb" } };
static struct image_record record = { .layers = layers, .n_layers = 2 };

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

static int build(const struct run_request *req, const struct image_config *config,
		 struct container_spec *ret, struct err *err)
{
	return run_spec_build(req, &store, &record, config, ret, err);
}

static void assert_strv(char *const *got, const char *const *want)
{
	size_t i;

	for (i = 0; want[i]; i++) {
		assert_true(i < strv_len(got));
		assert_string_equal(got[i], want[i]);
	}
	assert_int_equal(strv_len(got), i);
}

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })
#define WANT(...) ((const char *[]){ __VA_ARGS__, NULL })

static void test_defaults(void **state)
{
	struct image_config config = { .cmd = WORDS("sh") };
	struct run_request req = { 0 };
	AUTO(container_spec) spec = { 0 };
	char host[65] = { 0 };

	(void)state;
	assert_int_equal(build(&req, &config, &spec, NULL), 0);
	assert_int_equal(strlen(spec.id), 64);
	assert_non_null(strchr(spec.name, '_'));
	assert_string_equal(spec.workdir, "/");
	assert_null(spec.user);
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	assert_string_equal(spec.hostname, host);
	assert_int_equal(spec.namespaces[NS_NET], NAMESPACE_HOST);
	assert_int_equal(spec.namespaces[NS_UTS], NAMESPACE_NEW);
	assert_int_equal(spec.namespaces[NS_PID], NAMESPACE_NEW);
	assert_strv(spec.lower_dirs, WANT("/store/layers/bbbb/fs", "/store/layers/aaaa/fs"));
	assert_strv(spec.argv, WANT("sh"));
	assert_false(spec.tty || spec.interactive || spec.init || spec.readonly_rootfs);
}

static void test_repeated_layer_is_used_once(void **state)
{
	struct digest repeated[3] = { { .hex = "aaaa" }, { .hex = "bbbb" }, { .hex = "aaaa" } };
	struct image_record r = { .layers = repeated, .n_layers = 3 };
	struct image_config config = { .cmd = WORDS("sh") };
	struct run_request req = { 0 };
	AUTO(container_spec) spec = { 0 };

	(void)state;
	assert_int_equal(run_spec_build(&req, &store, &r, &config, &spec, NULL), 0);
	assert_strv(spec.lower_dirs, WANT("/store/layers/aaaa/fs", "/store/layers/bbbb/fs"));
}

static void test_private_network(void **state)
{
	struct image_config config = { .cmd = WORDS("sh") };
	struct run_request req = { .network = NETWORK_NONE };
	AUTO(container_spec) spec = { 0 };

	(void)state;
	assert_int_equal(build(&req, &config, &spec, NULL), 0);
	assert_int_equal(spec.namespaces[NS_NET], NAMESPACE_NEW);
	assert_int_equal(strlen(spec.hostname), 12);
	assert_memory_equal(spec.hostname, spec.id, 12);
}

static void test_environment(void **state)
{
	struct image_config config = {
		.cmd = WORDS("sh"),
		.env = WORDS("A=image", "PATH=/image", "B=image", "nonsense", "C=image"),
	};
	struct run_request req = {
		.tty = true,
		.hostname = "box",
		.env = WORDS("B=flag", "FROM_CALLER", "C", "NEW=", "A=x=y"),
	};
	AUTO(container_spec) spec = { 0 };

	(void)state;
	setenv("FROM_CALLER", "caller", 1);
	unsetenv("C");
	assert_int_equal(build(&req, &config, &spec, NULL), 0);
	assert_strv(spec.env, WANT("PATH=/image", "HOSTNAME=box", "TERM=xterm", "A=x=y", "B=flag",
				   "FROM_CALLER=caller", "NEW="));
}

static void test_default_variable_can_be_removed(void **state)
{
	struct image_config config = { .cmd = WORDS("sh") };
	struct run_request req = { .hostname = "box", .env = WORDS("HOSTNAME") };
	AUTO(container_spec) spec = { 0 };

	(void)state;
	unsetenv("HOSTNAME");
	assert_int_equal(build(&req, &config, &spec, NULL), 0);
	assert_strv(spec.env, WANT(PATH_DEFAULT));
}

static void test_command(void **state)
{
	const struct {
		char **image_entrypoint, **image_cmd;
		const char *entrypoint;
		char **cmd;
		const char **want;
	} cases[] = {
		{ NULL, WORDS("c"), NULL, NULL, WANT("c") },
		{ WORDS("e"), WORDS("c"), NULL, NULL, WANT("e", "c") },
		{ WORDS("e"), WORDS("c"), NULL, WORDS("x", "y"), WANT("e", "x", "y") },
		{ WORDS("e"), WORDS("c"), "n", NULL, WANT("n") },
		{ WORDS("e"), WORDS("c"), "n", WORDS("x"), WANT("n", "x") },
		{ WORDS("e"), WORDS("c"), "", WORDS("x"), WANT("x") },
		{ WORDS("e"), NULL, NULL, NULL, WANT("e") },
		{ NULL, NULL, NULL, WORDS("a b", ""), WANT("a b", "") },
		{ NULL, NULL, NULL, NULL, NULL },
		{ WORDS("e"), WORDS("c"), "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_config config = { .entrypoint = cases[i].image_entrypoint,
					       .cmd = cases[i].image_cmd };
		struct run_request req = { .entrypoint = cases[i].entrypoint, .cmd = cases[i].cmd };
		AUTO(container_spec) spec = { 0 };
		struct err err = { 0 };
		int r = build(&req, &config, &spec, &err);

		if (cases[i].want) {
			assert_int_equal(r, 0);
			assert_strv(spec.argv, cases[i].want);
		} else {
			assert_int_equal(r, -EINVAL);
			assert_string_equal(err.msg, "no command specified");
		}
	}
}

static void test_overrides(void **state)
{
	struct image_config config = { .cmd = WORDS("sh"),
				       .user = (char[]){ "image" },
				       .workdir = (char[]){ "/image" } };
	struct run_request none = { .user = "", .workdir = "", .hostname = "", .name = "" };
	struct run_request all = { .user = "1:2",
				   .workdir = "/flag",
				   .name = "/web",
				   .init = true,
				   .read_only = true,
				   .interactive = true };
	AUTO(container_spec) a = { 0 };
	AUTO(container_spec) b = { 0 };

	(void)state;
	assert_int_equal(build(&none, &config, &a, NULL), 0);
	assert_string_equal(a.user, "image");
	assert_string_equal(a.workdir, "/image");
	assert_true(strlen(a.hostname) > 0);
	assert_non_null(strchr(a.name, '_'));
	assert_int_equal(build(&all, &config, &b, NULL), 0);
	assert_string_equal(b.user, "1:2");
	assert_string_equal(b.workdir, "/flag");
	assert_string_equal(b.name, "web");
	assert_true(b.init && b.readonly_rootfs && b.interactive);
}

static void assert_refused(const struct run_request *req, const struct image_config *config,
			   int code, const char *message)
{
	AUTO(container_spec) spec = { 0 };
	struct err err = { 0 };

	assert_int_equal(build(req, config, &spec, &err), code);
	assert_string_equal(err.msg, message);
	assert_null(spec.id);
}

static void test_refused(void **state)
{
	struct image_config config = { .cmd = WORDS("sh") };
	struct image_config relative = { .cmd = WORDS("sh"), .workdir = (char[]){ "srv" } };
	char long_name[70];

	(void)state;
	assert_refused(&(struct run_request){ .workdir = "rel" }, &config, -EINVAL,
		       "the working directory 'rel' is invalid, it needs to be an absolute path");
	assert_refused(&(struct run_request){ 0 }, &relative, -EINVAL,
		       "the working directory 'srv' is invalid, it needs to be an absolute path");
	assert_refused(&(struct run_request){ .name = "a b" }, &config, -EINVAL,
		       "Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
	assert_refused(&(struct run_request){ .name = "/" }, &config, -EINVAL,
		       "Invalid container name (), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
	assert_refused(&(struct run_request){ .volumes = WORDS("/a:/x", "/b:/x") }, &config,
		       -EINVAL, "Duplicate mount point: /x");
	assert_refused(&(struct run_request){ .volumes = WORDS("/a:/x", "/b:/x/") }, &config,
		       -EINVAL, "Duplicate mount point: /x");
	assert_refused(&(struct run_request){ .volumes = WORDS("/a:/x/../x", "/b:/x") }, &config,
		       -EINVAL, "Duplicate mount point: /x");
	assert_refused(&(struct run_request){ .hostname = "a\nb" }, &config, -EINVAL,
		       "invalid hostname: \"a\\x0ab\"");
	memset(long_name, 'h', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(run_spec_check(&(struct run_request){ .hostname = long_name }, NULL),
			 -EINVAL);
}

static void test_volume_source_is_made_last(void **state)
{
	struct image_config config = { .cmd = WORDS("sh") };
	char dir[PATH_MAX];
	AUTO_FREE char *source = NULL, *volume = NULL;
	AUTO(container_spec) spec = { 0 };
	AUTO(container_spec) refused = { 0 };
	struct run_request req = { .volumes = (char *[]){ NULL, NULL } };
	struct stat st;

	scratch_path(SCRATCH_FD(state), dir);
	assert_true(asprintf(&source, "%s/new/dir", dir) > 0);
	assert_true(asprintf(&volume, "%s:/mnt:ro", source) > 0);
	req.volumes = (char *[]){ volume, NULL };
	assert_int_equal(build(&req, &(struct image_config){ 0 }, &refused, NULL), -EINVAL);
	assert_int_equal(stat(source, &st), -1);
	assert_int_equal(build(&req, &config, &spec, NULL), 0);
	assert_int_equal(stat(source, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(spec.n_binds, 1);
	assert_string_equal(spec.binds[0].source, source);
	assert_string_equal(spec.binds[0].target, "/mnt");
	assert_true(spec.binds[0].readonly);
}

#define ROOT_REFUSED(text, type)                                                          \
	"invalid volume specification: '" text "': invalid mount config for type \"" type \
	"\": invalid specification: destination can't be '/'"

/* What only looks like a "." or ".." stays. */
static void test_volume_target_is_cleaned(void **state)
{
	static const char *const cases[][2] = {
		{ "/a:/.../..x/.y/", "/.../..x/.y" },
		{ "/a:/x../y./..", "/x.." },
		{ "/a:/a/bb/ccc/../../dddd", "/a/dddd" },
		{ "/a:/a//./b", "/a/b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bind_spec bind = { 0 };

		assert_int_equal(volume_parse(cases[i][0], &bind, NULL), 0);
		assert_string_equal(bind.target, cases[i][1]);
		free(bind.source);
		free(bind.target);
	}
}

static void test_volumes(void **state)
{
	static const struct {
		const char *text, *message;
		int code;
		bool readonly;
	} cases[] = {
		{ "/a:/x", NULL, 0, false },
		{ "/a:/x:rw", NULL, 0, false },
		{ "/a:/x:ro", NULL, 0, true },
		{ "/a:/x:ro,z", NULL, 0, true },
		{ "/a:/x:Z,cached", NULL, 0, false },
		{ "./a:/x", NULL, 0, false },
		{ "/a:/x:zz", "invalid mode: zz", -EINVAL, false },
		{ "/a:/x:", "invalid mode: ", -EINVAL, false },
		{ "/a:/x:ro,rw", "invalid mode: ro,rw", -EINVAL, false },
		{ "/a:/x:ro,", "invalid mode: ro,", -EINVAL, false },
		{ "/a:/x:rslave", "mount propagation 'rslave'", -EOPNOTSUPP, false },
		{ "foo:bar",
		  "invalid volume specification: 'foo:bar': invalid mount config for type \"volume\": "
		  "invalid mount path: 'bar' mount path must be absolute",
		  -EINVAL, false },
		{ "/a:bar",
		  "invalid volume specification: '/a:bar': invalid mount config for type \"bind\": "
		  "invalid mount path: 'bar' mount path must be absolute",
		  -EINVAL, false },
		{ "foo:/x", "named volumes", -EOPNOTSUPP, false },
		{ "/x", "anonymous volumes", -EOPNOTSUPP, false },
		{ "/a:/", ROOT_REFUSED("/a:/", "bind"), -EINVAL, false },
		{ "/a:/.//", ROOT_REFUSED("/a:/.//", "bind"), -EINVAL, false },
		{ "/a:/..", ROOT_REFUSED("/a:/..", "bind"), -EINVAL, false },
		{ "./a:/tmp/..:ro", ROOT_REFUSED("./a:/tmp/..:ro", "bind"), -EINVAL, false },
		{ "/a:/../x/../../.", ROOT_REFUSED("/a:/../x/../../.", "bind"), -EINVAL, false },
		{ "foo:/x/..", ROOT_REFUSED("foo:/x/..", "volume"), -EINVAL, false },
		{ "/a:/x/", NULL, 0, false },
		{ "/a://x//:ro", NULL, 0, true },
		{ "/a:/./x/.", NULL, 0, false },
		{ "/a:/x/../x", NULL, 0, false },
		{ "/a:/../../x", NULL, 0, false },
		{ "/a:/y/z/../../x/longer/..", NULL, 0, false },
		{ "/a:x/..",
		  "invalid mount config for type \"bind\": "
		  "invalid mount path: 'x/..' mount path must be absolute",
		  -EINVAL, false },
		{ "", "invalid volume specification: ''", -EINVAL, false },
		{ ":", "invalid volume specification: ':'", -EINVAL, false },
		{ ":/x", "invalid volume specification: ':/x'", -EINVAL, false },
		{ "/a:", "invalid volume specification: '/a:'", -EINVAL, false },
		{ "/a:/b:ro:x", "invalid volume specification: '/a:/b:ro:x'", -EINVAL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bind_spec bind = { 0 };
		struct err err = { 0 };

		assert_int_equal(volume_parse(cases[i].text, &bind, &err), cases[i].code);
		if (cases[i].message) {
			assert_non_null(strstr(err.msg, cases[i].message));
			assert_null(bind.source);
			continue;
		}
		assert_int_equal(bind.source[0], '/');
		assert_string_equal(bind.target, "/x");
		assert_int_equal(bind.readonly, cases[i].readonly);
		free(bind.source);
		free(bind.target);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_repeated_layer_is_used_once),
		cmocka_unit_test(test_private_network),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_default_variable_can_be_removed),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_refused),
		cmocka_unit_test_setup_teardown(test_volume_source_is_made_last, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_volume_target_is_cleaned),
	};

	return cmocka_run_group_tests_name("run_spec", tests, NULL, NULL);
}
