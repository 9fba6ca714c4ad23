/*
 * Explanations of single predictions: keeps rows, and computes values exactly or by sampling.
 */
#include "explain.h"
#include "src/text/sized.h"
#include "src/text/given.h"
#include <anabranch/reach.h>
#include <math.h>

struct AnbExplainer {
    AnbObserver base;
    AnbAllocator allocator;
    AnbExplainerOptions options;
    AnbReader *reader, *other; /* of the row; of kept rows and coalitions */
    uint64_t observed;         /* the model's count of samples at the last observation */
    AnbKept kept;
    AnbWalk walk;
    double *error;
    size_t n_experts;
    double *expert;
};

static const AnbExplainerOptions usual = {sizeof usual, 16, 2, 10000, 1, false};

void anb_explainer_options_init(AnbExplainerOptions *options, size_t size)
{
    anb_sized_give(&usual, sizeof usual, options, size);
}

/* ---- the rows that are kept -------------------------------------------------------------------------------------- */

double *anb_kept_place(AnbKept *k)
{
    double *row = NULL, among = fmin((double)++k->seen, k->span);
    if (k->used < k->capacity)
        row = k->row + k->used++ * k->width;
    else if (anb_random_uniform(&k->random) * among < (double)k->capacity)
        row = k->row + anb_random_below(&k->random, (uint32_t)k->capacity) * k->width;
    return row;
}

int anb_explainer_keep(AnbExplainer *e, const double *x)
{
    uint64_t missing;
    if (!e || !x)
        return ANB_E_ARGUMENT;
    if (anb_refuses_row(e->reader->plan, x, &e->reader->counters, &missing))
        return ANB_E_INPUT;
    double *row = anb_kept_place(&e->kept);
    if (row)
        memcpy(row, x, e->kept.width * sizeof *row);
    return 0;
}

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before)
{
    AnbExplainer *e = (AnbExplainer *)self;
    (void)y, (void)before;
    bool learned = anb_n_samples_seen(model) != e->observed;
    e->observed = anb_n_samples_seen(model);
    if (x && learned)
        anb_explainer_keep(e, x);
}

AnbObserver *anb_explainer_observer(AnbExplainer *e)
{
    return &e->base;
}

size_t anb_explainer_rows(const AnbExplainer *e)
{
    return e->kept.used;
}

const double *anb_explainer_row(const AnbExplainer *e, size_t i)
{
    return e->kept.row + i * e->kept.width;
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

static int check_options(const AnbExplainerOptions *o, AnbError *error)
{
    if (o->rows < 1 || o->rows > 65536)
        return anb_fail(error, ANB_E_ARGUMENT, "rows = %d is not within 1 to 65,536", o->rows);
    if (o->pairs < 1 || o->pairs > 1024)
        return anb_fail(error, ANB_E_ARGUMENT, "pairs = %d is not within 1 to 1,024", o->pairs);
    if (!(o->span >= o->rows))
        return anb_fail(error, ANB_E_ARGUMENT, "span = %g is below the %d rows that are kept", o->span, o->rows);
    return 0;
}

/* The arrays lie behind the struct. */
static void lay_out(AnbExplainer *e)
{
    AnbWalk *w = &e->walk;
    double **const arrays[] = {&w->phi, &w->square, &w->fourth, &w->mixed, &w->once, &w->sum, &w->squares, &e->error};
    double *at = (double *)(e + 1);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++, at += w->d)
        *arrays[i] = at;
    w->asked = at;
    w->said = w->asked + ANB_ROWS * w->d;
    e->expert = w->said + anb_walk_said(w->d);
    e->kept.row = e->expert + e->n_experts;
    w->order = (uint32_t *)(e->kept.row + e->kept.capacity * w->d);
}

