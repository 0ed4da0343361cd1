/* SPDX-License-Identifier: MIT */
/*
 * One layer's tar stream applied to an empty directory in overlay form (image-spec layer.md): whiteouts become 0:0 character devices,
 * opaque directories get trusted.overlay.opaque. Paths are walked by fd; what the layer needs from layers below is written down.
 */
#ifndef OCI_UNPACK_H
#define OCI_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/decompress.h"
#include "base/digest.h"
#include "base/err.h"

#define LAYER_BYTES_MAX ((uint64_t)1 << 40)
#define TAR_DEPTH_MAX 1024

/* Things only the layers below can tell (see oci/lower.h). Paths are relative, safe, owned. */
struct layer_needs {
	char **implied_dirs; /* parents the layer has no entry for: attributes are those of the lower directory */
	char **lower_links; /* pairs: target, new name: hardlinks to files that the layer does not hold */
};
void layer_needs_done(struct layer_needs *n);

struct unpack_result {
	struct digest diff_id; /* of the whole uncompressed stream, trailing bytes included */
	uint64_t bytes; /* unpacked: sum of regular file sizes */
	uint64_t entries;
	struct layer_needs needs;
};
void unpack_result_done(struct unpack_result *r);

/**
 * unpack_layer() - apply a stream; runs inside the worker, also the fuzzer's entry
 * @dest_fd: an empty directory
 * Return: 0, -EBADMSG/ERR_CORRUPT naming the entry, other -errno
 */
int unpack_layer(struct decompress *stream, int dest_fd, struct unpack_result *ret,
		 struct err *err);

#endif
