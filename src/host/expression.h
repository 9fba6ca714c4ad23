/*
 * Text to trees and back: the grammar of docs/concepts.md.
 */
#ifndef ANB_HOST_EXPRESSION_H
#define ANB_HOST_EXPRESSION_H

#include "arena.h"
#include <anabranch/learner.h>
#include <anabranch/type.h>

enum { ANB_DEPTH_MAX = 32, ANB_TEXT_MAX = 65536, ANB_NAME_MAX = 64, ANB_WARMUP_MAX = 1000000000 };

/* Parses an expression of up to `limit` bytes; the tree and all it points to lives in the arena. NULL with the reason
 * and its position. */
AnbExpert *anb_expression_parse(AnbArena *arena, const char *text, size_t limit,
                                const StreamingLearnerType *const *types, AnbError *error);
/* Writes the canonical expression of a node and all below it, or every option where `full`: size - 1 bytes at most and
 * a terminator; size 0 only counts. Returns its whole length. */
size_t anb_expression_print(const AnbNode *node, bool full, char *text, size_t size);

#endif
