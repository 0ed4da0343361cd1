/* SPDX-License-Identifier: MIT */
/* NULL-terminated vectors of owned strings: argv, environments, lists of names. A NULL vector is an empty one. */
#ifndef BASE_STRV_H
#define BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/** strv_len() - number of strings */
size_t strv_len(char *const *v);
/** strv_add() - append a copy of @s. Return: 0 or -ENOMEM (the vector is unchanged then). */
MUST_CHECK int strv_add(char ***v, const char *s);
/** strv_take() - append @s itself; consumed (freed) also on failure; NULL @s is -ENOMEM. */
MUST_CHECK int strv_take(char ***v, char *s);
/** strv_copy() - a deep copy in *ret (NULL for an empty vector). Return: 0 or -ENOMEM. */
MUST_CHECK int strv_copy(char *const *v, char ***ret);
/** strv_remove() - drop every @s */
void strv_remove(char **v, const char *s);
bool strv_contains(char *const *v, const char *s);
/** strv_env_get() - value of NAME in a vector of NAME=VALUE, or NULL. Borrowed. */
const char *strv_env_get(char *const *env, const char *name);
/** strv_env_set() - replace NAME=… (keeping its place) or append it. @assignment is "NAME=VALUE". */
MUST_CHECK int strv_env_set(char ***env, const char *assignment);
/** strv_env_apply() - docker's -e: NAME=VALUE sets; NAME alone copies our own value, and what we have not is taken away. Return: 0 or -ENOMEM */
MUST_CHECK int strv_env_apply(char ***env, const char *change);
/** strv_env_unset() - drop every assignment to NAME. */
void strv_env_unset(char **env, const char *name);
void strv_free(char **v);

static inline void cleanup_strv(char ***v)
{
	strv_free(*v);
}
#define AUTO_STRV __attribute__((cleanup(cleanup_strv))) char **

#endif
