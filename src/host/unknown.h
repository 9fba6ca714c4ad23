/* Additions to the messages of unknown words of an expression: what may have been meant. */
#ifndef ANB_HOST_UNKNOWN_H
#define ANB_HOST_UNKNOWN_H

#include <anabranch/learner.h>
#include <anabranch/type.h>

/**
 * Adds to the message of an error that was written for a word in the place of a learner: that it is a router, or an
 * option of the learner that it stands in.
 *
 * @param error  the error, or NULL
 * @param word   n bytes
 * @param above  the learner that it stands in, or NULL
 */
void anb_unknown_learner(AnbError *error, const char *word, size_t n, const StreamingLearnerType *above);

/* Adds the names of a type's options, as far as they have room; `what` is "", or what the type is: "the router ". */
void anb_known_options(AnbError *error, const char *what, const StreamingLearnerType *type);

#endif
