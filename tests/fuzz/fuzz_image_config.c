// SPDX-License-Identifier: MIT
// Fuzzes image configurations.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "oci/image_config.h"
#include "oci/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(image_config) c = { 0 };
	struct err err = { 0 };
	int r = image_config_decode((const char *)data, size, &c, &err);

	if (r < 0) {
		assert(err.code == r && err.msg[0] && !c.diff_ids && !c.env && !c.labels);
		return 0;
	}
	assert(c.n_diff_ids <= LAYERS_MAX);
	for (size_t i = 0; i < c.n_diff_ids; i++)
		assert(digest_is_set(&c.diff_ids[i]));
	assert(strv_len(c.env) <= IMAGE_LIST_MAX && strv_len(c.labels) <= IMAGE_LIST_MAX);
	assert(!c.user || (*c.user && strlen(c.user) <= IMAGE_USER_MAX));
	for (size_t i = 0; i < strv_len(c.labels); i++)
		assert(strchr(c.labels[i], '='));
	return 0;
}
