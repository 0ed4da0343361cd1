/* SPDX-License-Identifier: MIT */
/*
 * The process that unpacks one layer: forked, all other fds closed, own mount and network namespace where allowed, capabilities cut to
 * those that making files needs, chrooted into the layer's directory. It follows a blob file that the parent still appends to.
 */
#ifndef OCI_UNPACK_WORKER_H
#define OCI_UNPACK_WORKER_H

#include "oci/unpack.h"

struct unpack_worker;

/**
 * unpack_worker_start() - fork the worker
 * @blob_fd: readable file, read with pread; borrowed
 * @dest_fd: the layer's empty directory; borrowed
 */
int unpack_worker_start(int blob_fd, enum compression kind, int dest_fd, struct unpack_worker **ret,
			struct err *err);
/** unpack_worker_announce() - @available bytes of the blob are there; @complete: that is all of them, and they are verified */
int unpack_worker_announce(struct unpack_worker *w, uint64_t available, bool complete,
			   struct err *err);
/** unpack_worker_fd() - readable when the worker has reported or died */
int unpack_worker_fd(const struct unpack_worker *w);
/** unpack_worker_finish() - wait for the report and reap. Return: 0 with *ret owned; the worker's own error; -EIO if it died */
int unpack_worker_finish(struct unpack_worker *w, struct unpack_result *ret, struct err *err);
/** unpack_worker_free() - kill and reap if still there */
void unpack_worker_free(struct unpack_worker *w);
DEFINE_AUTO_PTR(unpack_worker)

#endif
