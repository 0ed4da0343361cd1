/* SPDX-License-Identifier: MIT */
/* Which devices a container may open: a BPF program on its cgroup, docker's list. */
#ifndef RUNTIME_DEVICE_FILTER_H
#define RUNTIME_DEVICE_FILTER_H

#include "base/err.h"

/**
 * device_filter_attach() - allow making any node, and opening null zero full random urandom tty console ptmx pts/N and net/tun
 * @cgroup_fd: the container's cgroup v2 directory
 * Return: 0, or -errno (-EPERM where racker itself is confined); then devices must be kept out by other means (nodev)
 * Source: bpf(2), Documentation/admin-guide/cgroup-v2.rst "Device controller"
 */
int device_filter_attach(int cgroup_fd, struct err *err);

#endif
