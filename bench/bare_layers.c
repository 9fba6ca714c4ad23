/* Bare networks and feature maps. */
#include "bare_experts.h"
#include "src/simd/kernels.h"
#include "src/simd/products.h"
#include "src/simd/layers.h"
#include "src/numeric/network.h"
#include "src/numeric/waves.h"
#include "src/numeric/rls.h"

/* ---- mlp: forward, back, one Adam step for the mini-batch -------------------------------------------------------- */

enum { MEMORY = 4000, BATCH = 9 };

typedef struct Net {
    AnbNetwork net;
    AnbNetworkRows w;
    AnbRandom random;
    size_t batch, pushed;
    double *x, *trace, *delta, *y;
    float *memory;
} Net;

static void *net_make(size_t d, size_t hidden, size_t batch)
{
    const AnbNetwork net = anb_network(d, hidden, ANB_LEAKY, false);
    const size_t size = anb_network_size(&net);
    double *at;
    Net *s = bare_piece(sizeof *s, 3 * size + BATCH * (d + 2 + anb_network_trace(&net)) + MEMORY * (1 + d), &at);
    s->net = net;
    s->batch = batch;
    s->w.value = bare_next(&at, size);
    s->w.averaged = bare_next(&at, size);
    s->w.square = bare_next(&at, size);
    s->x = bare_next(&at, BATCH * (d + 1));
    s->trace = bare_next(&at, BATCH * anb_network_trace(&net));
    s->delta = bare_next(&at, BATCH);
    s->y = bare_next(&at, MEMORY);
    s->memory = (float *)bare_next(&at, MEMORY * d / 2);
    anb_random_seed(&s->random, 1);
    anb_network_draw(&s->net, s->w.value, &s->random);
    return s;
}

static void *net_16(size_t d)
{
    return net_make(d, 16, 1);
}

static void *net_64(size_t d)
{
    return net_make(d, 64, BATCH);
}

/* Sample i of the batch is one of those before. */
static void net_recall(Net *s, size_t i)
{
    const size_t d = s->net.features;
    size_t slot = anb_random_below(&s->random, (uint32_t)(s->pushed < MEMORY ? s->pushed : MEMORY));
    double *x = s->x + i * (d + 1);
    for (size_t j = 0; j < d; j++)
        x[j] = (double)s->memory[slot * d + j];
    x[d] = 1;
    s->delta[i] = anb_network_forward(&s->net, s->w.value, x, s->trace + i * anb_network_trace(&s->net)) - s->y[slot];
}

static double net_train(void *self, const double *x, double y)
{
    static const AnbNetworkPace pace = {
        .rate = .003, .decay = .99, .mean_scale = 1, .square_scale = 1, .average = .005};
    Net *s = self;
    const size_t d = s->net.features, batch = s->pushed > 0 ? s->batch : 1, slot = s->pushed++ % MEMORY;
    memcpy(s->x, x, d * sizeof *x);
    s->x[d] = 1;
    y = y / 8 - 2;
    double f = anb_network_forward(&s->net, s->w.value, s->x, s->trace);
    s->delta[0] = f - y;
    for (size_t i = 1; i < batch; i++)
        net_recall(s, i);
    anb_network_descend(&s->net, s->w, s->x, s->trace, s->delta, batch, &pace, NULL);
    for (size_t j = 0; j < d && s->batch > 1; j++)
        s->memory[slot * d + j] = (float)x[j];
    s->y[slot] = y;
    return f;
}

/* ---- poly and rff: the map, then recursive least squares --------------------------------------------------------- */

typedef struct Mapped {
    AnbRls rls;
    size_t d, width;
    double *state, *work, *u, *w;
} Mapped;

static void *mapped_make(size_t d, size_t more, size_t directions)
{
    const size_t n = d + more;
    double *at;
    Mapped *m = bare_piece(sizeof *m, anb_rls_state(n) + anb_rls_scratch(n) + n + directions, &at);
    *m = (Mapped){.rls = {.n = n, .intercept = true, .delta = 100}, .d = d, .width = anb_layer_width(more)};
    m->state = bare_next(&at, anb_rls_state(n));
    m->work = bare_next(&at, anb_rls_scratch(n));
    m->u = bare_next(&at, n + 8); /* products write whole blocks */
    m->w = bare_next(&at, directions);
    anb_rls_init(&m->rls, m->state);
    return m;
}

static double mapped_train(Mapped *m, double y)
{
    double f = anb_rls_kernels.predict(&m->rls, m->state, m->u, m->work);
    anb_rls_kernels.update(&m->rls, m->state, y - f, .999, 1, m->work);
    return f;
}

static void *poly_make(size_t d)
{
    return mapped_make(d, d * (d + 1) / 2, 0);
}

static double poly_train(void *self, const double *x, double y)
{
    Mapped *m = self;
    memcpy(m->u, x, m->d * sizeof *x);
    anb_products(x, m->d, m->u + m->d);
    return mapped_train(m, y);
}

enum { WAVES = 150 };

static void *rff_make(size_t d)
{
    Mapped *m = mapped_make(d, WAVES, (d + 1) * anb_layer_width(WAVES));
    AnbRandom random;
    anb_random_seed(&random, 1);
    for (size_t i = 0; i < (d + 1) * m->width; i++)
        m->w[i] = .05 * anb_random_normal(&random);
    return m;
}

static double rff_train(void *self, const double *x, double y)
{
    Mapped *m = self;
    memcpy(m->u, x, m->d * sizeof *x);
    anb_layer_forward(m->w, m->width, m->w + m->d * m->width, x, m->d, WAVES, m->u + m->d);
    anb_cosine(m->u + m->d, WAVES, .47);
    return mapped_train(m, y);
}

const BareExpert bare_mlp = {"mlp(hidden=16)", "forward, back, Adam; no second forward, no moving scale", net_16,
                             net_train};

const BareExpert bare_deep_mlp = {"mlp(hidden=64, replay=8)", "the same on nine samples", net_64, net_train};

const BareExpert bare_poly = {"poly(rls)", "products, then the kernels of rls", poly_make, poly_train};

const BareExpert bare_rff = {"rff(rls, features=150)", "a layer and cosines, then the kernels of rls", rff_make,
                             rff_train};
