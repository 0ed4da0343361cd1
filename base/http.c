// SPDX-License-Identifier: MIT
/*
 * GET over libcurl's multi interface (see http.h); the only file that knows curl.
 *
 * One transfer is one easy handle. http_poll() drives all of them; curl calls back with header lines and body bytes, which are
 * bounded here. When curl is done with a request, transfer_settle() decides: a redirect (ours, not curl's, so that the rules about
 * credentials are in one place) sends the same handle out again; anything else is the outcome. Finished transfers wait in the list
 * until http_poll() hands them out, one a call; from then on they belong to the caller. What was never handed out, http_free() ends.
 */
#include "base/http.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The checking macros take the address of curl_easy_setopt(), which is not linked. */
#define CURL_DISABLE_TYPECHECK
/* CURLOPT_PROTOCOLS is for libraries before 7.85. */
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>

#include "base/deadline.h"
#include "base/dlib.h"
#include "base/http_transfer.h"
#include "base/quote.h"
#include "base/sigpipe.h"
#include "base/url.h"

#define CONNECT_TIMEOUT_S 30L
#define STALL_BYTES_PER_S 1L
#define STALL_S 60L
#define RECEIVE_BUFFER 131072L
/* curl.h of 7.85 and later has the name; the number is the same in every version (the ABI is stable). */
#define OPTION_PROTOCOLS_STR ((CURLoption)(CURLOPTTYPE_OBJECTPOINT + 318))
/* 7.87: do not wait for a name lookup that nobody wants any more. */
#define OPTION_QUICK_EXIT ((CURLoption)(CURLOPTTYPE_LONG + 322))

static struct {
	__typeof__(&curl_global_init) curl_global_init;
	__typeof__(&curl_easy_init) curl_easy_init;
	__typeof__(&curl_easy_cleanup) curl_easy_cleanup;
	__typeof__(&curl_easy_setopt) curl_easy_setopt;
	__typeof__(&curl_easy_getinfo) curl_easy_getinfo;
	__typeof__(&curl_easy_strerror) curl_easy_strerror;
	__typeof__(&curl_multi_init) curl_multi_init;
	__typeof__(&curl_multi_cleanup) curl_multi_cleanup;
	__typeof__(&curl_multi_add_handle) curl_multi_add_handle;
	__typeof__(&curl_multi_remove_handle) curl_multi_remove_handle;
	__typeof__(&curl_multi_perform) curl_multi_perform;
	__typeof__(&curl_multi_poll) curl_multi_poll;
	__typeof__(&curl_multi_info_read) curl_multi_info_read;
	__typeof__(&curl_multi_strerror) curl_multi_strerror;
	__typeof__(&curl_slist_append) curl_slist_append;
	__typeof__(&curl_slist_free_all) curl_slist_free_all;
	__typeof__(&curl_url) curl_url;
	__typeof__(&curl_url_cleanup) curl_url_cleanup;
	__typeof__(&curl_url_set) curl_url_set;
	__typeof__(&curl_url_get) curl_url_get;
	__typeof__(&curl_free) curl_free;
} api;

static const struct dlib_symbol api_symbols[] = {
	DLIB_SYMBOL(api, curl_global_init),
	DLIB_SYMBOL(api, curl_easy_init),
	DLIB_SYMBOL(api, curl_easy_cleanup),
	DLIB_SYMBOL(api, curl_easy_setopt),
	DLIB_SYMBOL(api, curl_easy_getinfo),
	DLIB_SYMBOL(api, curl_easy_strerror),
	DLIB_SYMBOL(api, curl_multi_init),
	DLIB_SYMBOL(api, curl_multi_cleanup),
	DLIB_SYMBOL(api, curl_multi_add_handle),
	DLIB_SYMBOL(api, curl_multi_remove_handle),
	DLIB_SYMBOL(api, curl_multi_perform),
	DLIB_SYMBOL(api, curl_multi_poll),
	DLIB_SYMBOL(api, curl_multi_info_read),
	DLIB_SYMBOL(api, curl_multi_strerror),
	DLIB_SYMBOL(api, curl_slist_append),
	DLIB_SYMBOL(api, curl_slist_free_all),
	DLIB_SYMBOL(api, curl_url),
	DLIB_SYMBOL(api, curl_url_cleanup),
	DLIB_SYMBOL(api, curl_url_set),
	DLIB_SYMBOL(api, curl_url_get),
	DLIB_SYMBOL(api, curl_free),
};

