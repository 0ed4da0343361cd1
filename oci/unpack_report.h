/* SPDX-License-Identifier: MIT */
/* What an unpack worker tells its parent, as bytes. The worker has read hostile data, so the parent believes nothing unchecked. */
#ifndef OCI_UNPACK_REPORT_H
#define OCI_UNPACK_REPORT_H

#include "oci/unpack.h"

#define UNPACK_REPORT_MAX ((size_t)256 << 20)

/** unpack_report_send() - Return: 0 or -errno */
int unpack_report_send(int fd, const struct unpack_result *result);
int unpack_report_send_error(int fd, const struct err *error);
/** unpack_report_parse() - Return: 0 with *ret owned; the worker's own error; -EIO for a report that makes no sense */
int unpack_report_parse(const char *bytes, size_t len, struct unpack_result *ret, struct err *err);

#endif
