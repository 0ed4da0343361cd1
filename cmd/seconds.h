/* SPDX-License-Identifier: MIT */
/* Spans of time on a command line. */
#ifndef CMD_SECONDS_H
#define CMD_SECONDS_H

#include "base/deadline.h"
#include "base/err.h"

/** seconds_parse() - "30", "0.5", "30s"; 0 means without end: USEC_INFINITY. Return: 0 or -EINVAL/ERR_USAGE with the reason alone */
int seconds_parse(const char *text, usec_t *ret, struct err *err);

#endif
