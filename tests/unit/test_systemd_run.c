// SPDX-License-Identifier: MIT
/* Commands as transient units: what PID 1 is asked, how their end is known whatever it tells, what systemd's exit codes mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/systemd_manager.h"
#include "runtime/systemd_program.h"
#include "runtime/systemd_transient.h"
#include "tests/unit/fake_systemd.h"

#define UNIT "a.service"
#define UNIT_PATH SYSTEMD_PATH "/unit/a_2eservice"

static struct systemd_unit_state ended(const char *active, const char *sub, int code, int status,
				       uint64_t active_enter)
{
	struct systemd_unit_state s = { .exec_code = code,
					.exec_status = status,
					.inactive_exit_usec = 1,
					.active_enter_usec = active_enter };

	memcpy(s.active, active, strlen(active));
	memcpy(s.sub, sub, strlen(sub));
	memcpy(s.result, "success", 8);
	return s;
}

static void test_result(void **state)
{
	static const struct {
		const char *active, *sub;
		int code, status;
		uint64_t active_enter;
		unsigned version, settings;
		enum systemd_end how;
		int value;
		enum err_kind kind;
	} all[] = {
		{ "active", "exited", CLD_EXITED, 0, 1, 252, 0, SYSTEMD_EXITED, 0, 0 },
		{ "active", "exited", CLD_EXITED, 7, 1, 252, 0, SYSTEMD_EXITED, 7, 0 },
		{ "inactive", "dead", CLD_EXITED, 3, 1, 252, 0, SYSTEMD_EXITED, 3, 0 },
		{ "failed", "failed", CLD_KILLED, 9, 1, 252, 0, SYSTEMD_KILLED, 9, 0 },
		{ "failed", "failed", CLD_DUMPED, 11, 1, 252, 0, SYSTEMD_KILLED, 11, 0 },
		/* systemd's codes: its own when nothing was executed and something could have gone so */
		{ "failed", "failed", CLD_EXITED, 203, 0, 252, 0, SYSTEMD_NOT_EXECUTED, 126,
		  ERR_EXEC_DENIED },
		{ "failed", "failed", CLD_EXITED, 203, 1, 252, 0, SYSTEMD_EXITED, 203, 0 },
		{ "failed", "failed", CLD_EXITED, 203, 1, 219, 0, SYSTEMD_NOT_EXECUTED, 126,
		  ERR_EXEC_DENIED },
		{ "failed", "failed", CLD_EXITED, 217, 0, 252, SYSTEMD_RUN_USER,
		  SYSTEMD_NOT_EXECUTED, 126, ERR_EXEC_DENIED },
		{ "failed", "failed", CLD_EXITED, 217, 0, 252, SYSTEMD_RUN_WORKDIR, SYSTEMD_EXITED,
		  217, 0 },
		{ "failed", "failed", CLD_EXITED, 200, 0, 257, SYSTEMD_RUN_WORKDIR,
		  SYSTEMD_NOT_EXECUTED, 126, ERR_EXEC_DENIED },
		{ "failed", "failed", CLD_EXITED, 226, 0, 252, SYSTEMD_RUN_PROPERTIES,
		  SYSTEMD_NOT_EXECUTED, 125, ERR_SYSTEM },
		{ "failed", "failed", CLD_EXITED, 226, 0, 252, SYSTEMD_RUN_USER, SYSTEMD_EXITED,
		  226, 0 },
		{ "failed", "failed", CLD_EXITED, 208, 0, 252, SYSTEMD_RUN_TTY,
		  SYSTEMD_NOT_EXECUTED, 125, ERR_SYSTEM },
		{ "failed", "failed", CLD_EXITED, 199, 0, 252, ~0U, SYSTEMD_EXITED, 199, 0 },
		{ "failed", "failed", CLD_EXITED, 255, 0, 252, ~0U, SYSTEMD_EXITED, 255, 0 },
		{ "failed", "failed", 0, 0, 0, 252, 0, SYSTEMD_NOT_EXECUTED, 125, ERR_SYSTEM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct systemd_unit_state s = ended(all[i].active, all[i].sub, all[i].code,
						    all[i].status, all[i].active_enter);
		struct systemd_run_result r = { 0 };

		assert_true(systemd_run_result_of(&s, all[i].version, all[i].settings, &r));
		assert_int_equal(r.how, all[i].how);
		assert_int_equal(r.value, all[i].value);
		assert_int_equal(r.why.kind, all[i].kind);
		assert_int_equal(r.core_dumped, all[i].code == CLD_DUMPED);
		assert_string_equal(r.result, "success");
	}
}

