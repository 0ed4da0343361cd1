/* SPDX-License-Identifier: MIT */
/* One layer's stream as tar entries, and the diffID of all its bytes. The only user of libarchive: its tar reader, no filters. */
#ifndef OCI_LAYER_READER_H
#define OCI_LAYER_READER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/decompress.h"
#include "base/digest.h"

#define XATTRS_MAX 256 /* of one entry */

struct xattr {
	const char *name; /* "user.x": prefixes of the archive format are gone */
	const void *value;
	size_t len;
};

/* Borrowed until the next call of layer_reader_next(). Names are the archive's raw bytes: neither cleaned nor converted. */
struct tar_entry {
	const char *path;
	const char *hardlink; /* target, or NULL */
	const char *symlink; /* target, or NULL */
	mode_t mode; /* type and 07777 bits; the type of a hardlink means nothing */
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	int64_t size;
	struct timespec mtime;
	struct xattr *xattrs;
	size_t n_xattrs;
};

struct layer_reader;

/**
 * layer_reader_prepare() - load now what the C library would otherwise load on first use
 * iconv_open(3) reads /usr/lib/.../gconv and may load modules it names. After chroot() that path belongs to the image
 * (compare CVE-2019-14271), so the worker calls this before.
 */
void layer_reader_prepare(void);

/** layer_reader_open() - @stream is borrowed. Return: 0 or -errno; *ret: layer_reader_free() */
int layer_reader_open(struct decompress *stream, struct layer_reader **ret, struct err *err);
/** layer_reader_next() - Return: 1 with *ret, 0 at the end of the archive, -EBADMSG/ERR_CORRUPT, or what the stream returned */
int layer_reader_next(struct layer_reader *r, struct tar_entry *ret, struct err *err);
/**
 * layer_reader_data() - the next piece of the current file, in rising order; between the pieces are holes
 * Return: bytes in *ret_buf (borrowed until the next call) for *ret_offset, 0 at the end, -errno
 */
ssize_t layer_reader_data(struct layer_reader *r, const void **ret_buf, int64_t *ret_offset,
			  struct err *err);
/** layer_reader_finish() - read what follows the archive; *ret is the digest of the whole stream (config.md "Layer DiffID") */
int layer_reader_finish(struct layer_reader *r, struct digest *ret, struct err *err);
void layer_reader_free(struct layer_reader *r);
DEFINE_AUTO_PTR(layer_reader)

#endif
