// SPDX-License-Identifier: MIT
/* Parsing of D-Bus messages (see bus_message.h); what writes them is bus_writer.c. */
#include "runtime/bus_message.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE 'l'
#define FOREIGN 'B'
#else
#define NATIVE 'B'
#define FOREIGN 'l'
#endif

#define FIELDS_MAX ((size_t)64 << 10)

static bool is_basic(char type)
{
	return type && strchr("ybnqiuxtdsogh", type);
}

/* Length of the first complete type, 0 if there is none. */
static size_t type_len(const char *sig, size_t n, unsigned depth)
{
	size_t len = 1, part;

	if (!n || depth > BUS_DEPTH_MAX)
		return 0;
	if (is_basic(sig[0]) || sig[0] == 'v')
		return 1;
	if (sig[0] == 'a' && n >= 5 && sig[1] == '{') {
		part = is_basic(sig[2]) ? type_len(sig + 3, n - 3, depth + 1) : 0;
		return part && 3 + part < n && sig[3 + part] == '}' ? part + 4 : 0;
	}
	if (sig[0] == 'a') {
		part = type_len(sig + 1, n - 1, depth + 1);
		return part ? part + 1 : 0;
	}
	if (sig[0] != '(')
		return 0;
	while (len < n && sig[len] != ')') {
		part = type_len(sig + len, n - len, depth + 1);
		if (!part)
			return 0;
		len += part;
	}
	return len > 1 && len < n ? len + 1 : 0;
}

static bool signature_is_valid(const char *sig)
{
	size_t n = strlen(sig);

	if (n > UINT8_MAX)
		return false;
	while (n) {
		size_t len = type_len(sig, n, 0);

		if (!len)
			return false;
		sig += len;
		n -= len;
	}
	return true;
}

static size_t alignment(char type)
{
	switch (type) {
	case 'n':
	case 'q':
		return 2;
	case 'b':
	case 'i':
	case 'u':
	case 's':
	case 'o':
	case 'a':
	case 'h':
		return 4;
	case 'x':
	case 't':
	case 'd':
	case '(':
	case '{':
		return 8;
	default:
		return 1;
	}
}

static size_t align_up(size_t pos, size_t to)
{
	return (pos + to - 1) & ~(to - 1);
}

/* Where @n bytes of alignment @to begin; -EBADMSG unless they are all there. */
static int locate(const struct bus_reader *r, size_t to, size_t n, size_t *ret)
{
	size_t pos = align_up(r->pos, to);

	if (pos > r->end || n > r->end - pos)
		return -EBADMSG;
	*ret = pos;
	return 0;
}

static const char *next_type(const struct bus_reader *r)
{
	if (r->sig == r->sig_end && r->element && r->pos < r->end)
		return r->element;
	return r->sig;
}

int bus_reader_init(struct bus_reader *r, const uint8_t *bytes, size_t len, const char *sig)
{
	if (!signature_is_valid(sig))
		return -EBADMSG;
	*r = (struct bus_reader){
		.bytes = bytes, .end = len, .sig = sig, .sig_end = sig + strlen(sig)
	};
	return 0;
}

char bus_reader_peek(const struct bus_reader *r)
{
	const char *sig = next_type(r);

	return sig == r->sig_end ? '\0' : *sig;
}

bool bus_reader_more(const struct bus_reader *r)
{
	return r->sig < r->sig_end || (r->element && r->pos < r->end);
}

static int read_u32_at(const struct bus_reader *r, size_t *pos, uint32_t *ret)
{
	int e = locate(r, 4, sizeof(*ret), pos);

	if (e < 0)
		return e;
	memcpy(ret, r->bytes + *pos, sizeof(*ret));
	*pos += sizeof(*ret);
	return 0;
}

