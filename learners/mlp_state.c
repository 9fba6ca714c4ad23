#include "mlp_state.h"

static const AnbField scale_fields[] = {{ANB_MEMBER(MlpScale, mean), .must = ANB_FINITE},
                                        {ANB_MEMBER(MlpScale, sd), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                        {0}};

static const AnbField members[] = {{ANB_INNER(Mlp, random, AnbRandom, anb_random_fields)},
                                   {ANB_INNER(Mlp, ring, AnbRing, anb_ring_fields)},
                                   {ANB_INNER(Mlp, target, AnbMoments, anb_moments_fields)},
                                   {ANB_INNER(Mlp, error, AnbErrorScale, anb_error_scale_fields)},
                                   {ANB_INNER(Mlp, unit, AnbWeightUnit, anb_weight_unit_fields)},
                                   {ANB_MEMBER(Mlp, square_power), .must = ANB_FINITE},
                                   {ANB_MEMBER(Mlp, mean_power), .must = ANB_FINITE},
                                   {ANB_MEMBER(Mlp, cross), .must = ANB_FINITE},
                                   {ANB_MEMBER(Mlp, spread), .must = ANB_FINITE},
                                   {ANB_INNER(Mlp, quick, AnbFaded, anb_faded_fields)},
                                   {ANB_INNER(Mlp, slow, AnbFaded, anb_faded_fields)},
                                   {ANB_MEMBER(Mlp, steps)},
                                   {ANB_MEMBER(Mlp, since)},
                                   {ANB_MEMBER(Mlp, waiting), .since = 7},
                                   {ANB_MEMBER(Mlp, waited), .since = 7},
                                   {ANB_INNER(Mlp, scale, MlpScale, scale_fields), .since = 8},
                                   {0}};

static size_t network_size(const AnbNode *self)
{
    const AnbNetwork net = anb_mlp_network_of(self);
    return anb_network_size(&net);
}

static size_t weights(const AnbNode *self)
{
    return anb_mlp_copies(self->options) * network_size(self);
}

static size_t doubles(const AnbNode *self)
{
    return anb_mlp_single(self->options) ? 0 : weights(self);
}

static size_t singles(const AnbNode *self)
{
    return anb_mlp_single(self->options) ? weights(self) : 0;
}

static size_t memory(const AnbNode *self)
{
    return anb_mlp_memory(self->options);
}

static size_t remembered(const AnbNode *self, const void *state)
{
    return anb_ring_size(&((const Mlp *)state)->ring, memory(self));
}

static size_t memory_cells(const AnbNode *self)
{
    return memory(self) * self->n_features;
}

static size_t remembered_cells(const AnbNode *self, const void *state)
{
    return remembered(self, state) * self->n_features;
}

/* The mean pulls of the features, and the mean squares. */
static size_t pulls(const AnbNode *self)
{
    return 2 * self->n_features;
}

static size_t units(const AnbNode *self)
{
    return memory(self) > 0 ? self->n_features : 0;
}

static size_t judged(const AnbNode *self)
{
    return self->n_features > ANB_MLP_NARROW && self->n_features <= ANB_MLP_JUDGED ? self->n_features : 0;
}

/* Weights that are kept at most. */
static size_t waiting(const AnbNode *self)
{
    return (size_t)((const AnbMlpOptions *)self->options)->every - 1;
}

static size_t waiting_now(const AnbNode *self, const void *state)
{
    size_t now = ((const Mlp *)state)->waiting, most = waiting(self);
    return now < most ? now : most;
}

const AnbField anb_mlp_fields[] = {
    [MLP_HEAD] = {ANB_STRUCT(Mlp, members)},
    [MLP_WEIGHTS] = {.name = "weights", .kind = ANB_F64, .count = doubles, .must = ANB_FINITE | ANB_ALIGNED},
    [MLP_Y] = {.name = "y", .kind = ANB_F64, .count = memory, .used = remembered, .must = ANB_FINITE},
    [MLP_X] = {.name = "x", .kind = ANB_F32, .count = memory_cells, .used = remembered_cells, .must = ANB_FINITE},
    [MLP_PULLS] = {.name = "pulls", .kind = ANB_F64, .count = pulls, .must = ANB_FINITE, .since = 3},
    [MLP_INVERSE] = {.name = "inverse", .kind = ANB_F64, .count = units, .must = ANB_FINITE, .since = 4},
    [MLP_ORIGIN] = {.name = "origin", .kind = ANB_F64, .count = units, .must = ANB_FINITE, .since = 4},
    [MLP_SINGLES] =
        {.name = "singles", .kind = ANB_F32, .count = singles, .must = ANB_FINITE | ANB_ALIGNED, .since = 5},
    [MLP_RIGHT] = {.name = "right", .kind = ANB_F64, .count = judged, .must = ANB_FINITE, .since = 6},
    [MLP_NOISE] =
        {.name = "noise", .kind = ANB_F64, .count = judged, .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 6},
    [MLP_WAITING] = {.name = "waiting_weights",
                     .kind = ANB_F64,
                     .count = waiting,
                     .used = waiting_now,
                     .must = ANB_FINITE | ANB_NOT_NEGATIVE,
                     .since = 7},
    {0}};

/* The number of doubles that hold so many cells of the network. */
static size_t room(const AnbNode *self, size_t cells)
{
    return anb_mlp_single(self->options) ? (cells + 1) / 2 : cells;
}

static size_t row_cells(const AnbNode *self)
{
    return room(self, anb_mlp_batch(self) * (self->n_features + 1) + anb_mlp_network_of(self).lanes);
}

static size_t pull_cells(const AnbNode *self)
{
    return self->n_features + 1;
}

/* Cells for the traces of a batch, and one more (anb_mlp_shown, anb_mlp_unread). */
static size_t trace_cells(const AnbNode *self)
{
    const AnbNetwork net = anb_mlp_network_of(self);
    return room(self, (anb_mlp_batch(self) + 1) * anb_network_trace(&net));
}

static size_t unit_cells(const AnbNode *self)
{
    const AnbNetwork net = anb_mlp_network_of(self);
    return memory(self) > 0 ? room(self, anb_network_units(&net)) : 0;
}

static size_t slope_room(const AnbNode *self)
{
    return judged(self) > 0 ? room(self, anb_mlp_network_of(self).width) : 0;
}

const AnbField anb_mlp_scratch[] = {[MLP_OUTPUT] = {.name = "output", .kind = ANB_F64, .fixed = 2},
                                    [MLP_ROWS] = {.name = "rows", .kind = ANB_F64, .count = row_cells},
                                    [MLP_DELTAS] = {.name = "deltas", .kind = ANB_F64, .count = anb_mlp_batch},
                                    [MLP_PULL] = {.name = "pull", .kind = ANB_F64, .count = pull_cells},
                                    [MLP_TRACES] = {.name = "traces", .kind = ANB_F64, .count = trace_cells},
                                    [MLP_UNITS] = {.name = "units", .kind = ANB_F64, .count = unit_cells},
                                    [MLP_SLOPES] = {.name = "slopes", .kind = ANB_F64, .count = judged},
                                    [MLP_ROOM] = {.name = "room", .kind = ANB_F64, .count = slope_room},
                                    {0}};

int anb_mlp_init(const AnbNode *self, void *state)
{
    View v = anb_mlp_view(self, state);
    anb_random_seed(&v.s->random, self->seed);
    anb_network_draw(&v.net, v.w.value, &v.s->random);
    memcpy(v.w.averaged, v.w.value, v.size * v.net.cell);
    for (size_t j = 0; j < units(self); j++)
        v.inverse[j] = 1;
    v.s->square_power = v.s->mean_power = 1;
    return 0;
}

/* A mean is no larger than the root of the mean square, but where squares are too small for doubles. */
static bool pull_valid(double mean, double square)
{
    return square >= 0 && (fabs(mean) < 1e-140 || mean * mean <= 1.001 * square);
}

int anb_mlp_validate(const AnbNode *self, const void *state, AnbError *error)
{
    const View v = anb_mlp_view(self, anb_view_of(state));
    bool fine = v.s->waiting < (uint64_t)v.o->every && v.s->waiting <= remembered(self, state) &&
                (v.s->scale.sd == 0 || anb_mlp_scale_is_near(v.s, anb_moments_sd(&v.s->target)));
    for (size_t j = 0; j < v.d; j++)
        fine &= pull_valid(v.pulls[j], v.pulls[v.d + j]);
    for (size_t i = 0; v.w.square && i < v.size; i++)
        fine &= anb_network_cell(&v.net, v.w.square, i) >= 0;
    for (size_t j = 0; j < units(self); j++)
        fine &= anb_kept_is_near(v.inverse[j], v.origin[j], anb_mlp_far);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "mlp: a number is out of its range");
}

