// SPDX-License-Identifier: MIT
/* Sizes and times (see human.h). */
#include "cmd/human.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)

const char *human_size(char buf[static HUMAN_MAX], int64_t bytes, int digits)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double size = (double)bytes;
	size_t unit = 0;

	while (size >= 1000.0 && unit + 1 < ARRAY_SIZE(units)) {
		size /= 1000.0;
		unit++;
	}
	(void)snprintf(buf, HUMAN_MAX, "%.*g%s", digits, size, units[unit]);
	return buf;
}

const char *human_duration(char buf[static HUMAN_MAX], int64_t seconds)
{
	long long minutes = seconds / MINUTE, hours = (seconds + HOUR / 2) / HOUR;

	if (seconds < 1)
		(void)snprintf(buf, HUMAN_MAX, "Less than a second");
	else if (seconds == 1)
		(void)snprintf(buf, HUMAN_MAX, "1 second");
	else if (seconds < MINUTE)
		(void)snprintf(buf, HUMAN_MAX, "%lld seconds", (long long)seconds);
	else if (minutes == 1)
		(void)snprintf(buf, HUMAN_MAX, "About a minute");
	else if (minutes < 60)
		(void)snprintf(buf, HUMAN_MAX, "%lld minutes", minutes);
	else if (hours == 1)
		(void)snprintf(buf, HUMAN_MAX, "About an hour");
	else if (hours < 48)
		(void)snprintf(buf, HUMAN_MAX, "%lld hours", hours);
	else if (hours < 24 * 7 * 2)
		(void)snprintf(buf, HUMAN_MAX, "%lld days", hours / 24);
	else if (hours < 24 * 30 * 2)
		(void)snprintf(buf, HUMAN_MAX, "%lld weeks", hours / 24 / 7);
	else if (hours < 24 * 365 * 2)
		(void)snprintf(buf, HUMAN_MAX, "%lld months", hours / 24 / 30);
	else
		(void)snprintf(buf, HUMAN_MAX, "%lld years", hours / 24 / 365);
	return buf;
}

const char *human_ago(char buf[static HUMAN_MAX], int64_t when, int64_t now)
{
	size_t len;

	if (when <= 0) {
		(void)snprintf(buf, HUMAN_MAX, "N/A");
		return buf;
	}
	(void)human_duration(buf, now - when);
	len = strlen(buf);
	(void)snprintf(buf + len, HUMAN_MAX - len, " ago");
	return buf;
}

/* "+02:00": seconds east of UTC; 0 for "Z" and anything else. */
static int64_t offset_seconds(const char *p)
{
	struct tm tm = { 0 };
	int64_t seconds;

	if ((*p != '+' && *p != '-') || !strptime(p + 1, "%H:%M", &tm))
		return 0;
	seconds = (int64_t)tm.tm_hour * HOUR + (int64_t)tm.tm_min * MINUTE;
	return *p == '-' ? -seconds : seconds;
}

int64_t human_parse_time(const char *text)
{
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	if (!end)
		return 0;
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	return (int64_t)timegm(&tm) - offset_seconds(end);
}
