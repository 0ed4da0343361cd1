// SPDX-License-Identifier: MIT
/* See pull_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/pull_fixture.h"

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

#include "base/fd.h"

#define FAKE "tests/registry/fake_registry.py"
#define ARGS_MAX 16
#define LOG_MAX ((size_t)1 << 20)

int fixture_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int fixture_setup(void **state)
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

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	stop_registry(f);
	store_done(&f->store);
	(void)nftw(f->dir, fixture_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
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
void start_registry(struct fixture *f, const char *options)
{
	char line[128] = "";
	bool started;
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
	started = fgets(line, sizeof(line), in) != NULL;
	(void)fclose(in);
	if (!started) {
		stop_registry(f);
		print_message("python3 does not run %s\n", FAKE);
		skip();
	}
	assert_int_equal(sscanf(line, "registry %31s", f->registry), 1);
}

static void on_event(void *arg, size_t layer, const struct digest *digest, enum layer_event what)
{
	struct fixture *f = arg;

	assert_true(layer < 20);
	assert_true(digest_is_set(digest));
	assert_int_equal(f->found, 1);
	f->events[what]++;
}

static void on_found(void *arg)
{
	((struct fixture *)arg)->found++;
}

int pull_as(struct fixture *f, const char *image, const struct who *who, struct pull_result *ret,
	    struct err *err)
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

int pull(struct fixture *f, const char *image, struct pull_result *ret, struct err *err)
{
	return pull_as(f, image, &(struct who){ 0 }, ret, err);
}

int get_record(struct fixture *f, const char *image, struct image_record *ret)
{
	char name[256];

	(void)snprintf(name, sizeof(name), "%s/%s", f->registry, image);
	return image_record_get(&f->store, name, ret, NULL);
}

/* The image is in the store, whole: three layers with the files that the fake puts there. */
void assert_whole(struct fixture *f, const char *image)
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

void assert_store_empty(struct fixture *f)
{
	struct image_record *list = NULL;
	size_t n = 1;

	assert_int_equal(image_record_list(&f->store, &list, &n, NULL), 0);
	assert_int_equal(n, 0);
	image_records_free(list, n);
	assert_int_equal(count_entries(f->store.ingest_fd), 0);
	assert_int_equal(count_entries(f->store.layers_fd), 0);
}

void assert_no_children(void)
{
	/* the registry is a child, and has not ended; every worker must have been reaped */
	siginfo_t info = { 0 };

	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	assert_int_equal(info.si_pid, 0);
}

void assert_fails_as(struct fixture *f, const struct failure *x, const struct who *who)
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

void assert_all_fail(struct fixture *f, const struct failure *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_fails_as(f, &list[i], &(struct who){ 0 });
}

void assert_pulls_as(struct fixture *f, const char *image, const struct who *who)
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

void assert_pulls(struct fixture *f, const char *image)
{
	assert_pulls_as(f, image, &(struct who){ 0 });
}

/* How many requests the registry saw that have all of @a, @b in their line of the log. */
unsigned requests_with(struct fixture *f, const char *a, const char *b)
{
	char *text = NULL, *save = NULL;
	unsigned n = 0;

	assert_int_equal(fd_read_file_at(AT_FDCWD, f->log, LOG_MAX, &text, NULL, NULL), 0);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += strstr(line, a) && strstr(line, b);
	free(text);
	return n;
}