struct http {
	CURLM *multi;
	char *user_agent;
	struct http_transfer *transfers; /* running, or finished and not handed out yet */
	struct curl_waitfd *wait_fds; /* room for n_wait_fds */
	size_t n_wait_fds;
};

static int load_curl(struct err *err)
{
	static bool loaded;
	int r;

	if (loaded)
		return 0;
	r = dlib_load("libcurl.so.4", "the HTTP client", api_symbols, ARRAY_SIZE(api_symbols), err);
	if (r < 0)
		return r;
	if (api.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, ERR_SYSTEM, -EIO, "initialise the HTTP client");
	loaded = true;
	return 0;
}

int http_new(const char *user_agent, struct http **ret, struct err *err)
{
	AUTO_PTR(http) h = NULL;
	int r = load_curl(err);

	if (r < 0)
		return r;
	h = calloc(1, sizeof(*h));
	if (!h)
		return err_oom(err);
	h->user_agent = strdup(user_agent);
	h->multi = api.curl_multi_init();
	if (!h->user_agent || !h->multi)
		return err_oom(err);
	*ret = MOVE_PTR(h);
	return 0;
}

void http_free(struct http *h)
{
	struct sigpipe_guard guard;

	if (!h)
		return;
	while (h->transfers)
		http_transfer_free(h->transfers);
	if (h->multi) {
		sigpipe_hold(&guard); /* closing says good-bye on TLS connections */
		(void)api.curl_multi_cleanup(h->multi);
		sigpipe_release(&guard);
	}
	free(h->wait_fds);
	free(h->user_agent);
	free(h);
}

/* Takes a transfer out of its client's list and out of curl's hands. */
static void transfer_detach(struct http_transfer *t)
{
	struct http_transfer **link;
	struct sigpipe_guard guard;

	if (!t->http)
		return;
	for (link = &t->http->transfers; *link && *link != t; link = &(*link)->next)
		;
	if (*link)
		*link = t->next;
	sigpipe_hold(&guard);
	if (!t->finished) {
		(void)api.curl_easy_setopt(t->easy, OPTION_QUICK_EXIT, 1L);
		(void)api.curl_multi_remove_handle(t->http->multi, t->easy);
	}
	api.curl_easy_cleanup(t->easy);
	sigpipe_release(&guard);
	t->easy = NULL;
	t->http = NULL;
}

void http_transfer_free(struct http_transfer *t)
{
	if (!t)
		return;
	transfer_detach(t);
	api.curl_slist_free_all(t->sent_headers);
	transfer_done(t);
	free(t);
}

static int64_t content_length(const struct http_transfer *t)
{
	curl_off_t length = -1;

	(void)api.curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length;
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	return transfer_take_header(arg, line, size * n) ? size * n : 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_transfer *t = arg;

	return transfer_take_body(t, bytes, size * n, content_length(t)) ? size * n : 0;
}

/* Options of the whole transfer. Return: the first failure of curl_easy_setopt(). */
static CURLcode set_fixed_options(struct http_transfer *t)
{
	CURL *easy = t->easy;
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_NOPROGRESS, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS },
		{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
		{ CURLOPT_HEADEROPT, CURLHEADER_SEPARATE },
		{ CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S },
		{ CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_S },
		{ CURLOPT_LOW_SPEED_TIME, STALL_S },
		{ CURLOPT_TCP_KEEPALIVE, 1 },
		{ CURLOPT_BUFFERSIZE, RECEIVE_BUFFER },
		{ CURLOPT_NOBODY, t->req.head },
	};
	const struct {
		CURLoption option;
		void *value;
	} pointers[] = {
		{ CURLOPT_ERRORBUFFER, t->curl_msg },
		{ CURLOPT_PRIVATE, t },
		{ CURLOPT_USERAGENT, t->http->user_agent },
		{ CURLOPT_HEADERDATA, t },
		{ CURLOPT_WRITEDATA, t },
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && code == CURLE_OK; i++)
		code = api.curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
	for (size_t i = 0; i < ARRAY_SIZE(pointers) && code == CURLE_OK; i++)
		code = api.curl_easy_setopt(easy, pointers[i].option, pointers[i].value);
	if (code == CURLE_OK)
		code = api.curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	if (code == CURLE_OK)
		code = api.curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	if (code == CURLE_OK)
		code = api.curl_easy_setopt(easy, OPTION_PROTOCOLS_STR, "http,https");
	if (code == CURLE_UNKNOWN_OPTION)
		code = api.curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
					    (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	if (code == CURLE_OK && t->post_body)
		code = api.curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->post_body);
	return code;
}