/* ---- evidence for the features ----------------------------------------------------------------------------------- */

enum { KNOWN = 100, COUNTED = 1000 }; /* rows before there is evidence; rows that the means are over, at most */
static const double most_added = 3;

size_t anb_mlp_counting(const View *v, const double *shares)
{
    size_t n = v->d;
    for (size_t j = 0; shares && j < v->d; j++)
        n -= shares[j] == 0;
    return n;
}

/* Rows that the evidence is of. */
static uint64_t rows_of(const Mlp *s)
{
    return s->steps + s->waited;
}

static double counted(const Mlp *s)
{
    return rows_of(s) < COUNTED ? (double)rows_of(s) : COUNTED;
}

void anb_mlp_judge(const View *v, const void *x, const void *trace, double off, double *scratch)
{
    if (judged(v->self) == 0)
        return;
    double *slope = anb_scratch(v->self, scratch, MLP_SLOPES), pace = 1 / (counted(v->s) + 1);
    anb_network_slopes(&v->net, v->w.value, trace, anb_scratch(v->self, scratch, MLP_ROOM), slope);
    for (size_t j = 0; j < v->d; j++) {
        double adds = anb_clip(slope[j] * anb_network_cell(&v->net, x, j), most_added);
        v->right[j] += pace * (adds * (adds - off) - v->right[j]);
        v->noise[j] += pace * (adds * off * (adds * off) - v->noise[j]);
    }
}

