/* SPDX-License-Identifier: MIT */
/* Whiteouts: their names in archives (layer.md "Whiteouts") and their form in an overlay layer (kernel overlayfs.rst). */
#ifndef OCI_WHITEOUT_H
#define OCI_WHITEOUT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

#define OVERLAY_OPAQUE "trusted.overlay.opaque"

enum whiteout {
	WHITEOUT_NONE, /* an ordinary entry */
	WHITEOUT_NAME, /* .wh.NAME hides NAME of the layers below */
	WHITEOUT_OPAQUE, /* .wh..wh..opq hides all that layers below have in this directory */
	WHITEOUT_METADATA, /* .wh..wh.*: aufs' own, ignored */
};

/**
 * whiteout_classify() - what a clean path means
 * @ret_name: of WHITEOUT_NAME, the hidden name; points into @path
 * Return: enum whiteout, or -EBADMSG/ERR_CORRUPT (".wh." alone, ".wh..", ".wh...", an entry below .wh.NAME)
 */
int whiteout_classify(const char *path, const char **ret_name, struct err *err);

/** whiteout_is() - of an inode in a layer's directory */
bool whiteout_is(const struct stat *st);
/**
 * whiteout_make() - hide @name of the layers below
 * What this layer itself adds under the name stays, before or after; of a directory, only what is below it in other layers is hidden.
 */
int whiteout_make(int dir_fd, const char *name, struct err *err);
/** whiteout_make_opaque() - @fd: directory, not O_PATH */
int whiteout_make_opaque(int fd, struct err *err);
/** whiteout_is_opaque() - @fd: directory, not O_PATH */
bool whiteout_is_opaque(int fd);

#endif
