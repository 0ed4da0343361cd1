// SPDX-License-Identifier: MIT
/*
 * One layer on its way in: bytes appended to a nameless blob file, hashed, announced to the worker that unpacks them (see install.h).
 * The worker starts with the first bytes, which tell the compression; as in docker they decide, not the media type.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "oci/install_state.h"

#define ANNOUNCE_BYTES ((uint64_t)256 << 10)
#define HEAD_BYTES 16 /* enough for every magic number */

void install_layer_init(struct install_layer *l)
{
	*l = (struct install_layer){ .blob_fd = -EBADF,
				     .ingest = { .lock_fd = -EBADF, .fs_fd = -EBADF } };
}

/* The worker goes first: nobody writes into the directory that is removed. */
static void layer_reset(struct install_layer *l)
{
	unpack_worker_free(l->worker);
	l->worker = NULL;
	ingest_done(&l->ingest);
	if (l->blob_fd >= 0)
		(void)close(l->blob_fd);
	l->blob_fd = -EBADF;
	digest_ctx_free(l->digest);
	l->digest = NULL;
	l->received = l->announced = 0;
	l->complete = false;
}

void install_layer_done(struct install_layer *l)
{
	layer_reset(l);
	unpack_result_done(&l->result);
}

void install_event(const struct install *in, size_t i, enum layer_event what)
{
	if (in->req.event)
		in->req.event(in->req.event_arg, i, &in->doc.layers[i].digest, what);
}

static int layer_error(const struct install *in, size_t i, int r, struct err *err)
{
	return err_prefix(err, r, "layer %.12s", in->doc.layers[i].digest.hex);
}

int install_layer_start(struct install *in, size_t i, struct err *err)
{
	struct install_layer *l = &in->layers[i];
	int r;

	if (l->ingest.store)
		return 0;
	r = ingest_begin(in->req.store, &l->ingest, err);
	if (r == 0) {
		l->blob_fd = ingest_open_blob(&l->ingest, err);
		r = l->blob_fd < 0 ? l->blob_fd : digest_begin(&l->digest, err);
	}
	return r < 0 ? layer_error(in, i, r, err) : 0;
}

static int layer_worker_start(struct install_layer *l, struct err *err)
{
	char head[HEAD_BYTES];
	ssize_t n = pread(l->blob_fd, head, sizeof(head), 0);

	if (n < 0)
		return err_sys(err, ERR_SYSTEM, "read layer data");
	return unpack_worker_start(l->blob_fd, compression_detect(head, (size_t)n), l->ingest.fs_fd,
				   &l->worker, err);
}

static int layer_append(struct install_layer *l, const char *p, size_t len, struct err *err)
{
	digest_update(l->digest, p, len);
	while (len > 0) {
		ssize_t n = pwrite(l->blob_fd, p, len, (off_t)l->received);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_SYSTEM, "write layer data to the store");
		p += n;
		len -= (size_t)n;
		l->received += (uint64_t)n;
	}
	return 0;
}

int install_layer_write(struct install *in, size_t i, const void *buf, size_t len, struct err *err)
{
	struct install_layer *l = &in->layers[i];
	uint64_t size = (uint64_t)in->doc.layers[i].size;
	int r;

	if (!l->digest)
		return err_set(err, ERR_SYSTEM, -EINVAL, "layer data before its start");
	if (len > size - l->received)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "layer %.12s is larger than the %llu bytes of its descriptor",
			       in->doc.layers[i].digest.hex, (unsigned long long)size);
	r = layer_append(l, buf, len, err);
	if (r == 0 && !l->worker && l->received >= HEAD_BYTES)
		r = layer_worker_start(l, err);
	if (r == 0 && l->worker && l->received - l->announced >= ANNOUNCE_BYTES) {
		r = unpack_worker_announce(l->worker, l->received, false, err);
		l->announced = l->received;
	}
	return r < 0 ? layer_error(in, i, r, err) : 0;
}

uint64_t install_layer_received(const struct install *in, size_t i)
{
	return in->layers[i].received;
}

int install_layer_restart(struct install *in, size_t i, struct err *err)
{
	layer_reset(&in->layers[i]);
	return install_layer_start(in, i, err);
}

