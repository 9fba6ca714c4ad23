/*
 * The pool of experts: sums over the predictions of each active expert, and statistics from them.
 *
 * Sums, not faded means: the specification's statistics run from the last reset of the statistics on.
 */
#include "diagnostics.h"
#include "src/text/given.h"
#include <anabranch/utf8.h>

/* One expert's sums. */
typedef struct Sums {
    uint64_t processed, measured; /* samples active; samples whose sparsity is known */
    double square, away, middle, sparsity, contribution;
} Sums;

struct AnbExpertPool {
    AnbObserver base;
    uint64_t trained; /* the model's count at the last sample observed */
    AnbAllocator allocator;
    AnbPlan *plan; /* names its experts */
    size_t k;
    uint64_t samples;
    Sums *sums;                          /* [k] */
    char (*names)[ANB_EXPERT_NAME_SIZE]; /* [k], empty: the plan's */
};

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before);

AnbExpertPool *anb_expert_pool_new(const StreamingLearner *model, AnbError *error)
{
    if (!anb_given(model, "model", error))
        return NULL;
    const AnbNode *moe = model->plan->moe;
    if (!moe) {
        anb_fail(error, ANB_E_UNSUPPORTED, "the model holds no mixture");
        return NULL;
    }
    const AnbAllocator *from = &model->plan->allocator;
    size_t k = moe->n_children, each = sizeof(Sums) + ANB_EXPERT_NAME_SIZE;
    AnbExpertPool *pool = from->alloc(sizeof *pool + k * each, from->context);
    if (!pool) {
        anb_fail(error, ANB_E_MEMORY, "out of memory");
        return NULL;
    }
    memset(pool, 0, sizeof *pool + k * each);
    pool->base.observe = observe;
    pool->trained = model->counters.trained;
    pool->allocator = *from;
    pool->plan = anb_plan_keep(model->plan);
    pool->k = k;
    pool->sums = (Sums *)(pool + 1);
    pool->names = (char(*)[ANB_EXPERT_NAME_SIZE])(pool->sums + k);
    return pool;
}

void anb_expert_pool_free(AnbExpertPool *pool)
{
    if (!pool)
        return;
    AnbAllocator allocator = pool->allocator;
    anb_plan_drop(pool->plan);
    allocator.free(pool, allocator.context);
}

void anb_expert_pool_reset(AnbExpertPool *pool)
{
    pool->samples = 0;
    memset(pool->sums, 0, pool->k * sizeof *pool->sums);
}

/* ---- a sample ---------------------------------------------------------------------------------------------------- */

/* How sparse the active experts are on the row that was last predicted or learned. */
static void add_sparsity(AnbExpertPool *pool, StreamingLearner *model, const AnbMixture *m, const double *x)
{
    AnbRow row = {x, x, NULL, &model->counters, NULL};
    AnbAsked mixture = anb_ask(&model->plan->nodes[0], anb_block(model), &row, anb_scratch_kept(model));
    if (!anb_reach(&mixture, ANB_CAN_MIX) || mixture.node != model->plan->moe)
        return;
    for (size_t a = 0; a < m->n_active; a++) {
        unsigned i = m->active[a];
        AnbAsked at = anb_child_asked(mixture.node, i, mixture.state, &mixture.row, mixture.scratch);
        if (at.node->n_features != mixture.node->n_features || !anb_reach(&at, ANB_CAN_THIN))
            continue; /* not for a mixture that makes other rows for its experts */
        pool->sums[i].sparsity += at.node->type->sparsity->share(at.node, at.state, &at.row, at.scratch);
        pool->sums[i].measured++;
    }
}

void anb_expert_pool_add(AnbExpertPool *pool, StreamingLearner *model, const AnbMixture *m, const double *x)
{
    if (model->counters.trained == pool->trained)
        return; /* observed already */
    pool->trained = model->counters.trained;
    double mean = 0, parts = 1 / (double)m->n_active;
    for (size_t a = 0; a < m->n_active; a++)
        mean += m->expert[m->active[a]] * parts;
    mean = anb_summable(mean);
    for (size_t a = 0; a < m->n_active; a++) {
        unsigned i = m->active[a];
        Sums *s = &pool->sums[i];
        double f = anb_summable(m->expert[i]);
        s->processed++;
        s->square += f * f;
        s->away += fabs(f - mean);
        s->middle += fabs(mean);
        s->contribution += fabs(m->weight[i] * f);
    }
    pool->samples++;
    if (x)
        add_sparsity(pool, model, m, x);
}

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before)
{
    AnbMixture m;
    AnbExpertPool *pool = (AnbExpertPool *)self;
    (void)y;
    if (before != before)
        pool->trained = model->counters.trained;
    else if (anb_mixture(model, &m) == 0 && m.k == pool->k)
        anb_expert_pool_add(pool, model, &m, x);
}

AnbObserver *anb_expert_pool_observer(AnbExpertPool *pool)
{
    return &pool->base;
}

/* ---- read-outs --------------------------------------------------------------------------------------------------- */

size_t anb_expert_pool_experts(const AnbExpertPool *pool)
{
    return pool->k;
}

uint64_t anb_expert_pool_samples(const AnbExpertPool *pool)
{
    return pool->samples;
}

double anb_expert_pool_sparsity(const AnbExpertPool *pool)
{
    size_t awake = 0;
    for (size_t i = 0; i < pool->k; i++)
        awake += pool->sums[i].processed > 0;
    return 1 - (double)awake / (double)pool->k;
}

static double ratio(double a, double b)
{
    return b != 0 ? a / b : 0;
}

AnbPooled anb_expert_pool_expert(const AnbExpertPool *pool, size_t i)
{
    const Sums *s = &pool->sums[i];
    AnbPooled e = {.name = pool->names[i], .processed = s->processed};
    if (!e.name[0])
        e.name = pool->plan->moe->children[i].label;
    e.magnitude = sqrt(ratio(s->square, (double)s->processed));
    e.sparsity = s->measured > 0 ? s->sparsity / (double)s->measured : ANB_NAN;
    e.specialization = ratio(s->away, s->away + s->middle);
    e.contribution = ratio(s->contribution, (double)pool->samples);
    return e;
}

/* Names end up in JSON, CSV and the text of Prometheus, all of them UTF-8: whole characters, `?` for a byte of none. */
int anb_expert_pool_set_name(AnbExpertPool *pool, size_t i, const char *name)
{
    if (!pool || i >= pool->k)
        return ANB_E_ARGUMENT;
    size_t at = 0;
    for (const unsigned char *p = (const unsigned char *)(name ? name : ""); *p;) {
        size_t n = anb_utf8_character(p);
        if (at + (n ? n : 1) >= ANB_EXPERT_NAME_SIZE)
            break;
        memcpy(pool->names[i] + at, n ? (const char *)p : "?", n ? n : 1);
        at += n ? n : 1;
        p += n ? n : 1;
    }
    pool->names[i][at] = 0;
    return 0;
}

size_t anb_expert_pool_top(const AnbExpertPool *pool, size_t *top, size_t n)
{
    size_t held = 0;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < pool->k; i++) {
        double mine = pool->sums[i].contribution;
        if (held == n && !(mine > pool->sums[top[n - 1]].contribution))
            continue;
        size_t at = held < n ? held++ : n - 1;
        for (; at > 0 && mine > pool->sums[top[at - 1]].contribution; at--)
            top[at] = top[at - 1];
        top[at] = i;
    }
    return held;
}
