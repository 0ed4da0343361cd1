/* SPDX-License-Identifier: MIT */
/* Credentials as requests carry them: Basic, and the token service's questions and answers (distribution spec/auth/token.md). Pure. */
#ifndef REGISTRY_TOKEN_H
#define REGISTRY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"
#include "base/err.h"
#include "registry/challenge.h"

#define TOKEN_MAX ((size_t)32 << 10) /* bytes of a token; real ones stay below 8 KiB */
#define TOKEN_ANSWER_MAX ((size_t)256 << 10) /* bytes of the token service's JSON */
#define TOKEN_LIFETIME_MIN_S 60 /* also what an answer without expires_in means */
#define TOKEN_LIFETIME_MAX_S 86400

struct token_question {
	const struct challenge *bearer;
	const char *repository;
	const char *username; /* NULL: anonymous */
	bool registry_is_plain; /* it was reached over plain HTTP, which only loopback is */
};

/**
 * token_url() - where to ask for the right to pull a repository
 * The scope is always ours to choose: a challenge cannot make us ask for more.
 * Return: 0 with *ret owned; ERR_AUTH/-EACCES (no realm, or one that the policy in token.c refuses), -ENOMEM
 */
int token_url(const struct token_question *q, char **ret, struct err *err);
/**
 * token_decode() - the answer: "token" or "access_token", and how long it is good for
 * @ret: "Bearer TOKEN", owned; @ret_lifetime: from now
 * Return: 0, -EBADMSG/ERR_NETWORK
 */
int token_decode(const char *text, size_t len, char **ret, usec_t *ret_lifetime, struct err *err);
/** token_basic() - "Basic …" (RFC 7617), owned. Return: 0, -EINVAL/ERR_USAGE (a colon in the user's name), -ENOMEM */
int token_basic(const char *username, const char *password, char **ret, struct err *err);

#endif
