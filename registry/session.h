/* SPDX-License-Identifier: MIT */
/* One pull's dealings with one repository: scheme, credentials, requests that are asked again after a 401, interruption. */
#ifndef REGISTRY_SESSION_H
#define REGISTRY_SESSION_H

#include <poll.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "base/http.h"
#include "oci/reference.h"
#include "registry/endpoint.h"

#define SESSION_TRANSFERS_MAX 8 /* transfers of session_start() at once */
#define SESSION_POLL_MS 250 /* how often interruption is looked at */

struct session {
	struct http *http;
	struct endpoint endpoint;
	const struct image_ref *ref; /* borrowed, as all that the caller gives */
	const char *username, *password; /* NULL: anonymous */
	const volatile int *interrupted; /* may be NULL */
	char *authorization; /* value of the header; NULL: none yet */
	usec_t expires; /* of authorization */
	char *realm, *service; /* of the token service that gave it; NULL: none did */
	struct http_transfer
		*parked[SESSION_TRANSFERS_MAX]; /* finished while something else was awaited */
	size_t n_parked;
};

/** session_open() - load the HTTP client, settle the scheme (a loopback registry is asked whether it speaks TLS).
 *  Return: 0 or -errno; session_done() in any case */
int session_open(struct session *s, const struct image_ref *ref, struct err *err);
void session_done(struct session *s);

/**
 * session_get() - a document below /v2/REPOSITORY/, with credentials as asked for
 * @path: "manifests/TAG"
 * @max: most bytes of body
 * Return: 0 with an answer of status 200; what refusal_error() returns; ERR_NETWORK; ERR_INTERRUPTED
 */
int session_get(struct session *s, const char *path, const char *const *headers, size_t max,
		struct http_response *ret_response, struct err *err);

struct session_stream {
	const char *path; /* "blobs/sha256:…" */
	uint64_t max; /* most bytes of body */
	uint64_t from; /* > 0: asked for from this byte on */
	int (*started)(void *arg, long status, struct err *err); /* see http_request; may be NULL */
	int (*sink)(void *arg, const void *bytes, size_t len, struct err *err);
	void *arg;
};
/** session_start() - begin a transfer that streams into a sink; see http_start() */
int session_start(struct session *s, const struct session_stream *stream,
		  struct http_transfer **ret, struct err *err);
/**
 * session_poll() - as http_poll(), for at most SESSION_POLL_MS
 * Return: 0, -EINTR/ERR_INTERRUPTED, other -errno
 */
int session_poll(struct session *s, struct pollfd *fds, size_t n_fds,
		 struct http_transfer **ret_done, struct err *err);
/** session_refusal() - the error that an answer other than 200 to a request for @path is */
int session_refusal(const struct session *s, const char *path, const struct http_response *response,
		    struct err *err);
/**
 * session_authenticate() - do what a 401 asks for, so that the same request can be made again
 * Return: 0; ERR_AUTH (nothing we could do; the token service refused), ERR_NETWORK, ERR_INTERRUPTED
 */
int session_authenticate(struct session *s, const struct http_response *response, struct err *err);

#endif
