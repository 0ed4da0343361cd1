// SPDX-License-Identifier: MIT
/*
 * Reading passwd and group of an image. Both files are the image's, so are hostile: bounded, strictly parsed (a line that is not well-formed
 * is no entry, never an entry with uid 0), and read through path_at.h. No NSS: it would read the host's files and load code.
 */
#include "runtime/user.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path_at.h"
#include "base/quote.h"

#define FIELDS_MAX 7 /* of a passwd line */

/* A piece of a file that is in memory; not terminated. */
struct text {
	const char *at;
	size_t len;
};

/* The passwd entry that was chosen. */
struct account {
	uid_t uid;
	gid_t gid;
	struct text name; /* no bytes: there is no entry */
};

void user_ids_done(struct user_ids *ids)
{
	free(ids->groups);
	free(ids->home);
	free(ids->shell);
	*ids = (struct user_ids){ 0 };
}

static bool text_equal(struct text t, const char *s, size_t len)
{
	return t.len == len && memcmp(t.at, s, len) == 0;
}

static bool all_digits(struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		if (!isdigit((unsigned char)t.at[i]))
			return false;
	}
	return t.len > 0;
}

/* Return: 0, -EINVAL (not all digits), -ERANGE (above USER_ID_MAX) */
static int parse_id(struct text t, uint32_t *ret)
{
	uint64_t n = 0;

	if (!all_digits(t))
		return -EINVAL;
	for (size_t i = 0; i < t.len; i++) {
		n = n * 10 + (uint64_t)(t.at[i] - '0');
		if (n > USER_ID_MAX)
			return -ERANGE;
	}
	*ret = (uint32_t)n;
	return 0;
}

/* Cuts the first piece, up to @sep, off @rest. False at the end. */
static bool next_piece(struct text *rest, char sep, struct text *ret)
{
	const char *end;

	if (!rest->at)
		return false;
	end = memchr(rest->at, sep, rest->len);
	*ret = (struct text){ rest->at, end ? (size_t)(end - rest->at) : rest->len };
	if (end)
		*rest = (struct text){ end + 1, rest->len - ret->len - 1 };
	else
		*rest = (struct text){ 0 };
	return true;
}

/*
 * The fields of the next line that has at least @want of them and a name; false at the end of the file. Comments, NIS lines ("+", "-")
 * and lines with a NUL byte, which other readers would see cut short, are passed over.
 */
static bool next_entry(struct text *file, size_t want, struct text fields[static FIELDS_MAX])
{
	struct text line;

	while (next_piece(file, '\n', &line)) {
		size_t n = 0;

		if (line.len == 0 || strchr("#+-:", line.at[0]) || memchr(line.at, '\0', line.len))
			continue;
		while (n < FIELDS_MAX && next_piece(&line, ':', &fields[n]))
			n++;
		if (n >= want)
			return true;
	}
	return false;
}

/* A missing file is an empty one: there are images without any. */
static int read_file(int root_fd, const char *path, char **ret_buf, struct text *ret,
		     struct err *err)
{
	size_t len;
	int r = path_at_read(root_fd, path, USER_FILE_MAX, ret_buf, &len);

	if (r == -ENOENT || r == -ENOTDIR) {
		*ret = (struct text){ 0 };
		return 0;
	}
	if (r == -E2BIG)
		return err_set(err, ERR_CORRUPT, r, "read %s of the image: larger than %u bytes",
			       path, USER_FILE_MAX);
	if (r == -EINVAL)
		return err_set(err, ERR_CORRUPT, r, "read %s of the image: not a regular file",
			       path);
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_CORRUPT, "read %s of the image", path);
	}
	*ret = (struct text){ *ret_buf, len };
	return 0;
}

