// SPDX-License-Identifier: MIT
/* State files: claiming, names, listing, what a killed owner leaves. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strv.h"
#include "runtime/state.h"

static char dir[] = "/tmp/racker-test-state-XXXXXX";
static char inner[64];

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int setup(void **state)
{
	(void)state;
	(void)strcpy(
		dir,
		"/tmp/racker-test-state-XXXXXX"); // NOLINT: a constant into a buffer of its size
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(inner, sizeof(inner), "%s/run", dir);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "run/containers", "run", "" };
	int left = 0;

	(void)state;
	/* rmdir fails if anything is left, which is what the tests are about. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[96];
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		left |= rmdir(path) < 0 && access(path, F_OK) == 0;
	}
	return left;
}

static struct container_state make(const char *id, const char *name)
{
	struct container_state s = { .image = NULL, .started = 5, .pid = 7 };

	s.id = strdup(id);
	s.name = strdup(name);
	s.image = strdup("img");
	assert_int_equal(strv_add(&s.argv, "a \"b\""), 0);
	s.layers = calloc(1, sizeof(*s.layers));
	s.n_layers = 1;
	assert_int_equal(digest_from_hex(ID_A, &s.layers[0]), 0);
	return s;
}

static void test_register_list_unregister(void **state)
{
	AUTO(container_state) s = make(ID_A, "one");
	struct container_state *list;
	size_t n;
	int fd;

	(void)state;
	assert_int_equal(state_list(inner, &list, &n, NULL), 0);
	assert_int_equal(n, 0);
	fd = state_register(inner, &s, NULL);
	assert_true(fd >= 0);
	assert_int_equal(state_list(inner, &list, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].id, ID_A);
	assert_string_equal(list[0].name, "one");
	assert_string_equal(list[0].argv[0], "a \"b\"");
	assert_int_equal(list[0].pid, 7);
	assert_int_equal(list[0].n_layers, 1);
	assert_true(digest_equal(&list[0].layers[0], &s.layers[0]));
	container_states_free(list, n);
	state_unregister(inner, fd, &s);
	state_unregister(inner, -1, &s);
	assert_int_equal(state_list(inner, &list, &n, NULL), 0);
	assert_int_equal(n, 0);
	container_states_free(list, n);
}

static void test_name_conflict(void **state)
{
	AUTO(container_state) a = make(ID_A, "web");
	AUTO(container_state) b = make(ID_B, "web");
	struct container_state *list;
	struct err err = { 0 };
	int fd = state_register(inner, &a, NULL);
	size_t n;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(state_register(inner, &b, &err), -17);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_non_null(strstr(
		err.msg, "The container name \"/web\" is already in use by container \"" ID_A));
	/* The loser has not touched the winner's file. */
	assert_int_equal(state_list(inner, &list, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].id, ID_A);
	container_states_free(list, n);
	state_unregister(inner, fd, &a);
	fd = state_register(inner, &b, NULL);
	assert_true(fd >= 0);
	state_unregister(inner, fd, &b);
}

