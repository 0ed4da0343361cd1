// SPDX-License-Identifier: MIT
/*
 * The layers of an image, several at once (see layers.h).
 *
 * A slot holds a layer from the start of its worker until the worker has reported. At most PULL_PARALLEL_LAYERS slots receive; the
 * others are still being unpacked. One loop polls the transfers and the workers: bytes go from curl straight to the worker's file in
 * the sink, so nothing is buffered here. Foreign urls in descriptors are never looked at: all comes from the registry that was named.
 */
#include "registry/layers.h"

#include <errno.h>
#include <stdio.h>

#include "registry/pull.h"

#define LAYER_PATH_MAX (sizeof("blobs/") + DIGEST_STR_MAX)

_Static_assert(PULL_PARALLEL_LAYERS <= SESSION_TRANSFERS_MAX, "a session can park them all");

struct slot {
	struct puller *puller;
	size_t layer;
	bool used, receiving;
	bool authenticated; /* asked again after a 401 already */
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

static const char *slot_path(const struct slot *slot, char buf[static LAYER_PATH_MAX])
{
	(void)snprintf(buf, LAYER_PATH_MAX, "blobs/%s", DIGEST_STR(&slot_descriptor(slot)->digest));
	return buf;
}

static int slot_request(struct slot *slot, struct err *err)
{
	char path[LAYER_PATH_MAX];
	struct http_transfer *t;
	int r = session_start(slot->puller->session,
			      &(struct session_stream){
				      .path = slot_path(slot, path),
				      .max = (uint64_t)slot_descriptor(slot)->size,
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
		*slot = (struct slot){ .puller = p, .layer = p->next, .used = true };
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

/* A transfer is over: 200 ends the layer's reception, a first 401 repeats it, all else fails the pull. */
static int slot_received(struct slot *slot, struct http_transfer *t, struct err *err)
{
	struct puller *p = slot->puller;
	const struct http_response *response;
	char path[LAYER_PATH_MAX];
	int r = http_transfer_result(t, &response, err);

	if (r < 0)
		return slot->sink_failed ? r : slot_error(slot, r, err);
	if (response->status == 200) {
		slot->receiving = false;
		p->receiving--;
		return install_layer_finish(p->install, slot->layer, err);
	}
	if (response->status != 401 || slot->authenticated)
		return slot_error(slot,
				  session_refusal(p->session, slot_path(slot, path), response, err),
				  err);
	slot->authenticated = true;
	r = session_authenticate(p->session, response, err);
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

		if (!fds[i].revents)
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
