/* SPDX-License-Identifier: MIT */
/* Signal dispositions put back to their defaults before another program is executed. */
#ifndef BASE_SIGRESET_H
#define BASE_SIGRESET_H

/**
 * sigreset_all() - every signal to its default action, 32 and 33 included
 * glibc keeps those two to itself and refuses to set them, yet a parent that used posix_spawn() may hand them down ignored.
 * Source: rt_sigaction(2)
 */
void sigreset_all(void);

/**
 * sigreset_for_signalfd() - the same, so that signals reach a signalfd; an ignored SIGHUP stays ignored, since nohup means what it says
 * What the caller had us ignore (a shell's background job: INT, QUIT) never would.
 */
void sigreset_for_signalfd(void);

#endif
