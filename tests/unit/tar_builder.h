/* SPDX-License-Identifier: MIT */
/* Tar archives made in memory, right or wrong as a test needs them. Everything aborts out of memory. */
#ifndef TESTS_TAR_BUILDER_H
#define TESTS_TAR_BUILDER_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decompress.h"

struct tar {
	unsigned char *bytes;
	size_t len, cap;
	char pax[65536 * 2]; /* records for the next entry */
	size_t pax_len;
};

struct tar_item {
	const char *path; /* up to 100 bytes; longer ones by tar_pax() or a GNU 'L' entry */
	char type; /* '0' file, '1' hardlink, '2' symlink, '3' char, '4' block, '5' dir, '6' FIFO; 0 is '0' */
	const char *link;
	unsigned int mode; /* 0: 0644, directories 0755 */
	uint64_t uid, gid; /* base-256 from 2097152 on */
	unsigned int major, minor;
	int64_t mtime;
	const void *data;
	size_t len; /* of data; strlen() if 0 */
};

static inline void tar_raw(struct tar *t, const void *bytes, size_t len)
{
	if (t->len + len > t->cap) {
		t->cap = (t->len + len) * 2;
		t->bytes = realloc(t->bytes, t->cap);
		if (!t->bytes)
			abort();
	}
	if (len)
		memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
}

static inline void tar_pad(struct tar *t)
{
	static const char zeros[512];

	if (t->len % 512)
		tar_raw(t, zeros, 512 - t->len % 512);
}

static inline void tar_number(unsigned char *field, size_t width, uint64_t value)
{
	if (value < (uint64_t)1 << (3 * (width - 1))) {
		(void)snprintf((char *)field, width, "%0*llo", (int)width - 1,
			       (unsigned long long)value);
		return;
	}
	for (size_t i = width; i-- > 0; value >>= 8)
		field[i] = (unsigned char)value;
	field[0] |= 0x80;
}

static inline void tar_header(struct tar *t, const struct tar_item *i, char type, size_t size)
{
	unsigned char h[512] = { 0 };
	unsigned int sum = 0;

	memcpy(h, i->path, strnlen(i->path, 100));
	tar_number(h + 100, 8, i->mode ? i->mode : type == '5' ? 0755 : 0644);
	tar_number(h + 108, 8, i->uid);
	tar_number(h + 116, 8, i->gid);
	tar_number(h + 124, 12, size);
	tar_number(h + 136, 12, (uint64_t)i->mtime);
	memset(h + 148, ' ', 8);
	h[156] = (unsigned char)type;
	if (i->link)
		memcpy(h + 157, i->link, strnlen(i->link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	memcpy(h + 265, "nosuchuser", 10);
	memcpy(h + 297, "nosuchgroup", 11);
	tar_number(h + 329, 8, i->major);
	tar_number(h + 337, 8, i->minor);
	for (size_t k = 0; k < sizeof(h); k++)
		sum += h[k];
	(void)snprintf((char *)h + 148, 8, "%06o", sum);
	tar_raw(t, h, sizeof(h));
}

/* A PAX record for the next entry: "LEN key=value\n", LEN counting itself. */
static inline void tar_pax_bytes(struct tar *t, const char *key, const void *value, size_t len)
{
	size_t body = strlen(key) + len + 3, total = body + 1;
	char digits[24];

	while ((size_t)snprintf(digits, sizeof(digits), "%zu", total) + body != total)
		total = body + strlen(digits);
	t->pax_len += (size_t)snprintf(t->pax + t->pax_len, sizeof(t->pax) - t->pax_len,
				       "%s %s=", digits, key);
	if (t->pax_len + len + 1 > sizeof(t->pax))
		abort();
	memcpy(t->pax + t->pax_len, value, len);
	t->pax_len += len;
	t->pax[t->pax_len++] = '\n';
}

static inline void tar_pax(struct tar *t, const char *key, const char *value)
{
	tar_pax_bytes(t, key, value, strlen(value));
}

/* An entry whose header is followed by bytes, whatever the type. */
static inline void tar_typed(struct tar *t, const struct tar_item *i, char type, const void *data,
			     size_t len)
{
	tar_header(t, i, type, len);
	tar_raw(t, data, len);
	tar_pad(t);
}

static inline void tar_add_item(struct tar *t, struct tar_item i)
{
	char type = i.type ? i.type : '0';

	if (t->pax_len) {
		size_t len = t->pax_len;

		t->pax_len = 0;
		tar_typed(t, &(struct tar_item){ .path = "PaxHeaders/x" }, 'x', t->pax, len);
	}
	if (i.data && !i.len)
		i.len = strlen(i.data);
	tar_typed(t, &i, type, i.data, i.data ? i.len : 0);
}

#define tar_add(t, ...) tar_add_item((t), (struct tar_item){ __VA_ARGS__ })
#define tar_dir(t, ...) tar_add((t), .type = '5', __VA_ARGS__)
#define tar_file(t, name, text) tar_add((t), .path = (name), .data = (text))

static inline void tar_end(struct tar *t)
{
	static const char zeros[1024];

	tar_raw(t, zeros, sizeof(zeros));
}

static inline void tar_free(struct tar *t)
{
	free(t->bytes);
	free(t);
}

static inline struct tar *tar_new(void)
{
	struct tar *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	return t;
}

/* A decompress source over bytes in memory; @step limits each read, so that pieces end in odd places. */
struct memory {
	const unsigned char *bytes;
	size_t len, at, step;
};

static inline ssize_t memory_read(void *arg, void *buf, size_t len, struct err *err)
{
	struct memory *m = arg;

	(void)err;
	if (len > m->len - m->at)
		len = m->len - m->at;
	if (m->step && len > m->step)
		len = m->step;
	if (len)
		memcpy(buf, m->bytes + m->at, len);
	m->at += len;
	return (ssize_t)len;
}

#endif
