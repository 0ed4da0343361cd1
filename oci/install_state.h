/* SPDX-License-Identifier: MIT */
/* The state of an installation, shared by install.c (the image) and install_layer.c (one layer's bytes). */
#ifndef OCI_INSTALL_STATE_H
#define OCI_INSTALL_STATE_H

#include "oci/install.h"
#include "oci/store_layer.h"
#include "oci/unpack_worker.h"

enum layer_state {
	LAYER_PRESENT, /* the store has it under key */
	LAYER_NEEDED, /* its bytes come through install_layer_write() */
	LAYER_COPY, /* the same content as the needed layer same_as */
};

struct install_layer {
	enum layer_state state;
	size_t same_as;
	struct digest diff_id, chain_id;
	struct digest key; /* set for a present layer, for others by install_commit() */
	struct ingest ingest; /* store != NULL once started */
	int blob_fd;
	struct digest_ctx *digest; /* of the blob */
	uint64_t received, announced;
	bool complete; /* size and digest of the blob agree */
	struct unpack_worker *worker;
	bool unpacked; /* diffID agrees too */
	struct unpack_result result;
};

struct install {
	struct install_request req; /* name, source, manifest, config: owned copies */
	char *name, *source, *manifest, *config;
	struct image_manifest doc;
	struct install_layer *layers; /* doc.n_layers, bottom first */
};

/** install_layer_init() - what install_layer_done() may be called on; the rest is install.c's to fill */
void install_layer_init(struct install_layer *l);
/** install_layer_done() - end its worker, remove what it left in ingest/ */
void install_layer_done(struct install_layer *l);
/** install_event() - tell the caller, if it wants to know */
void install_event(const struct install *in, size_t i, enum layer_event what);
/** install_layer_unpack_again() - a copy of a layer that depends on what is below it; from the first one's blob */
int install_layer_unpack_again(struct install *in, size_t i, struct err *err);

#endif