static int number_at(const struct bus_reader *r, char type, uint64_t *ret, size_t *ret_pos)
{
	size_t size = alignment(type), pos; /* of a number the same */
	uint8_t byte;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int e = locate(r, size, size, &pos);

	if (e < 0)
		return e;
	switch (size) {
	case 1:
		memcpy(&byte, r->bytes + pos, sizeof(byte));
		*ret = byte;
		break;
	case 2:
		memcpy(&u16, r->bytes + pos, sizeof(u16));
		*ret = type == 'n' ? (uint64_t)(int64_t)(int16_t)u16 : u16;
		break;
	case 4:
		memcpy(&u32, r->bytes + pos, sizeof(u32));
		if (type == 'b' && u32 > 1)
			return -EBADMSG;
		*ret = type == 'i' ? (uint64_t)(int64_t)(int32_t)u32 : u32;
		break;
	default:
		memcpy(&u64, r->bytes + pos, sizeof(u64));
		*ret = u64;
	}
	*ret_pos = pos + size;
	return 0;
}

int bus_read_number(struct bus_reader *r, char type, uint64_t *ret)
{
	const char *sig = next_type(r);
	size_t pos;
	int e;

	if (bus_reader_peek(r) != type || !strchr("ybnqiuxth", type))
		return -EBADMSG;
	e = number_at(r, type, ret, &pos);
	if (e < 0)
		return e;
	r->pos = pos;
	r->sig = sig + 1;
	return 0;
}

int bus_read_u32(struct bus_reader *r, uint32_t *ret)
{
	uint64_t value;
	int e = bus_read_number(r, 'u', &value);

	if (e < 0)
		return e;
	*ret = (uint32_t)value;
	return 0;
}

/* A text of a length of one byte (g) or four, with a NUL behind it. */
static int text_at(const struct bus_reader *r, char type, const char **ret, size_t *ret_len,
		   size_t *ret_pos)
{
	uint32_t len;
	size_t pos = r->pos;
	int e = 0;

	if (type != 'g')
		e = read_u32_at(r, &pos, &len);
	else if (pos < r->end)
		len = r->bytes[pos++];
	else
		e = -EBADMSG;
	if (e < 0)
		return e;
	if (len >= r->end - pos || r->bytes[pos + len])
		return -EBADMSG;
	*ret = (const char *)r->bytes + pos;
	*ret_len = len;
	*ret_pos = pos + len + 1;
	return 0;
}

int bus_read_text(struct bus_reader *r, char type, const char **ret)
{
	const char *sig = next_type(r), *text;
	size_t pos, len;
	int e;

	if (bus_reader_peek(r) != type || !strchr("sog", type))
		return -EBADMSG;
	e = text_at(r, type, &text, &len, &pos);
	if (e < 0)
		return e;
	if (memchr(text, '\0', len) || !utf8_is_valid(text, len))
		return -EBADMSG;
	*ret = text;
	r->pos = pos;
	r->sig = sig + 1;
	return 0;
}

int bus_read_array(struct bus_reader *r, const char *element, struct bus_reader *ret)
{
	const char *sig = next_type(r);
	size_t pos, begin, len = strlen(element);
	uint32_t bytes;
	int e;

	if (bus_reader_peek(r) != 'a' || type_len(sig, (size_t)(r->sig_end - sig), 0) != len + 1 ||
	    memcmp(sig + 1, element, len) != 0 || r->depth >= BUS_DEPTH_MAX)
		return -EBADMSG;
	e = read_u32_at(r, &pos, &bytes);
	if (e < 0)
		return e;
	begin = align_up(pos, alignment(*element));
	if (begin > r->end || bytes > r->end - begin)
		return -EBADMSG;
	*ret = (struct bus_reader){ .bytes = r->bytes,
				    .pos = begin,
				    .end = begin + bytes,
				    .sig = sig + 1 + len,
				    .sig_end = sig + 1 + len,
				    .element = sig + 1,
				    .depth = r->depth + 1 };
	r->pos = begin + bytes;
	r->sig = sig + 1 + len;
	return 0;
}

