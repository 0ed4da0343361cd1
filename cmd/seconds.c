// SPDX-License-Identifier: MIT
/* Spans of time on a command line (see seconds.h). */
#include "cmd/seconds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int seconds_parse(const char *text, usec_t *ret, struct err *err)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || (*end && strcmp(end, "s") != 0) || !(seconds >= 0 && seconds < 1e9))
		return err_set(err, ERR_USAGE, -EINVAL, "must be a number of seconds");
	*ret = seconds > 0 ? (usec_t)(seconds * (double)USEC_PER_SEC) : USEC_INFINITY;
	return 0;
}
