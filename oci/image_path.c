// SPDX-License-Identifier: MIT
/* Where under images/ the record of a name lives (see image_path.h). */
#include "oci/image_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"

#define TAG_MAX 128
#define REPOSITORY_MAX 1024

#define TAG_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static bool tag_is_plain(const char *s, size_t len)
{
	return len > 0 && len <= TAG_MAX && s[0] != '.' && s[0] != '-' &&
	       strspn(s, TAG_CHARS) >= len;
}

static bool word_is_plain(const char *s, size_t len)
{
	static const char plain[] = TAG_CHARS ":[]";

	return len > 0 && len <= 200 && s[0] != '.' && s[0] != '_' && s[0] != '-' &&
	       s[len - 1] != ':' && strspn(s, plain) >= len;
}

/* Two components at least, all of them plain. */
static bool repository_is_plain(const char *s, size_t len)
{
	size_t words = 0;

	for (size_t at = 0; at <= len; words++) {
		size_t n = strcspn(s + at, "/");

		if (n > len - at)
			n = len - at;
		if (!word_is_plain(s + at, n))
			return false;
		at += n + 1;
	}
	return words >= 2 && len <= REPOSITORY_MAX;
}

/* Return: true if @name is a canonical reference */
static bool reference_path(const char *name, char buf[static PATH_MAX])
{
	const char *at = strchr(name, '@'), *end = at ? at : name + strlen(name);
	const char *slash = memrchr(name, '/', (size_t)(end - name)), *colon, *repo_end;
	struct digest digest = { 0 };
	int tag_len;

	if (!slash)
		return false;
	colon = memchr(slash, ':', (size_t)(end - slash));
	repo_end = colon ? colon : end;
	tag_len = colon ? (int)(end - colon - 1) : 0;
	if (!repository_is_plain(name, (size_t)(repo_end - name)) || (!colon && !at))
		return false;
	if (at && digest_parse(at + 1, &digest, NULL) < 0)
		return false;
	if (colon && !tag_is_plain(colon + 1, (size_t)tag_len))
		return false;
	(void)snprintf(buf, PATH_MAX, "%.*s/%s/%.*s%s%s", (int)(repo_end - name), name,
		       at ? "_digests" : "_tags", tag_len, colon ? colon + 1 : "",
		       at && colon ? "@" : "", digest.hex);
	return true;
}

int image_path(const char *name, char buf[static PATH_MAX], struct err *err)
{
	size_t len = strlen(name);
	struct digest hash;
	int r;

	if (len == 0 || len >= PATH_MAX)
		return err_set(err, ERR_USAGE, -EINVAL, "image name is empty or too long");
	if (reference_path(name, buf))
		return 0;
	if (word_is_plain(name, len) && !strchr(name, ':')) {
		(void)snprintf(buf, PATH_MAX, "_labels/%s", name);
		return 0;
	}
	r = digest_buffer(name, len, &hash, err);
	if (r < 0)
		return r;
	(void)snprintf(buf, PATH_MAX, "_other/%s", hash.hex);
	return 0;
}

/* What would be at @path if it were well-formed. */
static void guess_name(const char *path, char buf[static PATH_MAX])
{
	static const char labels[] = "_labels/", tags[] = "/_tags", digests[] = "/_digests";
	const char *slash = strrchr(path, '/'), *at;
	size_t len = slash ? (size_t)(slash - path) : 0;

	buf[0] = '\0';
	if (strncmp(path, labels, strlen(labels)) == 0) {
		(void)snprintf(buf, PATH_MAX, "%s", path + strlen(labels));
	} else if (len > strlen(tags) && memcmp(slash - strlen(tags), tags, strlen(tags)) == 0) {
		(void)snprintf(buf, PATH_MAX, "%.*s:%s", (int)(len - strlen(tags)), path,
			       slash + 1);
	} else if (len > strlen(digests) &&
		   memcmp(slash - strlen(digests), digests, strlen(digests)) == 0) {
		at = strchr(slash, '@');
		(void)snprintf(buf, PATH_MAX, "%.*s%s%.*s@sha256:%s", (int)(len - strlen(digests)),
			       path, at ? ":" : "", at ? (int)(at - slash - 1) : 0, slash + 1,
			       at ? at + 1 : slash + 1);
	}
}

void image_path_name(const char *path, char buf[static PATH_MAX])
{
	char back[PATH_MAX];

	guess_name(path, buf);
	if (image_path(buf, back, NULL) < 0 || strcmp(back, path) != 0)
		(void)snprintf(buf, PATH_MAX, "%s", path);
}
