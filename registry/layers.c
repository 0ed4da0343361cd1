// SPDX-License-Identifier: MIT
/*
 * The layers of an image, several at once (see layers.h).
 *
 * A slot holds a layer from the start of its worker until the worker has reported. At most PULL_PARALLEL_LAYERS slots receive; the
 * others are still being unpacked. One loop polls the transfers and the workers: bytes go from curl straight to the worker's file in
 * the sink, so nothing is buffered here. A transfer that failed in a way that may pass keeps its slot and its bytes: the loop makes the
 * request again when the pause is over, for the rest only. A server that sends all of it again starts the layer over. Foreign urls in descriptors are never looked at: all comes from the registry that was named.
 */
#include "registry/layers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "registry/pull.h"

#define LAYER_PATH_MAX (sizeof("blobs/") + DIGEST_STR_MAX)

/* Before the second attempt; doubled from one to the next. */
#define RETRY_PAUSE_FIRST (250 * USEC_PER_MSEC)
#define RETRY_PAUSE_MAX (4 * USEC_PER_SEC)
/* What a server may ask for with Retry-After. */
#define RETRY_AFTER_MAX_S 10

_Static_assert(PULL_PARALLEL_LAYERS <= SESSION_TRANSFERS_MAX, "a session can park them all");

struct slot {
	struct puller *puller;
	size_t layer;
	bool used, receiving;
	unsigned int authenticated; /* times asked again after a 401 */
	unsigned attempts; /* with the one that runs or is waited for */
	usec_t not_before; /* of the next attempt; 0: a transfer runs, or all was received */
	bool sink_failed; /* the transfer's error is of the installation, which names the layer itself */
};

struct puller {
	struct session *session;
	struct install *install;
	size_t next; /* first layer that was not looked at yet */
	size_t receiving;
	struct slot slots[LAYERS_ACTIVE_MAX];
};

static const struct descriptor *slot_descriptor(const struct slot *slot)
{
	return install_layer(slot->puller->install, slot->layer);
}

/* For what the network and the registry do: the installation's own errors name the layer already. */
static int slot_error(const struct slot *slot, int r, struct err *err)
{
	if (r == -EINTR)
		return r;
	return err_prefix(err, r, "layer %s", DIGEST_STR(&slot_descriptor(slot)->digest));
}

static int slot_write(void *arg, const void *bytes, size_t len, struct err *err)
{
	struct slot *slot = arg;
	int r = install_layer_write(slot->puller->install, slot->layer, bytes, len, err);

	slot->sink_failed = r < 0;
	return r;
}

/* The whole of it again, though only the rest was asked for. */
static int slot_started(void *arg, long status, struct err *err)
{
	struct slot *slot = arg;
	struct install *in = slot->puller->install;
	int r = 0;

	if (status == 200 && install_layer_received(in, slot->layer) > 0)
		r = install_layer_restart(in, slot->layer, err);
	slot->sink_failed = r < 0;
	return r;
}

static const char *slot_path(const struct slot *slot, char buf[static LAYER_PATH_MAX])
{
	(void)snprintf(buf, LAYER_PATH_MAX, "blobs/%s", DIGEST_STR(&slot_descriptor(slot)->digest));
	return buf;
}

static int slot_request(struct slot *slot, struct err *err)
{
	char path[LAYER_PATH_MAX];
	struct http_transfer *t;
	int r = session_start(
		slot->puller->session,
		&(struct session_stream){
			.path = slot_path(slot, path),
			.max = (uint64_t)slot_descriptor(slot)->size,
			.from = install_layer_received(slot->puller->install, slot->layer),
			.started = slot_started,
			.sink = slot_write,
			.arg = slot,
		},
		&t, err);

	return r < 0 ? slot_error(slot, r, err) : 0;
}

static struct slot *free_slot(struct puller *p)
{
	for (size_t i = 0; i < LAYERS_ACTIVE_MAX; i++)
		if (!p->slots[i].used)
			return &p->slots[i];
	return NULL;
}

/* Starts as many layers as may run. */
static int fill_slots(struct puller *p, struct err *err)
{
	size_t n = install_layer_count(p->install);

	for (; p->next < n && p->receiving < PULL_PARALLEL_LAYERS; p->next++) {
		struct slot *slot;
		int r;

		if (!install_layer_needed(p->install, p->next))
			continue;
		slot = free_slot(p);
		if (!slot)
			return 0;
		*slot = (struct slot){ .puller = p, .layer = p->next, .used = true, .attempts = 1 };
		r = install_layer_start(p->install, slot->layer, err);
		if (r == 0)
			r = slot_request(slot, err);
		if (r < 0)
			return r;
		slot->receiving = true;
		p->receiving++;
	}
	return 0;
}