static void test_not_over(void **state)
{
	struct systemd_unit_state s = ended("active", "running", 0, 0, 1);
	struct systemd_run_result r;

	(void)state;
	assert_false(systemd_run_result_of(&s, 252, 0, &r));
	s = ended("activating", "start", 0, 0, 0);
	assert_false(systemd_run_result_of(&s, 252, 0, &r));
	s = ended("deactivating", "stop-sigterm", CLD_EXITED, 1, 1);
	assert_false(systemd_run_result_of(&s, 252, 0, &r));
	s = ended("inactive", "dead", 0, 0, 0);
	s.inactive_exit_usec = 0;
	assert_false(systemd_run_result_of(&s, 252, 0, &r));
	s = (struct systemd_unit_state){ 0 };
	assert_false(systemd_run_result_of(&s, 252, 0, &r));
}

/* What StartTransientUnit was called with, as text that a test can look for. */
static void describe(struct bus_reader *r, struct strbuf *out)
{
	static const char *const arrays[] = { "s", "i", "(sv)", "(sasas)", "(sasb)", "(sa(sv))" };
	struct bus_reader inner;
	const char *text;
	uint64_t number;
	int e = 0;

	while (e == 0 && bus_reader_more(r)) {
		char type = bus_reader_peek(r);

		switch (type) {
		case 's':
			e = bus_read_text(r, 's', &text) | strbuf_addf(out, "%s ", text);
			break;
		case 'v':
			e = bus_read_variant(r, &inner);
			describe(&inner, out);
			break;
		case 'a':
			e = -EBADMSG;
			for (size_t i = 0; e < 0 && i < ARRAY_SIZE(arrays); i++)
				e = bus_read_array(r, arrays[i], &inner);
			e |= strbuf_adds(out, "[ ");
			describe(&inner, out);
			e |= strbuf_adds(out, "] ");
			break;
		case '(':
			e = bus_read_open(r);
			break;
		case ')':
			e = bus_read_close(r);
			break;
		default:
			e = bus_read_number(r, type, &number);
			e |= strbuf_addf(out, "%c%llu ", type, (unsigned long long)number);
		}
	}
	if (e < 0)
		_exit(1);
}

/* Answers with an error whose text is the description. */
static void answer_describing(int fd, struct fake_call *call, unsigned n)
{
	struct strbuf out = STRBUF_INIT(65536);
	struct bus_writer w = BUS_WRITER_INIT;

	(void)n;
	describe(&call->body, &out);
	if (dprintf(call->n_fds ? call->fds[0] : STDERR_FILENO, "%s", strbuf_str(&out)) < 0)
		_exit(1);
	bus_put_string(&w, "no");
	fake_peer_reply(fd, call->head.serial, "a.b.No", "s", &w);
	bus_writer_done(&w);
	strbuf_done(&out);
}

static void request(unsigned version, struct systemd_command *cmd, char *text, size_t size)
{
	struct fake_systemd f;
	struct systemd_run run;
	struct err e = { 0 };
	ssize_t n;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	cmd->stdio[0] = fds[1];
	fake_systemd_start(&f, version, answer_describing);
	assert_int_equal(systemd_run_start(&f.session, cmd, in_ms(5000), &run, &e), -EREMOTEIO);
	assert_string_equal(e.msg, "no");
	n = read(fds[0], text, size - 1);
	assert_true(n > 0);
	text[n] = '\0';
	fake_systemd_end(&f);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in \"%s\"", part, text);
}

