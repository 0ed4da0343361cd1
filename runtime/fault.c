// SPDX-License-Identifier: MIT
/* Failing a setup stage on purpose (see fault.h); empty outside of test builds. */
#include "runtime/fault.h"

#ifdef RACKER_FAULT
#include <stdlib.h>
#include <string.h>

int fault_check(const char *stage, struct err *err)
{
	const char *want = getenv("RACKER_FAULT");
	size_t len = strlen(stage);

	if (!want || strncmp(want, stage, len) != 0 || want[len] != ':')
		return 0;
	if (!strcmp(want + len + 1, "kill"))
		__builtin_trap(); /* not kill(): PID 1 of a namespace is immune to its own signals */
	return err_set(err, ERR_SYSTEM, (int)strtol(want + len + 1, NULL, 10),
		       "fault injected into stage %s", stage);
}
#endif
