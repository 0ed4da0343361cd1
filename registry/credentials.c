// SPDX-License-Identifier: MIT
/* A registry's user name and password (see credentials.h). */
#include "registry/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/quote.h"
#include "registry/endpoint.h"

#define CONFIG_BYTES_MAX ((size_t)1 << 20)
#define AUTH_MAX 8192

void credentials_done(struct credentials *c)
{
	if (c->password)
		explicit_bzero(c->password, strlen(c->password));
	free(c->username);
	free(c->password);
	*c = (struct credentials){ 0 };
}

/* Return: 0..63, or -1 */
static int base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* RFC 4648, padding at the end alone. Return: length of the NUL-terminated result, -EBADMSG */
static ssize_t base64_decode(const char *in, char out[static AUTH_MAX])
{
	size_t len = strlen(in), n = 0;
	uint32_t bits = 0;

	while (len > 0 && in[len - 1] == '=')
		len--;
	if (len / 4 * 3 + 3 >= AUTH_MAX || len % 4 == 1)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(in[i]);

		if (value < 0)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 0)
			out[n++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
	}
	out[n] = '\0';
	return (ssize_t)n;
}

/* "user:password"; docker writes a trailing NUL for some. */
static int split(const char *auth, const char *key, struct credentials *ret, struct err *err)
{
	char text[AUTH_MAX];
	ssize_t len = base64_decode(auth, text);
	char *colon = len < 0 ? NULL : strchr(text, ':');
	int r = 0;

	if (!colon || colon == text)
		return err_set(
			err, ERR_CORRUPT, -EBADMSG,
			"the credentials of %s in config.json are not base64 of user:password",
			QUOTE(key));
	*colon = '\0';
	ret->username = strdup(text);
	ret->password = strdup(colon + 1);
	if (!ret->username || !ret->password) {
		credentials_done(ret);
		r = err_oom(err);
	}
	explicit_bzero(text, sizeof(text));
	return r;
}

int credentials_parse(const char *text, size_t len, const char *registry, struct credentials *ret,
		      struct err *err)
{
	AUTO(endpoint) endpoint = { 0 };
	AUTO_PTR(json) doc = NULL;
	const struct json *auths = NULL, *entry;
	const char *auth = NULL;
	int r = json_parse(text, len, &doc, err);

	if (r < 0)
		return err_prefix(err, r, "config.json");
	r = json_member_object(doc, "auths", JSON_OPTIONAL, &auths, err);
	if (r >= 0)
		r = endpoint_resolve(registry, &endpoint, err);
	if (r < 0)
		return r;
	*ret = (struct credentials){ 0 };
	entry = json_get(auths, endpoint.auth_key);
	if (!entry)
		return 0;
	r = json_member_string(entry, "auth", JSON_OPTIONAL, &auth, err);
	return r < 0 || !auth || !*auth ? r : split(auth, endpoint.auth_key, ret, err);
}

int credentials_lookup(const char *registry, struct credentials *ret, struct err *err)
{
	const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *text = NULL;
	size_t len;
	int r;

	*ret = (struct credentials){ 0 };
	if (!dir && !home)
		return 0;
	if (asprintf(&path, "%s%s/config.json", dir ? dir : home, dir ? "" : "/.docker") < 0) {
		path = NULL;
		return err_oom(err);
	}
	r = fd_read_file_at(AT_FDCWD, path, CONFIG_BYTES_MAX, &text, &len, err);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	r = r < 0 ? r : credentials_parse(text, len, registry, ret, err);
	return r < 0 ? err_prefix(err, r, "read %s", QUOTE(path)) : 0;
}
