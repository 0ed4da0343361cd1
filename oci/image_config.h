/* SPDX-License-Identifier: MIT */
/* Image configuration: what to run and which diffIDs make the root file system (image-spec config.md). */
#ifndef OCI_IMAGE_CONFIG_H
#define OCI_IMAGE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/strv.h"
#include "oci/platform.h"

#define IMAGE_CONFIG_BYTES_MAX ((size_t)8 << 20)
#define IMAGE_USER_MAX 256 /* bytes */
#define IMAGE_TEXT_MAX 4096 /* bytes of WorkingDir, StopSignal, created */
#define IMAGE_LIST_MAX 4096 /* members of each list: Env, Entrypoint, Cmd, ports, volumes */
#define IMAGE_LABELS_MAX 65536 /* build systems write thousands; nothing is started with them */

struct image_config {
	struct platform platform;
	char *created; /* RFC 3339 as written; NULL if absent */
	char *user; /* "" semantics: NULL */
	char *workdir;
	char *stop_signal;
	char **env, **entrypoint, **cmd;
	char **exposed_ports, **volumes; /* keys, document order */
	char **labels; /* "key=value" */
	struct digest *diff_ids; /* bottom layer first */
	size_t n_diff_ids;
};

/**
 * image_config_decode() - an image configuration; empty and null members are absent ones
 * @ret: owned: image_config_done()
 * Env keeps entries without '=', as docker does; Entrypoint and Cmd may be a string, their one element, as in docker's StrSlice. ArgsEscaped and members that racker has no use for are not looked at.
 * Return: 0, -EBADMSG/ERR_CORRUPT naming the member, -E2BIG/ERR_CORRUPT (a limit above, or more than LAYERS_MAX diffIDs),
 * -EOPNOTSUPP/ERR_UNSUPPORTED (diffID of another algorithm than sha256)
 * Source: image-spec config.md "Properties"
 */
int image_config_decode(const char *text, size_t len, struct image_config *ret, struct err *err);
void image_config_done(struct image_config *c);

/** chain_id() - config.md "Layer ChainID": of the layers 0..n-1. Return: 0, -EINVAL for no layer, other -errno */
int chain_id(const struct digest *diff_ids, size_t n, struct digest *ret, struct err *err);

#endif