/* The first passwd entry of that name, or with @name.at NULL of that uid. False if there is none. */
static bool find_account(struct text passwd, struct text name, uid_t uid, struct account *ret)
{
	struct text fields[FIELDS_MAX];

	while (next_entry(&passwd, 4, fields)) {
		uint32_t entry_uid, gid;

		if (parse_id(fields[2], &entry_uid) < 0 || parse_id(fields[3], &gid) < 0)
			continue;
		if (name.at ? !text_equal(fields[0], name.at, name.len) : entry_uid != uid)
			continue;
		*ret = (struct account){ entry_uid, gid, fields[0] };
		return true;
	}
	return false;
}

/* Docker's runtime looks HOME up by uid, so a second name of a uid has the home of the first. */
static int find_home(struct text passwd, struct user_ids *ids, struct err *err)
{
	struct text fields[FIELDS_MAX] = { 0 }, home = { "/", 1 }, shell = { "/bin/sh", 7 };

	while (next_entry(&passwd, 6, fields)) {
		uint32_t entry_uid, gid;

		if (parse_id(fields[2], &entry_uid) < 0 || parse_id(fields[3], &gid) < 0 ||
		    entry_uid != ids->uid) {
			fields[6] = (struct text){ 0 };
			continue;
		}
		if (fields[5].len > 0)
			home = fields[5];
		if (fields[6].len > 0)
			shell = fields[6];
		break;
	}
	ids->home = strndup(home.at, home.len);
	ids->shell = strndup(shell.at, shell.len);
	return ids->home && ids->shell ? 0 : err_oom(err);
}

static int resolve_user(struct text passwd, struct text user, struct account *ret, struct err *err)
{
	AUTO_FREE char *shown = NULL;
	uint32_t uid = 0;
	int r = user.len > 0 ? parse_id(user, &uid) : 0;

	if (r == -ERANGE)
		return err_set(err, ERR_USAGE, r, "uids and gids must be in range 0-%d",
			       USER_ID_MAX);
	if (r == 0) {
		if (!find_account(passwd, (struct text){ 0 }, uid, ret))
			*ret = (struct account){ .uid = uid };
		return 0;
	}
	if (find_account(passwd, user, 0, ret))
		return 0;
	shown = strndup(user.at, user.len);
	return err_set(err, ERR_NOT_FOUND, -ENOENT,
		       "unable to find user %s: no matching entries in passwd file",
		       QUOTE_PLAIN(shown));
}

static int resolve_group(struct text groups, struct text group, gid_t *ret, struct err *err)
{
	AUTO_FREE char *shown = NULL;
	struct text fields[FIELDS_MAX];
	uint32_t gid;
	int r = parse_id(group, &gid);

	if (r == -ERANGE)
		return err_set(err, ERR_USAGE, r, "uids and gids must be in range 0-%d",
			       USER_ID_MAX);
	if (r == 0) {
		*ret = gid;
		return 0;
	}
	while (next_entry(&groups, 3, fields)) {
		if (text_equal(fields[0], group.at, group.len) && parse_id(fields[2], &gid) == 0) {
			*ret = gid;
			return 0;
		}
	}
	shown = strndup(group.at, group.len);
	return err_set(err, ERR_NOT_FOUND, -ENOENT,
		       "unable to find group %s: no matching entries in group file",
		       QUOTE_PLAIN(shown));
}

static bool is_member(struct text members, struct text name)
{
	struct text member;

	while (next_piece(&members, ',', &member)) {
		if (text_equal(member, name.at, name.len))
			return true;
	}
	return false;
}

static int compare_gids(const void *a, const void *b)
{
	gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

	return (x > y) - (x < y);
}

/* Appends to ids->groups, which holds one: the gids of the groups that list @name, each once. */
static int add_supplementary(struct text groups, struct text name, struct user_ids *ids,
			     struct err *err)
{
	struct text fields[FIELDS_MAX];
	size_t cap = ids->n_groups, kept = 1;