static AnbExplainer *allocate(const StreamingLearner *model, const AnbExplainerOptions *options, AnbError *error)
{
    const AnbPlan *plan = model->plan;
    size_t d = plan->nodes[0].n_features, rows = (size_t)options->rows;
    size_t experts = plan->moe ? plan->moe->n_children : 0;
    size_t numbers = (rows + 8 + ANB_ROWS) * d + anb_walk_said(d) + experts;
    size_t bytes = sizeof(AnbExplainer) + numbers * sizeof(double) + d * sizeof(uint32_t);
    AnbExplainer *e = plan->allocator.alloc(bytes, plan->allocator.context);
    if (!e) {
        anb_fail(error, ANB_E_MEMORY, "out of memory for an explainer");
        return NULL;
    }
    memset(e, 0, bytes);
    e->base.observe = observe;
    e->allocator = plan->allocator;
    e->options = *options;
    e->n_experts = experts;
    e->walk.d = d;
    e->kept = (AnbKept){.width = d, .capacity = rows, .span = options->span};
    anb_random_seed(&e->kept.random, anb_seed_mix(options->seed, 0));
    lay_out(e);
    return e;
}

AnbExplainer *anb_explainer_new(const StreamingLearner *model, const AnbExplainerOptions *options, AnbError *error)
{
    AnbExplainerOptions own = usual;
    if (!anb_given(model, "model", error))
        return NULL;
    if (options && anb_sized_take("an explainer", &own, sizeof own, options, error))
        return NULL;
    AnbExplainer *e = check_options(&own, error) ? NULL : allocate(model, &own, error);
    if (!e)
        return NULL;
    e->reader = anb_reader_new(model, error);
    e->other = e->reader ? anb_reader_new(model, error) : NULL;
    if (!e->other) {
        anb_explainer_free(e);
        return NULL;
    }
    e->observed = anb_n_samples_seen(model);
    return e;
}

void anb_explainer_free(AnbExplainer *e)
{
    if (!e)
        return;
    AnbAllocator allocator = e->allocator;
    anb_reader_free(e->reader);
    anb_reader_free(e->other);
    allocator.free(e, allocator.context);
}

/* ---- explaining -------------------------------------------------------------------------------------------------- */

/* Computed by the types' own tables, and accepted if the values add up to the prediction. */
static bool split_exactly(AnbExplainer *e, const StreamingLearner *model)
{
    AnbWalk *w = &e->walk;
    const AnbNode *root = &model->plan->nodes[0];
    double share = 1 / (double)e->kept.used, base = 0, sum = 0;
    for (size_t i = 0; i < e->kept.used; i++) {
        const double *b = anb_explainer_row(e, i);
        AnbPair pair = {{w->x, w->x, NULL, &e->reader->counters, NULL},
                        {b, b, NULL, &e->other->counters, NULL},
                        e->reader->scratch,
                        e->other->scratch};
        AnbShapleySum out = {w->phi, 0, 0};
        base += share * anb_predict_with(model, e->other, b);
        w->predictions++;
        if (!anb_node_split(root, anb_block(model), &pair, share, &out))
            return false;
    }
    double size = fabs(w->f) + fabs(base);
    for (size_t j = 0; j < w->d; j++) {
        sum += w->phi[j];
        size += fabs(w->phi[j]);
    }
    w->f_other = base;
    return fabs(base + sum - w->f) <= 1e-9 * size;
}

static void clear_sums(AnbWalk *w)
{
    for (size_t j = 0; j < w->d; j++)
        w->phi[j] = w->square[j] = w->fourth[j] = 0;
}

/* The standard error of a value, widened as Student's quantile for 95 % is against 2: the variance is a sum of few
 * terms, of about nu degrees of freedom (Satterthwaite 1946). The quantile's first terms in 1 / nu: Fisher & Cornish
 * 1960. */
static double error_of(const AnbWalk *w, size_t j, double n)
{
    if (w->exact || w->square[j] == 0)
        return 0;
    double nu = (w->pairs - 1) * (w->square[j] * w->square[j]) / w->fourth[j];
    double quantile = 1.96 + 2.372 / nu + 2.823 / (nu * nu);
    return sqrt(w->square[j]) / n * (quantile / 2);
}

