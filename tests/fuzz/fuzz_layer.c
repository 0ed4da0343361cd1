// SPDX-License-Identifier: MIT
/* Fuzzer of the unpacker: whatever the archive says, nothing beside the layer's directory changes, and all of it can be removed. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/layer_reader.h"
#include "oci/remove_tree.h"
#include "oci/unpack.h"

#define OUT_MAX ((uint64_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
	const uint8_t *data;
	size_t size;
};

static int outer_fd = -EBADF;
static char outer_path[] = "/tmp/racker-fuzz-XXXXXX";
static struct stat canary;

static ssize_t source_read(void *arg, void *buf, size_t len, struct err *err)
{
	struct source *s = arg;

	(void)err;
	if (len > s->size)
		len = s->size;
	if (len)
		memcpy(buf, s->data, len);
	s->data += len;
	s->size -= len;
	return (ssize_t)len;
}

static void stat_canary(struct stat *ret)
{
	if (fstatat(outer_fd, "canary", ret, AT_SYMLINK_NOFOLLOW) < 0)
		abort();
}

static void clean_up(void)
{
	(void)remove_tree_at(AT_FDCWD, outer_path);
}

static void set_up(void)
{
	AUTO_CLOSE int fd = -EBADF;

	if (outer_fd >= 0)
		return;
	if (!mkdtemp(outer_path))
		abort();
	(void)atexit(clean_up);
	outer_fd = open(outer_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(outer_fd, "canary", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "alive", 5) != 5)
		abort();
	stat_canary(&canary);
}

/* Only names known from before may stand beside the layer. */
static void check_outside(void)
{
	AUTO_CLOSEDIR DIR *dir =
		fdopendir(openat(outer_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;
	struct stat now;

	while ((e = readdir(dir))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    strcmp(e->d_name, "canary") != 0 && strcmp(e->d_name, "layer") != 0)
			abort();
	}
	stat_canary(&now);
	if (now.st_ino != canary.st_ino || now.st_mode != canary.st_mode ||
	    now.st_uid != canary.st_uid || now.st_nlink != 1 || now.st_size != 5 ||
	    memcmp(&now.st_mtim, &canary.st_mtim, sizeof(now.st_mtim)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = { data, size };
	struct unpack_result result = { 0 };
	struct err err = { .code = 0 };
	int r, fd;

	set_up();
	if (mkdirat(outer_fd, "layer", 0755) < 0)
		abort();
	fd = openat(outer_fd, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	{
		AUTO_PTR(decompress) stream = NULL;

		if (decompress_open(COMPRESSION_NONE, source_read, &source, OUT_MAX, &stream,
				    NULL) < 0)
			abort();
		r = unpack_layer(stream, fd, &result, &err);
	}
	/* an error is told exactly when there is one */
	if (r > 0 || (r < 0) != (err.code < 0) || (r < 0 && !err.msg[0]))
		abort();
	if (r == 0 && !digest_is_set(&result.diff_id))
		abort();
	unpack_result_done(&result);
	(void)close(fd);
	check_outside();
	if (remove_tree_at(outer_fd, "layer") < 0)
		abort();
	return 0;
}
