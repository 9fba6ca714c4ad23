/*
 * Options structs that start with their size. A caller that was compiled with an earlier header hands in a shorter one:
 * what it does not have keeps its default.
 */
#ifndef ANB_TEXT_SIZED_H
#define ANB_TEXT_SIZED_H

#include <anabranch/types.h>

/**
 * Copies a caller's options over the defaults.
 *
 * @param what   whose options, for the message
 * @param own    the defaults, `size` bytes that start with a size_t
 * @param size   bytes that this version of the library knows
 * @param given  the caller's, starting with their size
 * @return       0, or ANB_E_ARGUMENT: no size is there, or one that is larger than `size`
 */
int anb_sized_take(const char *what, void *own, size_t size, const void *given, AnbError *error);

/* Fills a caller's struct of `theirs` bytes with the defaults: those it has members for. */
void anb_sized_give(const void *defaults, size_t size, void *out, size_t theirs);

#endif
