// SPDX-License-Identifier: MIT
// Image references: the grammar of distribution/reference as a hand-written matcher, and Docker's normalisation of names.
#include "oci/reference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quote.h"
#include "base/strbuf.h"

#define DEFAULT_DOMAIN "docker.io"
#define LEGACY_DEFAULT_DOMAIN "index.docker.io"
#define OFFICIAL_PREFIX "library/"
#define DEFAULT_TAG "latest"
#define TRANSPORT "docker://"

#define REFERENCE_MAX 4096 /* bytes of the whole text; docker has no limit for the domain */
#define REPOSITORY_MAX 255 /* bytes of the path, without the domain */
#define TAG_MAX 128
#define DIGEST_HEX_MIN 32 /* what the grammar asks of any algorithm */

/* Pieces of the text being parsed, borrowed. A NULL tag or digest: not there. */
struct ref_parts {
	const char *domain, *path, *tag, *digest;
	size_t domain_len, path_len, tag_len;
	const char *prefix; /* before the path: OFFICIAL_PREFIX or "" */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_alnum(char c)
{
	return is_digit(c) || is_lower(c) || is_upper(c);
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool has_upper(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_upper(s[i]))
			return true;
	}
	return false;
}

/* [a-z0-9]+ joined by one dot, one or two underscores, or any number of dashes */
static bool path_component_matches(const char *s, size_t len)
{
	for (size_t i = 0;;) {
		size_t start = i;

		while (i < len && (is_lower(s[i]) || is_digit(s[i])))
			i++;
		if (i == start)
			return false;
		if (i == len)
			return true;
		if (s[i] == '-') {
			while (i < len && s[i] == '-')
				i++;
		} else if (s[i] == '.') {
			i++;
		} else if (s[i] == '_') {
			i++;
			if (i < len && s[i] == '_')
				i++;
		} else {
			return false;
		}
	}
}

static bool path_matches(const char *s, size_t len)
{
	for (;;) {
		const char *slash = memchr(s, '/', len);
		size_t part = slash ? (size_t)(slash - s) : len;

		if (!path_component_matches(s, part))
			return false;
		if (!slash)
			return true;
		s += part + 1;
		len -= part + 1;
	}
}

/* Labels of letters, digits and inner dashes, joined by dots */
static bool domain_name_matches(const char *s, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && s[i] != '.') {
			if (!is_alnum(s[i]) && s[i] != '-')
				return false;
			continue;
		}
		if (i == start || s[start] == '-' || s[i - 1] == '-')
			return false;
		start = i + 1;
	}
	return true;
}

/* Length of "[hex digits and colons]" at the start, or 0. Not more of an IPv6 address is checked, as in the original. */
static size_t ipv6_length(const char *s, size_t len)
{
	size_t i = 1;

	while (i < len && (is_hex(s[i]) || s[i] == ':'))
		i++;
	return i > 1 && i < len && s[i] == ']' ? i + 1 : 0;
}

static bool domain_matches(const char *s, size_t len)
{
	size_t host = 0;

	if (len > 0 && s[0] == '[') {
		host = ipv6_length(s, len);
		if (host == 0)
			return false;
	} else {
		while (host < len && s[host] != ':')
			host++;
		if (!domain_name_matches(s, host))
			return false;
	}
	if (host == len)
		return true;
	if (s[host] != ':' || host + 1 == len)
		return false;
	for (size_t i = host + 1; i < len; i++) {
		if (!is_digit(s[i]))
			return false;
	}
	return true;
}

static bool tag_matches(const char *s, size_t len)
{
	if (len == 0 || len > TAG_MAX || s[0] == '.' || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(s[i]) && !strchr("_.-", s[i]))
			return false;
	}
	return true;
}

/* Letters and digits in parts that begin with a letter, joined by one of "-_+.", then ':' and 32 or more hex digits */
static bool digest_matches(const char *s)
{
	bool part_begins = true;

	for (; *s != ':'; s++) {
		if (part_begins ? !is_lower(*s) && !is_upper(*s) :
				  !is_alnum(*s) && (!*s || !strchr("-_+.", *s)))
			return false;
		part_begins = !is_alnum(*s);
	}
	if (part_begins)
		return false;
	s++;
	size_t hex = 0;

	while (is_hex(s[hex]))
		hex++;
	return hex >= DIGEST_HEX_MIN && s[hex] == '\0';
}

