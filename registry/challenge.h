/* SPDX-License-Identifier: MIT */
/* WWW-Authenticate: what a registry wants to see before it answers (RFC 9110 11.6.1, RFC 6750 3). Pure parser of hostile text. */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

#include <stddef.h>

#define CHALLENGES_MAX 16 /* kept of all header lines of an answer */
#define CHALLENGE_HEADER_MAX 8192 /* bytes of one header line */

enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

/* Parameters that nobody reads are dropped; the first of equal names wins. Values are unquoted, owned, NULL if absent. */
struct challenge {
	enum challenge_scheme scheme;
	char *realm, *service, *error;
};

struct challenges {
	struct challenge list[CHALLENGES_MAX];
	size_t n;
};

/**
 * challenge_parse() - add the challenges of one header line to @c
 * Return: 0; -EBADMSG (malformed: what came before the fault is kept), -E2BIG (line or list too long, likewise), -ENOMEM
 */
int challenge_parse(const char *header, struct challenges *c);
/** challenges_find() - the first of a scheme, or NULL */
const struct challenge *challenges_find(const struct challenges *c, enum challenge_scheme scheme);
void challenges_done(struct challenges *c);

#endif
