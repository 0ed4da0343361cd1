// SPDX-License-Identifier: MIT
/*
 * WWW-Authenticate parser (see challenge.h). The grammar's difficulty: commas separate both challenges and the parameters of one
 * challenge, so after a comma a word is a parameter if "=" follows it, else the scheme of the next challenge.
 */
#include "registry/challenge.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_span(const char *p)
{
	size_t n = 0;

	while (is_token_char(p[n]))
		n++;
	return n;
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

static bool token_is(const char *p, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(p, name, len) == 0;
}

/* Where a parameter of this name is kept, NULL if nobody reads it. */
static char **param_slot(struct challenge *ch, const char *name, size_t len)
{
	if (token_is(name, len, "realm"))
		return &ch->realm;
	if (token_is(name, len, "service"))
		return &ch->service;
	if (token_is(name, len, "error"))
		return &ch->error;
	return NULL;
}

/* The content of a quoted-string, @p behind its opening quote. *ret_end: behind the closing one. */
static int unquote(const char *p, char **ret, const char **ret_end)
{
	AUTO_FREE char *text = malloc(strlen(p) + 1);
	size_t n = 0;

	if (!text)
		return -ENOMEM;
	for (; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		text[n++] = *p;
	}
	if (*p != '"')
		return -EBADMSG;
	text[n] = '\0';
	*ret_end = p + 1;
	*ret = MOVE_PTR(text);
	return 0;
}

/* A parameter's value, quoted or not. Registries write unquoted ones with more than token characters, so up to the comma. */
static int take_value(const char *p, char **ret, const char **ret_end)
{
	size_t len;

	if (*p == '"')
		return unquote(p + 1, ret, ret_end);
	len = strcspn(p, ", \t\"");
	if (len == 0 || p[len] == '"')
		return -EBADMSG;
	*ret = strndup(p, len);
	*ret_end = p + len;
	return *ret ? 0 : -ENOMEM;
}

/* name = value, @p at the name of @len bytes. */
static int take_param(const char *p, size_t len, struct challenge *ch, const char **ret_end)
{
	char **slot = param_slot(ch, p, len);
	char *value = NULL;
	int r = take_value(skip_space(skip_space(p + len) + 1), &value, ret_end);

	if (r < 0)
		return r;
	if (slot && !*slot)
		*slot = value;
	else
		free(value);
	return 0;
}

/* token68 credentials after a scheme, such as Negotiate's: only when nothing but a comma or the end follows. 0 if it is none. */
static size_t token68_span(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || (p[n] && strchr("-._~+/", p[n])))
		n++;
	if (n == 0)
		return 0;
	n += strspn(p + n, "=");
	return *skip_space(p + n) == ',' || *skip_space(p + n) == '\0' ? n : 0;
}

static enum challenge_scheme scheme_of(const char *p, size_t len)
{
	if (token_is(p, len, "bearer"))
		return CHALLENGE_BEARER;
	if (token_is(p, len, "basic"))
		return CHALLENGE_BASIC;
	return CHALLENGE_OTHER;
}

/* One list element: a parameter of the current challenge, or the start of the next with its first parameter or token68. */
static int take_element(const char *p, struct challenges *c, struct challenge **current,
			const char **ret_end)
{
	size_t len = token_span(p);

	if (len == 0)
		return -EBADMSG;
	if (*skip_space(p + len) == '=')
		return *current ? take_param(p, len, *current, ret_end) : -EBADMSG;
	if (c->n == CHALLENGES_MAX)
		return -E2BIG;
	*current = &c->list[c->n++];
	(*current)->scheme = scheme_of(p, len);
	if (p[len] != ' ' && p[len] != '\t') {
		*ret_end = p + len;
		return 0;
	}
	p = skip_space(p + len);
	len = token68_span(p);
	*ret_end = p + len;
	if (len > 0 || *p == ',' || *p == '\0')
		return 0;
	len = token_span(p);
	if (len == 0 || *skip_space(p + len) != '=')
		return -EBADMSG;
	return take_param(p, len, *current, ret_end);
}

int challenge_parse(const char *header, struct challenges *c)
{
	struct challenge *current = NULL;
	const char *p = header;
	int r;

	if (strlen(header) >= CHALLENGE_HEADER_MAX)
		return -E2BIG;
	for (;;) {
		p += strspn(p, ", \t"); /* empty elements are allowed */
		if (!*p)
			return 0;
		r = take_element(p, c, &current, &p);
		if (r < 0)
			return r;
		p = skip_space(p);
		if (*p && *p != ',')
			return -EBADMSG;
	}
}

const struct challenge *challenges_find(const struct challenges *c, enum challenge_scheme scheme)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].scheme == scheme)
			return &c->list[i];
	return NULL;
}

void challenges_done(struct challenges *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->list[i].realm);
		free(c->list[i].service);
		free(c->list[i].error);
	}
	*c = (struct challenges){ 0 };
}
