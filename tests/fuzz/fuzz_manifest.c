// SPDX-License-Identifier: MIT
// Fuzzes image manifests, beginning with the question what kind of document they are.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(image_manifest) m = { 0 };
	AUTO_PTR(json) doc = NULL;
	struct err err = { 0 };
	int r;

	if (json_parse((const char *)data, size, &doc, &err) < 0)
		return 0;
	r = document_type(doc, NULL, &err);
	assert(r < 0 || r == MEDIA_INDEX || r == MEDIA_MANIFEST || r == MEDIA_MANIFEST_V1);
	/* The two kinds exclude each other, whatever the registry calls the document. */
	assert(r != MEDIA_MANIFEST ||
	       document_type(doc, "application/vnd.oci.image.index.v1+json", NULL) < 0);

	r = manifest_decode(doc, &m, &err);
	if (r < 0) {
		assert(err.code == r && err.msg[0] && !m.layers);
		return 0;
	}
	assert(m.n_layers <= LAYERS_MAX);
	assert(digest_is_set(&m.config.digest));
	for (size_t i = 0; i < m.n_layers; i++) {
		assert(m.layers[i].type >= MEDIA_LAYER_TAR);
		assert(m.layers[i].size >= 0 && m.layers[i].size <= DESCRIPTOR_SIZE_MAX);
		assert(digest_is_set(&m.layers[i].digest));
	}
	return 0;
}