	while (next_entry(&groups, 4, fields)) {
		uint32_t gid;

		if (parse_id(fields[2], &gid) < 0 || !is_member(fields[3], name) || gid == ids->gid)
			continue;
		if (ids->n_groups == NGROUPS_MAX)
			return err_set(
				err, ERR_CORRUPT, -E2BIG,
				"read /etc/group of the image: more than %d groups of a user",
				NGROUPS_MAX);
		if (ids->n_groups == cap) {
			gid_t *grown = reallocarray(ids->groups, cap * 2, sizeof(gid_t));

			if (!grown)
				return err_oom(err);
			ids->groups = grown;
			cap *= 2;
		}
		ids->groups[ids->n_groups++] = gid;
	}
	qsort(ids->groups + 1, ids->n_groups - 1, sizeof(gid_t), compare_gids);
	for (size_t i = 1; i < ids->n_groups; i++) {
		if (kept == 1 || ids->groups[i] != ids->groups[kept - 1])
			ids->groups[kept++] = ids->groups[i];
	}
	ids->n_groups = kept;
	return 0;
}

/* Splits "user:group". Blanks, signs and empty halves around a colon have meant root somewhere, so they are refused outright. */
static int split_user(const char *s, struct text *ret_user, struct text *ret_group, struct err *err)
{
	const char *colon = strchr(s, ':');
	struct text user = { s, colon ? (size_t)(colon - s) : strlen(s) }, group = { 0 };
	bool bad = false;

	if (colon)
		group = (struct text){ colon + 1, strlen(colon + 1) };
	if (colon && (user.len == 0 || group.len == 0 || strchr(colon + 1, ':')))
		bad = true;
	if (*s == '+' || *s == '-' || (colon && (colon[1] == '+' || colon[1] == '-')))
		bad = true;
	for (const char *p = s; *p; p++)
		bad |= isspace((unsigned char)*p) || iscntrl((unsigned char)*p);
	if (bad)
		return err_set(err, ERR_USAGE, -EINVAL,
			       "invalid user %s: want user, uid, user:group or uid:gid", QUOTE(s));
	*ret_user = user;
	*ret_group = group;
	return 0;
}

/* Fills gid, groups and n_groups. The group file is not looked at unless there is a name to find in it. */
static int lookup_groups(int root_fd, const struct account *account, struct text group,
			 struct user_ids *ids, struct err *err)
{
	AUTO_FREE char *buf = NULL;
	struct text file = { 0 };
	bool supplementary = !group.at && account->name.len > 0;
	int r = 0;

	if (supplementary || (group.at && !all_digits(group)))
		r = read_file(root_fd, "/etc/group", &buf, &file, err);
	if (r < 0)
		return r;
	ids->gid = account->gid;
	if (group.at) {
		r = resolve_group(file, group, &ids->gid, err);
		if (r < 0)
			return r;
	}
	ids->groups = malloc(sizeof(gid_t));
	if (!ids->groups)
		return err_oom(err);
	ids->groups[0] = ids->gid;
	ids->n_groups = 1;
	return supplementary ? add_supplementary(file, account->name, ids, err) : 0;
}

int user_lookup(int root_fd, const char *user, struct user_ids *ret, struct err *err)
{
	AUTO_FREE char *buf = NULL;
	AUTO(user_ids) ids = { 0 };
	struct text passwd = { 0 }, user_part = { 0 }, group_part = { 0 };
	struct account account = { 0 };
	int r = split_user(user ? user : "", &user_part, &group_part, err);

	if (r < 0)
		return r;
	r = read_file(root_fd, "/etc/passwd", &buf, &passwd, err);
	if (r < 0)
		return r;
	r = resolve_user(passwd, user_part, &account, err);
	if (r < 0)
		return r;
	ids.uid = account.uid;
	r = lookup_groups(root_fd, &account, group_part, &ids, err);
	if (r < 0)
		return r;
	r = find_home(passwd, &ids, err);
	if (r < 0)
		return r;
	*ret = ids;
	ids = (struct user_ids){ 0 };
	return 0;
}
