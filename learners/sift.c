/*
 * sift(child): passes the child shares of the features (row.h, importance), which are 0 for features that are
 * irrelevant to the target. Learners below may leave those out.
 *
 *     share_j = 0 for the features left out; for the others the child's share of it, or the same for all where it has
 *               none
 *
 * Every ROUND rows, from the BEGIN-th on:
 *
 *     left out:     a feature for which the evidence of every learner below is less than `scant` (AnbImportanceTable:
 *                   what the feature adds to rows that had not been learned, over its standard error), once TRIAL
 *                   rounds have passed since the feature was used again
 *     used again:   a feature for which a learner has more evidence than `sure`, or that the error of the child depends
 *                   on
 *
 * Whether the error depends on it is tested here: with e the error of the child, z_0 = 1 and z_j = x_j clipped to +-3,
 * the sums S_ij = sum e z_i z_j are normal, with the variance sum e^2 q_i q_j, q the mean squares, where the error
 * depends neither on the features nor on products of two. Beyond 4.5 deviations features i and j are used again, or
 * stay in use. Sums fade by .9 a round, so that a feature that becomes relevant late is found. Products of three and
 * more are not tested: they are left to learners that use all features always. Each type decides whether it leaves
 * features out; in the library networks do, and neighbours, trees, curves and linear models do not. After a change of
 * the features' unit (reframe in type.h) the sums go on: their variances are sums over the same rows, so the test holds
 * for rows in several units.
 *
 * State: (d + 1)(d + 2) / 2 sums and some values a feature. Cost: d^2 / 2 operations on floats.
 */
#include "src/numeric/clip.h"
#include "src/numeric/error_scale.h"
#include "src/numeric/screen.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { ROUND = 200, BEGIN = 800, TRIAL = 4, WIDEST = 512 };
static const double scant = 1, sure = 3, kept = 0.9, most_x = 3, most_error = 4;
static const float alarm = 4.5F * 4.5F;

typedef struct Sift {
    AnbErrorScale error; /* of the child's predictions */
    uint64_t seen;
    uint64_t hides;      /* whether a feature is left out */
    double rows, energy; /* that the sums are over; sum of e^2 */
} Sift;

static uint64_t one(const AnbNode *self)
{
    (void)self;
    return 1;
}

static const AnbField members[] = {{ANB_INNER(Sift, error, AnbErrorScale, anb_error_scale_fields)},
                                   {ANB_MEMBER(Sift, seen)},
                                   {ANB_MEMBER(Sift, hides), .most = one},
                                   {ANB_MEMBER(Sift, rows), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Sift, energy), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {0}};

static size_t pairs(const AnbNode *self)
{
    return anb_screen_triangle(self->n_features + 1);
}

static size_t with_one(const AnbNode *self)
{
    return self->n_features + 1;
}

