/* SPDX-License-Identifier: MIT */
/* Layers on their way into the store: a directory under ingest/, owned through its flock(2), that gets its name at the end. */
#ifndef OCI_STORE_LAYER_H
#define OCI_STORE_LAYER_H

#include "base/cleanup.h"
#include "oci/store.h"

#define INGEST_NAME_MAX 33

struct ingest {
	const struct store *store; /* borrowed */
	char name[INGEST_NAME_MAX]; /* "" once published */
	int lock_fd; /* the directory itself */
	int fs_fd; /* fs/ in it, empty at first */
};

/** ingest_begin() - Return: 0 or -errno; *ret: ingest_done() */
int ingest_begin(const struct store *s, struct ingest *ret, struct err *err);
/** ingest_open_blob() - a new nameless file on the store's file system, gone with its last fd. Return: fd or -errno */
int ingest_open_blob(const struct ingest *in, struct err *err);
/**
 * ingest_describe() - write what the store keeps beside fs/
 * @bytes: unpacked; @has_needs: the layer leaves things open that layers below would have settled
 */
int ingest_describe(const struct ingest *in, uint64_t bytes, bool has_needs, struct err *err);
/** ingest_publish() - name it. The content must be synced before. If another process was faster, its layer stays. */
int ingest_publish(struct ingest *in, const struct digest *key, struct err *err);
/** ingest_done() - remove it if it was not published */
void ingest_done(struct ingest *in);

/** store_layer_has_needs() - was the layer unpacked with nothing below that it asked for? */
bool store_layer_has_needs(const struct store *s, const struct digest *key);

#endif
