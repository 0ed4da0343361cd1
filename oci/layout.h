/* SPDX-License-Identifier: MIT */
/* OCI image layouts on disk as a source: oci:DIR[:REF] (image-spec image-layout.md, containers-transports(5)). */
#ifndef OCI_LAYOUT_H
#define OCI_LAYOUT_H

#include "oci/install.h"

struct layout_request {
	struct store *store; /* shared lock held by the caller */
	const char *spec; /* "DIR[:REF]", after "oci:" */
	const struct platform *platform;
	void (*event)(void *arg, size_t layer, const struct digest *layer_digest,
		      enum layer_event what);
	void *event_arg;
};

/**
 * layout_install() - read an image out of a layout into the store; the record's name is "oci:DIR[:REF]" with DIR made absolute
 * Without REF the layout must hold exactly one image for the platform. Digests are checked like a registry's.
 * @ret_name: owned; name of the record
 */
int layout_install(const struct layout_request *req, char **ret_name, struct err *err);
/** layout_name() - the record name that layout_install() would use; owned */
int layout_name(const char *spec, char **ret_name, struct err *err);

#endif
