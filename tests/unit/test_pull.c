// SPDX-License-Identifier: MIT
/*
 * Pulls from tests/registry/fake_registry.py: every form of image, every kind of credentials, every way a registry can lie. A good
 * image must arrive whole; whatever else happens must be an error of the right kind, and leave the store empty.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "oci/store.h"
#include "registry/pull.h"

#define FAKE "tests/registry/fake_registry.py"
#define ARGS_MAX 16
#define LOG_MAX ((size_t)1 << 20)

struct fixture {
	char dir[64];
	struct store store;
	pid_t pid; /* of the registry; 0: none */
	char registry[32]; /* "127.0.0.1:PORT" */
	char log[96];
	unsigned events[LAYER_UNPACKED + 1];
	unsigned found;
	int interrupted;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char store[80];
	struct err err;

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/racker-test-pull-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->log, sizeof(f->log), "%s/log", f->dir);
	(void)snprintf(store, sizeof(store), "%s/store", f->dir);
	if (store_open(store, true, &f->store, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(store_lock(&f->store, STORE_LOCK_SHARED, &err), 0);
	*state = f;
	return 0;
}

static void stop_registry(struct fixture *f)
{
	if (f->pid > 0) {
		(void)kill(f->pid, SIGKILL);
		(void)waitpid(f->pid, NULL, 0);
	}
	f->pid = 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	stop_registry(f);
	store_done(&f->store);
	(void)nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void exec_registry(const struct fixture *f, const char *options, int out)
{
	char words[256],
		*save = NULL,
		*argv[ARGS_MAX + 5] = { (char *)(uintptr_t) "python3", (char *)(uintptr_t)FAKE,
					(char *)(uintptr_t) "--log", (char *)(uintptr_t)f->log };
	size_t n = 4;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(words, sizeof(words), "%s", options);
	for (char *w = strtok_r(words, " ", &save); w && n < ARGS_MAX + 4;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	(void)dup2(out, STDOUT_FILENO);
	(void)execvp(argv[0], argv);
	_exit(127);
}

/* Starts a registry with @options; skips the test where there is no python3. */
static void start_registry(struct fixture *f, const char *options)
{
	char line[128] = "";
	int pipes[2];
	FILE *in;

	stop_registry(f);
	(void)unlink(f->log);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0)
		exec_registry(f, options, pipes[1]);
	(void)close(pipes[1]);
	in = fdopen(pipes[0], "r");
	assert_non_null(in);
	if (!fgets(line, sizeof(line), in)) {
		(void)fclose(in);
		stop_registry(f);
		print_message("python3 does not run %s\n", FAKE);
		skip();
	}
	(void)fclose(in);
	assert_int_equal(sscanf(line, "registry %31s", f->registry), 1);
}

static void on_event(void *arg, size_t layer, const struct digest *digest, enum layer_event what)
{
	struct fixture *f = arg;

	assert_true(layer < 16);
	assert_true(digest_is_set(digest));
	assert_int_equal(f->found, 1);
	f->events[what]++;
}

static void on_found(void *arg)
{
	((struct fixture *)arg)->found++;
}

struct who {
	const char *username, *password, *platform;
};

static int pull_as(struct fixture *f, const char *image, const struct who *who,
		   struct pull_result *ret, struct err *err)
{
	struct image_ref ref = { 0 };
	struct platform platform;
	char text[256];
	int r;

	platform_native(&platform);
	if (who->platform)
		assert_int_equal(platform_parse(who->platform, &platform, NULL), 0);
	(void)snprintf(text, sizeof(text), "%s/%s", f->registry, image);
	assert_int_equal(image_ref_parse(text, &ref, NULL), 0);
	memset(f->events, 0, sizeof(f->events));
	f->found = 0;
	r = pull_image(&(struct pull_request){ .store = &f->store,
					       .ref = &ref,
					       .platform = &platform,
					       .username = who->username,
					       .password = who->password,
					       .event = on_event,
					       .found = on_found,
					       .arg = f,
					       .interrupted = &f->interrupted },
		       ret, err);
	image_ref_done(&ref);
	return r;
}

static int pull(struct fixture *f, const char *image, struct pull_result *ret, struct err *err)
{
	return pull_as(f, image, &(struct who){ 0 }, ret, err);
}

static int get_record(struct fixture *f, const char *image, struct image_record *ret)
{
	char name[256];

	(void)snprintf(name, sizeof(name), "%s/%s", f->registry, image);
	return image_record_get(&f->store, name, ret, NULL);
}

/* The image is in the store, whole: three layers with the files that the fake puts there. */
static void assert_whole(struct fixture *f, const char *image)
{
	static const struct {
		const char *path;
		size_t len;
	} files[] = { { "hello", 6 }, { "etc/two", 70000 }, { "three", 2 } };
	AUTO(image_record) record = { 0 };

	assert_int_equal(get_record(f, image, &record), 0);
	assert_string_equal(record.source, "registry");
	assert_int_equal(record.n_layers, 3);
	for (size_t i = 0; i < 3; i++) {
		AUTO_CLOSE int fd = store_layer_open(&f->store, &record.layers[i], NULL);
		struct stat st;

		assert_true(fd >= 0);
		assert_int_equal(fstatat(fd, files[i].path, &st, 0), 0);
		assert_int_equal((size_t)st.st_size, files[i].len);
	}
}

static size_t count_entries(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(dir);
	return n;
}

static void assert_store_empty(struct fixture *f)
{
	struct image_record *list = NULL;
	size_t n = 1;

	assert_int_equal(image_record_list(&f->store, &list, &n, NULL), 0);
	assert_int_equal(n, 0);
	image_records_free(list, n);
	assert_int_equal(count_entries(f->store.ingest_fd), 0);
	assert_int_equal(count_entries(f->store.layers_fd), 0);
}

static void assert_no_children(void)
{
	/* the registry is a child, and has not ended; every worker must have been reaped */
	siginfo_t info = { 0 };

	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	assert_int_equal(info.si_pid, 0);
}

struct failure {
	const char *options, *image;
	enum err_kind kind;
	const char *text; /* in the message */
};

static void assert_fails_as(struct fixture *f, const struct failure *x, const struct who *who)
{
	struct pull_result result;
	struct err err = { 0 };
	int r;

	start_registry(f, x->options);
	r = pull_as(f, x->image, who, &result, &err);
	if (r >= 0)
		fail_msg("%s %s: was pulled", x->options, x->image);
	if (r != err.code || err.kind != x->kind || !strstr(err.msg, x->text))
		fail_msg("%s %s: kind %d, %s", x->options, x->image, err.kind, err.msg);
	assert_store_empty(f);
	assert_no_children();
}

static void assert_all_fail(struct fixture *f, const struct failure *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_fails_as(f, &list[i], &(struct who){ 0 });
}

static void assert_pulls_as(struct fixture *f, const char *image, const struct who *who)
{
	struct pull_result result = { 0 };
	struct err err = { 0 };

	if (pull_as(f, image, who, &result, &err) < 0)
		fail_msg("%s: %s", image, err.msg);
	assert_false(result.up_to_date);
	assert_int_equal(f->found, 1);
	assert_whole(f, image);
	assert_no_children();
}

static void assert_pulls(struct fixture *f, const char *image)
{
	assert_pulls_as(f, image, &(struct who){ 0 });
}

/* How many requests the registry saw that have all of @a, @b in their line of the log. */
static unsigned requests_with(struct fixture *f, const char *a, const char *b)
{
	char *text = NULL, *save = NULL;
	unsigned n = 0;

	assert_int_equal(fd_read_file_at(AT_FDCWD, f->log, LOG_MAX, &text, NULL, NULL), 0);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += strstr(line, a) && strstr(line, b);
	free(text);
	return n;
}

static void test_forms(void **state)
{
	static const char *const images[] = { "test/image:oci",	   "test/image:manifest",
					      "test/image:docker", "test/image:docker2",
					      "test/image:nested", "test/image:attested" };
	struct fixture *f = *state;

	start_registry(f, "");
	for (size_t i = 0; i < ARRAY_SIZE(images); i++)
		assert_pulls(f, images[i]);
	assert_true(requests_with(f, "manifests/oci",
				  "application/vnd.oci.image.index.v1+json, "
				  "application/vnd.oci.image.manifest.v1+json, "
				  "application/vnd.docker.distribution.manifest."
				  "list.v2+json, application/vnd.docker."
				  "distribution.manifest.v2+json") == 1);
	/* one config and three layers for six names: those of docker's form are compressed differently, but have the same diffIDs */
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 4);
}

static void test_result_and_events(void **state)
{
	struct fixture *f = *state;
	struct pull_result first = { 0 }, again = { 0 };
	AUTO(image_record) record = { 0 };

	start_registry(f, "");
	assert_int_equal(pull(f, "test/image:oci", &first, NULL), 0);
	assert_false(first.up_to_date);
	assert_int_equal(f->events[LAYER_WAITING], 3);
	assert_int_equal(f->events[LAYER_DOWNLOADED], 3);
	assert_int_equal(f->events[LAYER_UNPACKED], 3);
	assert_int_equal(f->events[LAYER_EXISTS], 0);
	assert_int_equal(get_record(f, "test/image:oci", &record), 0);
	assert_true(digest_equal(&record.index, &first.digest));
	assert_false(digest_equal(&record.manifest, &first.digest));

	assert_int_equal(pull(f, "test/image:oci", &again, NULL), 0);
	assert_true(again.up_to_date);
	assert_true(digest_equal(&again.digest, &first.digest));
	assert_int_equal(f->found, 1);
	assert_int_equal(f->events[LAYER_WAITING], 0);
	assert_int_equal(requests_with(f, "manifests/oci", "GET"), 2);
	assert_int_equal(requests_with(f, "manifests/sha256:", "GET"), 1);
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 4);

	/* another name for the same image: only the name is new */
	assert_int_equal(pull(f, "test/image:manifest", &again, NULL), 0);
	assert_false(again.up_to_date);
	assert_true(digest_equal(&again.digest, &record.manifest));
	assert_int_equal(f->events[LAYER_EXISTS], 3);
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 4);
}

