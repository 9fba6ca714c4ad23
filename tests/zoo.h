/*
 * Every registered learner and router as a small model, some more of options that change a state, and a stream for all
 * of them: what the tests that hold for any type loop over.
 */
#ifndef ANB_TESTS_ZOO_H
#define ANB_TESTS_ZOO_H

#include "src/numeric/random.h"
#include <anabranch/anabranch.h>
#include <stdio.h>

enum { ZOO_FEATURES = 5, ZOO_TEXT = 512 };

/* Models of options that the types' examples leave out. */
typedef struct ZooForm {
    const char *name, *expression;
} ZooForm;

static const ZooForm zoo_forms[] = {
    {"losses", "scale(moe(linear(loss=quantile, level=0.9), linear(normalized=true, loss=absolute), "
               "mlp(hidden=4, replay=2, memory=100, loss=quantile, level=0.9), mlp(hidden=4, loss=huber), "
               "sgbt(window=256, trees=10, depth=3, budget=1000, loss=quantile, level=0.9), "
               "router=blend, loss=quantile, level=0.9))"},
    {"quantile_of_two", "quantile(scale(linear), scale(tree), levels=[0.25, 0.75], level=0.75)"},
    {"mlp_single", "scale(moe(mlp(hidden=20, replay=3, memory=100, precision=single), "
                   "mlp(hidden=5, activation=geglu, momentum=0.9, precision=single), "
                   "mlp(hidden=40, optimizer=sgd, activation=gelu, replay=2, dropout=0.2, precision=single)))"},
    {"rls_single",
     "poly(scale(moe(rls(precision=single), rls(lambda=0.98, walk=0.1, intercept=false, precision=single))))"},
    {"poly_screened", "scale(poly(mlp(hidden=4, replay=2, memory=100), least=2.5))"},
    {"mlp_every",
     "scale(moe(mlp(hidden=5, activation=hardgelu, every=4, replay=2, memory=100), "
     "mlp(hidden=12, activation=hardgelu, momentum=0.5, every=16, replay=3, memory=100, precision=single), "
     "mlp(hidden=4, activation=swiglu, momentum=0.9, every=3), "
     "mlp(hidden=4, activation=relu, optimizer=sgd, every=2), router=stack(delta=0.003)))"},
    {"scale_whole", "moe(scale(rls(delta=1, level=100, surprise=2), trust=8, whole=true), "
                    "scale(linear(bounded=false, rate=0.001), clip=2, far=3, tails=false), router=boa)"},
    {"guard_rivals", "guard(scale(moe(linear, rls, router=boa)), scale(rls, whole=true), mean, last)"},
    {"past_and_season",
     "season(residual_ar(scale(refine(moe(residual_ar(rls, last=true), past(linear(normalized=true), lags=3), "
     "router=stack), rls(lambda=0.99), last=true)), last=true), longest=8)"},
    {"select_scaled", "scale(select(rls(lambda=0.99), rls(lambda=0.99), most=2, memory=100))"},
    {"gate_options", "moe(linear, rls, mean, last, router=linear(top_k=2, explore=true, standardize=true, clear=true, "
                     "router_jitter=0.1, router_noise=0.1, switch_loss=0.1, z_loss=0.1), utilization_span=50, "
                     "reset_dead=true)"},
    {"detectors", "moe(drift(linear(normalized=true), detector=page_hinkley, action=reset), "
                  "drift(mean, detector=kswin, action=reset), router=stack(discount=0.99))"},
    {"knn_coarse", "scale(moe(knn(window=100, k=5, coarse=4), knn(window=50, k=4, time=false), router=boa))"},
    {"links", "moe(link(linear, f=sqrt), link(mean), link(last, f=positive), router=boa)"}};
enum { ZOO_FORMS = sizeof zoo_forms / sizeof *zoo_forms };

static inline size_t zoo_learners(void)
{
    size_t n = 0;
    while (anb_learner_types()[n])
        n++;
    return n;
}

static inline size_t zoo_routers(void)
{
    size_t n = 0;
    while (anb_router_types()[n])
        n++;
    return n;
}

/* How many models the zoo holds: one for every learner, one for every router, the forms. */
static inline size_t zoo_count(void)
{
    return zoo_learners() + zoo_routers() + ZOO_FORMS;
}

/* What animal i is called: for messages and file names. */
static inline const char *zoo_name(size_t i, char *text)
{
    size_t learners = zoo_learners(), types = learners + zoo_routers();
    if (i < learners)
        snprintf(text, ZOO_TEXT, "%s", anb_learner_types()[i]->name);
    else if (i >= types)
        snprintf(text, ZOO_TEXT, "%s", zoo_forms[i - types].name);
    else
        snprintf(text, ZOO_TEXT, "router_%s", anb_router_types()[i - learners]->type.name);
    return text;
}

/* The expression of an entry: the type's example, a router inside a mixture under a scale. */
static inline const char *zoo_expression(size_t i, char *text)
{
    size_t learners = zoo_learners(), types = learners + zoo_routers();
    if (i < learners)
        snprintf(text, ZOO_TEXT, "%s", anb_learner_types()[i]->example);
    else if (i >= types)
        snprintf(text, ZOO_TEXT, "%s", zoo_forms[i - types].expression);
    else
        snprintf(text, ZOO_TEXT, "scale(moe(linear, rls(lambda=0.99), mean, last, router=%s))",
                 anb_router_types()[i - learners]->type.example);
    return text;
}

static inline StreamingLearner *zoo_model(size_t i, const AnbModelOptions *options, AnbError *error)
{
    char text[ZOO_TEXT];
    return anb_parse(ZOO_FEATURES, zoo_expression(i, text), options, error);
}

/* A stream that never ends: five features, a bend, a product, a slow drift and noise; a cell missing now and then. */
typedef struct ZooStream {
    AnbRandom random;
    uint64_t t;
    bool missing;
    double x[ZOO_FEATURES], y;
} ZooStream;

static inline ZooStream zoo_stream(uint64_t seed, bool missing)
{
    ZooStream s = {.missing = missing};
    anb_random_seed(&s.random, seed);
    return s;
}

static inline void zoo_next(ZooStream *s)
{
    for (size_t j = 0; j < ZOO_FEATURES; j++)
        s->x[j] = 4 * anb_random_uniform(&s->random) - 2;
    double drift = (double)s->t++ / 4000;
    double bend = s->x[0] > 0 ? s->x[0] * s->x[0] : 0;
    s->y = 3 + 2 * bend + s->x[1] * s->x[2] + (1 + drift) * s->x[3] + .1 * anb_random_uniform(&s->random);
    if (s->missing && anb_random_below(&s->random, 16) == 0)
        s->x[anb_random_below(&s->random, ZOO_FEATURES)] = ANB_NAN;
}

/* The model learns the next n samples. */
static inline void zoo_train(StreamingLearner *model, ZooStream *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        zoo_next(s);
        anb_train_one(model, s->x, s->y, 1);
    }
}

#endif
