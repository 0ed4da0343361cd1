/* SPDX-License-Identifier: MIT */
/* One transfer without the library that carries it: the request's copy, what may come back and how much, where a redirect may lead. */
#ifndef BASE_HTTP_TRANSFER_H
#define BASE_HTTP_TRANSFER_H

#include "base/http.h"
#include "base/http_headers.h"
#include "base/strbuf.h"
#include "base/url.h"

#define HTTP_ERROR_BODY_MAX ((size_t)64 << 10)

struct curl_slist;

struct http_transfer {
	struct http *http; /* NULL once handed out */
	struct http_transfer *next; /* in http's list */
	void *easy; /* curl's handle */
	struct curl_slist *sent_headers; /* of this hop */
	char *url; /* of this hop */
	struct url_origin origin; /* of the first hop: the only one that sees authorization */
	bool left_origin; /* a redirect led elsewhere, for good */
	unsigned redirects;
	struct http_request
		req; /* numbers and callbacks; its strings are copied into the next three */
	char *authorization, *post_body;
	char **header_lines;
	struct http_response response;
	struct http_headers head;
	struct strbuf body;
	uint64_t received; /* body bytes of this hop */
	bool sink_started;
	bool body_cut; /* an error's body was long enough: the connection is dropped, the answer stands */
	bool finished; /* not in curl's hands */
	int result; /* 0, or -errno with err filled */
	struct err err;
	char curl_msg[256]; /* CURL_ERROR_SIZE */
};

/** transfer_init() - take over a request, whose origin is @origin. Return: 0, -EINVAL (control bytes in a header), -ENOMEM;
 *  transfer_done() in any case */
int transfer_init(struct http_transfer *t, const struct http_request *req,
		  const struct url_origin *origin);
/** transfer_done() - free what it holds, except curl's handle and list */
void transfer_done(struct http_transfer *t);
/** transfer_fail() - its outcome is an error, worded as docker does: Get "URL": reason. The first one stays. */
__attribute__((format(printf, 4, 5))) void
transfer_fail(struct http_transfer *t, enum err_kind kind, int code, const char *fmt, ...);
/** transfer_rewind() - forget what this hop answered, before the next one */
void transfer_rewind(struct http_transfer *t);
/** transfer_take_header(), transfer_take_body() - what came. @length: Content-Length, -1 if unknown. Return: true to go on */
bool transfer_take_header(struct http_transfer *t, const char *line, size_t len);
bool transfer_take_body(struct http_transfer *t, const char *bytes, size_t len, int64_t length);
/** transfer_is_redirect() - does the answer ask to go elsewhere? */
bool transfer_is_redirect(const struct http_transfer *t);
/** transfer_redirect() - go to @target (absolute, consumed; NULL: it could not be resolved) if the rules allow.
 *  Return: true with t->url replaced, else the transfer has failed */
bool transfer_redirect(struct http_transfer *t, char *target);
/** transfer_complete() - make what came the response. Return: as transfer's result */
int transfer_complete(struct http_transfer *t, int64_t length);

#endif
