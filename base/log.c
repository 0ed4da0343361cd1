// SPDX-License-Identifier: MIT
/* Log lines on stderr (see log.h). One write per line, so that lines of several processes do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level max_level = LOG_LEVEL_WARNING;
static const char *program = "racker";

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_set_program(const char *name)
{
	program = name;
}

bool log_enabled(enum log_level level)
{
	return level <= max_level;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const tags[] = { "", "warning: ", "", "debug: " };
	char line[2048];
	int head, body;
	size_t len;
	va_list ap;

	if (!log_enabled(level))
		return;
	head = snprintf(line, sizeof(line), "%s: %s", program, tags[level]);
	if (head < 0 || (size_t)head >= sizeof(line) - 2)
		return;
	va_start(ap, fmt);
	body = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, ap);
	va_end(ap);
	if (body < 0)
		return;
	len = (size_t)head + (size_t)body;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	/* Nothing sensible can be done when stderr is gone. */
	(void)!write(STDERR_FILENO, line, len);
}