static void test_request(void **state)
{
	const struct systemd_property more[] = {
		{ .name = "TasksMax", .type = 't', .number = 9 },
		{ .name = "NoNewPrivileges", .type = 'b', .number = 1 },
		{ .name = "After", .type = 'a', .list = (const char *const[]){ "x.service", NULL } },
	};
	struct systemd_command cmd = {
		.argv = (const char *const[]){ "/bin/sh", "-c", "echo $HOME %n ${X}", "", NULL },
		.env = (const char *const[]){ "A=1 2", NULL },
		.unit = UNIT,
		.user = "nobody",
		.workdir = "/w",
		.stdio = { -1, -1, STDERR_FILENO },
		.properties = more,
		.n_properties = ARRAY_SIZE(more),
	};
	char text[16384];

	(void)state;
	request(252, &cmd, text, sizeof(text));
	assert_int_equal(strncmp(text, UNIT " fail [ ", strlen(UNIT " fail [ ")), 0);
	assert_has(text,
		   "ExecStartEx [ /bin/sh [ /bin/sh -c echo $HOME %n ${X}  ] [ no-env-expand ] ] ");
	assert_has(text, "Type exec ");
	assert_has(text, "RemainAfterExit b1 ");
	assert_has(text, "IgnoreSIGPIPE b0 ");
	assert_has(text, "User nobody ");
	assert_has(text, "WorkingDirectory /w ");
	assert_has(text, "Environment [ A=1 2 ] ");
	assert_has(text, "StandardInputFileDescriptor h0 ");
	assert_has(text, "StandardOutput null ");
	assert_has(text, "StandardErrorFileDescriptor h1 ");
	assert_has(text, "TasksMax t9 NoNewPrivileges b1 After [ x.service ] ");
	assert_has(text, "SuccessExitStatus [ i1 i2 ");
	assert_has(text, "i199 i246 ");
	/* An old one expands variables: its "$$" is our "$". */
	request(239, &cmd, text, sizeof(text));
	assert_has(text, "ExecStart [ /bin/sh [ /bin/sh -c echo $$HOME %n $${X}  ] b0 ] ");
	assert_has(text, "Type simple ");
	assert_null(strstr(text, "SuccessExitStatus"));
}

static void test_unique_names(void **state)
{
	struct systemd_command cmd = { .argv = (const char *const[]){ "/bin/sh", NULL },
				       .stdio = { -1, -1, -1 } };
	char first[16384], second[16384];

	(void)state;
	request(252, &cmd, first, sizeof(first));
	request(252, &cmd, second, sizeof(second));
	assert_int_equal(strncmp(first, "racker-", 7), 0);
	assert_true(strncmp(first, second, strlen("racker-0123456789abcdef.service")) != 0);
}

static void test_refused_here(void **state)
{
	struct systemd_command cmd = { .argv = (const char *const[]){ "/bin/sh", "\xff", NULL },
				       .unit = UNIT,
				       .stdio = { -1, -1, -1 } };
	struct fake_systemd f;
	struct systemd_run run;
	struct err e = { 0 };
	char name[300];

	(void)state;
	fake_systemd_start(&f, 252, answer_describing);
	assert_int_equal(systemd_run_start(&f.session, &cmd, in_ms(5000), &run, &e), -EILSEQ);
	cmd.argv = (const char *const[]){ "/nosuch", NULL };
	assert_int_equal(systemd_run_start(&f.session, &cmd, in_ms(5000), &run, &e), -ENOENT);
	assert_int_equal(e.kind, ERR_EXEC_NOT_FOUND);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	cmd.unit = name;
	assert_int_equal(systemd_run_start(&f.session, &cmd, in_ms(5000), &run, &e), -ENAMETOOLONG);
	fake_systemd_end(&f);
}

static void test_program(void **state)
{
	int self = fd_pidfd_open(getpid());
	struct err e = { 0 };
	char *path = NULL;

	(void)state;
	assert_int_equal(systemd_program_find(getpid(), self, "/bin/sh", NULL, &path, &e), 0);
	assert_string_equal(path, "/bin/sh");
	free(path);
	assert_int_equal(systemd_program_find(getpid(), self, "sh", NULL, &path, &e), 0);
	assert_true(path[0] == '/' && strcmp(path + strlen(path) - 3, "/sh") == 0);
	free(path);
	assert_int_equal(systemd_program_find(getpid(), self, "sh",
					      (const char *const[]){ "PATH=/proc:.:/bin", NULL },
					      &path, &e),
			 0);
	assert_string_equal(path, "/bin/sh");
	free(path);
	path = NULL;
	assert_int_equal(systemd_program_find(getpid(), self, "sh",
					      (const char *const[]){ "PATH=/proc", NULL }, &path,
					      &e),
			 -ENOENT);
	assert_string_equal(e.msg, "exec: \"sh\": executable file not found in $PATH");
	assert_int_equal(systemd_program_find(getpid(), self, "/bin", NULL, &path, &e), -EACCES);
	assert_int_equal(systemd_program_find(getpid(), self, "/etc/passwd", NULL, &path, &e),
			 -EACCES);
	assert_int_equal(e.kind, ERR_EXEC_DENIED);
	assert_int_equal(systemd_program_find(getpid(), self, "./sh", NULL, &path, &e), -EINVAL);
	assert_null(path);
	(void)close(self);
}