static void test_lost_layer_is_fetched_again(void **state)
{
	struct fixture *f = *state;
	struct pull_result result = { 0 };
	AUTO(image_record) record = { 0 };
	char path[256];

	start_registry(f, "");
	assert_pulls(f, "test/image:oci");
	assert_int_equal(get_record(f, "test/image:oci", &record), 0);
	(void)snprintf(path, sizeof(path), "%s/store/layers/%s", f->dir, record.layers[1].hex);
	assert_int_equal(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(pull(f, "test/image:oci", &result, NULL), 0);
	assert_false(result.up_to_date);
	assert_whole(f, "test/image:oci");
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 5);
}

static void test_equal_layers(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	AUTO(image_record) record = { 0 };

	start_registry(f, "");
	assert_int_equal(pull(f, "test/image:twice", &result, NULL), 0);
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 2);
	assert_int_equal(get_record(f, "test/image:twice", &record), 0);
	assert_int_equal(record.n_layers, 2);
}

static void test_by_digest(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	struct err err = { 0 };
	char name[160];

	start_registry(f, "");
	assert_int_equal(pull(f, "test/image:oci", &result, NULL), 0);
	(void)snprintf(name, sizeof(name), "test/image@sha256:%s", result.digest.hex);
	assert_pulls(f, name);
	/* the digest wins over the tag */
	(void)snprintf(name, sizeof(name), "test/image:nosuch@sha256:%s", result.digest.hex);
	assert_pulls(f, name);
	start_registry(f, "--fault manifest-digest");
	(void)snprintf(name, sizeof(name), "test/image:x@sha256:%s", result.digest.hex);
	assert_true(pull(f, name, &result, &err) < 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void test_platform(void **state)
{
	static const struct failure other = { "", "test/image:other", ERR_NOT_FOUND,
					      "no matching manifest for linux/" };
	struct fixture *f = *state;
	struct pull_result result;

	assert_fails_as(f, &other, &(struct who){ 0 });
	assert_int_equal(pull_as(f, "test/image:other", &(struct who){ .platform = "linux/s390x" },
				 &result, NULL),
			 0);
	/* the record is of another platform than the one wanted now: not up to date */
	assert_int_equal(pull_as(f, "test/image:oci", &(struct who){ .platform = "linux/s390x" },
				 &result, NULL),
			 0);
	assert_int_equal(pull(f, "test/image:oci", &result, NULL), 0);
	assert_false(result.up_to_date);
	assert_int_equal(pull(f, "test/image:oci", &result, NULL), 0);
	assert_true(result.up_to_date);
	/* one manifest only: taken as it is */
	assert_int_equal(pull_as(f, "test/image:manifest",
				 &(struct who){ .platform = "linux/ppc64le" }, &result, NULL),
			 0);
}

static void test_refused_images(void **state)
{
	static const struct failure list[] = {
		{ "", "test/image:nope", ERR_NOT_FOUND,
		  "/test/image:nope not found: manifest unknown: manifest unknown" },
		{ "", "test/nope", ERR_NOT_FOUND, "not found: name unknown: repository name not" },
		{ "", "test/image:v1", ERR_UNSUPPORTED, "schema 1" },
		{ "", "test/image:foreign", ERR_UNSUPPORTED, "foreign" },
		{ "", "test/image:both", ERR_CORRUPT, "ambiguous" },
		{ "", "test/image:liar", ERR_CORRUPT, "ambiguous" },
		{ "", "test/image:deep", ERR_CORRUPT, "indexes are nested deeper than 4" },
	};

	assert_all_fail(*state, list, ARRAY_SIZE(list));
}

static void test_lying_registries(void **state)
{
	static const struct failure list[] = {
		{ "--fault digest", "test/image:oci", ERR_CORRUPT, "layer sha256:" },
		{ "--fault short", "test/image:oci", ERR_CORRUPT, "layer sha256:" },
		{ "--fault long", "test/image:oci", ERR_NETWORK, "more than the" },
		{ "--fault truncate", "test/image:oci", ERR_NETWORK, "unexpected EOF" },
		{ "--fault chunked-truncate", "test/image:oci", ERR_NETWORK, "unexpected EOF" },
		{ "--fault header-digest", "test/image:oci", ERR_CORRUPT, "instead of sha256:" },
		{ "--fault manifest-digest", "test/image:oci", ERR_NETWORK, "more than the" },
		{ "--fault headers", "test/image:oci", ERR_NETWORK, "bytes of response headers" },
		{ "--fault body", "test/image:oci", ERR_NETWORK, "more than the 4194304 bytes" },
		{ "--status 500", "test/image:oci", ERR_NETWORK, "HTTP status: 500" },
		{ "--status 404", "test/image:oci", ERR_NOT_FOUND, "blob unknown" },
		{ "--status 429", "test/image:oci", ERR_NETWORK, "toomanyrequests: " },
		{ "--manifest-status 429", "test/image:oci", ERR_NETWORK, "toomanyrequests: " },
		{ "--manifest-status 503", "test/image:oci", ERR_NETWORK, "HTTP status: 503" },
		{ "--manifest-status 403", "test/image:oci", ERR_AUTH,
		  "/test/image, repository does not exist or may require 'racker login': denied" },
		{ "--manifest-status 401 --code DENIED", "test/image:oci", ERR_AUTH,
		  "pull access denied for 127.0.0.1:" },
	};

	assert_all_fail(*state, list, ARRAY_SIZE(list));
}

static const struct who user = { .username = "user", .password = "secret" };

static void test_bearer(void **state)
{
	struct fixture *f = *state;

	start_registry(f, "--auth bearer --anonymous");
	assert_pulls(f, "test/image:oci");
	assert_int_equal(requests_with(f, "/token", "\"authorization\": null"), 1);
	assert_int_equal(requests_with(f,
				       "/token?x=1&service=fake%2C%20registry&scope=repository"
				       "%3Atest%2Fimage%3Apull\"",
				       ""),
			 1);
	assert_int_equal(requests_with(f, "/v2/", "\"status\": 401"), 1);
}

static void test_bearer_with_credentials(void **state)
{
	static const struct failure wrong = { "--auth bearer", "test/image:oci", ERR_AUTH,
					      "unauthorized: incorrect username or password" };
	static const struct failure nobody = { "--auth bearer", "test/image:oci", ERR_AUTH,
					       "unauthorized: authentication required" };
	struct fixture *f = *state;

	assert_fails_as(f, &wrong, &(struct who){ .username = "user", .password = "wrong" });
	assert_fails_as(f, &nobody, &(struct who){ 0 });
	start_registry(f, "--auth bearer --access-token --realm elsewhere");
	assert_pulls_as(f, "test/image:oci", &user);
	/* the password went to the token service alone, and the token to the registry alone */
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "Basic dXNlcjpzZWNyZXQ="), 1);
	assert_int_equal(requests_with(f, "", "Basic"), 1);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "Bearer"), 0);
	assert_true(requests_with(f, "account=user", "") == 1);
}

