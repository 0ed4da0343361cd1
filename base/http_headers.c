// SPDX-License-Identifier: MIT
/* Response headers (see http_headers.h), and the end of the responses they fill. No library is involved here. */
#include "base/http_headers.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

void http_response_done(struct http_response *r)
{
	if (!r)
		return;
	free(r->content_type);
	strv_free(r->www_authenticate);
	free(r->docker_content_digest);
	free(r->retry_after);
	strv_free(r->warnings);
	free(r->final_url);
	free(r->body);
	*r = (struct http_response){ .content_length = -1 };
}

void http_headers_reset(struct http_headers *h)
{
	http_response_done(h->response);
	free(h->location);
	h->location = NULL;
	h->bytes = 0;
}

/* "HTTP/1.1 200 OK" or "HTTP/2 200": the code, 0 if it is none. */
static long status_of(const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	long status = 0;

	if (!space || (size_t)(line + len - space) < 4)
		return 0;
	for (int i = 1; i <= 3; i++) {
		if (!isdigit((unsigned char)space[i]))
			return 0;
		status = status * 10 + (space[i] - '0');
	}
	return status;
}

/* The first of several wins: a proxy or a careless server may repeat a header that is meant to be single. */
static int keep_first(char **slot, char *value)
{
	if (*slot) {
		free(value);
		return 0;
	}
	*slot = value;
	return 0;
}

static int keep_all(char ***slot, char *value)
{
	if (strv_len(*slot) >= HTTP_HEADER_REPEATS_MAX) {
		free(value);
		return 0;
	}
	return strv_take(slot, value);
}

static int keep_content_type(char **slot, char *value)
{
	size_t len = strcspn(value, "; \t");

	value[len] = '\0';
	for (size_t i = 0; i < len; i++)
		value[i] = (char)tolower((unsigned char)value[i]);
	return keep_first(slot, value);
}

static bool is_name(const char *line, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(line, name, len) == 0;
}

static int take_header(struct http_headers *h, const char *name, size_t name_len, char *value)
{
	struct http_response *r = h->response;

	if (is_name(name, name_len, "content-type"))
		return keep_content_type(&r->content_type, value);
	if (is_name(name, name_len, "www-authenticate"))
		return keep_all(&r->www_authenticate, value);
	if (is_name(name, name_len, "docker-content-digest"))
		return keep_first(&r->docker_content_digest, value);
	if (is_name(name, name_len, "retry-after"))
		return keep_first(&r->retry_after, value);
	if (is_name(name, name_len, "warning"))
		return keep_all(&r->warnings, value);
	if (is_name(name, name_len, "location"))
		return keep_first(&h->location, value);
	free(value);
	return 0;
}

int http_headers_line(struct http_headers *h, const char *line, size_t len)
{
	const char *colon, *value, *end = line + len;
	char *copy;

	if (len > HTTP_HEADERS_MAX - h->bytes)
		return -E2BIG;
	h->bytes += len;
	if (len >= 5 && strncasecmp(line, "http/", 5) == 0) {
		size_t bytes = h->bytes;

		http_headers_reset(h);
		h->bytes = bytes;
		h->response->status = status_of(line, len);
		return 0;
	}
	colon = memchr(line, ':', len);
	if (!colon || memchr(line, '\0', len))
		return 0;
	value = colon + 1;
	while (value < end && isspace((unsigned char)*value))
		value++;
	while (end > value && isspace((unsigned char)end[-1]))
		end--;
	copy = strndup(value, (size_t)(end - value));
	if (!copy)
		return -ENOMEM;
	return take_header(h, line, (size_t)(colon - line), copy);
}