/* Starts the attempts whose time has come. */
static int retry_slots(struct puller *p, struct err *err)
{
	for (size_t i = 0; i < LAYERS_ACTIVE_MAX; i++) {
		struct slot *slot = &p->slots[i];
		int r;

		if (!slot->used || !slot->not_before || slot->not_before > now_usec())
			continue;
		slot->not_before = 0;
		slot->authenticated = 0; /* a token may have run out meanwhile */
		r = slot_request(slot, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Retry-After in seconds (RFC 9110 10.2.3); a date is not looked at. */
static usec_t asked_pause(const char *retry_after)
{
	char *end;
	unsigned long s;

	if (!retry_after || *retry_after < '0' || *retry_after > '9')
		return 0;
	s = strtoul(retry_after, &end, 10);
	if (*end)
		return 0;
	return (s < RETRY_AFTER_MAX_S ? s : RETRY_AFTER_MAX_S) * USEC_PER_SEC;
}

/* Another attempt after a pause, or the error @why if there were enough. */
static int slot_retry(struct slot *slot, usec_t at_least, const struct err *why, struct err *err)
{
	usec_t pause = RETRY_PAUSE_FIRST << (slot->attempts - 1);

	if (slot->attempts == LAYER_ATTEMPTS_MAX) {
		if (err)
			*err = *why;
		return slot_error(slot, why->code, err);
	}
	if (pause > RETRY_PAUSE_MAX)
		pause = RETRY_PAUSE_MAX;
	if (pause < at_least)
		pause = at_least;
	log_debug("layer %.12s: attempt %u: %s: trying again in %u ms",
		  slot_descriptor(slot)->digest.hex, slot->attempts, why->msg,
		  (unsigned)(pause / USEC_PER_MSEC));
	slot->attempts++;
	slot->not_before = now_usec() + pause;
	return 0;
}

/* What came over the connection ended the transfer, not what we made of it: the next connection may do better. */
static bool is_passing(const struct err *why)
{
	return why->kind == ERR_NETWORK && (why->code == -ECONNRESET || why->code == -ETIMEDOUT ||
					    why->code == -ECONNREFUSED || why->code == -EPIPE);
}

static int slot_end(struct slot *slot, struct err *err)
{
	slot->receiving = false;
	slot->puller->receiving--;
	return install_layer_finish(slot->puller->install, slot->layer, err);
}

static int slot_broke_off(struct slot *slot, const struct err *why, struct err *err)
{
	const struct install *in = slot->puller->install;

	if (!slot->sink_failed && is_passing(why)) {
		/* there is no rest to ask for: the digest tells whether it is all */
		if (install_layer_received(in, slot->layer) ==
		    (uint64_t)slot_descriptor(slot)->size)
			return slot_end(slot, err);
		return slot_retry(slot, 0, why, err);
	}
	if (err)
		*err = *why;
	return slot->sink_failed ? why->code : slot_error(slot, why->code, err);
}

static int slot_refused(struct slot *slot, const struct http_response *response, struct err *err)
{
	char path[LAYER_PATH_MAX];
	struct err why = { 0 };

	(void)session_refusal(slot->puller->session, slot_path(slot, path), response, &why);
	if (response->status == 429 || response->status >= 500)
		return slot_retry(slot, asked_pause(response->retry_after), &why, err);
	if (err)
		*err = why;
	return slot_error(slot, why.code, err);
}

/* A transfer is over: 200, or 206 for a rest, ends the layer's reception, a first 401 repeats it, some failures are tried again. */
static int slot_received(struct slot *slot, struct http_transfer *t, struct err *err)
{
	const struct http_response *response;
	struct err why = { 0 };
	int r = http_transfer_result(t, &response, &why);

	if (r < 0)
		return slot_broke_off(slot, &why, err);
	if (response->status == 200 || (response->status == 206 && slot->attempts > 1))
		return slot_end(slot, err);
	/* A token good for few requests may be used up by the other transfers each time. */
	if (response->status != 401 || slot->authenticated > PULL_PARALLEL_LAYERS)
		return slot_refused(slot, response, err);
	slot->authenticated++;
	r = session_authenticate(slot->puller->session, response, err);
	return r < 0 ? slot_error(slot, r, err) : slot_request(slot, err);
}

/* The workers to wait for. @owners: whose fd is where. */
static size_t collect_workers(struct puller *p, struct pollfd *fds, struct slot **owners)
{
	size_t n = 0;

	for (size_t i = 0; i < LAYERS_ACTIVE_MAX; i++) {
		struct slot *slot = &p->slots[i];
		int fd = slot->used ? install_worker_fd(p->install, slot->layer) : -1;

		if (fd < 0)
			continue;
		fds[n] = (struct pollfd){ .fd = fd, .events = POLLIN };
		owners[n++] = slot;
	}
	return n;
}

static int reap_workers(struct puller *p, const struct pollfd *fds, struct slot *const *owners,
			size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		/* A layer that was started over has another worker by now. */
		if (!fds[i].revents || install_worker_fd(p->install, owners[i]->layer) != fds[i].fd)
			continue;
		r = install_worker_reap(p->install, owners[i]->layer, err);
		if (r < 0)
			return r;
		owners[i]->used = owners[i]->receiving;
	}
	return 0;
}

int layers_pull(struct session *s, struct install *in, struct err *err)
{
	struct puller p = { .session = s, .install = in };
	struct pollfd fds[LAYERS_ACTIVE_MAX];
	struct slot *owners[LAYERS_ACTIVE_MAX];

	for (;;) {
		struct http_transfer *done = NULL;
		int r = fill_slots(&p, err);
		size_t n;

		if (r == 0)
			r = retry_slots(&p, err);
		if (r < 0)
			return r;
		n = collect_workers(&p, fds, owners);
		if (p.receiving == 0 && n == 0 && p.next == install_layer_count(in))
			return 0;
		r = session_poll(s, fds, n, &done, err);
		if (r < 0)
			return r;
		if (done) {
			struct slot *slot = http_transfer_arg(done);

			r = slot_received(slot, done, err);
			http_transfer_free(done);
			if (r < 0)
				return r;
		}
		r = reap_workers(&p, fds, owners, n, err);
		if (r < 0)
			return r;
	}
}