static void test_token_is_renewed(void **state)
{
	struct fixture *f = *state;

	/* a token is good for two requests: it runs out among the layers */
	start_registry(f, "--auth bearer --anonymous --expire 2");
	assert_pulls(f, "test/image:oci");
	assert_true(requests_with(f, "/token", "GET") >= 3);
}

static void test_basic(void **state)
{
	static const struct failure nobody = { "--auth basic", "test/image:oci", ERR_AUTH,
					       "no basic auth credentials" };
	static const struct failure wrong = { "--auth basic", "test/image:oci", ERR_AUTH,
					      "unauthorized: authentication required" };
	struct fixture *f = *state;

	assert_fails_as(f, &nobody, &(struct who){ 0 });
	assert_fails_as(f, &wrong, &(struct who){ .username = "user", .password = "wrong" });
	/* one try with nothing, one with the password */
	assert_int_equal(requests_with(f, "manifests", "GET"), 2);
	start_registry(f, "--auth basic");
	assert_pulls_as(f, "test/image:oci", &user);
}

static void test_several_challenges(void **state)
{
	struct fixture *f = *state;

	start_registry(f, "--auth multi");
	assert_pulls_as(f, "test/image:oci", &user);
	assert_int_equal(requests_with(f, "/v2/", "Basic"), 0);
}

