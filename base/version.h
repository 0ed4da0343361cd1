/* SPDX-License-Identifier: MIT */
/* The version, for people and for servers. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define RACKER_VERSION "0.5.0"

#endif
