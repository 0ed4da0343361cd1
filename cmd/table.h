/* SPDX-License-Identifier: MIT */
/* Columns aligned as docker's tables: three spaces apart, at least ten wide, no blanks at the end of a line. */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"

#define TABLE_COLUMNS_MAX 8

struct table {
	size_t n_columns;
	char **cells; /* row after row; owned */
	size_t n_cells;
};

/** table_add() - the next cell of the current row; text is copied. Return: 0 or -ENOMEM */
MUST_CHECK int table_add(struct table *t, const char *text);
void table_print(const struct table *t, FILE *out);
void table_done(struct table *t);

#endif
