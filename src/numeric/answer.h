/* Whether an answer (anabranch/answer.h) holds numbers that a model can give; those of a caller or a file may be
 * others. */
#ifndef ANB_NUMERIC_ANSWER_H
#define ANB_NUMERIC_ANSWER_H

#include <anabranch/answer.h>
#include <math.h>

static inline bool anb_answer_valid(const AnbAnswer *answer)
{
    bool fine =
        isfinite(answer->prediction) && answer->sigma >= 0 && isfinite(answer->sigma) && isfinite(answer->scored);
    for (size_t i = 0; i < ANB_LEVELS_MAX; i++)
        fine = fine && answer->limit[i] >= 0 && isfinite(answer->asked[i]);
    return fine;
}

#endif
