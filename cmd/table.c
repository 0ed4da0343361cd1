// SPDX-License-Identifier: MIT
/* The table printer (see table.h). */
#include "cmd/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_WIDTH_MIN 10
#define COLUMN_GAP 3

int table_add(struct table *t, const char *text)
{
	char **grown = reallocarray(t->cells, t->n_cells + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	t->cells = grown;
	t->cells[t->n_cells] = strdup(text);
	if (!t->cells[t->n_cells])
		return -ENOMEM;
	t->n_cells++;
	return 0;
}

/* Characters, not bytes: continuation bytes of UTF-8 take no column. */
static size_t columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void table_print(const struct table *t, FILE *out)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < t->n_cells; i++) {
		size_t width = columns(t->cells[i]) + COLUMN_GAP, *w = &widths[i % t->n_columns];

		if (width < COLUMN_WIDTH_MIN)
			width = COLUMN_WIDTH_MIN;
		if (width > *w)
			*w = width;
	}
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t column = i % t->n_columns;

		(void)fputs(t->cells[i], out);
		if (column + 1 == t->n_columns)
			(void)fputc('\n', out);
		else
			(void)fprintf(out, "%*s", (int)(widths[column] - columns(t->cells[i])), "");
	}
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){ 0 };
}
