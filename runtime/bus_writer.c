// SPDX-License-Identifier: MIT
/* Writing of D-Bus messages (see bus_message.h). */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "runtime/bus_message.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE 'l'
#else
#define NATIVE 'B'
#endif

void bus_writer_done(struct bus_writer *w)
{
	strbuf_done(&w->bytes);
}

static void put(struct bus_writer *w, const void *bytes, size_t len)
{
	if (!w->error)
		w->error = strbuf_add(&w->bytes, bytes, len);
}

static void pad(struct bus_writer *w, size_t to)
{
	static const char zeros[8];

	put(w, zeros, (to - w->bytes.len % to) % to);
}

void bus_put_byte(struct bus_writer *w, uint8_t value)
{
	put(w, &value, sizeof(value));
}

void bus_put_u32(struct bus_writer *w, uint32_t value)
{
	pad(w, sizeof(value));
	put(w, &value, sizeof(value));
}

void bus_put_bool(struct bus_writer *w, bool value)
{
	bus_put_u32(w, value);
}

void bus_put_u64(struct bus_writer *w, uint64_t value)
{
	pad(w, sizeof(value));
	put(w, &value, sizeof(value));
}

void bus_put_string(struct bus_writer *w, const char *value)
{
	size_t len = strlen(value);

	/* The peer hangs up on a message with such text: that it is ours must be said here. */
	if (!w->error && !utf8_is_valid(value, len))
		w->error = -EILSEQ;
	if (!w->error && len >= BUS_MESSAGE_MAX)
		w->error = -E2BIG;
	bus_put_u32(w, (uint32_t)len);
	put(w, value, len + 1);
}

void bus_put_signature(struct bus_writer *w, const char *value)
{
	size_t len = strlen(value);

	if (!w->error && len > UINT8_MAX)
		w->error = -E2BIG;
	bus_put_byte(w, (uint8_t)len);
	put(w, value, len + 1);
}

void bus_put_fd(struct bus_writer *w, int fd)
{
	size_t i = 0;

	while (i < w->n_fds && w->fds[i] != fd)
		i++;
	if (i == BUS_FDS_MAX) {
		if (!w->error)
			w->error = -EMFILE;
		return;
	}
	w->fds[i] = fd;
	if (i == w->n_fds)
		w->n_fds++;
	bus_put_u32(w, (uint32_t)i);
}

void bus_put_strings(struct bus_writer *w, const char *const *v)
{
	size_t mark = bus_array_begin(w, 's');

	for (; v && *v; v++)
		bus_put_string(w, *v);
	bus_array_end(w, mark, 's');
}

void bus_put_struct(struct bus_writer *w)
{
	pad(w, 8);
}

static size_t element_alignment(char element)
{
	if (strchr("ygv", element))
		return 1;
	return strchr("xtd({", element) ? 8 : 4;
}

size_t bus_array_begin(struct bus_writer *w, char element)
{
	size_t mark;

	pad(w, 4);
	mark = w->bytes.len;
	bus_put_u32(w, 0);
	pad(w, element_alignment(element));
	return mark;
}

void bus_array_end(struct bus_writer *w, size_t mark, char element)
{
	size_t to = element_alignment(element), begin = mark + sizeof(uint32_t);
	uint32_t len;

	if (w->error)
		return;
	/* The padding before the first element does not count. */
	begin += (to - begin % to) % to;
	len = (uint32_t)(w->bytes.len - begin);
	memcpy(w->bytes.text + mark, &len, sizeof(len));
}

static void put_text_field(struct bus_writer *w, uint8_t code, char type, const char *text)
{
	if (!text)
		return;
	bus_put_struct(w);
	bus_put_byte(w, code);
	bus_put_signature(w, (const char[]){ type, '\0' });
	if (type == 'g')
		bus_put_signature(w, text);
	else
		bus_put_string(w, text);
}

static void put_number_field(struct bus_writer *w, uint8_t code, uint32_t number)
{
	if (!number)
		return;
	bus_put_struct(w);
	bus_put_byte(w, code);
	bus_put_signature(w, "u");
	bus_put_u32(w, number);
}

int bus_message_seal(const struct bus_header *head, const struct bus_writer *body,
		     struct strbuf *ret)
{
	struct bus_writer w = BUS_WRITER_INIT;
	size_t fields;

	if (body->error)
		return body->error;
	bus_put_byte(&w, NATIVE);
	bus_put_byte(&w, head->type);
	bus_put_byte(&w, head->flags);
	bus_put_byte(&w, 1);
	bus_put_u32(&w, (uint32_t)body->bytes.len);
	bus_put_u32(&w, head->serial);
	fields = bus_array_begin(&w, '(');
	put_text_field(&w, 1, 'o', head->path);
	put_text_field(&w, 2, 's', head->interface);
	put_text_field(&w, 3, 's', head->member);
	put_text_field(&w, 4, 's', head->error);
	put_number_field(&w, 5, head->reply_serial);
	put_text_field(&w, 6, 's', head->destination);
	put_text_field(&w, 7, 's', head->sender);
	if (head->signature && *head->signature)
		put_text_field(&w, 8, 'g', head->signature);
	put_number_field(&w, 9, (uint32_t)body->n_fds);
	bus_array_end(&w, fields, '(');
	pad(&w, 8);
	put(&w, strbuf_str(&body->bytes), body->bytes.len);
	if (w.error) {
		bus_writer_done(&w);
		return w.error;
	}
	*ret = w.bytes;
	return 0;
}
