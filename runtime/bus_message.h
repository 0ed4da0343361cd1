/* SPDX-License-Identifier: MIT */
/*
 * D-Bus messages: writing ours, reading what an untrusted peer sent. Native byte order only: the peer runs on this machine's kernel.
 *
 * A writer latches its first error; it is asked for once, when the message is sealed. A reader is a cursor over bytes and signature:
 * every read checks type, bounds and alignment, and fails with -EBADMSG without moving. Readers are plain values; what they return
 * points into the message.
 */
#ifndef RUNTIME_BUS_MESSAGE_H
#define RUNTIME_BUS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#define BUS_MESSAGE_MAX \
	((size_t)16 << 20) /* of a message, either way; D-Bus itself allows 128 MiB */
#define BUS_FIXED_HEADER 16 /* bytes that tell a message's size */
#define BUS_DEPTH_MAX 32 /* containers inside one another; D-Bus allows 64 */
#define BUS_FDS_MAX 8

enum bus_type {
	BUS_CALL = 1,
	BUS_REPLY = 2,
	BUS_ERROR = 3,
	BUS_SIGNAL = 4,
};

struct bus_header {
	uint8_t type, flags;
	uint32_t serial, reply_serial, n_fds;
	const char *path, *interface, *member, *error, *destination, *sender; /* NULL: not there */
	const char *signature; /* "" for an empty body */
};

/* Writing. */

struct bus_writer {
	struct strbuf bytes;
	int fds[BUS_FDS_MAX]; /* borrowed */
	size_t n_fds;
	int error; /* -ENOMEM, -E2BIG, -EILSEQ (text that is no UTF-8), -EMFILE; 0: none */
};

#define BUS_WRITER_INIT ((struct bus_writer){ .bytes = STRBUF_INIT(BUS_MESSAGE_MAX) })
void bus_writer_done(struct bus_writer *w);

/* bus_put_*() - append a value: what it is of in the signature is the caller's to know */
void bus_put_byte(struct bus_writer *w, uint8_t value);
void bus_put_bool(struct bus_writer *w, bool value);
void bus_put_u32(struct bus_writer *w, uint32_t value);
void bus_put_u64(struct bus_writer *w, uint64_t value);
/** bus_put_string() - a string or an object path */
void bus_put_string(struct bus_writer *w, const char *value);
void bus_put_signature(struct bus_writer *w, const char *value);
/** bus_put_fd() - of type h; the descriptor is sent along with the message */
void bus_put_fd(struct bus_writer *w, int fd);
/** bus_put_strings() - of type as; NULL is an empty one */
void bus_put_strings(struct bus_writer *w, const char *const *v);
/** bus_put_struct() - begin a struct or dict entry; it has no end */
void bus_put_struct(struct bus_writer *w);
/** bus_array_begin() - of elements of type @element (its first character). Return: what bus_array_end() wants */
size_t bus_array_begin(struct bus_writer *w, char element);
void bus_array_end(struct bus_writer *w, size_t mark, char element);

/**
 * bus_message_seal() - header and body in one block
 * @head: n_fds is taken from @body; signature is that of the body
 * @ret:  owned, strbuf_done()
 * Return: 0, or the error of either
 */
int bus_message_seal(const struct bus_header *head, const struct bus_writer *body,
		     struct strbuf *ret);

/* Reading. */

struct bus_reader {
	const uint8_t *bytes; /* what alignment counts from */
	size_t pos, end;
	const char *sig, *sig_end; /* what comes next */
	const char *element; /* an array's element type, to begin again with; NULL: no array */
	unsigned depth;
};

/**
 * bus_message_size() - how long a message is, from its first BUS_FIXED_HEADER bytes
 * Return: 0; -EBADMSG, -E2BIG (longer than BUS_MESSAGE_MAX), -EPROTONOSUPPORT (the other byte order)
 */
int bus_message_size(const uint8_t *bytes, size_t *ret);

/**
 * bus_message_parse() - header and body of a whole message
 * @ret_head: points into @bytes, which need not be aligned
 * Return: 0; -EBADMSG and as bus_message_size()
 * Source: D-Bus specification 0.38, "Message Protocol"
 */
int bus_message_parse(const uint8_t *bytes, size_t len, struct bus_header *ret_head,
		      struct bus_reader *ret_body);

/** bus_reader_init() - a cursor over @len bytes of signature @sig. Return: 0, or -EBADMSG for a wrong signature */
MUST_CHECK int bus_reader_init(struct bus_reader *r, const uint8_t *bytes, size_t len,
			       const char *sig);
/** bus_reader_peek() - type character of the next value, '\0' behind the last */
char bus_reader_peek(const struct bus_reader *r);
/** bus_reader_more() - is there another element of this array, or another value of this body? */
bool bus_reader_more(const struct bus_reader *r);

/** bus_read_number() - of @type y b n q i u x t or h (an index), sign-extended. Return: 0 or -EBADMSG */
MUST_CHECK int bus_read_number(struct bus_reader *r, char type, uint64_t *ret);
MUST_CHECK int bus_read_u32(struct bus_reader *r, uint32_t *ret);
/** bus_read_text() - of @type s, o or g; valid UTF-8 without a NUL inside. Return: 0 or -EBADMSG */
MUST_CHECK int bus_read_text(struct bus_reader *r, char type, const char **ret);
/** bus_read_skip() - over one value of any type. Return: 0 or -EBADMSG */
MUST_CHECK int bus_read_skip(struct bus_reader *r);
/** bus_read_array() - go into an array of elements of type @element; the outer cursor is behind it then. Return: 0 or -EBADMSG */
MUST_CHECK int bus_read_array(struct bus_reader *r, const char *element, struct bus_reader *ret);
/** bus_read_variant() - go into a variant; the outer cursor is behind it then. Return: 0 or -EBADMSG */
MUST_CHECK int bus_read_variant(struct bus_reader *r, struct bus_reader *ret);
/** bus_read_open() / bus_read_close() - into a struct or dict entry, and out of it over what was not read. Return: 0 or -EBADMSG */
MUST_CHECK int bus_read_open(struct bus_reader *r);
MUST_CHECK int bus_read_close(struct bus_reader *r);

#endif
