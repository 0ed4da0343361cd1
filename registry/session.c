// SPDX-License-Identifier: MIT
/*
 * One pull's dealings with one repository (see session.h).
 *
 * Sequence of a request: a token about to expire is replaced; the request goes out with what we have, at first nothing; a 401 is
 * answered by session_authenticate() and the request made once more; a second 401 is the answer. Documents are awaited here, layers
 * by the caller. While a document or a token is awaited, layers may finish: they are parked and session_poll() gives them out first.
 */
#include "registry/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/quote.h"
#include "base/strbuf.h"
#include "base/url.h"
#include "base/version.h"
#include "registry/challenge.h"
#include "registry/refusal.h"
#include "registry/token.h"

/* A TLS handshake with this machine takes milliseconds; a plain HTTP server may wait for a line end that never comes. */
#define PROBE_TIMEOUT (5 * USEC_PER_SEC)
#define PROBE_BODY_MAX ((size_t)64 << 10)
/* A token is replaced when it has less than this left. */
#define TOKEN_MARGIN (5 * USEC_PER_SEC)

static int err_interrupted(struct err *err)
{
	return err_set(err, ERR_INTERRUPTED, -EINTR, "interrupted");
}

static bool is_interrupted(const struct session *s)
{
	return s->interrupted && *s->interrupted;
}

/* Drives everything until @t is finished. Other transfers that finish meanwhile are parked. */
static int wait_for(struct session *s, const struct http_transfer *t, usec_t deadline,
		    struct err *err)
{
	struct http_transfer *done;
	int r;

	for (;;) {
		if (is_interrupted(s))
			return err_interrupted(err);
		if (deadline_poll_ms(deadline) == 0)
			return err_set(err, ERR_NETWORK, -ETIMEDOUT, "no answer in time");
		r = http_poll(s->http, NULL, 0, SESSION_POLL_MS, &done, err);
		if (r < 0)
			return r;
		if (done == t)
			return 0;
		if (done)
			s->parked[s->n_parked++] =
				done; /* the caller runs at most SESSION_TRANSFERS_MAX */
	}
}

/* One request, start to end, without any rule about credentials. */
static int fetch(struct session *s, const struct http_request *req, usec_t deadline,
		 struct http_response *ret_response, struct err *err)
{
	struct http_transfer *t;
	int r = http_start(s->http, req, &t, err);

	if (r < 0)
		return r;
	r = wait_for(s, t, deadline, err);
	if (r == 0)
		r = http_transfer_take(t, ret_response, err);
	http_transfer_free(t);
	return r;
}

/* docker's rule: what is on this machine may speak plain HTTP, and its TLS certificate is not looked at. */
static int probe_loopback(struct session *s, struct err *err)
{
	AUTO_FREE char *url = NULL;
	AUTO(http_response) response = { 0 };
	struct err why = { 0 };
	char *plain;
	int r;

	if (asprintf(&url, "%s/v2/", s->endpoint.base_url) < 0) {
		url = NULL;
		return err_oom(err);
	}
	r = fetch(
		s,
		&(struct http_request){ .url = url, .insecure = true, .max_bytes = PROBE_BODY_MAX },
		now_usec() + PROBE_TIMEOUT, &response, &why);
	if (r == 0 || r == -EFBIG)
		return 0;
	if (why.kind != ERR_NETWORK) {
		if (err)
			*err = why;
		return r;
	}
	log_debug("%s does not speak TLS (%s): plain HTTP is used", s->ref->registry, why.msg);
	if (asprintf(&plain, "http://%s", s->ref->registry) < 0)
		return err_oom(err);
	free(s->endpoint.base_url);
	s->endpoint.base_url = plain;
	return 0;
}

static bool is_plain(const struct session *s)
{
	return strncmp(s->endpoint.base_url, "http://", 7) == 0;
}

int session_open(struct session *s, const struct image_ref *ref, struct err *err)
{
	int r;

	s->ref = ref;
	r = endpoint_resolve(ref->registry, &s->endpoint, err);
	if (r == 0)
		r = http_new("racker/" RACKER_VERSION, &s->http, err);
	if (r == 0 && s->endpoint.loopback)
		r = probe_loopback(s, err);
	return r;
}