static void put_ran(struct bus_writer *w)
{
	put_number_property(w, "ExecMainCode", 'i', CLD_EXITED);
	put_number_property(w, "ExecMainStatus", 'i', 5);
	put_text_property(w, "Result", "success");
}

static void put_running(struct bus_writer *w)
{
	put_text_property(w, "ActiveState", "active");
	put_text_property(w, "SubState", "running");
	put_number_property(w, "InactiveExitTimestamp", 't', 1);
	put_number_property(w, "ActiveEnterTimestamp", 't', 2);
}

static void put_exited(struct bus_writer *w)
{
	put_text_property(w, "ActiveState", "active");
	put_text_property(w, "SubState", "exited");
}

/* As systemd tells it: all of it before the reply, or after. */
static void tell_a_run(int fd)
{
	signal_changed(fd, SYSTEMD_PATH "/unit/other", "Unit", put_exited);
	signal_changed(fd, UNIT_PATH, "Unit", put_running);
	signal_changed(fd, UNIT_PATH, "Service", put_ran);
	signal_changed(fd, UNIT_PATH, "Unit", put_exited);
}

static void answer_early(int fd, struct fake_call *call, unsigned n)
{
	if (n > 0)
		_exit(1); /* nothing more has to be asked */
	tell_a_run(fd);
	answer_path(fd, call, SYSTEMD_PATH "/job/5");
}

static void answer_late(int fd, struct fake_call *call, unsigned n)
{
	if (n > 0)
		_exit(1);
	answer_path(fd, call, SYSTEMD_PATH "/job/5");
	(void)poll(NULL, 0, 30);
	signal_job_removed(fd, 5, UNIT, "done");
	tell_a_run(fd);
}

static struct systemd_command simple(void)
{
	static const char *const argv[] = { "/bin/sh", NULL };

	return (struct systemd_command){ .argv = argv, .unit = UNIT, .stdio = { -1, -1, -1 } };
}

static int run(fake_answer_fn answer, unsigned ms, bool polling, struct systemd_run_result *ret,
	       struct err *e)
{
	struct systemd_command cmd = simple();
	struct fake_systemd f;
	struct systemd_run run;
	int r;

	fake_systemd_start(&f, 252, answer);
	assert_int_equal(systemd_run_start(&f.session, &cmd, in_ms(5000), &run, e), 0);
	if (!polling)
		r = systemd_run_wait(&f.session, &run, in_ms(ms), ret, e);
	else
		while ((r = systemd_run_poll(&f.session, &run, ret, e)) == 0) {
			struct pollfd p = { .fd = systemd_fd(&f.session), .events = POLLIN };

			assert_int_equal(poll(&p, 1, 1500), 1);
		}
	fake_systemd_end(&f);
	return r;
}

static void test_run(void **state)
{
	static const fake_answer_fn answers[] = { answer_early, answer_late };
	struct systemd_run_result result;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		for (int polling = 0; polling < 2; polling++) {
			assert_int_equal(run(answers[i], 1500, polling, &result, &e), polling);
			assert_int_equal(result.how, SYSTEMD_EXITED);
			assert_int_equal(result.value, 5);
			assert_string_equal(result.result, "success");
		}
	}
}

static void put_nothing(struct bus_writer *w)
{
	put_text_property(w, "Id", UNIT);
	put_text_property(w, "LoadState", "not-found");
	put_text_property(w, "ActiveState", "inactive");
	put_text_property(w, "SubState", "dead");
}

