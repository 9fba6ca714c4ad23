/* Steps of mlp: which rows each is on, how large it is, and which rows wait for one. mlp.c says how. */
#include "mlp_batch.h"

enum {
    PAUSE = 500,  /* steps after a change of concept without a factor on the features */
    RECENT = 200, /* rows that replay draws from, at least, where the memory holds as many */
    DENSE = 2000  /* rows, also after a change of concept, that have a step each whatever `every` is */
};
static const double decay = 0.99;
/* The rate rises over `rise` steps and falls as 1 / sqrt(1 + t / fall); a step counts `most_weight` times at most. */
static const double rise = 100, fall = 5000, most_weight = 10;
/* The share of the newest weights in their average: 1 up to step 10, then 10 / t, at least `least_average`. */
static const double first_steps = 10, least_average = 0.005;

_Static_assert(16 + 64 <= ANB_NETWORK_SAMPLES, "the largest batch");

/* The number of newest rows that replay draws from. */
static size_t reach(const View *v)
{
    size_t filled = anb_ring_size(&v->s->ring, v->memory), least = v->memory < RECENT ? v->memory : RECENT;
    size_t rows = least + (size_t)(anb_mlp_share(v->s) * (double)(v->memory - least));
    return rows < filled ? rows : filled;
}

/* A slot of the newest `rows`, the newest of all being in slot `head`. */
static size_t draw_slot(const View *v, size_t rows, size_t head)
{
    size_t back = anb_random_below(&v->s->random, (uint32_t)rows);
    return head >= back ? head - back : head + v->memory - back;
}

static void take_slot(const View *v, size_t slot, size_t i, double *scratch)
{
    anb_network_take_kept(&v->net, v->x + slot * v->d, anb_scratch(v->self, scratch, MLP_UNITS), anb_mlp_bound,
                          anb_mlp_row(v, i, scratch));
}

/* The slot of row i of a batch: the rows that wait for a step come first. */
static size_t slot_of(const View *v, size_t i, size_t rows, size_t head)
{
    return i <= v->s->waiting ? anb_ring_back(&v->s->ring, v->memory, i - 1) : draw_slot(v, rows, head);
}

/* The outputs of rows 1 to batch - 1, which come out of the ring, and from which slot each is. */
static void draw_rows(const View *v, size_t batch, double *scratch, double *output, size_t *slot)
{
    size_t rows = reach(v), head = anb_ring_back(&v->s->ring, v->memory, 0);
    for (size_t i = 1; i < batch; i++) {
        slot[i] = slot_of(v, i, rows, head);
        __builtin_prefetch(v->x + slot[i] * v->d);
    }
    for (size_t i = 1; i < batch; i++)
        take_slot(v, slot[i], i, scratch);
    anb_network_forward_rows(&v->net, v->w.value, anb_mlp_row(v, 1, scratch), batch - 1, anb_mlp_trace(v, 1, scratch),
                             output + 1);
}

/* The same with dropout, one by one: units are drawn behind each row. */
static void draw_thinned_rows(const View *v, size_t batch, double *scratch, double *output, size_t *slot)
{
    size_t rows = reach(v), head = anb_ring_back(&v->s->ring, v->memory, 0);
    for (size_t i = 1; i < batch; i++) {
        void *trace = anb_mlp_trace(v, i, scratch);
        slot[i] = slot_of(v, i, rows, head);
        take_slot(v, slot[i], i, scratch);
        anb_network_forward(&v->net, v->w.value, anb_mlp_row(v, i, scratch), trace);
        output[i] = anb_network_drop(&v->net, v->w.value, trace, v->o->dropout, &v->s->random);
    }
}

