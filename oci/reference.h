/* SPDX-License-Identifier: MIT */
/* Image references: Docker's grammar and normalisation, bit for bit (distribution/reference normalize.go, regexp.go). */
#ifndef OCI_REFERENCE_H
#define OCI_REFERENCE_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/err.h"

struct image_ref {
	char *registry; /* "docker.io", "localhost:5000", "[::1]:5000" */
	char *repository; /* "library/debian" */
	char *tag; /* NULL only when a digest was given without a tag */
	struct digest digest;
	bool has_digest;
};

/**
 * image_ref_parse() - [docker://][domain/]path[:tag][@digest], normalised; "latest" when neither tag nor digest
 * Return: 0, or -EINVAL/ERR_USAGE with docker's words ("invalid reference format",
 * "invalid reference format: repository name (library/Foo) must be lowercase",
 * "invalid repository name (X), cannot specify 64-byte hexadecimal strings", "... unsupported digest algorithm")
 */
int image_ref_parse(const char *text, struct image_ref *ret, struct err *err);
void image_ref_done(struct image_ref *ref);
int image_ref_copy(const struct image_ref *ref, struct image_ref *ret);

/** image_ref_canonical() - "docker.io/library/debian:bookworm[@sha256:…]"; owned; NULL: out of memory */
char *image_ref_canonical(const struct image_ref *ref);
/** image_ref_familiar() - "debian:bookworm[@sha256:…]": docker.io/ and a single-level library/ stripped; owned */
char *image_ref_familiar(const struct image_ref *ref);
/** image_ref_familiar_name() - as image_ref_familiar(), without tag and digest; owned */
char *image_ref_familiar_name(const struct image_ref *ref);

#endif
