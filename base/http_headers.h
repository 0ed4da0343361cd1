/* SPDX-License-Identifier: MIT */
/* Response headers, line by line, into the fields of a response that callers use. */
#ifndef BASE_HTTP_HEADERS_H
#define BASE_HTTP_HEADERS_H

#include "base/http.h"

#define HTTP_HEADER_REPEATS_MAX 32 /* WWW-Authenticate or Warning lines kept */

struct http_headers {
	struct http_response *response; /* filled */
	char *location; /* owned; NULL if absent */
	size_t bytes; /* of all lines so far */
};

/**
 * http_headers_line() - take one line, with or without its CRLF; a status line drops what an earlier (1xx) response said
 * Headers that nobody reads and malformed lines are passed over.
 * Return: 0, -E2BIG (more than HTTP_HEADERS_MAX in all), -ENOMEM
 */
int http_headers_line(struct http_headers *h, const char *line, size_t len);
/** http_headers_reset() - forget everything, the response's fields too: before the next request of a redirect */
void http_headers_reset(struct http_headers *h);

#endif
