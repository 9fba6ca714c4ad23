/*
 * A robust running scale of errors, and errors clipped to a multiple of it, so that one wrong target cannot ruin a
 * learner.
 *
 *     u = |e| / s, at most 20               the error in units of the scale, bounded
 *     s <- s sqrt(1 + a (u^2 - 1))          running root mean square of bounded errors
 *     a = max(.01, 4 / (n + 8))             after n errors; .01 q^2, at most .5, where u was bounded
 *     q <- (1 - 1/500) q + 1                where u was bounded; else q <- (1 - 1/500) q
 *     out = e clipped to +-20 s             s before this error; not clipped for the first 16 errors; +-10 s for
 *                                           targets that are kept in a window, since a window learns them many times
 *
 * s is an M-estimate of scale, the recursive form of Huber's proposal 2. One error beyond 20 s makes s sqrt(1 + 399 a)
 * times as large, whatever its size: 2.2 times once 400 errors are known, 8 times after 16. The next hundred errors
 * undo that. q counts recent far errors: where many come, s grows faster. After a change of level by a factor of 1,000
 * it takes about ten samples to adapt. Far errors that are rarer than about one in 250 samples stay bounded; more
 * frequent ones are taken as the new scale.
 *
 * Huber 1981, Robust Statistics, chapters 5 and 6.
 */
#ifndef ANB_NUMERIC_ERROR_SCALE_H
#define ANB_NUMERIC_ERROR_SCALE_H

#include "clip.h"
#include "fields.h"
#include <float.h>
#include <math.h>
#include <stdbool.h>

typedef struct AnbErrorScale {
    double level, seen, evidence; /* s, n, q; all 0 before the first error */
} AnbErrorScale;

enum { ANB_ERRORS_SETTLED = 400 }; /* errors after which `seen` changes nothing more: 4 / (n + 8) is then below .01 */

extern const AnbField anb_error_scale_fields[];

/* Learns the size of an error and returns the error, bounded. A NaN is returned and changes nothing. */
static inline double anb_error_bounded(AnbErrorScale *scale, double error)
{
    const double most = 20, pace = .01, first = 16;
    double size = fabs(error), limit = most * scale->level, share = 4 / (scale->seen + 8);
    bool far = size > limit && scale->level > 0, known = scale->seen >= first;
    if (size != size)
        return error;
    share = share > pace ? share : pace;
    scale->evidence = (1 - 1. / 500) * scale->evidence + far;
    scale->seen += scale->seen < 0x1p53;
    if (far) {
        double urgent = pace * scale->evidence * scale->evidence;
        urgent = urgent < .5 ? urgent : .5;
        share = share > urgent ? share : urgent;
    }
    double u = far ? most : size / scale->level;
    scale->level = scale->level > 0 ? scale->level * sqrt(1 + share * (u * u - 1)) : size;
    scale->level = scale->level < DBL_MAX / most ? scale->level : DBL_MAX / most;
    return far && known ? copysign(limit, error) : error;
}

/* The same, bounded more closely: at `times` the scale, 20 at most. */
static inline double anb_error_bounded_within(AnbErrorScale *scale, double error, double times)
{
    double limit = times * scale->level;
    bool far = scale->seen >= 16 && scale->level > 0 && fabs(error) > limit;
    anb_error_bounded(scale, error);
    return far ? copysign(limit, error) : error;
}

/* The target, moved toward the prediction where the error exceeds the bound. Finite where both are. */
static inline double anb_target_bounded(AnbErrorScale *scale, double predicted, double y)
{
    double error = y - predicted, bounded = anb_error_bounded(scale, error);
    return bounded == error ? y : anb_clip(predicted + bounded, DBL_MAX);
}

/* The same for a target that is stored in a window and learned many times: at 10 times the scale. */
static inline double anb_target_kept(AnbErrorScale *scale, double predicted, double y)
{
    double error = y - predicted, bounded = anb_error_bounded_within(scale, error, 10);
    return bounded == error ? y : anb_clip(predicted + bounded, DBL_MAX);
}

static inline void anb_error_scale_visit(AnbErrorScale *scale, AnbVisitor *visitor)
{
    anb_struct_visit(anb_error_scale_fields, scale, visitor);
}

/* Whether a scale from a file is valid. */
static inline bool anb_error_scale_valid(const AnbErrorScale *scale)
{
    return anb_struct_valid(anb_error_scale_fields, scale);
}

#endif
