/* SPDX-License-Identifier: MIT */
/* Images of a few plain tar layers, with config and manifest to match, or nearly. Everything aborts on failure. */
#ifndef TESTS_IMAGE_BUILDER_H
#define TESTS_IMAGE_BUILDER_H

#include "base/digest.h"
#include "oci/install.h"
#include "tests/unit/tar_builder.h"

#define TEST_LAYERS_MAX 8

struct test_image {
	struct tar *layers[TEST_LAYERS_MAX]; /* owned; ended by test_image_finish() */
	size_t n;
	char manifest[4096], config[4096];
	struct digest manifest_digest, config_digest, blobs[TEST_LAYERS_MAX];
};

static inline struct tar *test_image_layer(struct test_image *im)
{
	if (im->n == TEST_LAYERS_MAX)
		abort();
	return im->layers[im->n++] = tar_new();
}

static inline void test_digest(const void *buf, size_t len, struct digest *ret)
{
	if (digest_buffer(buf, len, ret, NULL) < 0)
		abort();
}

/* diffIDs of plain tars are the digests of the blobs. */
static inline void test_image_describe(struct test_image *im)
{
	char diff_ids[1024] = "", layers[2048] = "";

	for (size_t i = 0; i < im->n; i++) {
		size_t at = strlen(diff_ids);

		(void)snprintf(diff_ids + at, sizeof(diff_ids) - at, "%s\"sha256:%s\"",
			       i ? "," : "", im->blobs[i].hex);
		at = strlen(layers);
		(void)snprintf(layers + at, sizeof(layers) - at,
			       "%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
			       "\"digest\":\"sha256:%s\",\"size\":%zu}",
			       i ? "," : "", im->blobs[i].hex, im->layers[i]->len);
	}
	(void)snprintf(im->config, sizeof(im->config),
		       "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},"
		       "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}",
		       diff_ids);
	test_digest(im->config, strlen(im->config), &im->config_digest);
	(void)snprintf(
		im->manifest, sizeof(im->manifest),
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		"\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		"\"digest\":\"sha256:%s\",\"size\":%zu},\"layers\":[%s]}",
		im->config_digest.hex, strlen(im->config), layers);
	test_digest(im->manifest, strlen(im->manifest), &im->manifest_digest);
}

static inline void test_image_finish(struct test_image *im)
{
	for (size_t i = 0; i < im->n; i++) {
		tar_end(im->layers[i]);
		test_digest(im->layers[i]->bytes, im->layers[i]->len, &im->blobs[i]);
	}
	test_image_describe(im);
}

static inline void test_image_free(struct test_image *im)
{
	for (size_t i = 0; i < im->n; i++)
		tar_free(im->layers[i]);
	*im = (struct test_image){ 0 };
}

static inline struct install_request test_image_request(const struct test_image *im,
							struct store *store, const char *name)
{
	return (struct install_request){ .store = store,
					 .name = name,
					 .source = "test",
					 .manifest = im->manifest,
					 .manifest_len = strlen(im->manifest),
					 .manifest_digest = im->manifest_digest,
					 .config = im->config,
					 .config_len = strlen(im->config) };
}

/* Give one layer in pieces. */
static inline int test_image_give(const struct test_image *im, struct install *in, size_t i,
				  struct err *err)
{
	const struct tar *t = im->layers[i];
	int r = install_layer_start(in, i, err);

	for (size_t at = 0, n; r == 0 && at < t->len; at += n) {
		n = t->len - at < 700 ? t->len - at : 700;
		r = install_layer_write(in, i, t->bytes + at, n, err);
	}
	return r < 0 ? r : install_layer_finish(in, i, err);
}

static inline int test_image_install(const struct test_image *im, struct store *store,
				     const char *name, struct err *err)
{
	struct install_request req = test_image_request(im, store, name);
	AUTO_PTR(install) in = NULL;
	int r = install_begin(&req, &in, err);

	for (size_t i = 0; r == 0 && i < install_layer_count(in); i++) {
		if (install_layer_needed(in, i))
			r = test_image_give(im, in, i, err);
	}
	return r < 0 ? r : install_commit(in, err);
}

#endif
