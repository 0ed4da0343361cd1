// SPDX-License-Identifier: MIT
// Fuzzes image reference parsing; whatever is taken must mean the same again in canonical form.
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_meaning(const struct image_ref *ref)
{
	AUTO(image_ref) again = { 0 };
	AUTO_FREE char *canonical = image_ref_canonical(ref);
	AUTO_FREE char *familiar = image_ref_familiar(ref);
	AUTO_FREE char *name = image_ref_familiar_name(ref);

	assert(canonical && familiar && name);
	assert(strncmp(familiar, name, strlen(name)) == 0);
	assert(*ref->registry && *ref->repository && strlen(ref->repository) <= 255);
	assert(ref->tag || ref->has_digest);
	assert(ref->has_digest == digest_is_set(&ref->digest));

	assert(image_ref_parse(canonical, &again, NULL) == 0);
	assert(strcmp(again.registry, ref->registry) == 0);
	assert(strcmp(again.repository, ref->repository) == 0);
	assert(!again.tag == !ref->tag && (!ref->tag || strcmp(again.tag, ref->tag) == 0));
	assert(again.has_digest == ref->has_digest);
	assert(!ref->has_digest || digest_equal(&again.digest, &ref->digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(image_ref) ref = { 0 };
	char *text = malloc(size + 1);
	struct err err = { 0 };
	int r;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	r = image_ref_parse(text, &ref, &err);
	free(text);
	if (r < 0) {
		assert(r == -EINVAL && err.code == r && err.kind == ERR_USAGE && err.msg[0]);
		assert(!ref.registry);
		return 0;
	}
	check_meaning(&ref);
	return 0;
}
