/* SPDX-License-Identifier: MIT */
/* Log lines on stderr. Library code uses log_debug() alone; info, warning and error belong to cmd/ and provision/. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/** log_set_level() - lines above @level are dropped; the default is LOG_LEVEL_WARNING */
void log_set_level(enum log_level level);
/** log_set_program() - name put before error and warning lines; borrowed, for the life of the program */
void log_set_program(const char *name);
bool log_enabled(enum log_level level);
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *fmt, ...);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
/* Arguments are not evaluated unless debug lines are wanted. */
#define log_debug(...)                                          \
	do {                                                    \
		if (log_enabled(LOG_LEVEL_DEBUG))               \
			log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)

#endif
