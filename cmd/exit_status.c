// SPDX-License-Identifier: MIT
/* Exit codes (see exit_status.h). */
#include "cmd/exit_status.h"

#include <stdlib.h>

#include "cmd/interrupt.h"

int exit_status_of_container(const struct exit_info *info)
{
	switch (info->how) {
	case EXIT_HOW_EXITED:
		return info->value & 0xff;
	case EXIT_HOW_SIGNALED:
		return EXIT_STATUS_SIGNAL + info->value;
	case EXIT_HOW_DETACHED:
		break;
	}
	return EXIT_SUCCESS;
}

static int of_interrupt(void)
{
	int sig = interrupt_signal();

	return sig ? EXIT_STATUS_SIGNAL + sig : EXIT_STATUS_FAILED;
}

int exit_status_of_run(const struct err *err)
{
	switch (err->kind) {
	case ERR_EXEC_NOT_FOUND:
		return EXIT_STATUS_EXEC_NOT_FOUND;
	case ERR_EXEC_DENIED:
		return EXIT_STATUS_EXEC_DENIED;
	case ERR_INTERRUPTED:
		return of_interrupt();
	default:
		return EXIT_STATUS_OURS;
	}
}

int exit_status_of_exec(const struct err *err)
{
	return err->kind == ERR_NOT_FOUND ? EXIT_STATUS_FAILED : exit_status_of_run(err);
}

int exit_status_of_command(const struct err *err)
{
	return err->kind == ERR_INTERRUPTED ? of_interrupt() : EXIT_STATUS_FAILED;
}

int exit_status_of_postroj(const struct err *err)
{
	switch (err->kind) {
	case ERR_USAGE:
		return EXIT_STATUS_POSTROJ_USAGE;
	case ERR_INTERRUPTED:
		return of_interrupt();
	default:
		return EXIT_STATUS_OURS;
	}
}
