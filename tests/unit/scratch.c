// SPDX-License-Identifier: MIT
/* Scratch directories of tests (see scratch.h). */
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
	int fd; /* first: what SCRATCH_FD() reads */
	char path[32];
};

int scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	(void)snprintf(s->path, sizeof(s->path), "/tmp/racker-test-XXXXXX");
	if (!mkdtemp(s->path)) {
		perror("mkdtemp");
		free(s);
		return -1;
	}
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = s;
	return s->fd < 0 ? -1 : 0;
}

/* Empties a directory whose fd is consumed; links are not followed. */
static int empty(int fd)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return -1;
	while (r == 0 && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0)
			continue;
		(void)fchmodat(fd, entry->d_name, 0700, 0);
		r = empty(
			openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
		if (r == 0)
			r = unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(dir);
	return r;
}

int scratch_teardown(void **state)
{
	struct scratch *s = *state;
	int r = empty(s->fd);

	if (rmdir(s->path) < 0)
		r = -1;
	free(s);
	return r;
}
