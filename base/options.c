// SPDX-License-Identifier: MIT
/* Command lines by table (see options.h): spelling, errors and help as Go's pflag and with it docker have them. */
#include "base/options.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/strv.h"

struct parse {
	const struct option_spec *specs;
	size_t n;
	char *const *argv;
	int next; /* the word of argv that is read next */
	void *target;
	struct err *err;
};

static bool takes_value(const struct option_spec *spec)
{
	return spec->type == OPT_CALL ? spec->metavar != NULL : spec->type != OPT_FLAG;
}

static const struct option_spec *find_long(const struct parse *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->n; i++)
		if (strlen(p->specs[i].name) == len && !memcmp(p->specs[i].name, name, len))
			return &p->specs[i];
	return NULL;
}

static const struct option_spec *find_letter(const struct parse *p, char letter)
{
	for (size_t i = 0; letter && i < p->n; i++)
		if (p->specs[i].letter == letter)
			return &p->specs[i];
	return NULL;
}

/* The setters return 0, or -errno with the reason alone in err. */
static int set_bool(bool *member, const char *value, struct err *err)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		bool is_yes = !value || !strcmp(value, yes[i]);

		if (!is_yes && strcmp(value, no[i]) != 0)
			continue;
		*member = is_yes;
		return 0;
	}
	return err_set(err, ERR_USAGE, -EINVAL, "strconv.ParseBool: parsing %s: invalid syntax",
		       QUOTE(value));
}

static int set_int(int64_t *member, const char *value, struct err *err)
{
	char *end = NULL;
	long long n;

	errno = 0;
	/* Base 0 as in Go: 0x10 and 010 too. strtoll() would also skip blanks. */
	n = strtoll(value, &end, 0);
	if (!strchr("+-0123456789", value[0]) || end == value || *end)
		return err_set(err, ERR_USAGE, -EINVAL,
			       "strconv.ParseInt: parsing %s: invalid syntax", QUOTE(value));
	if (errno == ERANGE)
		return err_set(err, ERR_USAGE, -EINVAL,
			       "strconv.ParseInt: parsing %s: value out of range", QUOTE(value));
	*member = n;
	return 0;
}

static int set_string(char **member, const char *value, struct err *err)
{
	char *copy = strdup(value);

	if (!copy)
		return err_oom(err);
	free(*member);
	*member = copy;
	return 0;
}

static int set_member(const struct option_spec *spec, void *target, const char *value,
		      struct err *err)
{
	void *member = (char *)target + spec->offset;

	switch (spec->type) {
	case OPT_FLAG:
		return set_bool(member, value, err);
	case OPT_STRING:
		return set_string(member, value, err);
	case OPT_STRV:
		return strv_add(member, value) < 0 ? err_oom(err) : 0;
	case OPT_INT:
		return set_int(member, value, err);
	case OPT_CALL:
		break;
	}
	return spec->call(target, value, err);
}

static int set(const struct parse *p, const struct option_spec *spec, const char *value)
{
	struct err why = { 0 };
	char name[QUOTE_MAX];
	int r = set_member(spec, p->target, value, &why);

	if (r >= 0)
		return 0;
	if (r != -EINVAL)
		return err_set(p->err, why.kind, r, "%s", why.msg);
	if (spec->letter)
		(void)snprintf(name, sizeof(name), "-%c, --%s", spec->letter, spec->name);
	else
		(void)snprintf(name, sizeof(name), "--%s", spec->name);
	return err_set(p->err, ERR_USAGE, r, "invalid argument %s for \"%s\" flag: %s",
		       QUOTE(value ? value : "true"), name, why.msg);
}

