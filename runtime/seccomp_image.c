// SPDX-License-Identifier: MIT
/*
 * Image: a header, then the programs of tty, policy and sync, which may be none; in this machine's byte order, since the cache is this machine's.
 *
 * Loading is on the way of every start, so it is four system calls and a checksum. The checksum is against torn and rotten files, not
 * against an attacker: whoever could write the file could write the checksum, hence the look at owner and mode.
 */
#include "runtime/seccomp_image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/cleanup.h"
#include "base/fd.h"

#define IMAGE_DIR "seccomp"

#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

struct image_header {
	char magic[8];
	uint64_t checksum; /* of all that follows it */
	uint32_t tty_len, policy_len, sync_len; /* bytes */
	uint32_t zero; /* the programs are aligned for 8 bytes */
};

#define IMAGE_MAX (sizeof(struct image_header) + 3 * PROGRAM_MAX)

static const char magic[8] = { 'R', 'K', 'R', 'B', 'P', 'F', '2', '\n' };

/* FNV-1a's steps on eight bytes at a time, with a rotation so that high bits reach low ones: a byte at a time would take 30 µs a start. */
uint64_t seccomp_image_hash(uint64_t seed, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ seed ^ len;

	while (len > 0) {
		uint64_t word = 0;
		size_t n = len < sizeof(word) ? len : sizeof(word);

		memcpy(&word, p, n);
		hash = (hash ^ word) * UINT64_C(0x100000001b3);
		hash = hash << 29 | hash >> 35;
		p += n;
		len -= n;
	}
	return hash;
}

static uint64_t image_checksum(const struct image_header *header, size_t len)
{
	size_t skip = offsetof(struct image_header, tty_len);

	return seccomp_image_hash(0, (const char *)header + skip, len - skip);
}

static bool program_len_ok(size_t len)
{
	return len <= PROGRAM_MAX && len % sizeof(struct sock_filter) == 0;
}

static bool lens_ok(size_t tty_len, size_t policy_len, size_t sync_len)
{
	return tty_len > 0 && policy_len > 0 && program_len_ok(tty_len) &&
	       program_len_ok(policy_len) && program_len_ok(sync_len);
}

/* @image, of exactly the size its header tells, becomes @ret's. */
static void image_adopt(struct image_header *image, struct seccomp_filters *ret)
{
	const char *programs = (const char *)(image + 1);

	*ret = (struct seccomp_filters){
		.tty = { programs, image->tty_len },
		.policy = { programs + image->tty_len, image->policy_len },
		.sync = { programs + image->tty_len + image->policy_len, image->sync_len },
		.image = image,
	};
}

static char *append(char *to, const struct seccomp_filter *filter)
{
	if (filter->len_bytes > 0)
		memcpy(to, filter->bpf, filter->len_bytes);
	return to + filter->len_bytes;
}

int seccomp_image_make(const struct seccomp_filters *parts, struct seccomp_filters *ret,
		       size_t *ret_len, struct err *err)
{
	size_t tty_len = parts->tty.len_bytes, policy_len = parts->policy.len_bytes;
	size_t sync_len = parts->sync.len_bytes;
	size_t len = sizeof(struct image_header) + tty_len + policy_len + sync_len;
	struct image_header *image;

	if (!lens_ok(tty_len, policy_len, sync_len))
		return err_set(
			err, ERR_UNSUPPORTED, -E2BIG,
			"seccomp filters of %zu, %zu and %zu bytes do not fit into the kernel",
			tty_len, policy_len, sync_len);
	image = calloc(1, len);
	if (!image)
		return err_oom(err);
	memcpy(image->magic, magic, sizeof(magic));
	image->tty_len = (uint32_t)tty_len;
	image->policy_len = (uint32_t)policy_len;
	image->sync_len = (uint32_t)sync_len;
	(void)append(append(append((char *)(image + 1), &parts->tty), &parts->policy),
		     &parts->sync);
	image->checksum = image_checksum(image, len);
	image_adopt(image, ret);
	*ret_len = len;
	return 0;
}

static bool image_ok(const struct image_header *image, size_t len)
{
	return memcmp(image->magic, magic, sizeof(magic)) == 0 &&
	       lens_ok(image->tty_len, image->policy_len, image->sync_len) &&
	       len == sizeof(*image) + image->tty_len + image->policy_len + image->sync_len &&
	       image->checksum == image_checksum(image, len);
}

int seccomp_image_load(const char *cache_dir, const char *name, struct seccomp_filters *ret)
{
	AUTO_CLOSE int fd = -EBADF;
	AUTO_FREE struct image_header *image = NULL;
	char path[PATH_MAX];
	struct stat st;
	ssize_t got;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/" IMAGE_DIR "/%s", cache_dir, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	len = (size_t)st.st_size;
	if (len < sizeof(*image) || len > IMAGE_MAX)
		return -EBADMSG;
	image = malloc(len);
	if (!image)
		return -ENOMEM;
	got = fd_read_full(fd, image, len);
	if (got < 0)
		return (int)got;
	if ((size_t)got != len || !image_ok(image, len))
		return -EBADMSG;
	image_adopt(MOVE_PTR(image), ret);
	return 0;
}

int seccomp_image_store(const char *cache_dir, const char *name, const struct seccomp_filters *f,
			size_t len, struct err *err)
{
	AUTO_CLOSE int cache_fd = -EBADF;
	AUTO_CLOSE int fd = -EBADF;

	if (mkdir(cache_dir, 0700) < 0 && errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "make %s", cache_dir);
	cache_fd = open(cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cache_fd < 0)
		return err_sys(err, ERR_SYSTEM, "open %s", cache_dir);
	if (mkdirat(cache_fd, IMAGE_DIR, 0700) < 0 && errno != EEXIST)
		return err_sys(err, ERR_SYSTEM, "make %s/" IMAGE_DIR, cache_dir);
	fd = openat(cache_fd, IMAGE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, ERR_SYSTEM, "open %s/" IMAGE_DIR, cache_dir);
	return atomic_file_write(fd, name, 0600, f->image, len, err);
}