static void forget_authorization(struct session *s)
{
	free(s->authorization);
	s->authorization = NULL;
	s->expires = USEC_INFINITY;
}

void session_done(struct session *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_parked; i++)
		http_transfer_free(s->parked[i]);
	http_free(s->http);
	endpoint_done(&s->endpoint);
	forget_authorization(s);
	free(s->realm);
	free(s->service);
	*s = (struct session){ 0 };
}

static bool is_loopback(const char *url)
{
	struct url_origin origin;

	return url && url_origin_parse(url, &origin) == 0 && url_origin_loopback(&origin);
}

/* Asks the token service. */
static int get_token(struct session *s, const struct challenge *bearer, struct err *err)
{
	AUTO_FREE char *url = NULL, *basic = NULL;
	AUTO(http_response) response = { 0 };
	usec_t lifetime = 0;
	char *token;
	int r = token_url(&(struct token_question){ .bearer = bearer,
						    .repository = s->ref->repository,
						    .username = s->username,
						    .registry_is_plain = is_plain(s) },
			  &url, err);

	if (r == 0 && s->username)
		r = token_basic(s->username, s->password, &basic, err);
	if (r == 0)
		r = fetch(s,
			  &(struct http_request){ .url = url,
						  .authorization = basic,
						  .insecure = is_loopback(url),
						  .max_bytes = TOKEN_ANSWER_MAX },
			  USEC_INFINITY, &response, err);
	if (r < 0)
		return r;
	if (response.status != 200)
		return refusal_error(s->ref, REFUSED_TOKEN, &response, err);
	r = token_decode(response.body, response.body_len, &token, &lifetime, err);
	if (r < 0)
		return r;
	forget_authorization(s);
	s->authorization = token;
	s->expires = now_usec() + lifetime;
	return 0;
}

/* The first time a token service is named: it is asked again when the token gets old. */
static int adopt_bearer(struct session *s, const struct challenge *bearer, struct err *err)
{
	int r = get_token(s, bearer, err);
	char *realm, *service;

	if (r < 0)
		return r;
	realm = strdup(bearer->realm);
	service = bearer->service ? strdup(bearer->service) : NULL;
	free(s->realm);
	free(s->service);
	s->realm = realm;
	s->service = service;
	return realm && (service || !bearer->service) ? 0 : err_oom(err);
}

static int adopt_basic(struct session *s, const struct http_response *response, struct err *err)
{
	char *basic;
	int r;

	if (!s->username)
		return err_set(err, ERR_AUTH, -EACCES,
			       "unauthorized: authentication required: no basic auth credentials "
			       "for %s",
			       QUOTE_PLAIN(s->ref->registry));
	if (s->authorization && strncmp(s->authorization, "Basic ", 6) == 0)
		return refusal_error(s->ref, REFUSED_MANIFEST, response, err);
	r = token_basic(s->username, s->password, &basic, err);
	if (r < 0)
		return r;
	forget_authorization(s);
	s->authorization = basic;
	return 0;
}

/* A 401 from where a redirect led is not the registry's: it must not learn our credentials. */
static bool is_from_registry(const struct session *s, const struct http_response *response)
{
	struct url_origin ours, theirs;

	return url_origin_parse(s->endpoint.base_url, &ours) == 0 &&
	       url_origin_parse(response->final_url, &theirs) == 0 &&
	       url_origin_equal(&ours, &theirs);
}

int session_authenticate(struct session *s, const struct http_response *response, struct err *err)
{
	struct challenges c = { 0 };
	const struct challenge *bearer, *basic;
	int r;

	if (!is_from_registry(s, response))
		return refusal_error(s->ref, REFUSED_MANIFEST, response, err);
	for (size_t i = 0; i < strv_len(response->www_authenticate); i++)
		if (challenge_parse(response->www_authenticate[i], &c) < 0)
			log_debug("%s sent a malformed challenge: %s", s->ref->registry,
				  QUOTE(response->www_authenticate[i]));
	bearer = challenges_find(&c, CHALLENGE_BEARER);
	basic = challenges_find(&c, CHALLENGE_BASIC);
	if (bearer && bearer->realm)
		r = adopt_bearer(s, bearer, err);
	else if (basic)
		r = adopt_basic(s, response, err);
	else
		r = refusal_error(s->ref, REFUSED_MANIFEST, response, err);
	challenges_done(&c);
	return r;
}