/* A text without a host-like first element belongs to Docker Hub, as @p says; one without any slash never has a host. */
static void split_domain(const char *text, struct ref_parts *p)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : 0;
	bool is_hub = true;

	if (slash && ((len == strlen("localhost") && memcmp(text, "localhost", len) == 0) ||
		      memchr(text, '.', len) || memchr(text, ':', len) || has_upper(text, len))) {
		p->path = slash + 1;
		is_hub =
			(len == strlen(DEFAULT_DOMAIN) && memcmp(text, DEFAULT_DOMAIN, len) == 0) ||
			(len == strlen(LEGACY_DEFAULT_DOMAIN) &&
			 memcmp(text, LEGACY_DEFAULT_DOMAIN, len) == 0);
		if (!is_hub) {
			p->domain = text;
			p->domain_len = len;
		}
	}
	/* As the original, which looks for a slash in tag and digest too: neither can hold one. */
	if (is_hub && !strchr(p->path, '/'))
		p->prefix = OFFICIAL_PREFIX;
}

static bool is_identifier(const char *s)
{
	return strlen(s) == DIGEST_HEX_LEN && strspn(s, "0123456789abcdef") == DIGEST_HEX_LEN;
}

/* Whether the rest is path[:tag][@digest]. */
static bool split_rest(struct ref_parts *p)
{
	const char *s = p->path;

	p->path_len = strcspn(s, ":@");
	s += p->path_len;
	if (*s == ':') {
		p->tag = s + 1;
		p->tag_len = strcspn(p->tag, "@");
		s = p->tag + p->tag_len;
	}
	if (*s == '@')
		p->digest = s + 1;
	return path_matches(p->path, p->path_len) && (!p->tag || tag_matches(p->tag, p->tag_len)) &&
	       (!p->digest || digest_matches(p->digest));
}

/*
 * The original also takes "foo_bar.com/x", whose first element is neither a host nor a Hub name, as a name without a
 * domain; no registry can serve that, so it is refused here.
 */
static int split(const char *text, struct ref_parts *p, struct err *err)
{
	if (is_identifier(text))
		return err_set(err, ERR_USAGE, -EINVAL,
			       "invalid repository name (%s), cannot specify 64-byte hexadecimal "
			       "strings",
			       text);
	split_domain(text, p);

	size_t remote = strcspn(p->path, ":");

	if (has_upper(p->path, remote)) {
		char name[QUOTE_MAX];

		(void)snprintf(name, sizeof(name), "%.*s", (int)remote, p->path);
		return err_set(err, ERR_USAGE, -EINVAL,
			       "invalid reference format: repository name (%s%s) must be lowercase",
			       p->prefix, QUOTE_PLAIN(name));
	}
	if (!split_rest(p) || !domain_matches(p->domain, p->domain_len))
		return err_set(err, ERR_USAGE, -EINVAL, "invalid reference format");
	if (strlen(p->prefix) + p->path_len > REPOSITORY_MAX)
		return err_set(err, ERR_USAGE, -EINVAL,
			       "repository name must not be more than %d characters",
			       REPOSITORY_MAX);
	return 0;
}

/* @text has passed digest_matches(); this tells what of it racker can verify, in go-digest's words. */
static int take_digest(const char *text, struct digest *ret, struct err *err)
{
	size_t algorithm = strcspn(text, ":");

	if (algorithm == strlen("sha256") && memcmp(text, "sha256", algorithm) == 0) {
		const char *hex = text + algorithm + 1;

		if (strlen(hex) != DIGEST_HEX_LEN)
			return err_set(err, ERR_USAGE, -EINVAL,
				       "invalid checksum digest length: sha256 has %d digits",
				       DIGEST_HEX_LEN);
		if (digest_from_hex(hex, ret) < 0)
			return err_set(err, ERR_USAGE, -EINVAL,
				       "invalid checksum digest format: sha256 has lower-case "
				       "hexadecimal digits");
		return 0;
	}
	if (has_upper(text, algorithm))
		return err_set(err, ERR_USAGE, -EINVAL, "invalid checksum digest format");

	char name[QUOTE_MAX];

	(void)snprintf(name, sizeof(name), "%.*s", (int)algorithm, text);
	return err_set(err, ERR_USAGE, -EINVAL,
		       "unsupported digest algorithm %s: racker verifies sha256 only", QUOTE(name));
}

