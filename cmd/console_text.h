/* SPDX-License-Identifier: MIT */
/* What a machine writes to its console or journal, made fit for the user's terminal: lines of plain text with a mark before each. */
#ifndef CMD_CONSOLE_TEXT_H
#define CMD_CONSOLE_TEXT_H

#include <stdbool.h>
#include <stdio.h>

struct machine;

struct console_text {
	FILE *to;
	const char *mark; /* before each line */
	bool in_line; /* something of the current line has been printed */
	char escape; /* inside an escape sequence: its second byte, or ESC while that is to come; 0: not in one */
};

/** console_text_add() - print the next bytes, without escape sequences (ECMA-48) and whatever else could act on a terminal. @arg: struct console_text */
void console_text_add(void *arg, const char *text, size_t len);
/** console_text_end() - end the last line */
void console_text_end(struct console_text *c);

/** console_text_tail() - the last lines of a machine that has ended; nothing when there are none */
void console_text_tail(const struct machine *m, FILE *to);

#endif
