/*
 * Text to trees and back: the grammar of docs/concepts.md.
 */
#ifndef ANB_SRC_EXPRESSION_H
#define ANB_SRC_EXPRESSION_H

#include "arena.h"
#include <anabranch/learner.h>
#include <anabranch/type.h>

enum { ANB_DEPTH_MAX = 32, ANB_TEXT_MAX = 65536 };

/* Parses an expression; the tree and all it points to lives in the arena. NULL with the reason and its position. */
AnbExpert *anb_expression_parse(AnbArena *arena, const char *text, const StreamingLearnerType *const *types,
                                AnbError *error);
/* Writes the canonical expression of a node and all below it, size - 1 bytes at most and a terminator; size 0 only
 * counts. Returns its whole length. */
size_t anb_expression_print(const AnbNode *node, char *text, size_t size);

#endif
