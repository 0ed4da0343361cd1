// SPDX-License-Identifier: MIT
/* What must be known of a URL before anything is sent to it (see url.h). Pure. */
#include "base/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

static bool host_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_';
}

/* Length of a host name or, with *ret_ipv6, of an address between brackets; 0 if it is neither. */
static size_t host_span(const char *text, bool *ret_ipv6)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;
	size_t len = 0;

	*ret_ipv6 = *text == '[';
	if (!*ret_ipv6) {
		while (host_name_char(text[len]))
			len++;
		return len;
	}
	len = strcspn(text + 1, "]");
	if (text[1 + len] != ']' || len >= sizeof(address))
		return 0;
	memcpy(address, text + 1, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &parsed) == 1 ? len : 0;
}

/* ":PORT" or nothing, then the end of the authority. */
static int parse_port(const char *text, unsigned *ret)
{
	unsigned port = 0;
	size_t digits = 0;

	if (*text == ':') {
		for (text++; isdigit((unsigned char)*text) && digits < 6; text++, digits++)
			port = port * 10 + (unsigned)(*text - '0');
		if (digits == 0 || port == 0 || port > 65535)
			return -EINVAL;
		*ret = port;
	}
	return *text == '\0' || strchr("/?#", *text) ? 0 : -EINVAL;
}

int url_origin_parse(const char *url, struct url_origin *ret)
{
	struct url_origin o = { 0 };
	const char *host;
	size_t len;

	for (len = 0; url[len]; len++)
		if (url[len] <= ' ' || url[len] >= 0x7f)
			return -EINVAL;
	if (len >= URL_MAX)
		return -EINVAL;
	if (strncasecmp(url, "https://", 8) == 0)
		o.https = true;
	else if (strncasecmp(url, "http://", 7) != 0)
		return -EINVAL;
	o.port = o.https ? 443 : 80;
	host = url + (o.https ? 8 : 7);
	len = host_span(host, &o.ipv6);
	if (len == 0 || len >= sizeof(o.host))
		return -EINVAL;
	host += o.ipv6 ? 1 : 0;
	for (size_t i = 0; i < len; i++)
		o.host[i] = (char)tolower((unsigned char)host[i]);
	if (parse_port(host + len + (o.ipv6 ? 1 : 0), &o.port) < 0)
		return -EINVAL;
	*ret = o;
	return 0;
}

bool url_origin_equal(const struct url_origin *a, const struct url_origin *b)
{
	return a->https == b->https && a->ipv6 == b->ipv6 && a->port == b->port &&
	       strcmp(a->host, b->host) == 0;
}

bool url_origin_loopback(const struct url_origin *o)
{
	struct in6_addr six;
	struct in_addr four;

	if (o->ipv6)
		return inet_pton(AF_INET6, o->host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
	if (strcmp(o->host, "localhost") == 0)
		return true;
	return inet_pton(AF_INET, o->host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127;
}

static int add_encoded(struct strbuf *b, const char *text)
{
	int r = 0;

	for (; *text && r == 0; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~", c))
			r = strbuf_addc(b, *text);
		else
			r = strbuf_addf(b, "%%%02X", c);
	}
	return r;
}

int url_query_add(struct strbuf *url, const char *name, const char *value)
{
	int r = strbuf_addc(url, strchr(strbuf_str(url), '?') ? '&' : '?');

	if (r == 0)
		r = add_encoded(url, name);
	if (r == 0)
		r = strbuf_addc(url, '=');
	if (r == 0)
		r = add_encoded(url, value);
	return r;
}
