/* SPDX-License-Identifier: MIT */
/*
 * From verified documents and streamed layer bytes to an image in the store. Every source of images (registry, OCI layout, rootfs
 * tar) ends here, so sizes, digests and diffIDs are checked in one place.
 *
 * One worker process per layer (oci/unpack_worker) reads the blob file in ingest/ while it still grows; the caller appends bytes as
 * they arrive. A layer gets its name only when blob size, blob digest and diffID agree. Layers that the store has are skipped.
 */
#ifndef OCI_INSTALL_H
#define OCI_INSTALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/image_config.h"
#include "oci/manifest.h"
#include "oci/store.h"

enum layer_event {
	LAYER_EXISTS, /* Already exists */
	LAYER_WAITING, /* Pulling fs layer */
	LAYER_VERIFYING, /* Verifying Checksum */
	LAYER_DOWNLOADED, /* Download complete */
	LAYER_UNPACKED, /* Pull complete */
};

struct install_request {
	struct store *store; /* shared lock held by the caller */
	const char *name; /* of the record */
	const char *source; /* of the record */
	const void *manifest;
	size_t manifest_len;
	struct digest manifest_digest; /* checked against the bytes */
	struct digest index_digest; /* of the record; unset: the manifest's */
	const void *config;
	size_t config_len; /* checked against the manifest's config descriptor */
	/* Called as layers move on; layer_digest is the blob's (compressed) digest. May be NULL. */
	void (*event)(void *arg, size_t layer, const struct digest *layer_digest,
		      enum layer_event what);
	void *event_arg;
};

struct install;

/**
 * install_begin() - check the documents (config digest and size, number of diffIDs), find which layers are missing
 * Return: 0, -EBADMSG/ERR_CORRUPT, other -errno. *ret: install_free(), which undoes everything not committed and ends workers.
 */
int install_begin(const struct install_request *req, struct install **ret, struct err *err);
size_t install_layer_count(const struct install *in);
const struct descriptor *install_layer(const struct install *in, size_t i);
/** install_layer_needed() - false: the store has it, or an equal layer of this image brings it */
bool install_layer_needed(const struct install *in, size_t i);

/** install_layer_start() - make the ingest file and fork the worker. No curl handle needs to be closed: the worker drops all fds. */
int install_layer_start(struct install *in, size_t i, struct err *err);
/** install_layer_write() - the next bytes of the blob; more than the descriptor's size is -EBADMSG/ERR_CORRUPT */
int install_layer_write(struct install *in, size_t i, const void *buf, size_t len, struct err *err);
/** install_layer_received() - bytes so far, for resuming with a Range request */
uint64_t install_layer_received(const struct install *in, size_t i);
/** install_layer_restart() - start over at byte 0: the server did not honour a Range request */
int install_layer_restart(struct install *in, size_t i, struct err *err);
/** install_layer_finish() - all bytes were given: check size and digest, tell the worker. Does not wait for it. */
int install_layer_finish(struct install *in, size_t i, struct err *err);
/** install_worker_fd() - readable when the worker has reported; -1 when there is none to wait for */
int install_worker_fd(const struct install *in, size_t i);
/** install_worker_reap() - take the report of a worker whose fd is readable; its failure is the result */
int install_worker_reap(struct install *in, size_t i, struct err *err);

/** install_throttle() - reap workers until at most @max_workers run; for sources that give one layer after the other */
int install_throttle(struct install *in, size_t max_workers, struct err *err);

/**
 * install_commit() - wait for the workers left, settle what depends on lower layers, name the layers, sync, publish the record
 * Return: 0 or -errno; nothing of the image is visible after a failure
 */
int install_commit(struct install *in, struct err *err);
void install_free(struct install *in);
DEFINE_AUTO_PTR(install)

#endif
