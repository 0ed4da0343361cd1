// SPDX-License-Identifier: MIT
/* NULL-terminated vectors of owned strings (see strv.h). */
#include "base/strv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

int strv_take(char ***v, char *s)
{
	size_t n = strv_len(*v);
	char **grown;

	if (!s)
		return -ENOMEM;
	grown = reallocarray(*v, n + 2, sizeof(*grown));
	if (!grown) {
		free(s);
		return -ENOMEM;
	}
	grown[n] = s;
	grown[n + 1] = NULL;
	*v = grown;
	return 0;
}

int strv_add(char ***v, const char *s)
{
	return strv_take(v, strdup(s));
}

int strv_copy(char *const *v, char ***ret)
{
	AUTO_STRV copy = NULL;

	for (; v && *v; v++)
		if (strv_add(&copy, *v) < 0)
			return -ENOMEM;
	*ret = MOVE_PTR(copy);
	return 0;
}

void strv_remove(char **v, const char *s)
{
	char **to = v;

	for (; v && *v; v++) {
		if (strcmp(*v, s) == 0)
			free(*v);
		else
			*to++ = *v;
	}
	if (to)
		*to = NULL;
}

bool strv_contains(char *const *v, const char *s)
{
	for (; v && *v; v++)
		if (!strcmp(*v, s))
			return true;
	return false;
}

static bool assigns(const char *assignment, const char *name, size_t len)
{
	return !strncmp(assignment, name, len) && assignment[len] == '=';
}

const char *strv_env_get(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; env && *env; env++)
		if (assigns(*env, name, len))
			return *env + len + 1;
	return NULL;
}

int strv_env_set(char ***env, const char *assignment)
{
	size_t len = strcspn(assignment, "=");

	for (char **e = *env; e && *e; e++) {
		if (!assigns(*e, assignment, len))
			continue;
		char *copy = strdup(assignment);
		if (!copy)
			return -ENOMEM;
		free(*e);
		*e = copy;
		return 0;
	}
	return strv_add(env, assignment);
}

void strv_env_unset(char **env, const char *name)
{
	size_t len = strlen(name);
	char **to = env;

	if (!env)
		return;
	for (char **from = env; *from; from++) {
		if (assigns(*from, name, len))
			free(*from);
		else
			*to++ = *from;
	}
	*to = NULL;
}

void strv_free(char **v)
{
	if (!v)
		return;
	for (char **s = v; *s; s++)
		free(*s);
	free(v);
}

int strv_env_apply(char ***env, const char *change)
{
	AUTO_FREE char *copied = NULL;
	const char *value;

	if (strchr(change, '='))
		return strv_env_set(env, change);
	value = getenv(change);
	if (!value) {
		strv_env_unset(*env, change);
		return 0;
	}
	if (asprintf(&copied, "%s=%s", change, value) < 0) {
		copied = NULL;
		return -ENOMEM;
	}
	return strv_env_set(env, copied);
}
