/* SPDX-License-Identifier: MIT */
/* SHA-256 content digests: exact grammar, streaming computation through libcrypto. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

#define DIGEST_HEX_LEN 64
#define DIGEST_STR_MAX (sizeof("sha256:") + DIGEST_HEX_LEN)

/* 64 lower-case hex digits and a NUL; all zero bytes: no digest. Safe as a file name once parsed. */
struct digest {
	char hex[DIGEST_HEX_LEN + 1];
};

/**
 * digest_parse() - "sha256:<64 lower-case hex>", the whole string
 * Return: 0, -EINVAL (not a digest), -EOPNOTSUPP (well-formed, other algorithm)
 * Source: image-spec descriptor.md "Digests"
 */
int digest_parse(const char *text, struct digest *ret, struct err *err);
/** digest_from_hex() - exactly 64 lower-case hex digits. Return: 0 or -EINVAL */
int digest_from_hex(const char *hex, struct digest *ret);
bool digest_is_set(const struct digest *d);
bool digest_equal(const struct digest *a, const struct digest *b);
/** digest_str() - "sha256:…" in @buf, which it returns */
const char *digest_str(const struct digest *d, char buf[static DIGEST_STR_MAX]);
#define DIGEST_STR(d) digest_str((d), (char[DIGEST_STR_MAX]){ 0 })

struct digest_ctx;
/** digest_begin() - *ret owned: digest_ctx_free(). Return: 0 or -errno (libcrypto cannot be loaded) */
int digest_begin(struct digest_ctx **ret, struct err *err);
void digest_update(struct digest_ctx *ctx, const void *buf, size_t len);
/** digest_finish() - the digest of everything so far; the context may only be freed afterwards */
void digest_finish(struct digest_ctx *ctx, struct digest *ret);
void digest_ctx_free(struct digest_ctx *ctx);
DEFINE_AUTO_PTR(digest_ctx)

/** digest_buffer() - digest of one buffer. Return: 0 or -errno */
int digest_buffer(const void *buf, size_t len, struct digest *ret, struct err *err);
/** digest_fd() - digest and size in bytes of everything from the fd's offset to its end. Return: 0 or -errno */
int digest_fd(int fd, struct digest *ret, int64_t *ret_size, struct err *err);

#endif