static void test_login_loops(void **state)
{
	static const struct failure loops[] = {
		{ "--auth loop --anonymous", "test/image:oci", ERR_AUTH,
		  "unauthorized: authentication required" },
		{ "--auth loop --anonymous --code DENIED", "test/image:oci", ERR_AUTH,
		  "pull access denied for" },
		{ "--auth bearer --realm http://registry.example/token", "test/image:oci", ERR_AUTH,
		  "credentials not sent" },
		{ "--auth bearer --realm file:///etc/passwd", "test/image:oci", ERR_AUTH,
		  "unusable token service" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		bool looping = strstr(loops[i].options, "loop") != NULL;

		assert_fails_as(f, &loops[i], looping ? &(struct who){ 0 } : &user);
		assert_int_equal(requests_with(f, "manifests", "GET"), looping ? 2 : 1);
	}
}

static void test_redirected_blobs(void **state)
{
	static const struct failure list[] = {
		{ "--redirect loop", "test/image:oci", ERR_NETWORK, "stopped after 10 redirects" },
		{ "--redirect user", "test/image:oci", ERR_NETWORK, "unusable location" },
		{ "--redirect file", "test/image:oci", ERR_NETWORK, "unusable location" },
		{ "--redirect tls", "test/image:oci", ERR_NETWORK, "tls: " },
	};
	static const struct failure steals = { "--auth basic --redirect cdn401", "test/image:oci",
					       ERR_AUTH, "unauthorized" };
	struct fixture *f = *state;

	assert_all_fail(f, list, ARRAY_SIZE(list));
	/* a 401 from where a redirect led gets nothing out of us */
	assert_fails_as(f, &steals, &user);
	assert_true(requests_with(f, "\"at\": \"elsewhere\"", "/cdn/") >= 1);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "/token"), 0);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "Basic"), 0);

	start_registry(f, "--auth bearer --redirect cdn");
	assert_pulls_as(f, "test/image:oci", &user);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", "\"authorization\": null"), 4);
	assert_int_equal(requests_with(f, "\"at\": \"elsewhere\"", ""), 4);
}