/* Gradients of the rows behind the first, times `scale`; those that waited count `fresh` times their weight. */
static void recall(const View *v, size_t batch, double scale, double fresh, const double *shares, double *delta,
                   double *scratch)
{
    size_t slot[ANB_NETWORK_SAMPLES];
    const MlpScale outputs = v->s->scale;
    void *units = anb_scratch(v->self, scratch, MLP_UNITS);
    if (batch == 1)
        return;
    anb_network_take_units(&v->net, v->inverse, v->origin, units);
    anb_mlp_leave_out(v, shares, units); /* a unit of 0 makes every stored cell 0 */
    (v->o->dropout > 0 ? draw_thinned_rows : draw_rows)(v, batch, scratch, delta, slot);
    for (size_t i = 1; i < batch; i++)
        delta[i] = anb_mlp_gradient(v, delta[i] - (v->y[slot[i]] - outputs.mean) / outputs.sd, outputs.sd) * scale *
                   (i <= v->s->waiting ? fresh * v->weights[v->s->waiting - i] : 1);
}

static AnbNetworkPace pace(const View *v, double weight, size_t features)
{
    Mlp *s = v->s;
    double t = (double)++s->steps, age = t - (double)s->since;
    s->square_power *= decay;
    s->mean_power *= v->o->momentum;
    AnbNetworkPace p = {.momentum = v->o->momentum, .decay = decay, .mean_scale = 1, .square_scale = 1};
    p.rate =
        v->o->rate * (t < rise ? t / rise : 1) / sqrt(1 + age / fall) * (weight < most_weight ? weight : most_weight);
    p.rate *= features > ANB_MLP_NARROW ? ANB_MLP_NARROW / (double)features : 1;
    p.average = t < first_steps / least_average ? (t < first_steps ? 1 : first_steps / t) : least_average;
    if (anb_mlp_adam(v->o)) {
        p.mean_scale = 1 / (1 - s->mean_power);
        p.square_scale = 1 / (1 - s->square_power);
    }
    return p;
}

/* Whether the last change of concept is long enough ago: right after one, pulls do not show which features are
 * relevant. */
static bool settled(const Mlp *s)
{
    return s->since == 0 || s->steps - s->since >= PAUSE;
}

bool anb_mlp_due(const View *v, double sd)
{
    size_t waiting = v->s->waiting;
    return waiting + 1 >= (size_t)v->o->every || waiting == v->memory || v->s->ring.pushed < DENSE ||
           !anb_mlp_scale_is_near(v->s, sd);
}

/* Rows that the step learns again: where rows may share steps but each still has its own, half of `replay`, so that
 * these steps do not cost much more than later rows do. */
static size_t replayed_now(const View *v)
{
    size_t rows = anb_ring_size(&v->s->ring, v->memory) > 0 ? (size_t)v->o->replay : 0;
    return v->o->every > 1 && v->s->ring.pushed < DENSE ? (rows + 1) / 2 : rows;
}

/* The mean weight of the rows of a step; `weight` is the new one's. */
static double mean_weight(const View *v, double weight)
{
    double sum = weight;
    for (size_t i = 0; i < v->s->waiting; i++)
        sum += v->weights[i];
    return sum / (double)(v->s->waiting + 1);
}

void anb_mlp_descend(const View *v, double error, double weight, const double *shares, double *scratch)
{
    size_t replayed = replayed_now(v), batch = 1 + v->s->waiting + replayed;
    double *delta = anb_mlp_deltas(v, scratch), scale = 1 / sqrt((double)batch), fresh = replayed > 0 ? 3 : 1;
    double mean = mean_weight(v, weight);
    delta[0] = error * scale * fresh * (weight / mean);
    recall(v, batch, scale, fresh / mean, shares, delta, scratch);
    AnbNetworkPace step = pace(v, mean, anb_mlp_counting(v, shares));
    double *pull = anb_mlp_adam(v->o) && settled(v->s) ? anb_scratch(v->self, scratch, MLP_PULL) : NULL;
    anb_network_descend(&v->net, v->w, anb_mlp_row(v, 0, scratch), anb_mlp_trace(v, 0, scratch), delta, batch, &step,
                        pull);
    if (pull)
        anb_network_rescale(&v->net, v->w, pull, v->pulls, &step);
    v->s->waiting = 0;
}

void anb_mlp_wait(const View *v, double weight)
{
    v->weights[v->s->waiting++] = weight;
    v->s->waited++;
}