/* Estimated from predictions for coalitions of columns. */
static double sample_all(AnbExplainer *e)
{
    AnbWalk *w = &e->walk;
    double n = (double)e->kept.used, base = 0;
    w->reader = e->other;
    anb_random_seed(&w->random, anb_seed_mix(e->options.seed, 1));
    for (size_t i = 0; i < e->kept.used; i++) {
        w->other = anb_explainer_row(e, i);
        w->f_other = anb_predict_with(w->model, w->reader, w->other);
        w->predictions++;
        base += w->f_other;
        anb_walk_pair(w);
    }
    for (size_t j = 0; j < w->d; j++) {
        w->phi[j] /= n;
        e->error[j] = w->exact || w->pairs > 1 ? error_of(w, j, n) : ANB_NAN;
    }
    return base / n;
}

/* Reads each expert's weight times its prediction from the reader's scratch. */
static void read_experts(AnbExplainer *e, const StreamingLearner *model)
{
    const AnbNode *moe = model->plan->moe;
    AnbMixture m = {0};
    if (!moe)
        return;
    moe->type->mixture->view(moe, anb_state_of(model, moe), e->reader->scratch + anb_node_scratch_offset(moe), &m);
    for (size_t i = 0; i < e->n_experts; i++)
        e->expert[i] = m.weight[i] == 0 ? 0 : m.weight[i] * m.expert[i];
}

int anb_explain(AnbExplainer *e, const StreamingLearner *model, const double *x, AnbExplanation *out)
{
    if (!e || !model || !x || !out)
        return ANB_E_ARGUMENT;
    AnbWalk *w = &e->walk;
    if (e->reader->plan != model->plan && !anb_plans_fit(e->reader->plan, model->plan))
        return ANB_E_ARGUMENT;
    if (e->kept.used == 0)
        return ANB_E_UNSUPPORTED;
    w->model = model;
    w->x = x;
    w->pairs = e->options.pairs;
    w->predictions = 1;
    w->exact = true;
    w->f = anb_predict_with(model, e->reader, x);
    if (w->f != w->f)
        return ANB_E_INPUT;
    read_experts(e, model);
    clear_sums(w);
    memset(e->error, 0, w->d * sizeof *e->error);
    bool split = !e->options.sample_only && split_exactly(e, model);
    double base = w->f_other;
    if (!split) {
        clear_sums(w);
        base = sample_all(e);
    }
    *out = (AnbExplanation){w->f,     base,         w->d,         w->phi,    e->error,
                            w->exact, e->kept.used, e->n_experts, e->expert, w->predictions};
    return 0;
}

/* The arguments of an explanation by a server's reader. */
typedef struct Served {
    AnbExplainer *explainer;
    const double *x;
    AnbExplanation *explanation;
} Served;

static int explain_published(const StreamingLearner *model, AnbReader *reader, void *context)
{
    const Served *s = context;
    (void)reader; /* the explainer has two of its own */
    return anb_explain(s->explainer, model, s->x, s->explanation);
}

int anb_explain_served(AnbExplainer *explainer, AnbServeReader *reader, const double *x, AnbExplanation *explanation)
{
    Served served = {explainer, x, explanation};
    return anb_serve_look(reader, explain_published, &served);
}

int anb_explainer_take(AnbExplainer *e, const AnbExplainer *from)
{
    if (!e || !from || e->kept.width != from->kept.width || e->kept.capacity != from->kept.capacity)
        return ANB_E_ARGUMENT;
    memcpy(e->kept.row, from->kept.row, from->kept.used * from->kept.width * sizeof(double));
    e->kept.used = from->kept.used;
    e->kept.seen = from->kept.seen;
    return 0;
}

uint64_t anb_explain_cost(const AnbExplainer *e)
{
    uint64_t walks = 2 * (uint64_t)e->options.pairs * (e->walk.d > 0 ? e->walk.d - 1 : 0);
    uint64_t most = walks > (1 << ANB_COUNTED) - 2 ? walks : (1 << ANB_COUNTED) - 2;
    return 1 + e->kept.used * (1 + most);
}