static void test_killed_owner_is_swept(void **state)
{
	AUTO(container_state) s = make(ID_A, "gone");
	AUTO(container_state) live = make(ID_B, "live");
	struct container_state *list;
	size_t n;
	int status, fd = state_register(inner, &live, NULL);
	pid_t pid;

	(void)state;
	assert_true(fd >= 0);
	pid = fork();
	if (pid == 0) {
		/* Dies without a word, as after kill -9. */
		(void)state_register(inner, &s, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(state_list(inner, &list, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].name, "live");
	container_states_free(list, n);
	assert_int_equal(state_sweep(inner, NULL), 0);
	/* The name is free again. */
	status = state_register(inner, &s, NULL);
	assert_true(status >= 0);
	state_unregister(inner, status, &s);
	state_unregister(inner, fd, &live);
}

/* Without a cgroup the sweeper goes by the process, and only by the very same one. */
static void test_process_is_killed_by_identity(void **state)
{
	AUTO(container_state) s = make(ID_A, "nocg");
	int status;
	pid_t sleeper = fork(), owner;

	(void)state;
	if (sleeper == 0) {
		(void)pause();
		_exit(0);
	}
	for (int round = 0; round < 2; round++) {
		state_set_pid(&s, sleeper);
		assert_true(s.pid_start > 0);
		if (round == 0)
			s.pid_start--;
		owner = fork();
		if (owner == 0) {
			(void)state_register(inner, &s, NULL);
			_exit(0);
		}
		assert_int_equal(waitpid(owner, &status, 0), owner);
		assert_int_equal(state_sweep(inner, NULL), 0);
		/* Another process that got the number since is left alone. */
		if (round == 0)
			assert_int_equal(waitpid(sleeper, &status, WNOHANG), 0);
	}
	assert_int_equal(waitpid(sleeper, &status, 0), sleeper);
	assert_true(WIFSIGNALED(status));
}

static void test_garbage_is_swept(void **state)
{
	AUTO(container_state) s = make(ID_A, "x");
	struct container_state *list;
	char path[256];
	size_t n;
	int fd = state_register(inner, &s, NULL);

	(void)state;
	assert_true(fd >= 0);
	state_unregister(inner, fd, &s);
	(void)snprintf(path, sizeof(path), "%s/containers/" ID_B, inner);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "{\"id\": nonsense", 15), 15);
	(void)close(fd);
	assert_int_equal(state_list(inner, &list, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(state_sweep(inner, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* What an exec goes by comes back as it was. */
static void test_members(void **state)
{
	AUTO(container_state) s = make(ID_A, "all");
	AUTO(container_state) found = { 0 };
	int fd;

	(void)state;
	s.hostname = strdup("host");
	s.user = strdup("app:4");
	s.workdir = strdup("/srv/\"x\"");
	s.seccomp = strdup("boot");
	s.caps = UINT64_C(0x1ffffffffff);
	s.boot = s.no_new_privs = true;
	s.pid_start = INT64_C(0x100000000);
	assert_int_equal(strv_add(&s.env, "A=b\nc"), 0);
	assert_int_equal(strv_add(&s.env, "LONE"), 0);
	fd = state_register(inner, &s, NULL);
	assert_true(fd >= 0);
	assert_int_equal(state_find(inner, "all", &found, NULL), 0);
	assert_string_equal(found.hostname, "host");
	assert_string_equal(found.user, "app:4");
	assert_string_equal(found.workdir, "/srv/\"x\"");
	assert_string_equal(found.seccomp, "boot");
	assert_true(found.caps == s.caps);
	assert_true(found.pid_start == s.pid_start);
	assert_true(found.boot && found.no_new_privs && !found.userns && !found.running);
	assert_int_equal(strv_len(found.env), 2);
	assert_string_equal(found.env[0], "A=b\nc");
	assert_string_equal(found.env[1], "LONE");
	container_state_done(&found);
	state_set_running(fd, &s);
	assert_true(s.running);
	assert_int_equal(state_find(inner, "all", &found, NULL), 0);
	assert_true(found.running);
	state_unregister(inner, fd, &s);
}

/* Files of a version that wrote less, and of one that writes more. */
static void test_foreign_file(void **state)
{
	static const char text[] = "{\"id\":\"" ID_A
				   "\",\"name\":\"old\",\"newer\":[1],\"layers\":[]}";
	AUTO(container_state) s = make(ID_B, "x");
	AUTO(container_state) found = { 0 };
	char path[256];
	int fd = state_register(inner, &s, NULL);

	(void)state;
	assert_true(fd >= 0);
	state_unregister(inner, fd, &s);
	(void)snprintf(path, sizeof(path), "%s/containers/old", inner);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(state_find(inner, "old", &found, NULL), 0);
	assert_string_equal(found.id, ID_A);
	assert_int_equal(found.pid, 0);
	assert_null(found.seccomp);
	assert_int_equal(unlink(path), 0);
	(void)close(fd);
}

static void check_find(const char *wanted, const char *id, int code)
{
	AUTO(container_state) found = { 0 };
	struct err err = { 0 };
	int r = state_find(inner, wanted, &found, &err);

	assert_int_equal(r, code);
	if (code == 0)
		assert_string_equal(found.id, id);
	else if (code == -ENOENT)
		assert_non_null(strstr(err.msg, "No such container: "));
	else
		assert_non_null(strstr(err.msg, "multiple IDs found with provided prefix: "));
}

static void test_find(void **state)
{
	static const char id_ab[] =
		"abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
	AUTO(container_state) a = make(ID_A, "web");
	AUTO(container_state) ab = make(id_ab, "bb");
	AUTO(container_state) b = make(ID_B, ID_A);
	int fds[3];

	(void)state;
	check_find("web", NULL, -ENOENT);
	fds[0] = state_register(inner, &a, NULL);
	fds[1] = state_register(inner, &ab, NULL);
	fds[2] = state_register(inner, &b, NULL);
	check_find("web", ID_A, 0);
	check_find("/web", ID_A, 0);
	/* a name goes before a prefix, a full id before a name */
	check_find("bb", id_ab, 0);
	check_find(ID_A, ID_A, 0);
	check_find("bbb", ID_B, 0);
	check_find("ab", id_ab, 0);
	check_find("a", NULL, -ENOTUNIQ);
	check_find("", NULL, -ENOENT);
	check_find("/", NULL, -ENOENT);
	check_find("//web", NULL, -ENOENT);
	check_find("../containers/web", NULL, -ENOENT);
	check_find("web2", NULL, -ENOENT);
	/* the file of a killed owner is not a running container */
	(void)close(fds[0]);
	check_find("web", NULL, -ENOENT);
	assert_int_equal(state_sweep(inner, NULL), 0);
	state_unregister(inner, fds[1], &ab);
	state_unregister(inner, fds[2], &b);
}

/* Who has given up its name takes nothing of the next one's along. */
static void test_free_name(void **state)
{
	AUTO(container_state) a = make(ID_A, "web");
	AUTO(container_state) b = make(ID_B, "web");
	int old = state_register(inner, &a, NULL), new;

	(void)state;
	assert_true(old >= 0);
	state_free_name(inner, &a);
	check_find("web", NULL, -ENOENT);
	new = state_register(inner, &b, NULL);
	assert_true(new >= 0);
	state_unregister(inner, old, &a);
	check_find("web", ID_B, 0);
	state_unregister(inner, new, &b);
}

/* Readers find a container that is there at every moment of its file's replacement. */
static void test_replace(void **state)
{
	AUTO(container_state) s = make(ID_A, "web");
	int fd = state_register(inner, &s, NULL);
	pid_t reader;
	int status;

	(void)state;
	assert_true(fd >= 0);
	reader = fork();
	if (reader == 0) {
		for (int i = 0; i < 2000; i++) {
			struct container_state *list;
			size_t n = 0;

			if (state_list(inner, &list, &n, NULL) < 0 || n != 1)
				_exit(1);
			container_states_free(list, n);
		}
		_exit(0);
	}
	while (waitpid(reader, &status, WNOHANG) == 0) {
		s.pid++;
		assert_int_equal(state_replace(inner, &fd, &s, NULL), 0);
	}
	assert_int_equal(status, 0);
	state_unregister(inner, fd, &s);
}

static void test_open_pid(void **state)
{
	AUTO(container_state) s = make(ID_A, "p");
	struct err err = { 0 };
	pid_t pid = fork();
	int fd;

	(void)state;
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	state_set_pid(&s, pid);
	fd = state_open_pid(&s, NULL);
	assert_true(fd >= 0);
	(void)close(fd);
	/* the same number, another process */
	s.pid_start--;
	assert_int_equal(state_open_pid(&s, &err), -ESRCH);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_string_equal(err.msg, "container " ID_A " is not running");
	s.pid_start++;
	/* ended, but not yet waited for: there is nothing to enter */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(state_open_pid(&s, NULL), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(state_open_pid(&s, NULL), -ESRCH);
	s.pid = 0;
	assert_int_equal(state_open_pid(&s, NULL), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_register_list_unregister, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_conflict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_owner_is_swept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_process_is_killed_by_identity, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_garbage_is_swept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_members, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_pid, setup, teardown),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
