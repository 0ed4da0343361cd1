/* SPDX-License-Identifier: MIT */
/* The error object: every failing function returns -errno and fills one of these, once, where the failure is found. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_MSG_MAX 480

/* What a failure means to a caller; exit codes and retries are chosen by kind, never by message text. */
enum err_kind {
	ERR_NONE = 0,
	ERR_SYSTEM, /* a system call or a library failed */
	ERR_USAGE, /* the command line or a name in it is wrong */
	ERR_NOT_FOUND, /* the thing asked for does not exist */
	ERR_AUTH, /* a registry refused who we are */
	ERR_NETWORK, /* a server could not be reached or misbehaved */
	ERR_CORRUPT, /* data from outside is malformed or fails its digest */
	ERR_TIMEOUT, /* a deadline passed */
	ERR_CONFLICT, /* a name or a resource is in use */
	ERR_UNSUPPORTED, /* well-formed, but not something racker does */
	ERR_EXEC_NOT_FOUND, /* the container's command does not exist (exit code 127) */
	ERR_EXEC_DENIED, /* the container's command cannot be executed (exit code 126) */
	ERR_NO_INIT, /* an image that is to be booted has no init */
	ERR_INTERRUPTED, /* a signal asked us to stop */
	ERR_KIND_MAX,
};

/* Fixed size: needs no memory, so it works after clone() and out of memory, and travels over a socket as it is. */
struct err {
	int code; /* negative errno, as returned */
	enum err_kind kind;
	char msg[ERR_MSG_MAX];
};

/**
 * err_set() - fill an error that has no errno text of its own
 * @err:  caller's object, or NULL
 * @kind: what it means
 * @code: negative errno to return (a positive one is negated, 0 becomes -EINVAL)
 * @fmt:  lower-case message: what was attempted, on what, why; no trailing period
 * Return: the code, always negative
 */
__attribute__((format(printf, 4, 5))) int err_set(struct err *err, enum err_kind kind, int code,
						  const char *fmt, ...);

/**
 * err_sys() - fill an error from errno; strerror text is appended after ": "
 * Return: -errno (-EIO should errno be 0)
 */
__attribute__((format(printf, 3, 4))) int err_sys(struct err *err, enum err_kind kind,
						  const char *fmt, ...);

/**
 * err_prefix() - put "prefix: " before the message of an error on its way up
 * Return: @r, unchanged
 */
__attribute__((format(printf, 3, 4))) int err_prefix(struct err *err, int r, const char *fmt, ...);

/** err_oom() - the one message for a failed allocation. Return: -ENOMEM */
int err_oom(struct err *err);

#endif