static int add_sent_header(struct http_transfer *t, const char *line)
{
	struct curl_slist *longer = api.curl_slist_append(t->sent_headers, line);

	if (!longer)
		return -ENOMEM;
	t->sent_headers = longer;
	return 0;
}

/* Headers of this hop: the caller's, and who we are for the host that was asked first. */
static int build_headers(struct http_transfer *t)
{
	struct strbuf line = STRBUF_INIT(HTTP_HEADERS_MAX);
	int r = 0;

	api.curl_slist_free_all(t->sent_headers);
	t->sent_headers = NULL;
	for (size_t i = 0; i < strv_len(t->header_lines) && r == 0; i++)
		r = add_sent_header(t, t->header_lines[i]);
	if (t->req.range_from > 0 && r == 0) {
		r = strbuf_addf(&line, "Range: bytes=%" PRIu64 "-", t->req.range_from);
		if (r == 0)
			r = add_sent_header(t, strbuf_str(&line));
		strbuf_reset(&line);
	}
	if (t->authorization && !t->left_origin && r == 0) {
		r = strbuf_addf(&line, "Authorization: %s", t->authorization);
		if (r == 0)
			r = add_sent_header(t, strbuf_str(&line));
	}
	strbuf_done(&line);
	return r;
}

/* Sends the handle out to t->url. */
static int transfer_send(struct http_transfer *t)
{
	bool verify = !t->req.insecure || t->left_origin;
	struct url_origin origin;
	CURLcode code;
	int r;

	if (url_origin_parse(t->url, &origin) < 0)
		return -EINVAL;
	transfer_rewind(t);
	r = build_headers(t);
	if (r < 0)
		return r;
	code = api.curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
	if (code == CURLE_OK)
		code = api.curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->sent_headers);
	if (code == CURLE_OK)
		code = api.curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	if (code == CURLE_OK)
		code = api.curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	/* As Go does, and unlike curl: a proxy of the environment is never asked for this machine itself. */
	if (code == CURLE_OK)
		code = api.curl_easy_setopt(t->easy, CURLOPT_PROXY,
					    url_origin_loopback(&origin) ? "" : NULL);
	if (code != CURLE_OK)
		return -ENOMEM;
	return api.curl_multi_add_handle(t->http->multi, t->easy) == CURLM_OK ? 0 : -ENOMEM;
}

int http_start(struct http *h, const struct http_request *req, struct http_transfer **ret,
	       struct err *err)
{
	struct http_transfer *t;
	struct url_origin origin;
	int r;

	if (url_origin_parse(req->url, &origin) < 0)
		return err_set(err, ERR_NETWORK, -EINVAL, "not a usable http or https URL: %s",
			       QUOTE(req->url));
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_oom(err);
	t->http = h;
	t->next = h->transfers;
	h->transfers = t;
	t->finished = true; /* curl does not have it yet */
	r = transfer_init(t, req, &origin);
	if (r == 0) {
		t->easy = api.curl_easy_init();
		r = t->easy && set_fixed_options(t) == CURLE_OK ? transfer_send(t) : -ENOMEM;
	}
	if (r < 0) {
		http_transfer_free(t);
		return err_set(err, ERR_SYSTEM, r, "start request to %s: %s",
			       QUOTE_PLAIN(origin.host),
			       r == -EINVAL ? "control character in a header" : "out of memory");
	}
	t->finished = false;
	*ret = t;
	return 0;
}

