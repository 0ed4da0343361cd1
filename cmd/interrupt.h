/* SPDX-License-Identifier: MIT */
/* Ctrl-C and SIGTERM while racker itself works (pulls, builds, copies): a flag that the work looks at. The only signal handler here. */
#ifndef CMD_INTERRUPT_H
#define CMD_INTERRUPT_H

/**
 * interrupt_catch() - from now on SIGINT, SIGTERM and SIGHUP set the flag, and SIGPIPE is ignored (a closed progress pipe must not end
 * a pull half way). Signals that were ignored when racker was started stay so (nohup(1)).
 */
void interrupt_catch(void);
/** interrupt_release() - the dispositions of before; a container must not inherit ours */
void interrupt_release(void);
/** interrupt_flag() - what to give as `interrupted`: non-zero once a signal came */
const volatile int *interrupt_flag(void);
/** interrupt_signal() - the signal that came; 0: none */
int interrupt_signal(void);

#endif
