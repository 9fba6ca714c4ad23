/* The state of select: its layout, the stored rows in the unit in which they came, and changes of unit. */
#include "select_state.h"
#include "src/numeric/kept_unit.h"

static const double bound = 1e6, near = 1e3; /* of stored cells; of the ratio of their unit to the present one */

enum { START = 40, RENEWAL = 80 }; /* rows before the first selection; before a child is prepared */

static size_t memory(const AnbNode *self)
{
    return (size_t)((const AnbSelectOptions *)self->options)->memory;
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static uint64_t one(const AnbNode *self)
{
    (void)self;
    return 1;
}

static uint64_t all_marks(const AnbNode *self)
{
    (void)self;
    return SELECT_TAKEN | SELECT_DEPENDED_ON;
}

static uint64_t longest(const AnbNode *self)
{
    (void)self;
    return SELECT_LONGEST;
}

static const AnbField members[] = {{ANB_INNER(Select, screen, AnbScreen, anb_screen_fields)},
                                   {ANB_INNER(Select, triples, AnbTriples, anb_triples_fields), .since = 3},
                                   {ANB_INNER(Select, ring, AnbRing, anb_ring_fields)},
                                   {ANB_INNER(Select, target, AnbMoments, anb_moments_fields)},
                                   {ANB_INNER(Select, error, AnbErrorScale, anb_error_scale_fields)},
                                   {ANB_MEMBER(Select, seen)},
                                   {ANB_MEMBER(Select, due)},
                                   {ANB_MEMBER(Select, renewal)},
                                   {ANB_MEMBER(Select, added), .most = all_marks},
                                   {ANB_MEMBER(Select, serving), .most = one},
                                   {ANB_MEMBER(Select, prepared), .most = one},
                                   {ANB_MEMBER(Select, next)},
                                   {ANB_MEMBER(Select, trial), .most = longest},
                                   {ANB_MEMBER(Select, gain), .must = ANB_FINITE},
                                   {0}};

static size_t with_one(const AnbNode *self)
{
    return self->n_features + 1;
}

static size_t terms(const AnbNode *self)
{
    return anb_screen_width(self->n_features);
}

static size_t term_sums(const AnbNode *self)
{
    return anb_screen_triangle(terms(self));
}

static size_t pair_sums(const AnbNode *self)
{
    return anb_screen_triangle(with_one(self));
}

static size_t triple_sums(const AnbNode *self)
{
    return anb_triples_sums(self->n_features);
}

static size_t pairs_of_triples(const AnbNode *self)
{
    return anb_triples_pairs(self->n_features);
}

static size_t named(const AnbNode *self)
{
    return triple_sums(self) > 0 ? ANB_TRIPLES_NAMED : 0;
}

static size_t screen_room(const AnbNode *self)
{
    return anb_screen_room(self->n_features);
}

static size_t both_places(const AnbNode *self)
{
    return 2 * anb_select_most(self);
}

static uint64_t last_feature(const AnbNode *self)
{
    return self->n_features;
}

static size_t cells(const AnbNode *self)
{
    return memory(self) * self->n_features;
}

size_t anb_select_rows(const AnbNode *self, const void *state)
{
    return anb_ring_size(&((const Select *)state)->ring, memory(self));
}

static size_t cells_used(const AnbNode *self, const void *state)
{
    return anb_select_rows(self, state) * self->n_features;
}

/* held: whether the error depended on the feature. */
const AnbField anb_select_fields[] = {
    [SELECT_HEAD] = {ANB_STRUCT(Select, members)},
    [SELECT_TERMS] = {.name = "terms", .kind = ANB_F32, .count = term_sums, .must = ANB_FINITE | ANB_ALIGNED},
    [SELECT_PAIRS] = {.name = "pairs", .kind = ANB_F32, .count = pair_sums, .must = ANB_FINITE | ANB_ALIGNED},
    [SELECT_SQUARES] = {.name = "squares", .kind = ANB_F32, .count = with_one, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [SELECT_ENERGIES] = {.name = "energies", .kind = ANB_F32, .count = with_one, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [SELECT_PLACE] = {.name = "place", .kind = ANB_U16, .count = both_places, .most = last_feature},
    [SELECT_HELD] = {.name = "held", .kind = ANB_U8, .count = anb_per_feature, .most = one},
    [SELECT_INVERSE] = {.name = "inverse", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE},
    [SELECT_ORIGIN] = {.name = "origin", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE},
    [SELECT_X] = {.name = "x", .kind = ANB_F32, .count = cells, .used = cells_used, .must = ANB_FINITE},
    [SELECT_RAW] = {.name = "raw", .kind = ANB_F32, .count = cells, .used = cells_used},
    [SELECT_Y] = {.name = "y", .kind = ANB_F64, .count = memory, .used = anb_select_rows, .must = ANB_FINITE},
    [SELECT_WEIGHT] = {.name = "weight",
                       .kind = ANB_F64,
                       .count = memory,
                       .used = anb_select_rows,
                       .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [SELECT_TRIPLES] = {.name = "triples", .kind = ANB_F32, .count = triple_sums, .must = ANB_FINITE, .since = 3},
    [SELECT_NAMED] =
        {.name = "named", .record = anb_triple_fields, .stride = sizeof(AnbTriple), .count = named, .since = 3},
    {0}};

const AnbField anb_select_scratch[] = {
    [SELECT_PREDICTION] = {.name = "said", .kind = ANB_F64, .fixed = 1},
    [SELECT_OWN_X] = {.name = "own_x", .kind = ANB_F64, .count = anb_select_most},
    [SELECT_OWN_RAW] = {.name = "own_raw", .kind = ANB_F64, .count = anb_select_most},
    [SELECT_OTHER_X] = {.name = "other_x", .kind = ANB_F64, .count = anb_select_most},
    [SELECT_OTHER_RAW] = {.name = "other_raw", .kind = ANB_F64, .count = anb_select_most},
    [SELECT_TERM_ROW] = {.name = "term_row", .kind = ANB_F32, .count = terms},
    [SELECT_CHOSEN] = {.name = "chosen", .kind = ANB_U8, .count = anb_per_feature},
    [SELECT_SEEN] = {.name = "seen", .kind = ANB_U8, .count = anb_per_feature},
    [SELECT_ROOM] = {.name = "room", .kind = ANB_F64, .count = screen_room},
    [SELECT_PAIR_ROW] = {.name = "pair_row", .kind = ANB_F32, .count = pairs_of_triples},
    {0}};

int anb_select_init(const AnbNode *self, void *state)
{
    Select *s = state;
    double *inverse = anb_field(self, state, SELECT_INVERSE);
    s->due = START;
    s->renewal = RENEWAL;
    for (size_t j = 0; j < self->n_features; j++)
        inverse[j] = 1;
    return 0;
}

int anb_select_validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Select *s = state;
    const double *inverse = anb_field_const(self, state, SELECT_INVERSE);
    for (size_t j = 0; j < self->n_features; j++)
        if (!(inverse[j] >= DBL_MIN))
            return anb_fail(error, ANB_E_STATE, "select: the unit of remembered feature %zu is not positive", j);
    if (named(self) > 0 && !anb_triples_valid(self->n_features, anb_field_const(self, s, SELECT_NAMED)))
        return anb_fail(error, ANB_E_STATE, "select: a tested product is not of three features in rising order");
    if (!anb_ring_valid(&s->ring) || s->next > s->ring.pushed)
        return anb_fail(error, ANB_E_STATE, "select: rows that are not there are to be learned");
    return 0;
}

AnbScreenView anb_select_screen(const AnbNode *self, Select *s)
{
    return (AnbScreenView){self->n_features,
                           &s->screen,
                           anb_field(self, s, SELECT_TERMS),
                           anb_field(self, s, SELECT_PAIRS),
                           anb_field(self, s, SELECT_SQUARES),
                           anb_field(self, s, SELECT_ENERGIES),
                           {self->n_features, &s->triples, anb_field(self, s, SELECT_TRIPLES),
                            anb_field(self, s, SELECT_NAMED), anb_field(self, s, SELECT_HELD)}};
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

void anb_select_pick(const uint16_t *place, size_t n, const double *from, double *to)
{
    for (size_t k = 0; k < n; k++)
        to[k] = place[k] > 0 ? from[place[k] - 1] : 0;
}

void anb_select_keep(const AnbNode *self, Select *s, const AnbRow *row, double y, double weight)
{
    const size_t d = self->n_features, at = anb_ring_push(&s->ring, memory(self));
    const double *inverse = anb_field(self, s, SELECT_INVERSE), *origin = anb_field(self, s, SELECT_ORIGIN);
    float *x = (float *)anb_field(self, s, SELECT_X) + at * d, *raw = (float *)anb_field(self, s, SELECT_RAW) + at * d;
    for (size_t j = 0; j < d; j++) {
        x[j] = (float)anb_clip(anb_kept_cell(row->x[j], inverse[j], origin[j]), bound);
        raw[j] = row->raw[j] == row->raw[j] ? (float)anb_clip(row->raw[j], (double)FLT_MAX) : (float)ANB_NAN;
    }
    ((double *)anb_field(self, s, SELECT_Y))[at] = y;
    ((double *)anb_field(self, s, SELECT_WEIGHT))[at] = weight;
}

double anb_select_recall(const AnbNode *self, const Select *s, uint64_t at, double *scratch, double *weight)
{
    const size_t slot = (size_t)(at % memory(self)), first = slot * self->n_features;
    const uint16_t *place = anb_select_places(self, s, 1 - s->serving);
    const double *inverse = anb_field_const(self, s, SELECT_INVERSE), *origin = anb_field_const(self, s, SELECT_ORIGIN);
    const float *x = anb_field_const(self, s, SELECT_X), *raw = anb_field_const(self, s, SELECT_RAW);
    double *to = anb_scratch(self, scratch, SELECT_OTHER_X), *to_raw = anb_scratch(self, scratch, SELECT_OTHER_RAW);
    for (size_t k = 0; k < anb_select_most(self); k++) {
        size_t j = place[k] > 0 ? place[k] - 1U : 0;
        double cell = place[k] > 0 ? (double)raw[first + j] : 0;
        to[k] = place[k] > 0 ? anb_kept_now((double)x[first + j], inverse[j], origin[j], bound) : 0;
        to_raw[k] = cell == cell ? cell : ANB_NAN;
    }
    *weight = ((const double *)anb_field_const(self, s, SELECT_WEIGHT))[slot];
    return ((const double *)anb_field_const(self, s, SELECT_Y))[slot];
}

/* ---- another unit ------------------------------------------------------------------------------------------------ */

static void move_rows(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    double *inverse = anb_field(self, state, SELECT_INVERSE), *origin = anb_field(self, state, SELECT_ORIGIN);
    float *x = anb_field(self, state, SELECT_X);
    for (size_t j = 0; j < self->n_features; j++) {
        anb_kept_move(&inverse[j], &origin[j], alpha[j], beta[j]);
        if (!anb_kept_is_near(inverse[j], origin[j], near))
            anb_kept_turn(&inverse[j], &origin[j], x + j, anb_select_rows(self, state), self->n_features, bound);
    }
}

void anb_select_reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    double of[SELECT_MOST], shift[SELECT_MOST];
    move_rows(self, state, alpha, beta);
    for (uint64_t i = 0; i < 2; i++) {
        const uint16_t *place = anb_select_places(self, state, i);
        for (size_t k = 0; k < anb_select_most(self); k++) {
            of[k] = place[k] > 0 ? alpha[place[k] - 1] : 1;
            shift[k] = place[k] > 0 ? beta[place[k] - 1] : 0;
        }
        anb_node_reframe(&self->children[i], anb_child_state(&self->children[i], state), of, shift);
    }
}