static void put_failed(struct bus_writer *w)
{
	put_text_property(w, "LoadState", "loaded");
	put_text_property(w, "ActiveState", "failed");
	put_text_property(w, "SubState", "failed");
	put_text_property(w, "Result", "exit-code");
	put_number_property(w, "ExecMainCode", 'i', CLD_EXITED);
	put_number_property(w, "ExecMainStatus", 'i', 203);
	put_number_property(w, "InactiveExitTimestamp", 't', 1);
}

/* The job went wrong, and the unit tells why; or it is gone. */
static void answer_failed_job(int fd, struct fake_call *call, unsigned n)
{
	if (n == 0) {
		signal_job_removed(fd, 5, UNIT, "failed");
		answer_path(fd, call, SYSTEMD_PATH "/job/5");
	} else {
		answer_properties(fd, call, put_failed);
	}
}

static void answer_dependency(int fd, struct fake_call *call, unsigned n)
{
	if (n == 0) {
		answer_path(fd, call, SYSTEMD_PATH "/job/5");
		signal_job_removed(fd, 5, UNIT, "dependency");
	} else {
		answer_properties(fd, call, put_nothing);
	}
}

/* Somebody inside stopped it, and systemd forgot it before it was looked at. */
static void answer_vanished(int fd, struct fake_call *call, unsigned n)
{
	if (n > 0) {
		answer_properties(fd, call, put_nothing);
		return;
	}
	answer_path(fd, call, SYSTEMD_PATH "/job/5");
	signal_job_removed(fd, 5, UNIT, "done");
	signal_changed(fd, UNIT_PATH, "Unit", put_running);
	signal_changed(fd, UNIT_PATH, "Service", put_ran);
}

static void test_not_executed(void **state)
{
	struct systemd_run_result result;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(run(answer_failed_job, 1500, false, &result, &e), 0);
	assert_int_equal(result.how, SYSTEMD_NOT_EXECUTED);
	assert_int_equal(result.value, 126);
	assert_int_equal(run(answer_dependency, 1500, true, &result, &e), 1);
	assert_int_equal(result.how, SYSTEMD_NOT_EXECUTED);
	assert_int_equal(result.value, 125);
	assert_string_equal(result.why.msg,
			    UNIT " was not started: its job ended as \"dependency\"");
	/* Found when it is looked at again after a silence. */
	assert_int_equal(run(answer_vanished, 4000, false, &result, &e), 0);
	assert_int_equal(result.how, SYSTEMD_EXITED);
	assert_int_equal(result.value, 5);
}

static void answer_running(int fd, struct fake_call *call, unsigned n)
{
	(void)n;
	answer_path(fd, call, SYSTEMD_PATH "/job/5");
	signal_changed(fd, UNIT_PATH, "Unit", put_running);
}

static void test_still_running(void **state)
{
	struct systemd_run_result result;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(run(answer_running, 200, false, &result, &e), -ETIMEDOUT);
	assert_int_equal(e.kind, ERR_TIMEOUT);
}

static void answer_refusals(int fd, struct fake_call *call, unsigned n)
{
	static const char *const names[] = { "org.freedesktop.systemd1.UnitExists",
					     "org.freedesktop.DBus.Error.PropertyReadOnly",
					     "org.freedesktop.DBus.Error.InvalidArgs",
					     "org.freedesktop.systemd1.ShuttingDown" };

	fake_peer_reply(fd, call->head.serial, names[n % ARRAY_SIZE(names)], "", NULL);
}

static void test_refusals(void **state)
{
	static const int want[] = { -EEXIST, -EOPNOTSUPP, -EINVAL, -ESHUTDOWN };
	struct systemd_command cmd = simple();
	struct fake_systemd f;
	struct systemd_run run;
	struct err e = { 0 };

	(void)state;
	fake_systemd_start(&f, 252, answer_refusals);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(systemd_run_start(&f.session, &cmd, in_ms(5000), &run, &e),
				 want[i]);
	fake_systemd_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),	      cmocka_unit_test(test_not_over),
		cmocka_unit_test(test_request),	      cmocka_unit_test(test_unique_names),
		cmocka_unit_test(test_refused_here),  cmocka_unit_test(test_program),
		cmocka_unit_test(test_run),	      cmocka_unit_test(test_not_executed),
		cmocka_unit_test(test_still_running), cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests_name("systemd_run", tests, NULL, NULL);
}
