// SPDX-License-Identifier: MIT
/* Fuzzer of the D-Bus reader: any message a machine's PID 1 may send, read to the last value and as a unit's state. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/bus_message.h"
#include "runtime/systemd_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every text must lie in the message, up to its NUL. */
static void check_text(const char *text, const uint8_t *begin, size_t size)
{
	const char *end = (const char *)begin + size;

	if (text && (text < (const char *)begin || text >= end ||
		     !memchr(text, '\0', (size_t)(end - text))))
		abort();
}

static void read_all(struct bus_reader *r, const uint8_t *begin, size_t size);

/* An array by its own element type, as the signature has it. */
static void read_array(struct bus_reader *r, const uint8_t *begin, size_t size)
{
	const char *sig = r->sig == r->sig_end ? r->element : r->sig;
	struct bus_reader inner;
	char element[256];

	for (size_t len = 1; len < (size_t)(r->sig_end - sig) && len < sizeof(element); len++) {
		memcpy(element, sig + 1, len);
		element[len] = '\0';
		if (bus_read_array(r, element, &inner) < 0)
			continue;
		read_all(&inner, begin, size);
		return;
	}
	/* It could not be gone into: out of bounds or too deep. */
	r->sig = r->sig_end;
	r->pos = r->end;
}

static void read_all(struct bus_reader *r, const uint8_t *begin, size_t size)
{
	struct bus_reader inner, skipped;
	const char *text;
	uint64_t number;

	while (bus_reader_more(r)) {
		char type = bus_reader_peek(r);
		size_t pos = r->pos;
		int e = 0;

		skipped = *r;
		if (r->pos > r->end || r->sig > r->sig_end)
			abort();
		if (type == 'a') {
			read_array(r, begin, size);
		} else if (type == 'v') {
			e = bus_read_variant(r, &inner);
			if (e == 0)
				read_all(&inner, begin, size);
		} else if (type == '(' || type == '{') {
			e = bus_read_open(r);
		} else if (type == ')' || type == '}') {
			e = bus_read_close(r);
		} else if (strchr("sog", type)) {
			e = bus_read_text(r, type, &text);
			if (e == 0)
				check_text(text, begin, size);
		} else if (type == 'd') {
			e = bus_read_skip(r);
		} else {
			e = bus_read_number(r, type, &number);
		}
		if (e < 0)
			return;
		if (r->pos < pos)
			abort();
		/* What can be skipped, ends where reading it ended. */
		if (strchr("sogynqiuxtdhvb", type) &&
		    (bus_read_skip(&skipped) < 0 || skipped.pos != r->pos))
			abort();
	}
}

static void read_as_state(struct bus_reader body)
{
	struct systemd_unit_state state = { 0 };
	struct bus_reader dict;

	if (bus_read_array(&body, "{sv}", &dict) < 0 || systemd_unit_merge(&dict, &state) < 0)
		return;
	if (strspn(state.active, "abcdefghijklmnopqrstuvwxyz0123456789-_?") != strlen(state.active))
		abort();
}

/* A session without a connection: what signals do to it. */
static void take_signal(struct bus_header *head, struct bus_reader body)
{
	static struct systemd s;

	(void)systemd_unit_path(s.watched, "a.service");
	systemd_signal(&s, head, &body);
	if (s.n_removed > 0 &&
	    s.removed[(s.n_removed - 1) % SYSTEMD_REMOVED_MAX].result > SYSTEMD_JOB_OTHER)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_header head;
	struct bus_reader body;
	size_t announced;

	if (size < BUS_FIXED_HEADER || bus_message_size(data, &announced) < 0)
		return 0;
	if (bus_message_parse(data, size, &head, &body) < 0)
		return 0;
	if (announced != size)
		abort();
	check_text(head.path, data, size);
	check_text(head.interface, data, size);
	check_text(head.member, data, size);
	check_text(head.error, data, size);
	check_text(head.sender, data, size);
	check_text(head.destination, data, size);
	read_as_state(body);
	if (head.type == BUS_SIGNAL)
		take_signal(&head, body);
	read_all(&body, data, size);
	return 0;
}
