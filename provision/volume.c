// SPDX-License-Identifier: MIT
/* Parsing of -v (see volume.h). */
#include "provision/volume.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"

static bool word_is(const char *word, size_t len, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) == len && strncmp(words[i], word, len) == 0)
			return true;
	return false;
}

/* "ro,z": each word at most once of its sort, as docker's mount parser has it. */
static int parse_options(const char *options, bool *ret_readonly, struct err *err)
{
	/* Labels and consistency hints mean nothing on a Linux host without SELinux labels of ours. */
	static const char *const hints[] = { "z", "Z", "consistent", "cached", "delegated" };
	static const char *const propagation[] = { "private", "rprivate", "shared",
						   "rshared", "slave",	  "rslave" };
	const char *word = options;
	bool seen_mode = false;

	for (;;) {
		size_t len = strcspn(word, ",");
		bool ro = len == 2 && strncmp(word, "ro", 2) == 0;
		bool rw = len == 2 && strncmp(word, "rw", 2) == 0;

		if (word_is(word, len, propagation, ARRAY_SIZE(propagation)))
			return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
				       "mount propagation '%.*s' of --volume is not supported yet",
				       (int)len, word);
		if (((ro || rw) && seen_mode) ||
		    (!ro && !rw && !word_is(word, len, hints, ARRAY_SIZE(hints))))
			return err_set(err, ERR_USAGE, -EINVAL, "invalid mode: %s",
				       QUOTE_PLAIN(options));
		if (ro || rw) {
			seen_mode = true;
			*ret_readonly = ro;
		}
		if (word[len] == '\0')
			return 0;
		word += len + 1;
	}
}

static int absolute_source(const char *source, char **ret, struct err *err)
{
	char cwd[PATH_MAX];

	if (source[0] == '/') {
		*ret = strdup(source);
		return *ret ? 0 : err_oom(err);
	}
	if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(err, ERR_SYSTEM, "get current directory");
	if (asprintf(ret, "%s/%s", cwd, source) < 0) {
		*ret = NULL;
		return err_oom(err);
	}
	return 0;
}

/* An absolute path without empty, "." and ".." components and without '/' at its end, in place (Go's path.Clean; no symlink is looked at). */
static void clean_path(char *path)
{
	const char *in = path;
	char *out = path;

	for (;;) {
		size_t len;

		in += strspn(in, "/");
		len = strcspn(in, "/");
		if (len == 0)
			break;
		if (len == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				;
		} else if (len != 1 || in[0] != '.') {
			*out++ = '/';
			memmove(out, in, len);
			out += len;
		}
		in += len;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
}

/* Makes @target what is mounted on, in docker's order of complaints. */
static int check_target(const char *text, const char *source, char *target, struct err *err)
{
	const char *type = strchr("/.", source[0]) ? "bind" : "volume";

	if (target[0] != '/')
		return err_set(err, ERR_USAGE, -EINVAL,
			       "invalid volume specification: '%s': invalid mount config for type "
			       "\"%s\": invalid mount path: '%s' mount path must be absolute",
			       QUOTE_PLAIN(text), type, QUOTE_PLAIN(target));
	clean_path(target);
	if (strcmp(target, "/") == 0)
		return err_set(err, ERR_USAGE, -EINVAL,
			       "invalid volume specification: '%s': invalid mount config for type "
			       "\"%s\": invalid specification: destination can't be '/'",
			       QUOTE_PLAIN(text), type);
	return 0;
}

/* Cut "a:b:c" in place. Return: number of parts, or 4 for more than three. */
static size_t split(char *text, char *parts[static 3])
{
	size_t n = 0;

	for (char *rest = text, *part; (part = strsep(&rest, ":"));) {
		if (n == 3)
			return 4;
		parts[n++] = part;
	}
	return n;
}

int volume_parse(const char *text, struct bind_spec *ret, struct err *err)
{
	AUTO_FREE char *copy = strdup(text), *source = NULL, *target = NULL;
	char *parts[3] = { NULL };
	bool readonly = false;
	size_t n;
	int r;

	if (!copy)
		return err_oom(err);
	n = split(copy, parts);
	if (n > 3 || !*parts[0] || (n > 1 && !*parts[1]))
		return err_set(err, ERR_USAGE, -EINVAL, "invalid volume specification: '%s'",
			       QUOTE_PLAIN(text));
	if (n == 1)
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "anonymous volumes (--volume %s) are not supported yet",
			       QUOTE_PLAIN(text));
	if (n == 3) {
		r = parse_options(parts[2], &readonly, err);
		if (r < 0)
			return r;
	}
	r = check_target(text, parts[0], parts[1], err);
	if (r < 0)
		return r;
	if (!strchr("/.", parts[0][0]))
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "named volumes (--volume %s) are not supported yet",
			       QUOTE_PLAIN(text));
	r = absolute_source(parts[0], &source, err);
	if (r < 0)
		return r;
	target = strdup(parts[1]);
	if (!target)
		return err_oom(err);
	*ret = (struct bind_spec){ .source = MOVE_PTR(source),
				   .target = MOVE_PTR(target),
				   .readonly = readonly };
	return 0;
}
