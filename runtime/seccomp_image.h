/* SPDX-License-Identifier: MIT */
/* Compiled seccomp filters as one block of bytes, which is also the file that the cache keeps. */
#ifndef RUNTIME_SECCOMP_IMAGE_H
#define RUNTIME_SECCOMP_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "runtime/seccomp.h"

/** seccomp_image_hash() - 64-bit hash, not cryptographic, of @len bytes; @seed: 0, or the hash of what came before */
uint64_t seccomp_image_hash(uint64_t seed, const void *bytes, size_t len);

/**
 * seccomp_image_make() - copy programs into one image
 * @parts: borrowed, its image is not looked at; all but sync must be there
 * @ret: owned: seccomp_filters_done(); @ret_len: bytes of ret->image
 * Return: 0, -E2BIG (a program the kernel would not take), -ENOMEM
 */
int seccomp_image_make(const struct seccomp_filters *parts, struct seccomp_filters *ret,
		       size_t *ret_len, struct err *err);

/**
 * seccomp_image_load() - read CACHE_DIR/seccomp/NAME
 * The file must be ours alone to write, of the right size and with the right checksum: it becomes the container's sandbox.
 * Return: 0, -ENOENT, -EPERM (somebody else's), -EBADMSG (damaged), other -errno. No struct err: any failure means to compile.
 */
int seccomp_image_load(const char *cache_dir, const char *name, struct seccomp_filters *ret);

/** seccomp_image_store() - write it there, atomically. Return: 0 or -errno */
int seccomp_image_store(const char *cache_dir, const char *name, const struct seccomp_filters *f,
			size_t len, struct err *err);

#endif
