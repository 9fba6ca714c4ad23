/* The tables of the linear gate's state and scratch. */
#include "linear_state.h"
#include "src/numeric/random.h"

static uint64_t one(const AnbNode *self)
{
    (void)self;
    return 1;
}

static size_t padded(const AnbNode *self)
{
    return anb_gate_padded(self->gate.k);
}

static size_t experts(const AnbNode *self, const void *state)
{
    (void)state;
    return self->gate.k;
}

static size_t features(const AnbNode *self)
{
    return anb_linear_standardizes(self) ? self->n_features : 0;
}

static size_t generators(const AnbNode *self)
{
    return anb_linear_noisy(self);
}

static size_t w_size(const AnbNode *self, const AnbField *field)
{
    (void)field;
    return anb_gate_rows(self->gate.k) * anb_gate_padded(self->n_features) * sizeof(double);
}

static void w_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    double *w = part;
    (void)state;
    for (size_t i = 0; i < self->gate.k; i++, w += anb_gate_padded(self->n_features))
        anb_visit(visitor, field->name, w, ANB_F64, self->n_features);
}

static int w_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part, AnbError *error)
{
    (void)state;
    if (anb_nonfinite(part, w_size(self, field) / sizeof(double)) == 0)
        return 0;
    return anb_fail(error, ANB_E_STATE, "router linear: a weight is not finite");
}

static const AnbPart w_part = {w_size, w_visit, w_validate};

static const AnbField members[] = {{ANB_MEMBER(AnbLinearHead, drawn), .most = one},
                                   {ANB_MEMBER(AnbLinearHead, share), .must = ANB_DERIVED},
                                   {ANB_MEMBER(AnbLinearHead, target), .must = ANB_DERIVED},
                                   {ANB_INNER(AnbLinearHead, unit, AnbWeightUnit, anb_weight_unit_fields)},
                                   {0}};

/* An array over the experts, padded. */
#define OVER_EXPERTS(word)                                                                                             \
    {                                                                                                                  \
        .name = (word), .kind = ANB_F64, .count = padded, .used = experts, .must = ANB_FINITE | ANB_ALIGNED            \
    }

const AnbField anb_linear_fields[] = {
    [LINEAR_HEAD] = {ANB_STRUCT(AnbLinearHead, members)},
    [LINEAR_BIAS] = OVER_EXPERTS("bias"),
    [LINEAR_LOAD_BIAS] = OVER_EXPERTS("load_bias"),
    [LINEAR_LOAD] = OVER_EXPERTS("load"),
    [LINEAR_W] = {.name = "w", .part = &w_part},
    ANB_GATE_MOMENTS(features),
    [LINEAR_RANDOM] = {.name = "random", .record = anb_random_fields, .stride = sizeof(AnbRandom), .count = generators},
    {0}};

static size_t padded_if_redirects(const AnbNode *self)
{
    return anb_linear_redirects(self) ? padded(self) : 0;
}

static size_t batches(const AnbNode *self)
{
    return anb_linear_redirects(self);
}

const AnbField anb_linear_scratch_fields[] = {
    [LINEAR_Z] = {.name = "z", .kind = ANB_F64, .count = padded},
    [LINEAR_P] = {.name = "p", .kind = ANB_F64, .count = padded, .must = ANB_ALIGNED},
    [LINEAR_MARK] = {.name = "mark", .kind = ANB_F64, .count = padded, .must = ANB_ALIGNED},
    [LINEAR_ROW] = {.name = "row", .kind = ANB_F64, .count = features},
    [LINEAR_FACTOR] = {.name = "factor", .kind = ANB_F64, .count = padded_if_redirects},
    [LINEAR_TERM] = {.name = "term", .kind = ANB_F64, .count = padded_if_redirects},
    [LINEAR_BATCH] = {.name = "batch", .stride = sizeof(AnbLinearBatch), .count = batches},
    [LINEAR_ROOM] = {.name = "room", .kind = ANB_F64, .count = padded_if_redirects},
    {0}};
