/*
 * Permutation importance and changes of features, sample by sample.
 *
 *     mean += (v - mean) / w      w <- g w + 1      g = 1 - 2 / (span + 1)
 */
#include "explain.h"
#include "src/numeric/adwin.h"
#include "src/text/sized.h"
#include <anabranch/importance.h>

enum { EARLIER = 64, KEPT = 256, LIVES = 8 /* generations of kept rows in a span */ };

/* Of one feature: the cells that ranks are taken among, until it changes. */
typedef struct Watched {
    double mean;
    double cell[EARLIER];
    uint64_t n, changed; /* cells; the sample of the last change, 0: none */
    AnbAdwin window;
} Watched;

struct AnbImportance {
    AnbObserver base;
    AnbAllocator allocator;
    AnbReader *reader;
    uint64_t told, samples;
    double keep, weight;
    AnbKept kept;
    Watched *watched; /* d */
    double *mixed;    /* d */
};

static const AnbImportanceOptions usual = {sizeof usual, 1000, 1};
static const double certain = 1e-4; /* of a false alarm, a cut */

void anb_importance_options_init(AnbImportanceOptions *options, size_t size)
{
    anb_sized_give(&usual, sizeof usual, options, size);
}

/* ---- a sample ---------------------------------------------------------------------------------------------------- */

static double loss(AnbImportance *m, const StreamingLearner *model, const double *x, double y)
{
    double error = y - anb_predict_with(model, m->reader, x);
    return error * error;
}

static void permute(AnbImportance *m, const StreamingLearner *model, const double *x, double y)
{
    double plain = loss(m, model, x, y);
    m->weight = m->keep * m->weight + 1;
    memcpy(m->mixed, x, m->kept.width * sizeof *x);
    for (size_t j = 0; j < m->kept.width; j++) {
        uint32_t row = anb_random_below(&m->kept.random, (uint32_t)m->kept.used);
        m->mixed[j] = m->kept.row[row * m->kept.width + j];
        double more = loss(m, model, m->mixed, y) - plain;
        m->mixed[j] = x[j];
        if (more - more == 0)
            m->watched[j].mean += (more - m->watched[j].mean) / m->weight;
    }
}

/* The share of earlier cells below it; of equal ones half. */
static double rank(const Watched *w, double cell)
{
    double below = 0;
    for (size_t i = 0; i < EARLIER; i++)
        below += (w->cell[i] < cell) + .5 * (w->cell[i] == cell);
    return below / EARLIER;
}

static void watch(AnbImportance *m, Watched *w, double cell)
{
    if (cell != cell)
        return;
    if (w->n < EARLIER) {
        w->cell[w->n++] = cell;
        return;
    }
    if (anb_adwin_add(&w->window, rank(w, cell), certain) == 0)
        return;
    w->window = (AnbAdwin){0};
    w->n = 0;
    w->changed = m->samples;
}

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before)
{
    AnbImportance *m = (AnbImportance *)self;
    bool fits = m->reader->plan == model->plan || anb_plans_fit(m->reader->plan, model->plan);
    if (!x || !fits || before != before || anb_n_samples_seen(model) == m->told)
        return;
    m->told = anb_n_samples_seen(model);
    m->samples++;
    if (m->kept.used > 0)
        permute(m, model, x, y);
    for (size_t j = 0; j < m->kept.width; j++)
        watch(m, &m->watched[j], x[j]);
    double *row = anb_kept_place(&m->kept);
    if (row)
        memcpy(row, x, m->kept.width * sizeof *row);
}

AnbObserver *anb_importance_observer(AnbImportance *m)
{
    return &m->base;
}

double anb_importance_value(const AnbImportance *m, size_t j)
{
    return m->watched[j].mean;
}

uint64_t anb_importance_changed(const AnbImportance *m, size_t j)
{
    return m->watched[j].changed ? m->samples - m->watched[j].changed : UINT64_MAX;
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

AnbImportance *anb_importance_new(const StreamingLearner *model, const AnbImportanceOptions *options, AnbError *error)
{
    AnbImportanceOptions own = usual;
    size_t d = anb_n_features(model);
    size_t bytes = sizeof(AnbImportance) + d * (sizeof(Watched) + (1 + KEPT) * sizeof(double));
    if (options && anb_sized_take("importance", &own, sizeof own, options, error))
        return NULL;
    if (!(own.span >= 100 && own.span < 1e15)) {
        anb_fail(error, ANB_E_ARGUMENT, "span = %g is not within 100 to 1e15", own.span);
        return NULL;
    }
    AnbReader *reader = anb_reader_new(model, error);
    AnbImportance *m = reader ? model->plan->allocator.alloc(bytes, model->plan->allocator.context) : NULL;
    if (!m) {
        anb_reader_free(reader);
        anb_fail(error, ANB_E_MEMORY, "out of memory for importances");
        return NULL;
    }
    memset(m, 0, bytes);
    m->base.observe = observe;
    m->allocator = model->plan->allocator;
    m->reader = reader;
    m->told = anb_n_samples_seen(model);
    m->keep = 1 - 2 / (own.span + 1);
    m->watched = (Watched *)(m + 1);
    m->mixed = (double *)(m->watched + d);
    m->kept = (AnbKept){.row = m->mixed + d, .width = d, .capacity = KEPT, .span = own.span / LIVES};
    anb_random_seed(&m->kept.random, anb_seed_mix(own.seed, 0));
    return m;
}

void anb_importance_free(AnbImportance *m)
{
    if (!m)
        return;
    AnbAllocator allocator = m->allocator;
    anb_reader_free(m->reader);
    allocator.free(m, allocator.context);
}
