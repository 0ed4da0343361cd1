// SPDX-License-Identifier: MIT
/*
 * The report of an unpack worker (see unpack_report.h): a head, then, after a success, the paths it counts, each with its NUL. Both ends
 * are one program, so structs travel as they are.
 */
#include "oci/unpack_report.h"

#include <string.h>

#include "base/fd.h"
#include "base/path_at.h"
#include "base/strv.h"

struct report_head {
	uint64_t bytes, entries, n_implied, n_links;
	struct digest diff_id;
	struct err error; /* code < 0: the rest means nothing */
};

static int send_paths(int fd, char *const *paths)
{
	AUTO_FREE char *buf = NULL;
	size_t len = 0, at = 0;

	for (size_t i = 0; paths && paths[i]; i++)
		len += strlen(paths[i]) + 1;
	if (len == 0)
		return 0;
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	for (size_t i = 0; paths[i]; i++) {
		size_t n = strlen(paths[i]) + 1;

		memcpy(buf + at, paths[i], n);
		at += n;
	}
	return fd_write_full(fd, buf, len);
}

int unpack_report_send(int fd, const struct unpack_result *result)
{
	struct report_head head = { .bytes = result->bytes,
				    .entries = result->entries,
				    .n_implied = strv_len(result->needs.implied_dirs),
				    .n_links = strv_len(result->needs.lower_links),
				    .diff_id = result->diff_id };
	int r = fd_write_full(fd, &head, sizeof(head));

	if (r < 0)
		return r;
	r = send_paths(fd, result->needs.implied_dirs);
	if (r < 0)
		return r;
	return send_paths(fd, result->needs.lower_links);
}

int unpack_report_send_error(int fd, const struct err *error)
{
	struct report_head head = { .error = *error };

	return fd_write_full(fd, &head, sizeof(head));
}

/* The worker's error, with nothing in it that would upset a terminal. */
static int take_error(const struct err *from, struct err *err)
{
	char msg[ERR_MSG_MAX];
	enum err_kind kind = from->kind > ERR_NONE && from->kind < ERR_KIND_MAX ? from->kind :
										  ERR_SYSTEM;

	memcpy(msg, from->msg, sizeof(msg));
	msg[sizeof(msg) - 1] = '\0';
	for (char *p = msg; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return err_set(err, kind, from->code > -4096 ? from->code : -EIO, "%s", msg);
}

/* Return: 0, -EIO for what is no list of safe paths, -ENOMEM */
static int take_paths(const char **p, const char *end, uint64_t n, char ***ret)
{
	char **v;

	if (n == 0)
		return 0;
	if (n > (uint64_t)(end - *p))
		return -EIO;
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	*ret = v;
	for (uint64_t i = 0; i < n; i++) {
		const char *nul = memchr(*p, '\0', (size_t)(end - *p));

		if (!nul || !path_is_safe(*p))
			return -EIO;
		v[i] = strdup(*p);
		if (!v[i])
			return -ENOMEM;
		*p = nul + 1;
	}
	return 0;
}

int unpack_report_parse(const char *bytes, size_t len, struct unpack_result *ret, struct err *err)
{
	AUTO(unpack_result) result = { 0 };
	const char *p = bytes + sizeof(struct report_head), *end = bytes + len;
	struct report_head head;
	int r;

	if (len < sizeof(head))
		return err_set(err, ERR_SYSTEM, -EIO, "unpack worker sent half a report");
	memcpy(&head, bytes, sizeof(head));
	if (head.error.code < 0)
		return take_error(&head.error, err);
	head.diff_id.hex[DIGEST_HEX_LEN] = '\0';
	r = digest_from_hex(head.diff_id.hex, &result.diff_id);
	if (r == 0)
		r = take_paths(&p, end, head.n_implied, &result.needs.implied_dirs);
	if (r == 0)
		r = take_paths(&p, end, head.n_links, &result.needs.lower_links);
	if (r == -ENOMEM)
		return err_oom(err);
	if (r < 0 || p != end || head.n_links % 2 != 0 || head.bytes > LAYER_BYTES_MAX)
		return err_set(err, ERR_SYSTEM, -EIO,
			       "unpack worker sent a report that makes no sense");
	result.bytes = head.bytes;
	result.entries = head.entries;
	*ret = result;
	result = (struct unpack_result){ 0 };
	return 0;
}
