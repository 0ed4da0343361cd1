// SPDX-License-Identifier: MIT
/* Every row of the exit code table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/cleanup.h"
#include "cmd/exit_status.h"
#include "cmd/interrupt.h"

static void test_container(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++)
		assert_int_equal(exit_status_of_container(&(struct exit_info){
					 .how = EXIT_HOW_EXITED, .value = code }),
				 code);
	assert_int_equal(exit_status_of_container(
				 &(struct exit_info){ .how = EXIT_HOW_SIGNALED, .value = SIGKILL }),
			 137);
	assert_int_equal(exit_status_of_container(
				 &(struct exit_info){ .how = EXIT_HOW_SIGNALED, .value = SIGTERM }),
			 143);
	assert_int_equal(exit_status_of_container(
				 &(struct exit_info){ .how = EXIT_HOW_DETACHED, .value = 9 }),
			 0);
}

static void test_errors(void **state)
{
	(void)state;
	for (int kind = ERR_NONE; kind < ERR_KIND_MAX; kind++) {
		const struct err err = { .kind = (enum err_kind)kind };
		int run = exit_status_of_run(&err);

		switch (kind) {
		case ERR_EXEC_NOT_FOUND:
			assert_int_equal(run, 127);
			break;
		case ERR_EXEC_DENIED:
			assert_int_equal(run, 126);
			break;
		case ERR_INTERRUPTED:
			assert_int_equal(run, 1);
			break;
		default:
			assert_int_equal(run, 125);
		}
		/* no such container, or one that does not run: docker's daemon says so, with 1 */
		assert_int_equal(exit_status_of_exec(&err), kind == ERR_NOT_FOUND ? 1 : run);
		assert_int_equal(exit_status_of_command(&err), 1);
		if (kind != ERR_INTERRUPTED)
			assert_int_equal(exit_status_of_postroj(&err), kind == ERR_USAGE ? 2 : 125);
	}
}

/* Last: the flag stays set. */
static void test_interrupt(void **state)
{
	const struct err err = { .kind = ERR_INTERRUPTED };
	struct sigaction after;

	(void)state;
	assert_int_equal(*interrupt_flag(), 0);
	interrupt_catch();
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(*interrupt_flag(), SIGTERM);
	assert_int_equal(interrupt_signal(), SIGTERM);
	interrupt_release();
	assert_int_equal(sigaction(SIGTERM, NULL, &after), 0);
	assert_ptr_equal(after.sa_handler, SIG_DFL);
	assert_int_equal(sigaction(SIGPIPE, NULL, &after), 0);
	assert_ptr_equal(after.sa_handler, SIG_DFL);
	assert_int_equal(exit_status_of_run(&err), 143);
	assert_int_equal(exit_status_of_command(&err), 143);
	assert_int_equal(exit_status_of_postroj(&err), 143);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_interrupt),
	};

	return cmocka_run_group_tests_name("exit_status", tests, NULL, NULL);
}