/* A redirect's target, made absolute. Return: 0, -EINVAL (not one we follow), -ENOMEM */
static int resolve_location(const char *base, const char *location, char **ret)
{
	char *text = NULL, *copy = NULL;
	CURLU *u = api.curl_url();
	int r = u ? 0 : -ENOMEM;

	if (r == 0 &&
	    (api.curl_url_set(u, CURLUPART_URL, base, CURLU_DISALLOW_USER) != CURLUE_OK ||
	     api.curl_url_set(u, CURLUPART_URL, location, CURLU_DISALLOW_USER) != CURLUE_OK ||
	     api.curl_url_get(u, CURLUPART_URL, &text, 0) != CURLUE_OK))
		r = -EINVAL;
	if (r == 0) {
		copy = strdup(text);
		r = copy ? 0 : -ENOMEM;
	}
	api.curl_free(text);
	api.curl_url_cleanup(u);
	if (r == 0)
		*ret = copy;
	return r;
}

/* "Connection refused" as Go and docker write it: lower case. */
static const char *connect_reason(const struct http_transfer *t, int os_error,
				  char buf[static QUOTE_MAX])
{
	const char *text = os_error > 0 ? strerror(os_error) : t->curl_msg;

	(void)quote_plain(buf, QUOTE_MAX, text);
	buf[0] = (char)tolower((unsigned char)buf[0]);
	return buf;
}

static void fail_connect(struct http_transfer *t, const char *host)
{
	char reason[QUOTE_MAX];
	long os_error = 0;

	(void)api.curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_error);
	transfer_fail(t, ERR_NETWORK, os_error > 0 ? (int)-os_error : -ECONNREFUSED,
		      "dial tcp %s: connect: %s", host, connect_reason(t, (int)os_error, reason));
}

static void fail_timeout(struct http_transfer *t, const char *host)
{
	curl_off_t connected = 0;

	(void)api.curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	if (connected == 0)
		transfer_fail(t, ERR_NETWORK, -ETIMEDOUT, "dial tcp %s: i/o timeout", host);
	else
		transfer_fail(t, ERR_NETWORK, -ETIMEDOUT,
			      "nothing received from %s for %ld seconds", host, STALL_S);
}

/* What curl reports, as an error of ours. Its own texts may quote the server. */
static void fail_from_curl(struct http_transfer *t, CURLcode code)
{
	const char *said = t->curl_msg[0] ? t->curl_msg : api.curl_easy_strerror(code);
	struct url_origin o = { 0 };
	char host[URL_HOST_MAX + 16];

	(void)url_origin_parse(t->url, &o);
	(void)snprintf(host, sizeof(host), o.ipv6 ? "[%s]:%u" : "%s:%u", o.host, o.port);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		transfer_fail(t, ERR_NETWORK, -EHOSTUNREACH, "dial tcp: lookup %s: no such host",
			      o.host);
		break;
	case CURLE_COULDNT_CONNECT:
		fail_connect(t, host);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		fail_timeout(t, host);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		transfer_fail(t, ERR_NETWORK, -EPROTO, "tls: failed to verify certificate: %s",
			      QUOTE_PLAIN(said));
		break;
	case CURLE_SSL_CONNECT_ERROR:
		if (strstr(said, "wrong version number") || strstr(said, "packet length too long"))
			transfer_fail(t, ERR_NETWORK, -EPROTO,
				      "http: server gave HTTP response to HTTPS client");
		else
			transfer_fail(t, ERR_NETWORK, -EPROTO, "tls: %s", QUOTE_PLAIN(said));
		break;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2_STREAM:
		transfer_fail(t, ERR_NETWORK, -ECONNRESET, "unexpected EOF: %s", QUOTE_PLAIN(said));
		break;
	case CURLE_OUT_OF_MEMORY:
		transfer_fail(t, ERR_SYSTEM, -ENOMEM, "out of memory");
		break;
	default:
		transfer_fail(t, ERR_NETWORK, -EPROTO, "%s", QUOTE_PLAIN(said));
	}
}

