// SPDX-License-Identifier: MIT
/* One transfer without the library that carries it (see http_transfer.h). */
#include "base/http_transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/quote.h"

void *http_transfer_arg(const struct http_transfer *t)
{
	return t->req.arg;
}

int http_transfer_result(struct http_transfer *t, const struct http_response **ret_response,
			 struct err *err)
{
	if (t->result < 0) {
		if (err)
			*err = t->err;
		return t->result;
	}
	*ret_response = &t->response;
	return 0;
}

int http_transfer_take(struct http_transfer *t, struct http_response *ret_response, struct err *err)
{
	const struct http_response *response;
	int r = http_transfer_result(t, &response, err);

	if (r < 0)
		return r;
	*ret_response = t->response;
	t->response = (struct http_response){ .content_length = -1 };
	return 0;
}

/* No line breaks or other control bytes: what a server gave us must not become a header of its own. */
static bool is_header_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

int transfer_init(struct http_transfer *t, const struct http_request *req,
		  const struct url_origin *origin)
{
	t->origin = *origin;
	t->response.content_length = -1;
	t->head.response = &t->response;
	t->body.max = SIZE_MAX / 2; /* bounded by max_bytes and HTTP_ERROR_BODY_MAX */
	t->req = *req;
	t->req.url = NULL;
	t->req.headers = NULL;
	t->req.authorization = NULL;
	t->req.post_body = NULL;
	t->url = strdup(req->url);
	if (!t->url)
		return -ENOMEM;
	for (const char *const *line = req->headers; line && *line; line++) {
		int r = is_header_text(*line) ? strv_add(&t->header_lines, *line) : -EINVAL;

		if (r < 0)
			return r;
	}
	if (req->authorization) {
		if (!is_header_text(req->authorization))
			return -EINVAL;
		t->authorization = strdup(req->authorization);
		if (!t->authorization)
			return -ENOMEM;
	}
	if (req->post_body) {
		t->post_body = strdup(req->post_body);
		if (!t->post_body)
			return -ENOMEM;
	}
	return 0;
}

void transfer_done(struct http_transfer *t)
{
	strv_free(t->header_lines);
	free(t->authorization);
	free(t->post_body);
	http_headers_reset(&t->head);
	strbuf_done(&t->body);
	free(t->url);
}

/* The query is left out of messages: signed URLs of object stores carry their secret there. */
static const char *shown_url(const struct http_transfer *t, char buf[static QUOTE_MAX])
{
	char cut[QUOTE_MAX];
	size_t len = strcspn(t->url, "?#");

	(void)snprintf(cut, sizeof(cut), "%.*s",
		       len < sizeof(cut) ? (int)len : (int)sizeof(cut) - 1, t->url);
	return quote(buf, QUOTE_MAX, cut);
}

/* Ends a transfer with an error in docker's manner: Get "URL": reason. The first one stays. */
void transfer_fail(struct http_transfer *t, enum err_kind kind, int code, const char *fmt, ...)
{
	const char *verb = t->post_body ? "Post" : t->req.head ? "Head" : "Get";
	char reason[ERR_MSG_MAX], url[QUOTE_MAX];
	va_list ap;

	if (t->result < 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	t->result = err_set(&t->err, kind, code, "%s %s: %s", verb, shown_url(t, url), reason);
}

void transfer_rewind(struct http_transfer *t)
{
	http_headers_reset(&t->head);
	strbuf_reset(&t->body);
	t->received = 0;
	t->body_cut = false;
}

bool transfer_take_header(struct http_transfer *t, const char *line, size_t len)
{
	int r = http_headers_line(&t->head, line, len);

	if (r == -E2BIG)
		transfer_fail(t, ERR_NETWORK, r, "more than %d bytes of response headers",
			      HTTP_HEADERS_MAX);
	else if (r < 0)
		transfer_fail(t, ERR_SYSTEM, r, "out of memory");
	return r == 0;
}

static bool keep_body(struct http_transfer *t, const char *bytes, size_t len)
{
	int r = strbuf_add(&t->body, bytes, len);

	if (r < 0)
		transfer_fail(t, ERR_SYSTEM, r, "out of memory");
	return r == 0;
}

/* What an error answer says is worth keeping up to a point; beyond it the connection is dropped and the answer stands. */
static bool keep_error_body(struct http_transfer *t, const char *bytes, size_t len)
{
	size_t room = HTTP_ERROR_BODY_MAX - t->body.len;

	t->body_cut = len > room;
	return keep_body(t, bytes, t->body_cut ? room : len) && !t->body_cut;
}

static bool pass_to_sink(struct http_transfer *t, const char *bytes, size_t len)
{
	struct err err = { 0 };
	int r = 0;

	if (!t->sink_started && t->req.started)
		r = t->req.started(t->req.arg, t->response.status, &err);
	t->sink_started = true;
	if (r >= 0)
		r = t->req.sink(t->req.arg, bytes, len, &err);
	if (r < 0) {
		t->result = r;
		t->err = err;
	}
	return r >= 0;
}

bool transfer_take_body(struct http_transfer *t, const char *bytes, size_t len, int64_t length)
{
	if (t->response.status < 200 || t->response.status > 299)
		return keep_error_body(t, bytes, len);
	if (len > t->req.max_bytes - t->received ||
	    (length > 0 && (uint64_t)length > t->req.max_bytes)) {
		transfer_fail(t, ERR_NETWORK, -EFBIG, "more than the %" PRIu64 " bytes expected",
			      t->req.max_bytes);
		return false;
	}
	t->received += len;
	return t->req.sink ? pass_to_sink(t, bytes, len) : keep_body(t, bytes, len);
}

bool transfer_is_redirect(const struct http_transfer *t)
{
	long status = t->response.status;

	return t->head.location &&
	       (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

bool transfer_redirect(struct http_transfer *t, char *target)
{
	struct url_origin from = { 0 }, to = { 0 };

	if (t->post_body) {
		transfer_fail(t, ERR_NETWORK, -ELOOP, "a redirect of a form is not followed");
	} else if (++t->redirects > HTTP_REDIRECTS_MAX) {
		transfer_fail(t, ERR_NETWORK, -ELOOP, "stopped after %d redirects",
			      HTTP_REDIRECTS_MAX);
	} else if (!target || url_origin_parse(target, &to) < 0 ||
		   url_origin_parse(t->url, &from) < 0) {
		transfer_fail(t, ERR_NETWORK, -EINVAL, "redirect to unusable location %s",
			      QUOTE(t->head.location));
	} else if (from.https && !to.https) {
		transfer_fail(t, ERR_NETWORK, -EPROTO,
			      "redirect from https to plain http on %s refused",
			      QUOTE_PLAIN(to.host));
	}
	if (t->result < 0) {
		free(target);
		return false;
	}
	free(t->url);
	t->url = target;
	t->left_origin = t->left_origin || !url_origin_equal(&t->origin, &to);
	return true;
}

int transfer_complete(struct http_transfer *t, int64_t length)
{
	t->response.content_length = length;
	t->response.body_len = t->body.len;
	t->response.body = strbuf_steal(&t->body);
	t->response.final_url = MOVE_PTR(t->url);
	if (!t->response.body)
		t->result = err_oom(&t->err);
	return t->result;
}
