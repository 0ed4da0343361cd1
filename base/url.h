/* SPDX-License-Identifier: MIT */
/* What must be known of a URL before anything is sent to it: its origin, whether that is this machine, and encoding into a query. */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>

#include "base/strbuf.h"

#define URL_MAX 8192 /* bytes; longer ones are refused */
#define URL_HOST_MAX 254

/* Scheme, host and port: whom a request goes to, and so who may see its credentials. */
struct url_origin {
	bool https;
	bool ipv6; /* host is an address that was in brackets */
	char host[URL_HOST_MAX]; /* lower case, without brackets */
	unsigned port; /* the scheme's default if the URL has none */
};

/**
 * url_origin_parse() - origin of an absolute http or https URL
 * Deliberately narrower than RFC 3986, so that no two parsers can read it differently: userinfo, control bytes, spaces, non-ASCII
 * bytes, empty hosts and anything odd in the authority are refused.
 * Return: 0 or -EINVAL
 */
int url_origin_parse(const char *url, struct url_origin *ret);
bool url_origin_equal(const struct url_origin *a, const struct url_origin *b);
/** url_origin_loopback() - localhost, 127.0.0.0/8 or ::1. By name alone, nothing is looked up. */
bool url_origin_loopback(const struct url_origin *o);
/** url_query_add() - append "?name=value", or "&name=value" when @url has a query already; percent-encoded (RFC 3986 2.3).
 *  Return: 0 or -errno of strbuf_add() */
MUST_CHECK int url_query_add(struct strbuf *url, const char *name, const char *value);

#endif