/* The variant's value; where it ends is not known yet. */
static int variant_at(const struct bus_reader *r, struct bus_reader *ret)
{
	const char *sig;
	size_t len, pos;
	int e = text_at(r, 'g', &sig, &len, &pos);

	if (e < 0)
		return e;
	if (!len || type_len(sig, len, 0) != len || r->depth >= BUS_DEPTH_MAX)
		return -EBADMSG;
	*ret = (struct bus_reader){ .bytes = r->bytes,
				    .pos = pos,
				    .end = r->end,
				    .sig = sig,
				    .sig_end = sig + len,
				    .depth = r->depth + 1 };
	return 0;
}

int bus_read_variant(struct bus_reader *r, struct bus_reader *ret)
{
	const char *sig = next_type(r);
	struct bus_reader value, behind;
	int e;

	if (bus_reader_peek(r) != 'v')
		return -EBADMSG;
	e = variant_at(r, &value);
	if (e < 0)
		return e;
	behind = value;
	e = bus_read_skip(&behind);
	if (e < 0)
		return e;
	value.end = behind.pos;
	*ret = value;
	r->pos = behind.pos;
	r->sig = sig + 1;
	return 0;
}

/* An array is passed over by its length; what is in it is not looked at. */
static int skip_array(struct bus_reader *r)
{
	size_t len = type_len(r->sig, (size_t)(r->sig_end - r->sig), 0), pos;
	uint32_t bytes;
	int e = read_u32_at(r, &pos, &bytes);

	if (e < 0)
		return e;
	pos = align_up(pos, alignment(r->sig[1]));
	if (!len || pos > r->end || bytes > r->end - pos)
		return -EBADMSG;
	r->pos = pos + bytes;
	r->sig += len;
	return 0;
}

static int skip_struct(struct bus_reader *r)
{
	int e;

	if (r->depth >= BUS_DEPTH_MAX)
		return -EBADMSG;
	r->depth++;
	e = bus_read_open(r);
	if (e == 0)
		e = bus_read_close(r);
	r->depth--;
	return e;
}

static int skip_plain(struct bus_reader *r, char type)
{
	const char *text;
	uint64_t number;
	size_t pos, len;
	int e;

	if (strchr("sog", type))
		e = text_at(r, type, &text, &len, &pos);
	else
		e = number_at(r, type, &number, &pos);
	if (e < 0)
		return e;
	r->pos = pos;
	r->sig++;
	return 0;
}

int bus_read_skip(struct bus_reader *r)
{
	char type = bus_reader_peek(r);
	struct bus_reader at = *r, value;
	int e;

	at.sig = next_type(r);
	switch (type) {
	case 'a':
		e = skip_array(&at);
		break;
	case '(':
	case '{':
		e = skip_struct(&at);
		break;
	case 'v':
		e = bus_read_variant(&at, &value);
		break;
	case '\0':
	case ')':
	case '}':
		return -EBADMSG;
	default:
		e = skip_plain(&at, type);
	}
	if (e == 0)
		*r = at;
	return e;
}

int bus_read_open(struct bus_reader *r)
{
	const char *sig = next_type(r);
	char type = bus_reader_peek(r);
	size_t pos;
	int e;

	if (type != '(' && type != '{')
		return -EBADMSG;
	e = locate(r, 8, 0, &pos);
	if (e < 0)
		return e;
	r->pos = pos;
	r->sig = sig + 1;
	return 0;
}

int bus_read_close(struct bus_reader *r)
{
	struct bus_reader at = *r;

	while (at.sig < at.sig_end && *at.sig != ')' && *at.sig != '}') {
		int e = bus_read_skip(&at);

		if (e < 0)
			return e;
	}
	if (at.sig == at.sig_end)
		return -EBADMSG;
	at.sig++;
	*r = at;
	return 0;
}

struct fixed {
	size_t fields, body; /* bytes */
	uint32_t serial;
};

