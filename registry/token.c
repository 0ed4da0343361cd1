// SPDX-License-Identifier: MIT
/*
 * Credentials as requests carry them (see token.h).
 *
 * Who sees the user's password: the registry itself when it asks for Basic, or the token service that the registry names, wherever
 * that is: docker does so too, and Docker Hub's own is on another host than its API. The registry was authenticated by TLS, so it
 * may choose. Hence the realm must be https. Only a registry that was itself reached over plain HTTP, which is one on this machine,
 * may name an http realm; and the password goes there only if that is on this machine as well.
 */
#include "registry/token.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/strbuf.h"
#include "base/url.h"

static int check_realm(const struct token_question *q, struct err *err)
{
	const char *realm = q->bearer->realm;
	struct url_origin origin;

	if (!realm || url_origin_parse(realm, &origin) < 0 || strchr(realm, '#'))
		return err_set(err, ERR_AUTH, -EACCES,
			       "registry names an unusable token service: %s", QUOTE(realm));
	if (origin.https)
		return 0;
	if (!q->registry_is_plain)
		return err_set(err, ERR_AUTH, -EACCES,
			       "token service %s refused: it is reached over plain HTTP",
			       QUOTE(realm));
	if (q->username && !url_origin_loopback(&origin))
		return err_set(err, ERR_AUTH, -EACCES,
			       "credentials not sent to %s: it is reached over plain HTTP",
			       QUOTE(realm));
	return 0;
}

int token_url(const struct token_question *q, char **ret, struct err *err)
{
	AUTO(strbuf) url = STRBUF_INIT(URL_MAX);
	AUTO(strbuf) scope = STRBUF_INIT(URL_MAX);
	char *text;
	int r = check_realm(q, err);

	if (r < 0)
		return r;
	r = strbuf_addf(&scope, "repository:%s:pull", q->repository);
	if (r == 0)
		r = strbuf_adds(&url, q->bearer->realm);
	if (r == 0 && q->username)
		r = url_query_add(&url, "account", q->username);
	if (r == 0 && q->bearer->service)
		r = url_query_add(&url, "service", q->bearer->service);
	if (r == 0)
		r = url_query_add(&url, "scope", strbuf_str(&scope));
	if (r == -E2BIG)
		return err_set(err, ERR_AUTH, r, "address of the token service is too long");
	text = r == 0 ? strbuf_steal(&url) : NULL;
	if (!text)
		return err_oom(err);
	*ret = text;
	return 0;
}

/* It becomes part of a header: visible ASCII only (RFC 6750 2.1 allows even less). */
static bool is_token_text(const char *text)
{
	size_t len = 0;

	for (; text[len]; len++)
		if (text[len] <= ' ' || text[len] >= 0x7f)
			return false;
	return len > 0 && len <= TOKEN_MAX;
}

int token_decode(const char *text, size_t len, char **ret, usec_t *ret_lifetime, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	const char *token;
	int64_t seconds = TOKEN_LIFETIME_MIN_S;
	char *value;

	if (json_parse(text, len, &doc, NULL) < 0)
		return err_set(err, ERR_NETWORK, -EBADMSG, "token service's answer is not JSON");
	token = json_string(json_get(doc, "token"));
	if (!token || !*token)
		token = json_string(json_get(doc, "access_token"));
	if (!token || !is_token_text(token))
		return err_set(err, ERR_NETWORK, -EBADMSG,
			       "token service's answer has no usable token");
	if (json_int(json_get(doc, "expires_in"), &seconds) < 0 || seconds < TOKEN_LIFETIME_MIN_S)
		seconds = TOKEN_LIFETIME_MIN_S;
	if (seconds > TOKEN_LIFETIME_MAX_S)
		seconds = TOKEN_LIFETIME_MAX_S;
	if (asprintf(&value, "Bearer %s", token) < 0)
		return err_oom(err);
	*ret = value;
	*ret_lifetime = (usec_t)seconds * USEC_PER_SEC;
	return 0;
}

/* RFC 4648 4, appended. */
static int add_base64(struct strbuf *b, const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text);
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		unsigned group = (unsigned)(unsigned char)text[i] << 16;
		char out[4];

		if (n > 1)
			group |= (unsigned)(unsigned char)text[i + 1] << 8;
		if (n > 2)
			group |= (unsigned char)text[i + 2];
		for (size_t k = 0; k < 4; k++)
			out[k] = k > n ? '=' : digits[group >> (18 - 6 * k) & 63];
		r = strbuf_add(b, out, sizeof(out));
	}
	return r;
}

int token_basic(const char *username, const char *password, char **ret, struct err *err)
{
	AUTO(strbuf) value = STRBUF_INIT(TOKEN_MAX);
	AUTO_FREE char *pair = NULL;
	char *text;
	int r;

	if (strchr(username, ':'))
		return err_set(err, ERR_USAGE, -EINVAL, "user name %s has a colon in it",
			       QUOTE(username));
	if (asprintf(&pair, "%s:%s", username, password ? password : "") < 0) {
		pair = NULL;
		return err_oom(err);
	}
	r = strbuf_adds(&value, "Basic ");
	if (r == 0)
		r = add_base64(&value, pair);
	if (r == -E2BIG)
		return err_set(err, ERR_USAGE, r, "user name and password are too long");
	text = r == 0 ? strbuf_steal(&value) : NULL;
	if (!text)
		return err_oom(err);
	*ret = text;
	return 0;
}
