/* Whitened rows by one RLS matrix. */
#include "whiten.h"
#include "src/numeric/fields.h"
#include "src/simd/kernels.h"

static const double lambda = .9998;

static AnbRls rls_of(size_t features)
{
    return (AnbRls){.n = features, .intercept = true, .delta = 1};
}

static double *state_of(AnbWhitener *whitener)
{
    return (double *)(whitener + 1);
}

size_t anb_whiten_bytes(size_t features)
{
    size_t doubles = features <= ANB_WHITEN_FEATURES ? anb_rls_state(features) : features;
    return sizeof(AnbWhitener) + doubles * sizeof(double);
}

size_t anb_whiten_scratch(size_t features)
{
    return features <= ANB_WHITEN_FEATURES ? anb_rls_scratch(features) : 0;
}

void anb_whiten_init(AnbWhitener *whitener, size_t features)
{
    AnbRls rls = rls_of(features);
    *whitener = (AnbWhitener){0};
    if (features <= ANB_WHITEN_FEATURES)
        anb_rls_init(&rls, state_of(whitener));
    else
        memset(state_of(whitener), 0, features * sizeof(double));
}

const double *anb_whiten_row(const AnbWhitener *whitener, size_t features)
{
    const double *state = (const double *)(whitener + 1);
    return features <= ANB_WHITEN_FEATURES ? anb_rls_weights(state, features) : state;
}

static void clear_weights(double *state, size_t features)
{
    memset(state + anb_rls_weights_at(features), 0, features * sizeof(double));
    anb_rls_head(state)->w0 = 0;
}

static void whiten(AnbWhitener *whitener, size_t features, const double *x, double *scratch)
{
    AnbRls rls = rls_of(features);
    double *state = state_of(whitener), *k = state + anb_rls_weights_at(features);
    clear_weights(state, features);
    anb_rls_predict(&rls, state, x, scratch);
    if (!anb_rls_update(&rls, state, 1, lambda, 1, scratch))
        anb_rls_init(&rls, state);
    for (size_t j = 0; j < features; j++)
        k[j] *= whitener->count;
    whitener->k0 = anb_rls_head(state)->w0 * whitener->count;
}

void anb_whiten_see(AnbWhitener *whitener, size_t features, const double *x, double *scratch)
{
    double *k = anb_view_of(anb_whiten_row(whitener, features));
    whitener->count = lambda * whitener->count + 1;
    whitener->k0 = 1;
    if (features <= ANB_WHITEN_FEATURES)
        whiten(whitener, features, x, scratch);
    else
        memcpy(k, x, features * sizeof(double));
    whitener->energy = anb_dot(k, x, features) + whitener->k0;
    if (anb_nonfinite(k, features) + (whitener->energy - whitener->energy) == 0 && whitener->energy >= 0)
        return;
    memset(k, 0, features * sizeof(double));
    whitener->k0 = whitener->energy = 0;
}

void anb_whiten_reframe(AnbWhitener *whitener, size_t features, const double *alpha, const double *beta)
{
    AnbRls rls = rls_of(features);
    if (features <= ANB_WHITEN_FEATURES)
        anb_rls_reframe(&rls, state_of(whitener), alpha, beta);
}

static const AnbField members[] = {
    {ANB_MEMBER(AnbWhitener, count)}, {ANB_MEMBER(AnbWhitener, k0)}, {ANB_MEMBER(AnbWhitener, energy)}, {0}};

void anb_whiten_visit(AnbWhitener *whitener, size_t features, AnbVisitor *visitor)
{
    AnbRls rls = rls_of(features);
    anb_struct_visit(members, whitener, visitor);
    if (features <= ANB_WHITEN_FEATURES)
        anb_rls_visit(&rls, state_of(whitener), visitor);
    else
        anb_visit(visitor, "k", state_of(whitener), ANB_F64, features);
}

bool anb_whiten_valid(const AnbWhitener *whitener, size_t features)
{
    AnbRls rls = rls_of(features);
    const double *state = (const double *)(whitener + 1);
    if (!(whitener->count >= 0 && whitener->count - whitener->count == 0 && whitener->energy >= 0 &&
          whitener->energy - whitener->energy == 0))
        return false;
    if (features > ANB_WHITEN_FEATURES)
        return anb_nonfinite(state, features) == 0;
    return anb_rls_validate(&rls, state, NULL) == 0;
}
