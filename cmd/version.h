/* SPDX-License-Identifier: MIT */
/* The version of this program, in one place. */
#ifndef CMD_VERSION_H
#define CMD_VERSION_H

#define RACKER_VERSION "0.5.0"

#endif
