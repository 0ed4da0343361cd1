/* SPDX-License-Identifier: MIT */
/*
 * The image store: documents by digest, unpacked layers by key, images by name. Crash-safe: everything is written aside under
 * ingest/, synced and renamed; what a kill left in ingest/ is removed by the next writer under the exclusive lock.
 *
 *	ROOT/blobs/sha256/HEX	manifests and configs (layer blobs are dropped once unpacked)
 *	ROOT/layers/HEX/fs	one directory per layer, overlay form; HEX is the diffID, or the chainID for a layer whose
 *				content depends on the layers below (hardlink to a lower file, parents it does not carry)
 *	ROOT/layers/HEX/size	unpacked bytes, decimal
 *	ROOT/images/...		one record a name (see image_record), a path that mirrors the name
 *	ROOT/ingest/...		work in progress, each entry flock()ed by its owner
 *	ROOT/lock		flock(2): shared to pull and to start, exclusive to remove
 */
#ifndef OCI_STORE_H
#define OCI_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

struct store {
	char *path;
	int root_fd, blobs_fd, layers_fd, images_fd, ingest_fd;
	int lock_fd;
};

enum store_lock { STORE_LOCK_SHARED, STORE_LOCK_EXCLUSIVE };

#define STORE_NONE                            \
	((struct store){ .root_fd = -EBADF,   \
			 .blobs_fd = -EBADF,  \
			 .layers_fd = -EBADF, \
			 .images_fd = -EBADF, \
			 .ingest_fd = -EBADF, \
			 .lock_fd = -EBADF })

/** store_open() - open, making what is missing (0700). @create false: -ENOENT instead. No lock is taken.
 *  A whole store on a read-only file system opens in either case: to list and to start from it.
 *  Return: 0 or -errno; *ret: store_done() */
int store_open(const char *path, bool create, struct store *ret, struct err *err);
void store_done(struct store *s);
/** store_lock() - flock(2); waits while others hold it. Released by store_unlock() or store_done(). */
int store_lock(struct store *s, enum store_lock how, struct err *err);
void store_unlock(struct store *s);
/** store_sweep() - remove ingest entries whose owner is gone (their flock is free). Return: 0 or -errno */
int store_sweep(struct store *s, struct err *err);

/** store_blob_read() - a document, its digest checked again. @ret_buf owned, NUL-terminated.
 *  Return: 0, -ENOENT/ERR_NOT_FOUND, -EBADMSG/ERR_CORRUPT, -E2BIG */
int store_blob_read(const struct store *s, const struct digest *digest, size_t max, char **ret_buf,
		    size_t *ret_len, struct err *err);
bool store_blob_exists(const struct store *s, const struct digest *digest);
/** store_blob_write() - publish a document whose digest is @digest (checked; -EBADMSG otherwise) */
int store_blob_write(const struct store *s, const struct digest *digest, const void *buf,
		     size_t len, struct err *err);

/** store_layer_exists() - is there a layer of this key? */
bool store_layer_exists(const struct store *s, const struct digest *key);
/** store_layer_open() - O_PATH|O_DIRECTORY fd of its fs/. Return: fd or -errno */
int store_layer_open(const struct store *s, const struct digest *key, struct err *err);
/** store_layer_size() - unpacked bytes, 0 if unknown */
int64_t store_layer_size(const struct store *s, const struct digest *key);

/* An image: a name, its documents, its layers bottom first. */
struct image_record {
	char *name; /* canonical reference "docker.io/library/debian:bookworm", or a curated label */
	struct digest manifest; /* of this platform's manifest */
	struct digest config; /* = image ID */
	struct digest
		index; /* digest the name resolved to at the source (repo digest); = manifest when there was no index */
	struct digest *layers; /* owned; keys of store layers, bottom first */
	size_t n_layers;
	int64_t size; /* unpacked bytes of all layers */
	int64_t pulled; /* seconds since the epoch */
	char *source; /* "registry", "oci", "mmdebstrap" … */
};
void image_record_done(struct image_record *r);

/** image_record_put() - publish under its name; what was there is replaced. Syncs first (one syncfs), so that a listed image is whole. */
int image_record_put(const struct store *s, const struct image_record *r, struct err *err);
/** image_record_get() - Return: 0, -ENOENT/ERR_NOT_FOUND "No such image: NAME", -EBADMSG of image_record_refuse() */
int image_record_get(const struct store *s, const char *name, struct image_record *ret,
		     struct err *err);
/** image_record_remove() - unlink the name; layers stay until store_collect(). Return: 0 or -ENOENT */
int image_record_remove(const struct store *s, const char *name, struct err *err);
/** image_record_list() - all of them but damaged ones, sorted by name; *ret owned: image_records_free() */
int image_record_list(const struct store *s, struct image_record **ret, size_t *ret_n,
		      struct err *err);
/**
 * image_record_scan() - image_record_list() that tells what it passes over
 * @ret_damaged: names of the damaged records (a path below images/ where no name can be told), NULL for none; owned: strv_free()
 * Return: 0, or -errno if there may be more records than were found
 */
int image_record_scan(const struct store *s, struct image_record **ret, size_t *ret_n,
		      char ***ret_damaged, struct err *err);
/**
 * image_record_discard() - unlink a damaged record
 * @name: its name, or what image_record_scan() calls it
 * Return: 0, -ENOENT if no damaged record has the name, other -errno
 */
int image_record_discard(const struct store *s, const char *name, struct err *err);
/** image_record_refuse() - the error of a damaged record, with the way out. Return: -EBADMSG/ERR_CORRUPT */
int image_record_refuse(const char *name, struct err *err);
void image_records_free(struct image_record *list, size_t n);

struct store_collected {
	size_t layers, blobs;
	int64_t bytes;
};
/**
 * store_collect() - remove layers and blobs that no record names; the exclusive lock must be held
 * @in_use: keys of layers that running containers hold, kept too
 * Return: 0; -EBADMSG/ERR_CORRUPT, and nothing is removed, while a record is damaged: nobody knows what it needs; other -errno
 */
int store_collect(struct store *s, const struct digest *in_use, size_t n_in_use,
		  struct store_collected *ret, struct err *err);

#endif