static bool follow_redirect(struct http_transfer *t)
{
	char *target = NULL;
	int r = resolve_location(t->url, t->head.location, &target);

	if (r == -ENOMEM)
		transfer_fail(t, ERR_SYSTEM, r, "out of memory");
	if (r == -ENOMEM || !transfer_redirect(t, target))
		return false;
	r = transfer_send(t);
	if (r < 0)
		transfer_fail(t, ERR_SYSTEM, r, "follow redirect");
	return r == 0;
}

/* curl is done with a request: send it on after a redirect, or make what came its outcome. */
static void transfer_settle(struct http_transfer *t, CURLcode code)
{
	(void)api.curl_multi_remove_handle(t->http->multi, t->easy);
	t->finished = true;
	if (t->result == 0 && code != CURLE_OK && !t->body_cut)
		fail_from_curl(t, code);
	if (t->result < 0)
		return;
	if (transfer_is_redirect(t)) {
		t->finished = !follow_redirect(t);
		return;
	}
	(void)transfer_complete(t, content_length(t));
}

/* One round of curl's work. */
static int perform(struct http *h, struct err *err)
{
	struct sigpipe_guard guard;
	CURLMcode code;
	CURLMsg *msg;
	int running, queued;

	sigpipe_hold(&guard);
	code = api.curl_multi_perform(h->multi, &running);
	while (code == CURLM_OK && (msg = api.curl_multi_info_read(h->multi, &queued)) != NULL) {
		struct http_transfer *t = NULL;
		CURLcode result = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)api.curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		if (t)
			transfer_settle(t, result);
	}
	sigpipe_release(&guard);
	if (code != CURLM_OK)
		return err_set(err, ERR_SYSTEM, -EIO, "drive transfers: %s",
			       api.curl_multi_strerror(code));
	return 0;
}

static struct http_transfer *take_finished(struct http *h)
{
	struct http_transfer *t = h->transfers;

	while (t && !t->finished)
		t = t->next;
	if (t)
		transfer_detach(t);
	return t;
}

/* Sleeps until curl, one of the fds, or the clock has something. */
static int wait_for_work(struct http *h, const struct pollfd *fds, size_t n_fds, int timeout_ms,
			 struct err *err)
{
	unsigned n = 0;
	CURLMcode code;

	if (n_fds > h->n_wait_fds) {
		struct curl_waitfd *grown = realloc(h->wait_fds, n_fds * sizeof(*grown));

		if (!grown)
			return err_oom(err);
		h->wait_fds = grown;
		h->n_wait_fds = n_fds;
	}
	for (size_t i = 0; i < n_fds; i++)
		if (fds[i].fd >= 0)
			h->wait_fds[n++] =
				(struct curl_waitfd){ .fd = fds[i].fd, .events = fds[i].events };
	code = api.curl_multi_poll(h->multi, h->wait_fds, n, timeout_ms, NULL);
	if (code != CURLM_OK)
		return err_set(err, ERR_SYSTEM, -EIO, "wait for transfers: %s",
			       api.curl_multi_strerror(code));
	return 0;
}

int http_poll(struct http *h, struct pollfd *fds, size_t n_fds, int timeout_ms,
	      struct http_transfer **ret_done, struct err *err)
{
	usec_t deadline = timeout_ms < 0 ? USEC_INFINITY :
					   now_usec() + (usec_t)timeout_ms * USEC_PER_MSEC;
	struct http_transfer *done;
	int r, ready;

	for (;;) {
		r = perform(h, err);
		if (r < 0)
			return r;
		done = take_finished(h);
		/* Not what curl_multi_poll() said of them: it hides a hang-up. */
		ready = poll(fds, n_fds, 0);
		if (ready < 0 && errno != EINTR)
			return err_sys(err, ERR_SYSTEM, "poll");
		if (done || ready > 0 || deadline_poll_ms(deadline) == 0)
			break;
		r = wait_for_work(h, fds, n_fds,
				  deadline == USEC_INFINITY ? 60000 : deadline_poll_ms(deadline),
				  err);
		if (r < 0)
			return r;
	}
	*ret_done = done;
	return 0;
}