static int read_fixed(const uint8_t *bytes, struct fixed *ret)
{
	uint32_t body, serial, fields;

	if (bytes[0] == FOREIGN)
		return -EPROTONOSUPPORT;
	if (bytes[0] != NATIVE || !bytes[1] || bytes[3] != 1)
		return -EBADMSG;
	memcpy(&body, bytes + 4, sizeof(body));
	memcpy(&serial, bytes + 8, sizeof(serial));
	memcpy(&fields, bytes + 12, sizeof(fields));
	if (!serial || fields > FIELDS_MAX)
		return -EBADMSG;
	if (body > BUS_MESSAGE_MAX - BUS_FIXED_HEADER - align_up(fields, 8))
		return -E2BIG;
	*ret = (struct fixed){ .fields = fields, .body = body, .serial = serial };
	return 0;
}

int bus_message_size(const uint8_t *bytes, size_t *ret)
{
	struct fixed f;
	int e = read_fixed(bytes, &f);

	if (e < 0)
		return e;
	*ret = BUS_FIXED_HEADER + align_up(f.fields, 8) + f.body;
	return 0;
}

/* One header field; of those that we do not know, only the form is checked. */
static int read_field(struct bus_reader *r, struct bus_header *head)
{
	uint64_t code;
	struct bus_reader v;
	int e = bus_read_open(r);

	if (e == 0)
		e = bus_read_number(r, 'y', &code);
	if (e == 0)
		e = bus_read_variant(r, &v);
	if (e == 0)
		e = bus_read_close(r);
	if (e < 0)
		return e;
	switch (code) {
	case 1:
		return bus_read_text(&v, 'o', &head->path);
	case 2:
		return bus_read_text(&v, 's', &head->interface);
	case 3:
		return bus_read_text(&v, 's', &head->member);
	case 4:
		return bus_read_text(&v, 's', &head->error);
	case 5:
		return bus_read_u32(&v, &head->reply_serial);
	case 6:
		return bus_read_text(&v, 's', &head->destination);
	case 7:
		return bus_read_text(&v, 's', &head->sender);
	case 8:
		return bus_read_text(&v, 'g', &head->signature);
	case 9:
		return bus_read_u32(&v, &head->n_fds);
	default:
		return code ? 0 : -EBADMSG;
	}
}

/* What its type requires must be there. */
static bool is_complete(const struct bus_header *h)
{
	switch (h->type) {
	case BUS_CALL:
		return h->path && h->member;
	case BUS_REPLY:
		return h->reply_serial;
	case BUS_ERROR:
		return h->reply_serial && h->error;
	case BUS_SIGNAL:
		return h->path && h->interface && h->member;
	default:
		return true;
	}
}

int bus_message_parse(const uint8_t *bytes, size_t len, struct bus_header *ret_head,
		      struct bus_reader *ret_body)
{
	struct bus_header head = { .signature = "" };
	struct bus_reader all, fields, body;
	struct fixed f;
	size_t begin;
	int e;

	if (len < BUS_FIXED_HEADER)
		return -EBADMSG;
	e = read_fixed(bytes, &f);
	if (e < 0)
		return e;
	begin = BUS_FIXED_HEADER + align_up(f.fields, 8);
	if (len != begin + f.body)
		return -EBADMSG;
	head.type = bytes[1];
	head.flags = bytes[2];
	head.serial = f.serial;
	e = bus_reader_init(&all, bytes, BUS_FIXED_HEADER + f.fields, "a(yv)");
	if (e < 0)
		return e;
	all.pos = BUS_FIXED_HEADER - 4;
	e = bus_read_array(&all, "(yv)", &fields);
	while (e == 0 && bus_reader_more(&fields))
		e = read_field(&fields, &head);
	if (e < 0)
		return e;
	if (!is_complete(&head))
		return -EBADMSG;
	e = bus_reader_init(&body, bytes + begin, f.body, head.signature);
	if (e < 0)
		return e;
	*ret_head = head;
	*ret_body = body;
	return 0;
}
