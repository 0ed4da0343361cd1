// SPDX-License-Identifier: MIT
/* What a machine wrote to its console last (see machine_tail.h). */
#include "cmd/machine_tail.h"

#include <stdbool.h>
#include <string.h>

/* Past an escape sequence (ECMA-48: CSI, or one letter), of which @p is the ESC. */
static const char *skip_escape(const char *p)
{
	p++;
	if (*p == '[') {
		for (p++; *p && (*p < '@' || *p > '~'); p++)
			;
	}
	return *p ? p + 1 : p;
}

void machine_print_tail(const struct machine *m, FILE *to)
{
	const char *p = m->tail;
	bool at_start = true;

	/* The first line is whole only if nothing was lost before it. */
	if (strlen(p) == sizeof(m->tail) - 1 && strchr(p, '\n'))
		p = strchr(p, '\n') + 1;
	while (*p) {
		if (*p == '\033') {
			p = skip_escape(p);
			continue;
		}
		if (*p == '\n' && !at_start) {
			(void)fputc('\n', to);
			at_start = true;
		} else if ((*p >= ' ' && *p <= '~') || *p == '\t') {
			if (at_start)
				(void)fputs("console: ", to);
			at_start = false;
			(void)fputc(*p, to);
		}
		p++;
	}
	if (!at_start)
		(void)fputc('\n', to);
}
