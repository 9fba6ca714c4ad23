/*
 * The selection of experts that learn, where it differs from that of the prediction: by noisy logits (router_jitter,
 * router_noise), and, in train_batch, by how many samples of the batch each expert may take (capacity_factor).
 */
#include "dispatch.h"
#include "linear_state.h"
#include "src/numeric/elementary.h"

/* The n largest in descending order, equal ones in ascending order of index: an insertion into a list of n. */
void anb_linear_select(const double *q, size_t k, unsigned *active, size_t n)
{
    size_t held = 0;
    for (size_t i = 0; i < k; i++) {
        if (held == n && !(q[i] > q[active[n - 1]]))
            continue;
        size_t at = held < n ? held++ : n - 1;
        for (; at > 0 && q[i] > q[active[at - 1]]; at--)
            active[at] = active[at - 1];
        active[at] = (unsigned)i;
    }
}

/* A sample's noise: noisy z = z factor + term. */
static void draw_noise(const AnbNode *self, void *state, const AnbLinearScratch *w)
{
    const AnbRouterLinearOptions *o = self->options;
    AnbRandom *random = anb_field(self, state, LINEAR_RANDOM);
    size_t k = self->gate.k;
    for (size_t i = 0; i < k; i++) {
        w->factor[i] = 1;
        w->term[i] = 0;
    }
    if (o->router_jitter > 0)
        anb_jitter(random, o->router_jitter, k, w->factor);
    if (o->router_noise > 0)
        anb_noise(random, o->router_noise, k, w->term);
}

bool anb_linear_redirect(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    const AnbRouterLinearOptions *o = self->options;
    size_t k = gate->k, n = (size_t)o->top_k, wanted = n;
    AnbLinearScratch w = anb_linear_scratch(self, scratch);
    (void)row;
    if (!anb_linear_redirects(self) || (!anb_linear_noisy(self) && w.batch->bound == 0))
        return false;
    draw_noise(self, state, &w);
    w.batch->noise_holds = anb_linear_noisy(self);
    for (size_t i = 0; i < k; i++)
        w.mark[i] = w.z[i] * w.factor[i] + w.term[i] + (gate->penalty ? gate->penalty[i] : 0);
    anb_softmax(w.mark, k, w.mark);
    anb_linear_select(w.mark, k, gate->active, n);
    if (w.batch->bound > 0) {
        for (size_t a = 0; a < n; a++)
            w.batch->overflows += w.room[gate->active[a]] < 1;
        wanted = anb_dispatch(w.mark, k, w.room, gate->active, n);
    }
    gate->n_active = wanted;
    return true;
}

static bool is_bounded(const AnbNode *self)
{
    return ((const AnbRouterLinearOptions *)self->options)->capacity_factor > 0;
}

static void begin_batch(const AnbNode *self, double *scratch, size_t samples)
{
    const AnbRouterLinearOptions *o = self->options;
    size_t k = self->gate.k;
    AnbLinearScratch w = anb_linear_scratch(self, scratch);
    if (!is_bounded(self))
        return;
    w.batch->overflows = 0;
    w.batch->bound = anb_capacity(o->capacity_factor, (size_t)o->top_k, samples, k);
    for (size_t i = 0; i < k; i++)
        w.room[i] = (double)w.batch->bound;
}

static size_t end_batch(const AnbNode *self, double *scratch)
{
    AnbLinearScratch w = anb_linear_scratch(self, scratch);
    if (!is_bounded(self))
        return 0;
    w.batch->bound = 0;
    return w.batch->overflows;
}

const AnbBatchTable anb_linear_batches = {begin_batch, end_batch};