/* HIDDEN: 1 for features left out. BACK: the round from which on a feature in use may be left out. */
enum { HEAD, HIDDEN, BACK, SHARE, SUMS, SQUARES };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Sift, members)},
    [HIDDEN] = {.name = "hidden", .kind = ANB_U8, .count = anb_per_feature, .most = one},
    [BACK] = {.name = "back", .kind = ANB_U64, .count = anb_per_feature},
    [SHARE] = {.name = "share", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [SUMS] = {.name = "sums", .kind = ANB_F32, .count = pairs, .must = ANB_FINITE},
    [SQUARES] = {.name = "squares", .kind = ANB_F32, .count = with_one, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    {0}};

/* The child's prediction; z, at the end of a round the largest squared deviation of each feature's sums; the child's
 * evidence for the features, then its shares. */
enum { PREDICTION, Z, KNOWN };
static const AnbField scratch_fields[] = {[PREDICTION] = {.name = "said", .kind = ANB_F64, .fixed = 1},
                                          [Z] = {.name = "z", .kind = ANB_F32, .count = with_one},
                                          [KNOWN] = {.name = "known", .kind = ANB_F64, .count = anb_per_feature},
                                          {0}};

static int check(const AnbNode *self, AnbError *error)
{
    if (self->n_features <= WIDEST)
        return 0;
    return anb_fail(error, ANB_E_LIMIT, "sift: %zu features, at most %d", self->n_features, WIDEST);
}

static AnbRow with_shares(const AnbNode *self, const Sift *s, const AnbRow *row)
{
    AnbRow made = *row;
    if (s->hides)
        made.importance = anb_field_const(self, s, SHARE);
    return made;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRow made = with_shares(self, state, row);
    return scratch[PREDICTION] = anb_child_predict(self, 0, state, &made, scratch);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    AnbRows made = *rows;
    if (((const Sift *)state)->hides)
        made.importance = anb_field_const(self, state, SHARE);
    anb_child_predict_many(self, 0, state, &made, scratch, out);
}

/* ---- what the error depends on ----------------------------------------------------------------------------------- */

/* Adds a row to the sums; e in units of its scale. */
static void add_sums(const AnbNode *self, Sift *s, const double *x, double e, float *z)
{
    const size_t d = self->n_features;
    float *square = anb_field(self, s, SQUARES);
    z[0] = 1;
    for (size_t j = 0; j < d; j++)
        z[j + 1] = (float)anb_clip(x[j], most_x);
    for (size_t j = 0; j <= d; j++)
        square[j] += z[j] * z[j];
    anb_screen_kernels.add_products(anb_field(self, s, SUMS), z, d + 1, (float)e);
    s->rows += 1;
    s->energy += e * e;
}

/* most[j]: the largest squared deviation of a sum with feature j - 1 in it. The sums fade. */
static void find_largest(const AnbNode *self, Sift *s, float *most)
{
    const size_t n = self->n_features + 1;
    float *sum = anb_field(self, s, SUMS), *square = anb_field(self, s, SQUARES);
    const float unit = (float)(s->energy / (s->rows * s->rows)), fading = (float)kept;
    memset(most, 0, n * sizeof *most);
    for (size_t i = 0; i < n; sum += n - i, i++)
        for (size_t j = i; j < n; j++) {
            float variance = unit * square[i] * square[j] * (i == j ? 2.F : 1.F), at = sum[j - i];
            float far = variance > 0 ? at * at / variance : 0;
            most[i] = far > most[i] ? far : most[i];
            most[j] = far > most[j] ? far : most[j];
            sum[j - i] *= fading;
        }
    for (size_t j = 0; j < n; j++)
        square[j] *= fading;
    s->rows *= kept;
    s->energy *= kept;
}

/* ---- a round ----------------------------------------------------------------------------------------------------- */

static void decide(const AnbNode *self, Sift *s, const double *evidence, const float *most)
{
    uint8_t *hidden = anb_field(self, s, HIDDEN);
    uint64_t *back = anb_field(self, s, BACK), round = s->seen / ROUND;
    for (size_t j = 0; j < self->n_features; j++)
        if (most[j + 1] > alarm || (hidden[j] && evidence[j] > sure)) {
            hidden[j] = 0;
            back[j] = round + TRIAL;
        } else if (!hidden[j] && back[j] <= round && evidence[j] < scant)
            hidden[j] = 1;
}

/* Writes the shares, from those of the child; NULL: all equal. They are passed on only where some features are left
 * out, but not all. */
static void share_out(const AnbNode *self, Sift *s, const double *known)
{
    const size_t d = self->n_features;
    const uint8_t *hidden = anb_field(self, s, HIDDEN);
    double *share = anb_field(self, s, SHARE), total = 0, least = 1e-4 / (double)d;
    size_t out = 0;
    for (size_t j = 0; j < d; j++) {
        share[j] = hidden[j] ? 0 : (known ? known[j] : 1) + least;
        total += share[j];
        out += hidden[j];
    }
    s->hides = out > 0 && out < d;
    for (size_t j = 0; j < d && s->hides; j++)
        share[j] /= total;
}

static void round_ends(const AnbNode *self, Sift *s, double *scratch)
{
    double *known = anb_scratch(self, scratch, KNOWN);
    float *most = anb_scratch(self, scratch, Z);
    find_largest(self, s, most);
    if (s->seen < BEGIN || anb_child_evidence(self, 0, s, known) != 0)
        return;
    decide(self, s, known, most);
    share_out(self, s, anb_child_importance(self, 0, s, known) == 0 ? known : NULL);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Sift *s = state;
    double level = s->error.level, e = anb_error_bounded(&s->error, y - scratch[PREDICTION]);
    AnbRow made = with_shares(self, s, row);
    if (level > 0 && e - e == 0)
        add_sums(self, s, row->x, anb_clip(e / level, most_error), anb_scratch(self, scratch, Z));
    anb_child_update(self, 0, state, &made, y, weight, scratch);
    if (++s->seen % ROUND == 0)
        round_ends(self, s, scratch);
}

static const AnbWrapperTable wrapper = {.child = anb_asks_but_ranks};

const StreamingLearnerType anb_sift = {
    .name = "sift",
    .brief = "shares of 0 for features that are irrelevant, which networks below leave out",
    .example = "sift(moe(linear, mlp(hidden=4), router=boa))",
    .flags = ANB_SEEDLESS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_SINCE_0_3,
    .version = 2, /* starts at 2: parts (src/numeric) read layout 1 as that of release 0.1 */
    .min_children = 1,
    .max_children = 1,
    .check = check,
    .fields = fields,
    .scratch = scratch_fields,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .wrapper = &wrapper,
};
