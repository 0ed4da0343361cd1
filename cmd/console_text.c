// SPDX-License-Identifier: MIT
/* What a machine writes to its console (see console_text.h). */
#include "cmd/console_text.h"

#include <string.h>

#include "runtime/machine.h"

#define ESC '\033'

/* A sequence is ESC and one byte, or ESC [ ... up to a byte from @ to ~, or ESC ] ... up to BEL or ESC. */
static char next_escape(char escape, char c)
{
	if (escape == ESC)
		return c == '[' || c == ']' ? c : '\0';
	if (escape == '[')
		return c >= '@' && c <= '~' ? '\0' : '[';
	return c == '\a' || c == '\\' ? '\0' : ']';
}

static void add_byte(struct console_text *c, char byte)
{
	if (c->escape) {
		c->escape = next_escape(c->escape, byte);
	} else if (byte == ESC) {
		c->escape = ESC;
	} else if (byte == '\n') {
		console_text_end(c);
	} else if ((byte >= ' ' && byte <= '~') || byte == '\t') {
		if (!c->in_line)
			(void)fputs(c->mark, c->to);
		c->in_line = true;
		(void)fputc(byte, c->to);
	}
}

void console_text_add(void *arg, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		add_byte(arg, text[i]);
}

void console_text_end(struct console_text *c)
{
	if (c->in_line)
		(void)fputc('\n', c->to);
	c->in_line = false;
}

void console_text_tail(const struct machine *m, FILE *to)
{
	struct console_text c = { .to = to, .mark = "console: " };
	const char *text = m->tail;

	/* The first line is whole only if nothing was lost before it. */
	if (strlen(text) == sizeof(m->tail) - 1 && strchr(text, '\n'))
		text = strchr(text, '\n') + 1;
	console_text_add(&c, text, strlen(text));
	console_text_end(&c);
}
