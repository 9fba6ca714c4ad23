/* Numbers for people: aligned, five significant digits, thousands apart. */
#ifndef ANB_CLI_SHOW_H
#define ANB_CLI_SHOW_H

#include <stdint.h>

enum { SHOW_SIZE = 40 };

/* 1234567 as 1,234,567; returns out. */
const char *show_count(uint64_t value, char out[SHOW_SIZE]);
/* Five significant digits, "-" where it is not finite; returns out. */
const char *show_number(double value, char out[SHOW_SIZE]);
/* 12,345 bytes as 12.1 KiB; returns out. */
const char *show_bytes(uint64_t value, char out[SHOW_SIZE]);

#endif
