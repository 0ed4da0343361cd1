// SPDX-License-Identifier: MIT
/* Reading sources.list(5) in both forms, and apt-config's dump (see apt_config.h). */
#include "provision/apt_config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/spawn.h"

#define BLANKS " \t\r"

void apt_mirror_done(struct apt_mirror *m)
{
	free(m->uri);
	free(m->signed_by);
	*m = (struct apt_mirror){ 0 };
}

/* The next blank-separated word at *@p, NUL-terminated in place; NULL at the end. */
static char *next_word(char **p, const char *blanks)
{
	char *word = *p + strspn(*p, blanks);

	if (!*word)
		return NULL;
	*p = word + strcspn(word, blanks);
	if (**p)
		*(*p)++ = '\0';
	return word;
}

static bool has_suffix(const char *s, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len >= n && strncmp(s + len - n, suffix, n) == 0;
}

/* Security updates, backports and third parties live under other names than ".../debian". */
static bool is_main_archive(const char *uri)
{
	size_t len = strlen(uri);

	if (strncmp(uri, "http://", 7) != 0 && strncmp(uri, "https://", 8) != 0)
		return false;
	while (len > 0 && uri[len - 1] == '/')
		len--;
	return has_suffix(uri, len, "/debian");
}

/* @signed_by may be several names, fingerprints or a whole key; only a file can be handed on. */
static int fill(const char *uri, char *signed_by, struct apt_mirror *ret)
{
	struct apt_mirror m = { .uri = strdup(uri) };
	char *first = signed_by ? next_word(&signed_by, BLANKS ",\n") : NULL;

	if (!m.uri)
		return -ENOMEM;
	if (first && first[0] == '/') {
		m.signed_by = strdup(first);
		if (!m.signed_by) {
			apt_mirror_done(&m);
			return -ENOMEM;
		}
	}
	*ret = m;
	return 1;
}

/* deb [ option=value ... ] uri suite component... */
static int from_line(char *line, struct apt_mirror *ret)
{
	char *signed_by = NULL, *word, *uri;

	line[strcspn(line, "#")] = '\0';
	word = next_word(&line, BLANKS);
	if (!word || strcmp(word, "deb") != 0)
		return 0;
	line += strspn(line, BLANKS);
	if (*line == '[') {
		char *options = line + 1, *end = strchr(line, ']');

		if (!end)
			return 0;
		*end = '\0';
		line = end + 1;
		while ((word = next_word(&options, BLANKS)))
			if (strncmp(word, "signed-by=", 10) == 0)
				signed_by = word + 10;
	}
	uri = next_word(&line, BLANKS);
	if (!uri || !is_main_archive(uri) || !next_word(&line, BLANKS))
		return 0;
	while ((word = next_word(&line, BLANKS)))
		if (strcmp(word, "main") == 0)
			return fill(uri, signed_by, ret);
	return 0;
}

int apt_mirror_from_list(const char *text, struct apt_mirror *ret)
{
	AUTO_FREE char *copy = strdup(text);
	char *rest = copy, *line;

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		int r = from_line(line, ret);

		if (r != 0)
			return r;
	}
	return 0;
}

enum { FIELD_TYPES, FIELD_URIS, FIELD_COMPONENTS, FIELD_SIGNED_BY, FIELD_ENABLED, FIELD_MAX };

struct stanza {
	char *fields[FIELD_MAX]; /* values with their continuation lines; borrowed */
};

static bool value_has(const char *value, const char *word)
{
	size_t n = strlen(word);

	while (value && *value) {
		size_t len;

		value += strspn(value, BLANKS "\n");
		len = strcspn(value, BLANKS "\n");
		if (len == n && strncmp(value, word, n) == 0)
			return true;
		value += len;
	}
	return false;
}

static int from_stanza(const struct stanza *s, struct apt_mirror *ret)
{
	char *uris = s->fields[FIELD_URIS], *uri;

	if (!value_has(s->fields[FIELD_TYPES], "deb") ||
	    !value_has(s->fields[FIELD_COMPONENTS], "main") ||
	    value_has(s->fields[FIELD_ENABLED], "no") || !uris)
		return 0;
	while ((uri = next_word(&uris, BLANKS "\n")))
		if (is_main_archive(uri))
			return fill(uri, s->fields[FIELD_SIGNED_BY], ret);
	return 0;
}

/* Cut one field's name off; NULL if it is none that matters here. */
static char **field_slot(struct stanza *s, char *line, char **ret_value)
{
	static const char *const names[FIELD_MAX] = { "Types", "URIs", "Components", "Signed-By",
						      "Enabled" };
	char *colon = strchr(line, ':');

	if (!colon)
		return NULL;
	for (size_t i = 0; i < FIELD_MAX; i++)
		if (strlen(names[i]) == (size_t)(colon - line) &&
		    strncasecmp(names[i], line, (size_t)(colon - line)) == 0) {
			*ret_value = colon + 1;
			return &s->fields[i];
		}
	return NULL;
}