int install_layer_finish(struct install *in, size_t i, struct err *err)
{
	struct install_layer *l = &in->layers[i];
	const struct descriptor *want = &in->doc.layers[i];
	struct digest actual;
	int r;

	if (!l->digest)
		return err_set(err, ERR_SYSTEM, -EINVAL, "end of a layer before its start");
	install_event(in, i, LAYER_VERIFYING);
	if (l->received != (uint64_t)want->size)
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "layer %.12s ends after %llu of %lld bytes", want->digest.hex,
			       (unsigned long long)l->received, (long long)want->size);
	digest_finish(l->digest, &actual);
	digest_ctx_free(l->digest);
	l->digest = NULL;
	if (!digest_equal(&actual, &want->digest))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "layer %.12s: its content has digest %s",
			       want->digest.hex, DIGEST_STR(&actual));
	r = l->worker ? 0 : layer_worker_start(l, err);
	if (r == 0)
		r = unpack_worker_announce(l->worker, l->received, true, err);
	if (r < 0)
		return layer_error(in, i, r, err);
	l->complete = true;
	install_event(in, i, LAYER_DOWNLOADED);
	return 0;
}

int install_worker_fd(const struct install *in, size_t i)
{
	return in->layers[i].worker ? unpack_worker_fd(in->layers[i].worker) : -1;
}

static bool layer_has_copies(const struct install *in, size_t i)
{
	for (size_t k = i + 1; k < in->doc.n_layers; k++) {
		if (in->layers[k].state == LAYER_COPY && in->layers[k].same_as == i)
			return true;
	}
	return false;
}

int install_worker_reap(struct install *in, size_t i, struct err *err)
{
	struct install_layer *l = &in->layers[i];
	int r = unpack_worker_finish(l->worker, &l->result, err);

	unpack_worker_free(l->worker);
	l->worker = NULL;
	if (r < 0)
		return layer_error(in, i, r, err);
	if (!l->complete)
		return err_set(err, ERR_SYSTEM, -EIO,
			       "layer %.12s: its worker reports before the end",
			       in->doc.layers[i].digest.hex);
	if (!digest_equal(&l->result.diff_id, &l->diff_id))
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "layer %.12s: its diffID is %s, the image's config has %s",
			       in->doc.layers[i].digest.hex, DIGEST_STR(&l->result.diff_id),
			       DIGEST_STR(&l->diff_id));
	l->unpacked = true;
	if (!layer_has_copies(in, i)) {
		/* nothing needs the blob any more; its space is free at once */
		(void)close(l->blob_fd);
		l->blob_fd = -EBADF;
	}
	install_event(in, i, LAYER_UNPACKED);
	return 0;
}

int install_layer_unpack_again(struct install *in, size_t i, struct err *err)
{
	struct install_layer *l = &in->layers[i], *first = &in->layers[l->same_as];
	int r = ingest_begin(in->req.store, &l->ingest, err);

	if (r < 0)
		return layer_error(in, i, r, err);
	l->blob_fd = fcntl(first->blob_fd, F_DUPFD_CLOEXEC, 3);
	if (l->blob_fd < 0)
		return err_sys(err, ERR_SYSTEM, "duplicate a file descriptor");
	r = layer_worker_start(l, err);
	if (r == 0)
		r = unpack_worker_announce(l->worker, first->received, true, err);
	if (r < 0)
		return layer_error(in, i, r, err);
	l->complete = true;
	return install_worker_reap(in, i, err);
}

/* Take the reports that are there, waiting for one. */
static int reap_some(struct install *in, struct pollfd *fds, size_t n, struct err *err)
{
	nfds_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (in->layers[i].worker)
			fds[used++] =
				(struct pollfd){ .fd = install_worker_fd(in, i), .events = POLLIN };
	}
	if (poll(fds, used, -1) < 0)
		return err_sys(err, errno == EINTR ? ERR_INTERRUPTED : ERR_SYSTEM,
			       "wait for an unpack worker");
	for (size_t i = 0, at = 0; i < n; i++) {
		int r = 0;

		if (!in->layers[i].worker)
			continue;
		if (fds[at++].revents)
			r = install_worker_reap(in, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int install_throttle(struct install *in, size_t max_workers, struct err *err)
{
	size_t n = in->doc.n_layers;
	AUTO_FREE struct pollfd *fds = calloc(n ? n : 1, sizeof(*fds));

	if (!fds)
		return err_oom(err);
	for (;;) {
		size_t running = 0;
		int r;

		for (size_t i = 0; i < n; i++)
			running += in->layers[i].worker != NULL;
		if (running <= max_workers)
			return 0;
		r = reap_some(in, fds, n, err);
		if (r < 0)
			return r;
	}
}
