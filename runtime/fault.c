// SPDX-License-Identifier: MIT
/* Failing a setup stage on purpose (see fault.h); empty outside of test builds. */
#include "runtime/fault.h"

#ifdef RACKER_FAULT
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fault_check(const char *stage, struct err *err)
{
	const char *want = getenv("RACKER_FAULT");
	size_t len = strlen(stage);

	if (!want || strncmp(want, stage, len) != 0 || want[len] != ':')
		return 0;
	if (!strcmp(want + len + 1, "kill"))
		(void)kill(getpid(), SIGKILL);
	return err_set(err, ERR_SYSTEM, (int)strtol(want + len + 1, NULL, 10),
		       "fault injected into stage %s", stage);
}
#endif
