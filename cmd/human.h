/* SPDX-License-Identifier: MIT */
/* Sizes and times as docker shows them (go-units). */
#ifndef CMD_HUMAN_H
#define CMD_HUMAN_H

#include <stddef.h>
#include <stdint.h>

#define HUMAN_MAX 48

/** human_size() - "117MB": decimal units, @digits significant ones. Return: @buf */
const char *human_size(char buf[static HUMAN_MAX], int64_t bytes, int digits);
/** human_duration() - "3 weeks", "About an hour". Return: @buf */
const char *human_duration(char buf[static HUMAN_MAX], int64_t seconds);
/** human_ago() - "3 weeks ago" since @when; "N/A" for a @when of 0 or less. Return: @buf */
const char *human_ago(char buf[static HUMAN_MAX], int64_t when, int64_t now);
/** human_parse_time() - seconds since the epoch of an RFC 3339 time; 0 if @text is NULL or none */
int64_t human_parse_time(const char *text);

#endif
