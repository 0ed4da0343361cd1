/* SPDX-License-Identifier: MIT */
/* Names of signals, as docker and kill(1) write them. */
#ifndef BASE_SIGNAME_H
#define BASE_SIGNAME_H

#include <stddef.h>

/**
 * signame_parse() - "KILL", "SIGKILL", "9", "RTMIN+3", "SIGRTMAX-1", in any case
 * Real-time names count from 34, glibc's SIGRTMIN, since that is what payloads use.
 * Return: number (1..64), or -EINVAL
 */
int signame_parse(const char *s);

#define SIGNAME_MAX 16
/** signame_str() - "SIGKILL", "SIGRTMIN+3"; the number for one without a name. Return: @buf, of @n >= SIGNAME_MAX bytes */
const char *signame_str(int sig, char *buf, size_t n);

#endif