/* Whether there was memory for all of it. */
static bool take_parts(const struct ref_parts *p, struct image_ref *ref)
{
	struct strbuf path = STRBUF_INIT(REFERENCE_MAX);

	if (strbuf_adds(&path, p->prefix) == 0 && strbuf_add(&path, p->path, p->path_len) == 0)
		ref->repository = strbuf_steal(&path);
	strbuf_done(&path);
	ref->registry = strndup(p->domain, p->domain_len);
	if (p->tag)
		ref->tag = strndup(p->tag, p->tag_len);
	else if (!p->digest)
		ref->tag = strdup(DEFAULT_TAG);
	return ref->repository && ref->registry && (ref->tag || (!p->tag && p->digest));
}

static int parse(const char *text, struct image_ref *ret, struct err *err)
{
	struct ref_parts p = { .domain = DEFAULT_DOMAIN,
			       .domain_len = strlen(DEFAULT_DOMAIN),
			       .path = text,
			       .prefix = "" };
	struct image_ref ref = { 0 };
	int r = split(text, &p, err);

	if (r < 0)
		return r;
	if (p.digest) {
		r = take_digest(p.digest, &ref.digest, err);
		if (r < 0)
			return r;
		ref.has_digest = true;
	}
	if (!take_parts(&p, &ref)) {
		image_ref_done(&ref);
		return err_oom(err);
	}
	*ret = ref;
	return 0;
}

int image_ref_parse(const char *text, struct image_ref *ret, struct err *err)
{
	if (strlen(text) > REFERENCE_MAX)
		return err_set(err, ERR_USAGE, -EINVAL,
			       "invalid reference format: longer than %d bytes", REFERENCE_MAX);
	if (strncmp(text, TRANSPORT, strlen(TRANSPORT)) == 0)
		return parse(text + strlen(TRANSPORT), ret, err);

	int r = parse(text, ret, err);

	/* "docker:dind" is an image of Docker Hub, so only what cannot be read otherwise is taken for a typing error. */
	if (r < 0 && strncmp(text, "docker:", strlen("docker:")) == 0) {
		const char *rest = text + strlen("docker:");

		rest += strspn(rest, "/");
		if (*rest)
			return err_prefix(err, r, "did you mean docker://%s", QUOTE_PLAIN(rest));
	}
	return r;
}

void image_ref_done(struct image_ref *ref)
{
	if (!ref)
		return;
	free(ref->registry);
	free(ref->repository);
	free(ref->tag);
	*ref = (struct image_ref){ 0 };
}

int image_ref_copy(const struct image_ref *ref, struct image_ref *ret)
{
	struct image_ref copy = { .digest = ref->digest, .has_digest = ref->has_digest };

	copy.registry = strdup(ref->registry);
	copy.repository = strdup(ref->repository);
	if (ref->tag)
		copy.tag = strdup(ref->tag);
	if (!copy.registry || !copy.repository || (ref->tag && !copy.tag)) {
		image_ref_done(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

/* [domain/]path[:tag][@digest]; @domain NULL leaves it out. */
static char *join(const struct image_ref *ref, const char *domain, const char *path, bool name_only)
{
	struct strbuf b = STRBUF_INIT((size_t)2 * REFERENCE_MAX);
	char *text = NULL;
	int r = 0;

	if (domain)
		r = strbuf_addf(&b, "%s/", domain);
	if (r == 0)
		r = strbuf_adds(&b, path);
	if (r == 0 && !name_only && ref->tag)
		r = strbuf_addf(&b, ":%s", ref->tag);
	if (r == 0 && !name_only && ref->has_digest)
		r = strbuf_addf(&b, "@%s", DIGEST_STR(&ref->digest));
	if (r == 0)
		text = strbuf_steal(&b);
	strbuf_done(&b);
	return text;
}

static char *join_familiar(const struct image_ref *ref, bool name_only)
{
	const char *path = ref->repository;
	size_t prefix = strlen(OFFICIAL_PREFIX);

	if (strcmp(ref->registry, DEFAULT_DOMAIN) != 0)
		return join(ref, ref->registry, path, name_only);
	if (strncmp(path, OFFICIAL_PREFIX, prefix) == 0 && !strchr(path + prefix, '/'))
		path += prefix;
	return join(ref, NULL, path, name_only);
}

char *image_ref_canonical(const struct image_ref *ref)
{
	return join(ref, ref->registry, ref->repository, false);
}

char *image_ref_familiar(const struct image_ref *ref)
{
	return join_familiar(ref, false);
}

char *image_ref_familiar_name(const struct image_ref *ref)
{
	return join_familiar(ref, true);
}
