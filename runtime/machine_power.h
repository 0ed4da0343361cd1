/* SPDX-License-Identifier: MIT */
/* Asking a machine to end or to boot again, in the words that its init understands. */
#ifndef RUNTIME_MACHINE_POWER_H
#define RUNTIME_MACHINE_POWER_H

#include "base/err.h"
#include "runtime/state.h"

enum machine_power { MACHINE_POWER_OFF, MACHINE_POWER_REBOOT };

/**
 * machine_power() - ask; returns when it has been told, not when it has done so
 * systemd is sent SIGRTMIN+4 or +5 (systemd(1) "Signals"); another init is asked by the machine's own poweroff(8) or reboot(8), since each has
 * signals and pipes of its own for it.
 * @pidfd: of its PID 1; @cache_dir: see exec_request
 * Return: 0; ERR_EXEC_NOT_FOUND when there is no such program; other -errno
 */
int machine_power(const struct container_state *m, int pidfd, enum machine_power what,
		  const char *cache_dir, struct err *err);

#endif
