/* SPDX-License-Identifier: MIT */
/* What a registry's answer other than success means, in docker's words (distribution-spec "Error Codes"). Pure. */
#ifndef REGISTRY_REFUSAL_H
#define REGISTRY_REFUSAL_H

#include "base/err.h"
#include "base/http.h"
#include "oci/reference.h"

#define REFUSAL_BODY_MAX ((size_t)64 << 10)

/* What was asked for: a bare 404 does not say. */
enum refusal_subject { REFUSED_MANIFEST, REFUSED_BLOB, REFUSED_TOKEN };

/**
 * refusal_error() - fill an error from an answer that is no success
 * @ref: what was to be pulled
 * Return: -ENOENT/ERR_NOT_FOUND (manifest, name or blob unknown), -EACCES/ERR_AUTH (unauthorized, denied), -EBUSY/ERR_NETWORK
 * (toomanyrequests), -EIO/ERR_NETWORK (anything else)
 */
int refusal_error(const struct image_ref *ref, enum refusal_subject subject,
		  const struct http_response *response, struct err *err);

#endif
