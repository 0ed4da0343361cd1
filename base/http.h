/* SPDX-License-Identifier: MIT */
/* GET over libcurl's multi interface, seen by http.c alone: several transfers at once, every size and time bounded, redirects our own. */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/strv.h"

#define HTTP_REDIRECTS_MAX 10
#define HTTP_HEADERS_MAX 65536 /* bytes of response headers */

struct http; /* one curl multi handle: connection pool, TLS session cache */
struct http_transfer;

struct http_request {
	const char *url; /* http:// or https:// */
	const char *const *headers; /* NULL-terminated "Name: value"; sent to every host */
	const char *
		authorization; /* value of Authorization; only to the scheme, host and port of @url, never after a redirect elsewhere */
	const char *post_body; /* NULL: GET; else POST application/x-www-form-urlencoded */
	bool head; /* HEAD instead of GET */
	bool insecure; /* do not verify the TLS certificate of @url's host; others, after a redirect, are verified */
	uint64_t max_bytes; /* most body bytes; one more ends the transfer with -EFBIG */
	uint64_t range_from; /* > 0: Range: bytes=N- */
	/* Body bytes as they come, only for 2xx answers (others are kept in response.body, cut at 64 KiB).
	 * NULL: the body is collected in response.body. Return: 0, or -errno with err filled to end the transfer. */
	int (*sink)(void *arg, const void *bytes, size_t len, struct err *err);
	/* Called once before the first sink call of a 2xx answer; @status tells 200 from 206. May be NULL. */
	int (*started)(void *arg, long status, struct err *err);
	void *arg;
};

struct http_response {
	long status;
	char *content_type; /* without parameters, lower case; NULL if absent */
	char **www_authenticate; /* one string a header line */
	char *docker_content_digest; /* NULL if absent */
	char *retry_after; /* raw; NULL if absent */
	char **warnings; /* raw Warning headers */
	char *final_url; /* where the answer came from */
	int64_t content_length; /* -1: not told */
	char *body; /* NUL-terminated; see sink */
	size_t body_len;
};
void http_response_done(struct http_response *r);

/** http_new() - @user_agent copied. Return: 0, -ENOPKG when libcurl is missing */
int http_new(const char *user_agent, struct http **ret, struct err *err);
void http_free(struct http *h);
DEFINE_AUTO_PTR(http)

/**
 * http_start() - begin a transfer; *ret is owned by @h until it is reported finished, then freed by http_transfer_free()
 * The request's strings are copied.
 */
int http_start(struct http *h, const struct http_request *req, struct http_transfer **ret,
	       struct err *err);

/**
 * http_poll() - drive all transfers for at most @timeout_ms, until one finishes or one of @fds is ready
 * @fds: further fds to wait for (revents filled); may be NULL
 * @ret_done: a finished transfer, or NULL
 * Return: 0 or -errno (a failed transfer is not an error here: see http_transfer_result())
 */
int http_poll(struct http *h, struct pollfd *fds, size_t n_fds, int timeout_ms,
	      struct http_transfer **ret_done, struct err *err);

/**
 * http_transfer_result() - outcome of a finished transfer
 * Return: 0 with *ret_response borrowed (any HTTP status is a success here); ERR_NETWORK with -errno for DNS, connect, TLS,
 * stalls, truncated bodies; what the sink returned; -EFBIG for too many bytes. Messages name host and reason in docker's manner:
 * Get "https://HOST/v2/": dial tcp: lookup HOST: no such host
 */
int http_transfer_result(struct http_transfer *t, const struct http_response **ret_response,
			 struct err *err);
/** http_transfer_take() - as http_transfer_result(), but the response becomes the caller's: http_response_done() */
int http_transfer_take(struct http_transfer *t, struct http_response *ret_response,
		       struct err *err);
void *http_transfer_arg(const struct http_transfer *t);
/** http_transfer_free() - NULL allowed; one that is still running is cancelled */
void http_transfer_free(struct http_transfer *t);

#endif
