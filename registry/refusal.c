// SPDX-License-Identifier: MIT
/* What a registry's refusal means (see refusal.h). The texts are compared by scripts, so they are docker's to the letter. */
#include "registry/refusal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/quote.h"
#include "registry/challenge.h"

#define CODE_MAX 64
#define MESSAGE_MAX 160

enum wording { WORDS_PLAIN, WORDS_MANIFEST, WORDS_NAME, WORDS_DENIED };

/* Codes as registries write them, what a status without a code is taken for, and the text for a code without a message. */
static const struct known_code {
	const char *code;
	long status; /* 0: the status alone does not say */
	enum err_kind kind;
	int error;
	enum wording wording;
	const char *message;
} known_codes[] = {
	{ "UNAUTHORIZED", 401, ERR_AUTH, -EACCES, WORDS_PLAIN, "authentication required" },
	{ "DENIED", 403, ERR_AUTH, -EACCES, WORDS_DENIED,
	  "requested access to the resource is denied" },
	{ "MANIFEST_UNKNOWN", 0, ERR_NOT_FOUND, -ENOENT, WORDS_MANIFEST, "manifest unknown" },
	{ "NAME_UNKNOWN", 0, ERR_NOT_FOUND, -ENOENT, WORDS_NAME,
	  "repository name not known to registry" },
	{ "BLOB_UNKNOWN", 0, ERR_NOT_FOUND, -ENOENT, WORDS_PLAIN, "blob unknown to registry" },
	{ "TOOMANYREQUESTS", 429, ERR_NETWORK, -EBUSY, WORDS_PLAIN, "too many requests" },
};

/* What is told, escaped already. */
struct refusal {
	const struct known_code *known; /* NULL: another code */
	char code[CODE_MAX]; /* "manifest unknown" */
	char message[MESSAGE_MAX];
};

static const struct known_code *find_code(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_codes); i++)
		if (strcasecmp(known_codes[i].code, code) == 0)
			return &known_codes[i];
	return NULL;
}

static const struct known_code *find_status(enum refusal_subject subject, long status)
{
	if (status == 404 && subject == REFUSED_MANIFEST)
		return find_code("MANIFEST_UNKNOWN");
	if (status == 404 && subject == REFUSED_BLOB)
		return find_code("BLOB_UNKNOWN");
	for (size_t i = 0; i < ARRAY_SIZE(known_codes); i++)
		if (known_codes[i].status == status)
			return &known_codes[i];
	return NULL;
}

/* "MANIFEST_UNKNOWN" becomes "manifest unknown". */
static void set_code(struct refusal *f, const char *code)
{
	f->known = find_code(code);
	(void)quote_plain(f->code, sizeof(f->code), code);
	for (char *p = f->code; *p; p++)
		*p = *p == '_' ? ' ' : (char)tolower((unsigned char)*p);
}

static void set_message(struct refusal *f, const char *message)
{
	if (message && *message)
		(void)quote_plain(f->message, sizeof(f->message), message);
	else if (f->known)
		(void)snprintf(f->message, sizeof(f->message), "%s", f->known->message);
}

/* {"errors":[{"code","message"}]}; token services also say {"details":"…"}. */
static void read_body(struct refusal *f, const struct http_response *response)
{
	AUTO_PTR(json) doc = NULL;
	const struct json *first;
	const char *code;

	if (!response->body_len || response->body_len > REFUSAL_BODY_MAX ||
	    json_parse(response->body, response->body_len, &doc, NULL) < 0)
		return;
	first = json_at(json_get(doc, "errors"), 0);
	code = json_string(json_get(first, "code"));
	if (code && *code) {
		set_code(f, code);
		set_message(f, json_string(json_get(first, "message")));
	} else {
		set_message(f, json_string(json_get(doc, "details")));
	}
}

/* A 401 may say in its challenge that the token is fine and its rights are not (RFC 6750 3.1): docker calls this denied. */
static bool lacks_scope(const struct http_response *response)
{
	struct challenges c = { 0 };
	bool lacks = false;

	if (response->status != 401)
		return false;
	for (size_t i = 0; i < strv_len(response->www_authenticate); i++)
		(void)challenge_parse(response->www_authenticate[i], &c);
	for (size_t i = 0; i < c.n; i++)
		if (c.list[i].scheme == CHALLENGE_BEARER && c.list[i].error)
			lacks = lacks || strcmp(c.list[i].error, "insufficient_scope") == 0;
	challenges_done(&c);
	return lacks;
}

static void read_refusal(struct refusal *f, enum refusal_subject subject,
			 const struct http_response *response)
{
	if (lacks_scope(response)) {
		set_code(f, "DENIED");
		set_message(f, NULL);
		return;
	}
	read_body(f, response);
	if (f->code[0])
		return;
	f->known = find_status(subject, response->status);
	if (!f->known)
		return;
	set_code(f, f->known->code);
	if (!f->message[0])
		set_message(f, NULL);
}

/* "denied: requested access …", with what it was about before it. */
static int known_error(const struct image_ref *ref, const struct refusal *f, struct err *err)
{
	static const struct {
		const char *before, *after;
	} words[] = {
		[WORDS_MANIFEST] = { "manifest for ", " not found" },
		[WORDS_NAME] = { "repository ", " not found" },
		[WORDS_DENIED] = { "pull access denied for ",
				   ", repository does not exist or may require 'racker login'" },
	};
	enum wording wording = f->known->wording;
	AUTO_FREE char *name = wording == WORDS_MANIFEST ? image_ref_familiar(ref) :
							   image_ref_familiar_name(ref);
	int r;

	if (!name)
		return err_oom(err);
	r = err_set(err, f->known->kind, f->known->error, "%s: %s", f->code, f->message);
	if (wording == WORDS_PLAIN)
		return r;
	return err_prefix(err, r, "%s%s%s", words[wording].before, name, words[wording].after);
}

int refusal_error(const struct image_ref *ref, enum refusal_subject subject,
		  const struct http_response *response, struct err *err)
{
	struct refusal f = { 0 };

	read_refusal(&f, subject, response);
	if (f.known)
		return known_error(ref, &f, err);
	if (f.code[0])
		return err_set(err, ERR_NETWORK, -EIO, "%s: %s (HTTP status %ld)", f.code,
			       f.message, response->status);
	return err_set(err, ERR_NETWORK, -EIO, "received unexpected HTTP status: %ld",
		       response->status);
}
