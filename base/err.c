// SPDX-License-Identifier: MIT
/* The error object (see err.h). Nothing here allocates. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void fill(struct err *err, enum err_kind kind,
						       int code, const char *fmt, va_list ap)
{
	err->code = code;
	err->kind = kind;
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
}

int err_set(struct err *err, enum err_kind kind, int code, const char *fmt, ...)
{
	va_list ap;

	if (code > 0)
		code = -code;
	if (code == 0)
		code = -EINVAL;
	if (!err)
		return code;
	va_start(ap, fmt);
	fill(err, kind, code, fmt, ap);
	va_end(ap);
	return code;
}

int err_sys(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	int saved = errno > 0 ? errno : EIO;
	size_t used;
	va_list ap;

	if (!err)
		return -saved;
	va_start(ap, fmt);
	fill(err, kind, -saved, fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	(void)snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", strerror(saved));
	return -saved;
}

int err_prefix(struct err *err, int r, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	size_t used;
	va_list ap;

	if (!err)
		return r;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	/* A message that does not fit loses its tail: the prefix says where, which matters more. */
	(void)snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", old);
	return r;
}

int err_oom(struct err *err)
{
	return err_set(err, ERR_SYSTEM, -ENOMEM, "out of memory");
}