static void test_many_layers_of_one_big(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	AUTO(image_record) record = { 0 };
	struct err err = { 0 };

	start_registry(f, "--big 24");
	if (pull(f, "test/image:big", &result, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(get_record(f, "test/image:big", &record), 0);
	assert_int_equal(store_layer_size(&f->store, &record.layers[0]), 24 << 20);
}

static void interrupt_soon(struct fixture *f, const char *options, const char *image)
{
	struct pull_result result;
	struct err err = { 0 };
	usec_t before;

	start_registry(f, options);
	f->interrupted = 1;
	before = now_usec();
	assert_true(pull(f, image, &result, &err) < 0);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	assert_string_equal(err.msg, "interrupted");
	assert_true(now_usec() - before < 2 * USEC_PER_SEC);
	assert_store_empty(f);
	assert_no_children();
	f->interrupted = 0;
}

/* Set by the event of a layer that begins: interrupts in the middle. */
static void on_layer_begins(void *arg, size_t layer, const struct digest *digest,
			    enum layer_event what)
{
	(void)layer;
	(void)digest;
	if (what == LAYER_WAITING)
		((struct fixture *)arg)->interrupted = 1;
}

static void test_interrupted(void **state)
{
	struct fixture *f = *state;
	struct image_ref ref = { 0 };
	struct platform platform;
	struct pull_result result;
	struct err err = { 0 };
	char text[128];
	usec_t before = now_usec();

	interrupt_soon(f, "--fault hang", "test/image:oci");
	start_registry(f, "--fault slow --big 8");
	platform_native(&platform);
	(void)snprintf(text, sizeof(text), "%s/test/image:big", f->registry);
	assert_int_equal(image_ref_parse(text, &ref, NULL), 0);
	assert_true(pull_image(&(struct pull_request){ .store = &f->store,
						       .ref = &ref,
						       .platform = &platform,
						       .event = on_layer_begins,
						       .arg = f,
						       .interrupted = &f->interrupted },
			       &result, &err) < 0);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	assert_true(now_usec() - before < 15 * USEC_PER_SEC);
	assert_store_empty(f);
	assert_no_children();
	image_ref_done(&ref);
}

static void test_nobody_there(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	struct err err = { 0 };

	(void)snprintf(f->registry, sizeof(f->registry), "127.0.0.1:1");
	assert_int_equal(pull(f, "a/b", &result, &err), -ECONNREFUSED);
	assert_int_equal(err.kind, ERR_NETWORK);
	assert_string_equal(err.msg, "Get \"http://127.0.0.1:1/v2/a/b/manifests/latest\": dial tcp "
				     "127.0.0.1:1: connect: connection refused");
	assert_int_equal(f->found, 0);
}

/* A self-signed certificate, made by openssl(1); skipped where there is none. */
static void test_tls_on_loopback(void **state)
{
	struct fixture *f = *state;
	char cert[96], key[96], options[256];
	pid_t pid;
	int status;

	(void)snprintf(cert, sizeof(cert), "%s/cert", f->dir);
	(void)snprintf(key, sizeof(key), "%s/key", f->dir);
	pid = fork();
	if (pid == 0) {
		(void)fclose(stderr);
		(void)execlp("openssl", "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
			     "-subj", "/CN=127.0.0.1", "-days", "2", "-keyout", key, "-out", cert,
			     (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		print_message("openssl does not make a certificate\n");
		skip();
	}
	(void)snprintf(options, sizeof(options), "--auth bearer --redirect cdn401 --tls %s %s",
		       cert, key);
	start_registry(f, options);
	/* where a redirect leads, the certificate counts */
	assert_fails_as(f,
			&(struct failure){ options, "test/image:oci", ERR_NETWORK,
					   "tls: failed to verify certificate" },
			&user);
	(void)snprintf(options, sizeof(options), "--auth bearer --tls %s %s", cert, key);
	start_registry(f, options);
	assert_pulls_as(f, "test/image:oci", &user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_result_and_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_layer_is_fetched_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_equal_layers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_digest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_platform, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_images, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lying_registries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bearer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bearer_with_credentials, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token_is_renewed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_basic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several_challenges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_login_loops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_redirected_blobs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_layers_of_one_big, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tls_on_loopback, setup, teardown),
	};

	return cmocka_run_group_tests_name("pull", tests, NULL, NULL);
}
