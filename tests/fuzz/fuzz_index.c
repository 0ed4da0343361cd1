// SPDX-License-Identifier: MIT
// Fuzzes the choice of an index entry, for platforms with and without variants.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "oci/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct platform wanted[] = {
		{ "linux", "amd64", "" },	  { "linux", "amd64", "v3" },
		{ "linux", "arm", "v8" },	  { "linux", "arm64", "v9.2" },
		{ "linux", "ppc64le", "power9" },
	};
	AUTO_PTR(json) doc = NULL;

	if (json_parse((const char *)data, size, &doc, NULL) < 0)
		return 0;
	(void)document_type(doc, "application/vnd.oci.image.index.v1+json", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct descriptor d = { 0 };
		struct err err = { 0 };
		int r = index_select(doc, &wanted[i], &d, &err);

		if (r < 0) {
			assert(err.code == r && err.msg[0] && !digest_is_set(&d.digest));
			continue;
		}
		assert(digest_is_set(&d.digest) && !d.is_attestation);
		assert(d.type == MEDIA_MANIFEST || d.type == MEDIA_INDEX);
		assert(d.size >= 0 && d.size <= DESCRIPTOR_SIZE_MAX);
		assert(!platform_is_set(&d.platform) || platform_rank(&wanted[i], &d.platform) > 0);
	}
	return 0;
}