/*
 * Lines are cut one by one; a continuation line is joined to its field by putting the newline back, so a value stays one string inside
 * the copy. Comment lines may stand in between: they are blanked out.
 */
int apt_mirror_from_deb822(const char *text, struct apt_mirror *ret)
{
	AUTO_FREE char *copy = strdup(text);
	char *rest = copy, *line, *open_end = NULL;
	struct stanza s = { 0 };

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		char *value = NULL, **slot;

		if (line[0] == '#' || ((line[0] == ' ' || line[0] == '\t') && line[1])) {
			if (line[0] == '#')
				memset(line, ' ', strlen(line));
			if (open_end)
				*open_end = '\n';
			open_end = open_end && rest ? rest - 1 : NULL;
			continue;
		}
		open_end = NULL;
		if (line[strspn(line, BLANKS)] == '\0') {
			int r = from_stanza(&s, ret);

			if (r != 0)
				return r;
			s = (struct stanza){ 0 };
			continue;
		}
		slot = field_slot(&s, line, &value);
		if (slot) {
			*slot = value;
			open_end = rest ? rest - 1 : NULL;
		}
	}
	return from_stanza(&s, ret);
}

static int from_file(int dir_fd, const char *name, struct apt_mirror *ret)
{
	AUTO_FREE char *text = NULL;
	size_t len = strlen(name);

	/* A file that cannot be read is apt's problem to report, not ours. */
	if (has_suffix(name, len, ".list")) {
		if (fd_read_file_at(dir_fd, name, APT_FILE_BYTES_MAX, &text, NULL, NULL) < 0)
			return 0;
		return apt_mirror_from_list(text, ret);
	}
	if (has_suffix(name, len, ".sources")) {
		if (fd_read_file_at(dir_fd, name, APT_FILE_BYTES_MAX, &text, NULL, NULL) < 0)
			return 0;
		return apt_mirror_from_deb822(text, ret);
	}
	return 0;
}

static int from_parts(int apt_fd, struct apt_mirror *ret)
{
	AUTO_CLOSE int fd = openat(apt_fd, "sources.list.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names = NULL;
	int n, r = 0;

	if (fd < 0)
		return 0;
	n = scandirat(fd, ".", &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = from_file(fd, names[i]->d_name, ret);
		free(names[i]);
	}
	free(names);
	return r;
}

int apt_mirror_find(const char *apt_dir, struct apt_mirror *ret, struct err *err)
{
	static char default_uri[] = APT_DEFAULT_MIRROR;
	AUTO_CLOSE int fd = open(apt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd >= 0) {
		r = from_file(fd, "sources.list", ret);
		if (r == 0)
			r = from_parts(fd, ret);
	}
	if (r == 0)
		r = fill(default_uri, NULL, ret);
	return r < 0 ? err_oom(err) : 0;
}

int apt_network_options_parse(const char *text, char ***ret)
{
	AUTO_FREE char *copy = strdup(text);
	AUTO_STRV options = NULL;
	char *rest = copy, *line;

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '='), *option;
		int r;

		/* A quotation mark cannot be written in apt.conf(5); one from a file here would end the string. */
		if (!value || strncmp(line, "Acquire::http", 13) != 0 || strpbrk(line, "\";"))
			continue;
		*value++ = '\0';
		if (!*value)
			continue;
		if (asprintf(&option, "%s \"%s\"", line, value) < 0)
			return -ENOMEM;
		r = strv_take(&options, option);
		if (r < 0)
			return r;
	}
	*ret = MOVE_PTR(options);
	return 0;
}

int apt_network_options(char ***ret, struct err *err)
{
	static const char *const argv[] = { "apt-config", "dump",    "--no-empty",
					    "--format",	  "%f=%v%n", NULL };
	AUTO_CLOSE int out = memfd_create("apt-config", MFD_CLOEXEC), pidfd = -EBADF;
	struct spawn_request req = { .argv = argv,
				     .stdin_fd = -1,
				     .stdout_fd = out,
				     .stderr_fd = -1,
				     .die_with_parent = true };
	AUTO_FREE char *text = NULL;
	pid_t pid;
	int r;

	if (out < 0)
		return err_sys(err, ERR_SYSTEM, "make a memory file");
	*ret = NULL;
	pid = spawn_start(&req, &pidfd, NULL);
	if (pid < 0)
		return 0;
	r = spawn_wait(pid, pidfd, err);
	if (r < 0)
		return r;
	if (lseek(out, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_SYSTEM, "read apt's configuration");
	r = fd_read_all(out, APT_FILE_BYTES_MAX, &text, NULL);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, r, "read apt's configuration: %s", strerror(-r));
	r = apt_network_options_parse(text, ret);
	return r < 0 ? err_oom(err) : 0;
}
