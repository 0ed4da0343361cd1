// SPDX-License-Identifier: MIT
/* Fuzzer of the USER lookup. Input: the USER string, a line "--", passwd, a line "--", group. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/fuzz_user.XXXXXX";
static int root_fd = -1;

static void remove_root(void)
{
	(void)unlinkat(root_fd, "etc/passwd", 0);
	(void)unlinkat(root_fd, "etc/group", 0);
	(void)unlinkat(root_fd, "etc", AT_REMOVEDIR);
	(void)rmdir(dir);
}

static void make_root(void)
{
	if (!mkdtemp(dir))
		abort();
	root_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0 || mkdirat(root_fd, "etc", 0755) < 0 || atexit(remove_root) != 0)
		abort();
}

static void put(const char *path, const uint8_t *data, size_t size)
{
	AUTO_CLOSE int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
}

/* The bytes up to the separator, which goes with them. */
static const uint8_t *take(const uint8_t **rest, size_t *left, size_t *len)
{
	const uint8_t *start = *rest;
	const uint8_t *end = *left ? memmem(start, *left, "\n--\n", 4) : NULL;

	*len = end ? (size_t)(end - start) : *left;
	*rest += end ? *len + 4 : *len;
	*left -= end ? *len + 4 : *len;
	return start;
}

static void check(const char *user, const struct user_ids *ids)
{
	if (ids->uid > USER_ID_MAX || ids->gid > USER_ID_MAX || ids->n_groups < 1 ||
	    ids->groups[0] != ids->gid || !ids->home || !*ids->home)
		abort();
	for (size_t i = 1; i < ids->n_groups; i++) {
		if (ids->groups[i] > USER_ID_MAX || ids->groups[i] == ids->gid ||
		    (i > 1 && ids->groups[i] <= ids->groups[i - 1]))
			abort();
	}
	if (strspn(user, "0123456789") == strcspn(user, ":") &&
	    strtoull(user, NULL, 10) != ids->uid)
		abort();
	if (strchr(user, ':') && ids->n_groups != 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(user_ids) ids = { 0 };
	AUTO_FREE char *user = NULL;
	struct err err = { 0 };
	const uint8_t *part;
	size_t len;
	int r;

	if (root_fd < 0)
		make_root();
	part = take(&data, &size, &len);
	user = strndup((const char *)part, len);
	if (!user)
		return 0;
	part = take(&data, &size, &len);
	put("etc/passwd", part, len);
	put("etc/group", data, size);
	r = user_lookup(root_fd, user, &ids, &err);
	if ((r < 0) != (err.code < 0) || (r < 0) != (err.msg[0] != '\0'))
		abort();
	if (r == 0)
		check(user, &ids);
	return 0;
}