/* @word without its "--" */
static int parse_long(struct parse *p, const char *word)
{
	size_t len = strcspn(word, "=");
	const struct option_spec *spec = find_long(p, word, len);
	char name[QUOTE_MAX];

	if (!len || word[0] == '-')
		return err_set(p->err, ERR_USAGE, -EINVAL, "bad flag syntax: --%s",
			       QUOTE_PLAIN(word));
	if (!spec) {
		(void)snprintf(name, sizeof(name), "%.*s", len < 100 ? (int)len : 100, word);
		return err_set(p->err, ERR_USAGE, -EINVAL, "unknown flag: --%s", QUOTE_PLAIN(name));
	}
	if (word[len] == '=')
		return set(p, spec, word + len + 1);
	if (!takes_value(spec))
		return set(p, spec, NULL);
	if (!p->argv[p->next])
		return err_set(p->err, ERR_USAGE, -EINVAL, "flag needs an argument: --%s",
			       spec->name);
	return set(p, spec, p->argv[p->next++]);
}

/* @word without its "-": letters, of which the last may have a value */
static int parse_letters(struct parse *p, const char *word)
{
	for (; *word; word++) {
		const struct option_spec *spec = find_letter(p, *word);
		int r;

		if (!spec)
			return err_set(p->err, ERR_USAGE, -EINVAL,
				       "unknown shorthand flag: '%s' in -%s",
				       QUOTE_PLAIN(((char[]){ *word, '\0' })), QUOTE_PLAIN(word));
		if (word[1] == '=' && word[2])
			return set(p, spec, word + 2);
		if (!takes_value(spec)) {
			r = set(p, spec, NULL);
			if (r < 0)
				return r;
			continue;
		}
		if (word[1])
			return set(p, spec, word + 1);
		if (!p->argv[p->next])
			return err_set(p->err, ERR_USAGE, -EINVAL,
				       "flag needs an argument: '%c' in -%c", *word, *word);
		return set(p, spec, p->argv[p->next++]);
	}
	return 0;
}

int options_parse(const struct option_spec *specs, size_t n, char *const *argv, void *target,
		  struct err *err)
{
	struct parse p = { .specs = specs, .n = n, .argv = argv, .target = target, .err = err };

	while (argv[p.next]) {
		const char *word = argv[p.next];
		int r;

		if (word[0] != '-' || !word[1])
			break;
		p.next++;
		if (!strcmp(word, "--"))
			break;
		r = word[1] == '-' ? parse_long(&p, word + 2) : parse_letters(&p, word + 1);
		if (r < 0)
			return r;
	}
	return p.next;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct option_spec *const *)a)->name,
		      (*(const struct option_spec *const *)b)->name);
}

/* "  -e, --env list", the left column. Return: its width, or -errno */
static int add_left(struct strbuf *out, const struct option_spec *spec)
{
	size_t before = out->len;
	int r;

	if (spec->letter)
		r = strbuf_addf(out, "  -%c, --%s", spec->letter, spec->name);
	else
		r = strbuf_addf(out, "      --%s", spec->name);
	if (r == 0 && spec->metavar)
		r = strbuf_addf(out, " %s", spec->metavar);
	return r < 0 ? r : (int)(out->len - before);
}

static size_t left_width(const struct option_spec *spec)
{
	size_t width = strlen("  -e, --") + strlen(spec->name);

	return spec->metavar ? width + 1 + strlen(spec->metavar) : width;
}

int options_help(const struct option_spec *specs, size_t n, struct strbuf *out)
{
	AUTO_FREE const struct option_spec **rows = calloc(n + 1, sizeof(*rows));
	size_t n_rows = 0, widest = 0;
	int r;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!specs[i].help)
			continue;
		rows[n_rows++] = &specs[i];
		if (left_width(&specs[i]) > widest)
			widest = left_width(&specs[i]);
	}
	if (!n_rows)
		return 0;
	qsort(rows, n_rows, sizeof(*rows), compare_names);
	r = strbuf_adds(out, "Options:\n");
	for (size_t i = 0; r >= 0 && i < n_rows; i++) {
		r = add_left(out, rows[i]);
		if (r >= 0)
			r = strbuf_addf(out, "%*s   %s\n", (int)widest - r, "", rows[i]->help);
	}
	return r < 0 ? r : 0;
}
