/* SPDX-License-Identifier: MIT */
/* Table-driven command lines in docker's manner: stops at the first operand, -it clusters, --flag=value, --flag=false for booleans. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strbuf.h"

enum option_type {
	OPT_FLAG, /* bool; takes an optional =true|false|1|0|t|f */
	OPT_STRING, /* char *, owned, last one wins; the member must start NULL or owned */
	OPT_STRV, /* char **, appended */
	OPT_INT, /* int64_t */
	OPT_CALL, /* parsed by @call; a flag, with an optional =value, if @metavar is NULL */
};

struct option_spec {
	const char *name; /* long name without dashes */
	char letter; /* 0: none */
	enum option_type type;
	size_t offset; /* offsetof() the member in the caller's struct */
	const char *metavar; /* docker's type word in help: string, list, bytes…; NULL for flags */
	const char *help; /* one line, capitalised as docker's; NULL hides the row */
	/* OPT_CALL: @value is NULL for a flag given bare. Return: 0, or -EINVAL with the reason alone in err. */
	int (*call)(void *target, const char *value, struct err *err);
};

/**
 * options_parse() - read flags up to the first operand (or past "--")
 * @argv:   argv[0] is the first word after the command name; NULL-terminated
 * @target: the struct that the offsets point into
 * Return: number of words consumed, so argv[result] is the first operand; -EINVAL/ERR_USAGE with docker's words:
 *   "unknown flag: --foo", "unknown shorthand flag: 'x' in -xyz", "flag needs an argument: --name",
 *   "invalid argument \"abc\" for \"-m, --memory\" flag: <reason>"
 * --help and -h are not special here; give them as rows.
 */
int options_parse(const struct option_spec *specs, size_t n, char *const *argv, void *target,
		  struct err *err);

/** options_help() - append the "Options:" block, rows sorted by long name, aligned as docker's --help. Return: 0 or -errno */
int options_help(const struct option_spec *specs, size_t n, struct strbuf *out);

#endif