/* What the registry wants a user to see (distribution-spec "Warnings"), and when it wants to be asked again. */
static void note_remarks(const struct session *s, const struct http_response *response)
{
	for (size_t i = 0; i < strv_len(response->warnings); i++)
		log_debug("%s warns: %s", s->ref->registry, QUOTE(response->warnings[i]));
	if (response->retry_after)
		log_debug("%s asks to come back after %s", s->ref->registry,
			  QUOTE(response->retry_after));
}

/* A token that would expire on the way is replaced before the request. */
static int refresh(struct session *s, struct err *err)
{
	const struct challenge bearer = { .scheme = CHALLENGE_BEARER,
					  .realm = s->realm,
					  .service = s->service };

	if (!s->realm || !s->authorization || s->expires > now_usec() + TOKEN_MARGIN)
		return 0;
	return get_token(s, &bearer, err);
}

/* Fills what all requests to the registry have in common. *ret_url is what req->url points to, owned. */
static int prepare(struct session *s, const char *path, struct http_request *req, char **ret_url,
		   struct err *err)
{
	int r = refresh(s, err);

	if (r < 0)
		return r;
	if (asprintf(ret_url, "%s/v2/%s/%s", s->endpoint.base_url, s->ref->repository, path) < 0) {
		*ret_url = NULL;
		return err_oom(err);
	}
	req->url = *ret_url;
	req->authorization = s->authorization;
	req->insecure = s->endpoint.loopback;
	return 0;
}

int session_refusal(const struct session *s, const char *path, const struct http_response *response,
		    struct err *err)
{
	bool manifest = strncmp(path, "manifests/", strlen("manifests/")) == 0;

	return refusal_error(s->ref, manifest ? REFUSED_MANIFEST : REFUSED_BLOB, response, err);
}

int session_get(struct session *s, const char *path, const char *const *headers, size_t max,
		struct http_response *ret_response, struct err *err)
{
	for (bool authenticated = false;; authenticated = true) {
		AUTO(http_response) response = { 0 };
		AUTO_FREE char *url = NULL;
		struct http_request req = { .headers = headers, .max_bytes = max };
		int r = prepare(s, path, &req, &url, err);

		if (r == 0)
			r = fetch(s, &req, USEC_INFINITY, &response, err);
		if (r < 0)
			return r;
		note_remarks(s, &response);
		if (response.status == 200) {
			*ret_response = response;
			response = (struct http_response){ 0 };
			return 0;
		}
		if (response.status != 401 || authenticated)
			return session_refusal(s, path, &response, err);
		r = session_authenticate(s, &response, err);
		if (r < 0)
			return r;
	}
}

int session_start(struct session *s, const struct session_stream *stream,
		  struct http_transfer **ret, struct err *err)
{
	struct http_request req = { .max_bytes = stream->max,
				    .range_from = stream->from,
				    .started = stream->started,
				    .sink = stream->sink,
				    .arg = stream->arg };
	AUTO_FREE char *url = NULL;
	int r = prepare(s, stream->path, &req, &url, err);

	return r < 0 ? r : http_start(s->http, &req, ret, err);
}

int session_poll(struct session *s, struct pollfd *fds, size_t n_fds,
		 struct http_transfer **ret_done, struct err *err)
{
	if (is_interrupted(s))
		return err_interrupted(err);
	if (s->n_parked > 0) {
		for (size_t i = 0; i < n_fds; i++)
			fds[i].revents = 0;
		*ret_done = s->parked[--s->n_parked];
		return 0;
	}
	return http_poll(s->http, fds, n_fds, SESSION_POLL_MS, ret_done, err);
}