static bool known(const View *v)
{
    return judged(v->self) > 0 && rows_of(v->s) >= KNOWN;
}

/* The standard error of what feature j adds. */
static double added_error(const View *v, size_t j)
{
    return sqrt(v->noise[j] / counted(v->s));
}

static int evidence(const AnbNode *self, const void *state, double *z)
{
    View v = anb_mlp_view(self, anb_view_of(state));
    if (!known(&v))
        return ANB_E_UNSUPPORTED;
    for (size_t j = 0; j < v.d; j++)
        z[j] = v.noise[j] > 0 ? v.right[j] / added_error(&v, j) : 0;
    return 0;
}

/* Shares in proportion to what the features add, less its standard error. */
static int shares(const AnbNode *self, const void *state, double *share)
{
    View v = anb_mlp_view(self, anb_view_of(state));
    double total = 0;
    if (!known(&v))
        return ANB_E_UNSUPPORTED;
    for (size_t j = 0; j < v.d; j++) {
        double least = v.right[j] - added_error(&v, j);
        share[j] = least > 0 ? least : 0;
        total += share[j];
    }
    for (size_t j = 0; j < v.d; j++)
        share[j] = total > 0 ? share[j] / total : 1 / (double)v.d;
    return 0;
}

const AnbImportanceTable anb_mlp_importance = {shares, evidence};

/* ---- a look at the weights --------------------------------------------------------------------------------------- */

/* Where the weights of the ungated path start. */
static size_t matrix_at(const View *v)
{
    return anb_network_gated(&v->net) ? (v->d + 1) * v->net.width : 0;
}

static void matrix(const AnbNode *self, const void *state, AnbMatrix *out)
{
    View v = anb_mlp_view(self, anb_view_of(state));
    const double *value = anb_mlp_single(v.o) ? NULL : v.w.value;
    *out = (AnbMatrix){v.d, v.net.hidden, v.net.width, value ? value + matrix_at(&v) : NULL};
}

static void copy_matrix(const AnbNode *self, const void *state, double *to)
{
    View v = anb_mlp_view(self, anb_view_of(state));
    for (size_t i = 0; i < v.d * v.net.width; i++)
        to[i] = anb_network_cell(&v.net, v.w.value, matrix_at(&v) + i);
}

const AnbNetworkTable anb_mlp_network = {matrix, copy_matrix};
