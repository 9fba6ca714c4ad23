#include "lag_search.h"
#include "clip.h"
#include "elementary.h"
#include <math.h>

enum { LOOKS = 64, SEEN = 100, SHORTEST = 2, SETTLED = 32 };
static const double KEPT = 0.999, CLEAR = 25, BETTER = 1.2, MORE = 5, NEAR = 5, FAR = 10, WRONG = 40;
static const double MOST = 0x1p20, AWAY = 0x1p12; /* units from the origin */
static const double HEAVY = 0x1p10;

enum { AT_ONCE = 2 }; /* the last layout of season in which no rows wait */

static const AnbField row_fields[] = {{ANB_MEMBER(AnbLagRow, f), .must = ANB_FINITE},
                                      {ANB_MEMBER(AnbLagRow, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                      {ANB_MEMBER(AnbLagRow, by), .must = ANB_FINITE},
                                      {0}};

const AnbField anb_lag_search_fields[] = {{ANB_INNER(AnbLagSearch, ring, AnbRing, anb_ring_fields)},
                                          {ANB_MEMBER(AnbLagSearch, unit), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                          {ANB_MEMBER(AnbLagSearch, origin), .must = ANB_FINITE},
                                          {ANB_MEMBER(AnbLagSearch, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                          {ANB_MEMBER(AnbLagSearch, rows), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                          {ANB_MEMBER(AnbLagSearch, sum), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                          {ANB_MEMBER(AnbLagSearch, best), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                          {ANB_MEMBER(AnbLagSearch, present), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                          {ANB_MEMBER(AnbLagSearch, at)},
                                          {ANB_MEMBER(AnbLagSearch, found)},
                                          {ANB_MEMBER(AnbLagSearch, lag)},
                                          {ANB_MEMBER(AnbLagSearch, waiting), .since = AT_ONCE + 1},
                                          {ANB_INNER(AnbLagSearch, row, AnbLagRow, row_fields), .since = AT_ONCE + 1},
                                          {0}};

/* Errors, whose size may have grown beyond units. */
static double in_units(const AnbLagSearch *s, double error)
{
    return anb_clip(error / s->unit, MOST);
}

static float standing(const AnbLagSearch *s, double y)
{
    return (float)anb_clip((y - s->origin) / s->unit, MOST);
}

static size_t known(const AnbLags *lags)
{
    return anb_ring_size(&lags->s->ring, lags->n);
}

/* The power of two at or below the size; 0 where that is beyond what squares can take. */
static double unit_for(double size)
{
    return size > 0x1p-400 && size < 0x1p400 ? anb_power_below(size) : 0;
}

static void scale_sums(const AnbLags *lags, double factor)
{
    anb_lag_scale(lags->sums.square, lags->n, (float)factor);
    anb_lag_scale(lags->sums.cross, lags->n, (float)factor);
    anb_lag_scale(lags->sums.own, lags->n, (float)factor);
    lags->s->sum = anb_clip(lags->s->sum * factor, 1e300);
}

/* Converts all floats to another unit and origin. */
static void renew(const AnbLags *lags, double unit, double origin)
{
    AnbLagSearch *s = lags->s;
    double ratio = s->unit > 0 ? anb_clamp(s->unit / unit, 0x1p-8, 0x1p8) : 0;
    size_t newest = anb_lags_newest(lags);
    if (ratio != 1) {
        anb_lag_scale(lags->errors, 2 * lags->n, (float)ratio);
        scale_sums(lags, ratio * ratio);
    }
    s->unit = unit;
    s->origin = origin;
    for (size_t k = 0, n = known(lags); k < n; k++) {
        size_t slot = (newest + k) % lags->n;
        lags->recent[slot] = lags->recent[slot + lags->n] = standing(s, anb_lags_target(lags, k + 1));
    }
}

static void renew_where_due(const AnbLags *lags, double f, double size)
{
    AnbLagSearch *s = lags->s;
    double unit = unit_for(size);
    bool other = unit > 4 * s->unit || unit < s->unit / 4;
    if (unit > 0 && (other || fabs(f - s->origin) > AWAY * unit))
        renew(lags, other ? unit : s->unit, f);
    if (s->weight > HEAVY) {
        scale_sums(lags, 1 / HEAVY);
        s->weight /= HEAVY;
    }
}

static AnbLagSums sums_from(const AnbLags *lags, size_t at)
{
    return (AnbLagSums){lags->sums.square + at, lags->sums.cross + at, lags->sums.own + at};
}

/* N times the share of the error that each of n lags explains. */
static void scores(const AnbLags *lags, size_t lag, size_t n, double *score)
{
    const AnbLagSums sums = sums_from(lags, lag - 1);
    anb_lag_shares(&sums, n, lags->s->sum, score);
    for (size_t i = 0; i < n; i++)
        score[i] = anb_clamp(lags->s->rows * score[i], 0, 1e6);
}

/* Evaluates some more lags. */
static void look(const AnbLags *lags, size_t longest)
{
    AnbLagSearch *s = lags->s;
    size_t end = (size_t)s->at + ANB_LAGS_ROWS * ((longest + LOOKS - 1) / LOOKS);
    size_t seen = s->ring.pushed > SEEN ? (size_t)(s->ring.pushed - SEEN) : 0;
    end = end <= longest ? end : longest + 1;
    end = end <= seen ? end : seen + 1;
    while (s->at < end) {
        double score[ANB_LAGS_BLOCK];
        size_t left = end - (size_t)s->at, n = left < ANB_LAGS_BLOCK ? left : ANB_LAGS_BLOCK;
        scores(lags, (size_t)s->at, n, score);
        for (size_t i = 0; i < n; i++, s->at++)
            if (score[i] > s->best) {
                s->best = score[i];
                s->found = s->at;
            }
    }
}

/* After all lags were evaluated: returns whether another one is in use from now on. */
static bool choose(const AnbLags *lags)
{
    AnbLagSearch *s = lags->s;
    double present = 0;
    if (s->lag)
        scores(lags, (size_t)s->lag, 1, &present);
    bool other = s->found && s->found != s->lag && s->best >= CLEAR && s->best > BETTER * present + MORE;
    if (other)
        s->lag = s->found;
    s->best = 0;
    s->found = 0;
    s->at = SHORTEST;
    return other;
}

/* Adds the waiting rows to the sums of all lags but the last block. */
static void settle(const AnbLags *lags)
{
    AnbLagSearch *s = lags->s;
    size_t newest = anb_lags_newest(lags), most = lags->n - ANB_LAGS_BLOCK,
           n = (known(lags) + ANB_LAGS_BLOCK - 1) / ANB_LAGS_BLOCK * ANB_LAGS_BLOCK;
    anb_lag_sums_add(&lags->sums, lags->recent + newest, lags->errors + newest, n < most ? n : most, s->row,
                     (size_t)s->waiting);
    s->waiting = 0;
}

static void add(const AnbLags *lags, double f, double error)
{
    AnbLagSearch *s = lags->s;
    const double e = in_units(s, error), weight = s->weight;
    const size_t last = lags->n - ANB_LAGS_BLOCK, at = anb_lags_newest(lags) + last;
    AnbLagRow *row = &s->row[s->waiting++];
    *row = (AnbLagRow){standing(s, f), (float)weight, (float)weight * (float)e};
    if (known(lags) > last) {
        const AnbLagSums sums = sums_from(lags, last);
        anb_lag_sums_add(&sums, lags->recent + at, lags->errors + at, ANB_LAGS_BLOCK, row, 1);
    }
    s->sum += weight * (e * e);
    s->rows = KEPT * s->rows + 1;
    s->weight /= KEPT;
}

static void push(const AnbLags *lags, double y, double error)
{
    AnbLagSearch *s = lags->s;
    lags->y[anb_ring_push(&s->ring, lags->n)] = y;
    size_t newest = anb_lags_newest(lags);
    bool kept = s->unit > 0;
    lags->recent[newest] = lags->recent[newest + lags->n] = kept ? standing(s, y) : 0;
    lags->errors[newest] = lags->errors[newest + lags->n] = kept ? (float)in_units(s, error) : 0;
}

bool anb_lags_learn(const AnbLags *lags, double f, double y, double size, size_t longest)
{
    AnbLagSearch *s = lags->s;
    double e = y - f;
    bool other = false;
    if (s->unit > 0) {
        add(lags, f, anb_clip(e, NEAR * size));
        if ((s->ring.pushed + 1) % ANB_LAGS_ROWS == 0) {
            settle(lags);
            look(lags, longest);
        }
    }
    if (size > 0 && fabs(e) > WRONG * size)
        push(lags, f, 0);
    else
        push(lags, y, anb_clip(e, FAR * size));
    if (s->ring.pushed % LOOKS == 0 && s->ring.pushed > SETTLED) {
        other = choose(lags);
        s->weight = s->weight > 0 ? s->weight : 1;
        renew_where_due(lags, f, size);
    }
    return other;
}

static bool within(const float *cell, size_t n, float most)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine &= fabsf(cell[i]) <= most;
    return fine;
}

/* Errors grow where the unit shrinks, by 2^60 at most until they leave the longest ring; what is added to sums in 64
 * rows lies below 2^120 then. */
static bool floats_valid(const AnbLags *lags)
{
    const float errors = 0x1p80f, sums = 0x1p110f;
    return within(lags->recent, 2 * lags->n, (float)MOST) && within(lags->errors, 2 * lags->n, errors) &&
           within(lags->sums.square, lags->n, sums) && within(lags->sums.cross, lags->n, sums) &&
           within(lags->sums.own, lags->n, sums);
}

/* Rows wait from the first one with a unit on, and are settled at every eighth. */
static bool rows_valid(const AnbLagSearch *s)
{
    bool fine = s->waiting <= (s->unit > 0 ? s->ring.pushed % ANB_LAGS_ROWS : 0);
    for (size_t i = 0; fine && i < s->waiting; i++) {
        const AnbLagRow *row = &s->row[i];
        fine = fabsf(row->f) <= (float)MOST && row->weight <= 2 * (float)HEAVY &&
               fabsf(row->by) <= row->weight * (float)MOST;
    }
    return fine;
}

bool anb_lags_valid(const AnbLags *lags, size_t longest)
{
    const AnbLagSearch *s = lags->s;
    bool places = anb_ring_valid(&s->ring) && rows_valid(s) && s->lag <= longest && s->found <= longest &&
                  s->at <= longest + 1 && (s->unit == 0 || s->at >= SHORTEST) &&
                  (s->lag == 0 || s->lag <= s->ring.pushed);
    return places && (s->unit == 0 || (s->unit >= 0x1p-400 && s->unit < 0x1p400)) && s->weight <= 2 * HEAVY &&
           floats_valid(lags);
}
