/* SPDX-License-Identifier: MIT */
/* From argv to a command: which program we are, global flags, the command table, --help. */
#ifndef CMD_DISPATCH_H
#define CMD_DISPATCH_H

/** dispatch() - run what the command line says. @argv: main()'s. Return: exit status */
int dispatch(char *const *argv);

#endif
