// SPDX-License-Identifier: MIT
/* SHA-256 digests (see digest.h); libcrypto is loaded when the first one is computed. */
#include "base/digest.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/opensslv.h>

#include "base/dlib.h"
#include "base/fd.h"
#include "base/quote.h"

#define READ_SIZE ((size_t)256 * 1024)
#define SHA256_LEN 32

#define LOWER_HEX "0123456789abcdef"

#define TO_TEXT(x) #x
#define VALUE_TO_TEXT(x) TO_TEXT(x)
#ifdef OPENSSL_SHLIB_VERSION
#define LIBCRYPTO "libcrypto.so." VALUE_TO_TEXT(OPENSSL_SHLIB_VERSION)
#else
#define LIBCRYPTO "libcrypto.so." SHLIB_VERSION_NUMBER
#endif

static struct {
	__typeof__(EVP_MD_CTX_new) *EVP_MD_CTX_new;
	__typeof__(EVP_MD_CTX_free) *EVP_MD_CTX_free;
	__typeof__(EVP_sha256) *EVP_sha256;
	__typeof__(EVP_DigestInit_ex) *EVP_DigestInit_ex;
	__typeof__(EVP_DigestUpdate) *EVP_DigestUpdate;
	__typeof__(EVP_DigestFinal_ex) *EVP_DigestFinal_ex;
} crypto;

static int load(struct err *err)
{
	static const struct dlib_symbol symbols[] = {
		DLIB_SYMBOL(crypto, EVP_MD_CTX_new),   DLIB_SYMBOL(crypto, EVP_MD_CTX_free),
		DLIB_SYMBOL(crypto, EVP_sha256),       DLIB_SYMBOL(crypto, EVP_DigestInit_ex),
		DLIB_SYMBOL(crypto, EVP_DigestUpdate), DLIB_SYMBOL(crypto, EVP_DigestFinal_ex),
	};

	if (crypto.EVP_MD_CTX_new)
		return 0;
	return dlib_load(LIBCRYPTO, "digest computation", symbols, ARRAY_SIZE(symbols), err);
}

struct digest_ctx {
	EVP_MD_CTX *md;
	bool failed;
};

int digest_from_hex(const char *hex, struct digest *ret)
{
	if (strlen(hex) != DIGEST_HEX_LEN || strspn(hex, LOWER_HEX) != DIGEST_HEX_LEN)
		return -EINVAL;
	memcpy(ret->hex, hex, DIGEST_HEX_LEN + 1);
	return 0;
}

/* algorithm ::= component (separator component)*; component ::= [a-z0-9]+; separator ::= [+._-] */
static bool algorithm_is_valid(const char *text, size_t len)
{
	static const char component[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	const char *end = text + len;

	while (text < end) {
		size_t n = strspn(text, component);

		if (!n)
			return false;
		text += n;
		if (text == end)
			return true;
		if (!strchr("+._-", *text))
			return false;
		text++;
	}
	return false;
}

/* Registered algorithms tell their length; of others only the alphabet is known. */
static bool encoded_is_valid(const char *algorithm, size_t algorithm_len, const char *encoded)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789=_-";
	static const struct {
		const char *name;
		size_t hex_len;
	} registered[] = { { "sha256", 64 }, { "sha384", 96 }, { "sha512", 128 }, { "blake3", 64 } };
	size_t len = strlen(encoded);

	for (size_t i = 0; i < ARRAY_SIZE(registered); i++)
		if (strlen(registered[i].name) == algorithm_len &&
		    !memcmp(registered[i].name, algorithm, algorithm_len))
			return len == registered[i].hex_len && strspn(encoded, LOWER_HEX) == len;
	return len && strspn(encoded, alphabet) == len;
}

int digest_parse(const char *text, struct digest *ret, struct err *err)
{
	const char *colon = strchr(text, ':');

	if (!colon || !algorithm_is_valid(text, (size_t)(colon - text)) ||
	    !encoded_is_valid(text, (size_t)(colon - text), colon + 1))
		return err_set(err, ERR_CORRUPT, -EINVAL, "%s is not a digest", QUOTE(text));
	if (strncmp(text, "sha256:", strlen("sha256:")) != 0)
		return err_set(err, ERR_UNSUPPORTED, -EOPNOTSUPP,
			       "digest %s: only sha256 is supported", QUOTE(text));
	memcpy(ret->hex, colon + 1, DIGEST_HEX_LEN + 1);
	return 0;
}

bool digest_is_set(const struct digest *d)
{
	return d->hex[0] != '\0';
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return digest_is_set(a) && !memcmp(a->hex, b->hex, sizeof(a->hex));
}

const char *digest_str(const struct digest *d, char buf[static DIGEST_STR_MAX])
{
	(void)snprintf(buf, DIGEST_STR_MAX, "sha256:%s", d->hex);
	return buf;
}

int digest_begin(struct digest_ctx **ret, struct err *err)
{
	AUTO_PTR(digest_ctx) ctx = NULL;
	int r = load(err);

	if (r < 0)
		return r;
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return err_oom(err);
	ctx->md = crypto.EVP_MD_CTX_new();
	if (!ctx->md)
		return err_oom(err);
	if (crypto.EVP_DigestInit_ex(ctx->md, crypto.EVP_sha256(), NULL) != 1)
		return err_set(err, ERR_SYSTEM, -EOPNOTSUPP, "libcrypto offers no SHA-256");
	*ret = MOVE_PTR(ctx);
	return 0;
}

void digest_update(struct digest_ctx *ctx, const void *buf, size_t len)
{
	if (crypto.EVP_DigestUpdate(ctx->md, buf, len) != 1)
		ctx->failed = true;
}

void digest_finish(struct digest_ctx *ctx, struct digest *ret)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	/* Should libcrypto fail there is no digest, which equals none: a failure is never a match. */
	memset(ret, 0, sizeof(*ret));
	if (ctx->failed || crypto.EVP_DigestFinal_ex(ctx->md, raw, &len) != 1 || len != SHA256_LEN)
		return;
	for (size_t i = 0; i < SHA256_LEN; i++) {
		ret->hex[2 * i] = LOWER_HEX[raw[i] >> 4];
		ret->hex[2 * i + 1] = LOWER_HEX[raw[i] & 0xf];
	}
}

void digest_ctx_free(struct digest_ctx *ctx)
{
	if (!ctx)
		return;
	if (ctx->md)
		crypto.EVP_MD_CTX_free(ctx->md);
	free(ctx);
}

int digest_buffer(const void *buf, size_t len, struct digest *ret, struct err *err)
{
	AUTO_PTR(digest_ctx) ctx = NULL;
	int r = digest_begin(&ctx, err);

	if (r < 0)
		return r;
	digest_update(ctx, buf, len);
	digest_finish(ctx, ret);
	return 0;
}

int digest_fd(int fd, struct digest *ret, int64_t *ret_size, struct err *err)
{
	AUTO_PTR(digest_ctx) ctx = NULL;
	AUTO_FREE char *buf = NULL;
	int64_t size = 0;
	ssize_t n;
	int r = digest_begin(&ctx, err);

	if (r < 0)
		return r;
	buf = malloc(READ_SIZE);
	if (!buf)
		return err_oom(err);
	while ((n = fd_read_full(fd, buf, READ_SIZE)) > 0) {
		digest_update(ctx, buf, (size_t)n);
		size += n;
	}
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)n, "read for a digest: %s", strerror((int)-n));
	digest_finish(ctx, ret);
	if (ret_size)
		*ret_size = size;
	return 0;
}
