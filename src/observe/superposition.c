/*
 * Superposition: everything follows from the Gram matrix G = W W^T of an expert.
 *
 *     |W_i| = sqrt(G_ii)     What_i.W_j = G_ij / |W_i|     D_i = G_ii / sum_j (G_ij / |W_i|)^2
 *
 * Rows are first divided by their expert's largest weight, so that nothing overflows, and the scale put back at the
 * end.
 */
#include "src/host/mixture.h"
#include "src/host/model.h"
#include "src/simd/kernels.h"
#include "src/text/given.h"
#include <anabranch/reach.h>
#include <anabranch/superposition.h>

struct AnbSuperposition {
    AnbAllocator allocator;
    size_t n_experts, features, hidden;
    size_t *expert;                                                   /* [e] */
    double *norm, *dimensionality, *specialization, *polysemanticity; /* [e][features] */
    double *interference, *gram;                                      /* [e][features][features] */
    double *work;                                                     /* [features][hidden] */
};

/* ---- making one -------------------------------------------------------------------------------------------------- */

static int check_matrices(size_t n, const AnbMatrix *m, AnbError *error)
{
    if (n == 0 || !m || m[0].rows == 0 || m[0].columns == 0)
        return anb_fail(error, ANB_E_ARGUMENT, "no matrices, or empty ones");
    if (m[0].rows > 16384 || m[0].columns > 1 << 20)
        return anb_fail(error, ANB_E_LIMIT, "more than 16384 features or 1048576 hidden units");
    for (size_t e = 0; e < n; e++) {
        if (m[e].rows != m[0].rows || m[e].columns != m[0].columns)
            return anb_fail(error, ANB_E_ARGUMENT, "matrix %zu is not of the first one's shape", e);
        if (m[e].stride < m[e].columns)
            return anb_fail(error, ANB_E_ARGUMENT, "matrix %zu: its stride is below its columns", e);
        if (!m[e].value)
            return anb_fail(error, ANB_E_ARGUMENT, "matrix %zu has no values: NULL was given", e);
        for (size_t i = 0; i < m[e].rows; i++)
            if (anb_nonfinite(m[e].value + i * m[e].stride, m[e].columns) != 0)
                return anb_fail(error, ANB_E_INPUT, "matrix %zu, row %zu: a weight is not finite", e, i);
    }
    return 0;
}

static AnbSuperposition *allocate(size_t n, size_t features, size_t hidden, const AnbAllocator *from, AnbError *error)
{
    size_t of_features = n * features, doubles = 4 * of_features + 2 * of_features * features + features * hidden;
    size_t size = sizeof(AnbSuperposition) + doubles * sizeof(double) + n * sizeof(size_t);
    AnbSuperposition *s = doubles < SIZE_MAX / 16 ? from->alloc(size, from->context) : NULL;
    if (!s) {
        anb_fail(error, ANB_E_MEMORY, "out of memory");
        return NULL;
    }
    memset(s, 0, size);
    *s = (AnbSuperposition){.allocator = *from, .n_experts = n, .features = features, .hidden = hidden};
    s->norm = (double *)(s + 1);
    s->dimensionality = s->norm + of_features;
    s->specialization = s->dimensionality + of_features;
    s->polysemanticity = s->specialization + of_features;
    s->interference = s->polysemanticity + of_features;
    s->gram = s->interference + of_features * features;
    s->work = s->gram + of_features * features;
    s->expert = (size_t *)(s->work + features * hidden);
    return s;
}

/* The rows divided by the largest magnitude among them, which is returned; 1 where all are zero. */
static double rescaled(const AnbMatrix *m, double *out)
{
    double largest = 0;
    for (size_t i = 0; i < m->rows; i++)
        for (size_t j = 0; j < m->columns; j++)
            largest = fmax(largest, fabs(m->value[i * m->stride + j]));
    largest = largest > 0 ? largest : 1;
    for (size_t i = 0; i < m->rows; i++)
        for (size_t j = 0; j < m->columns; j++)
            out[i * m->columns + j] = m->value[i * m->stride + j] / largest;
    return largest;
}

static void fill_gram(const AnbSuperposition *s, double *gram)
{
    size_t n = s->features, h = s->hidden;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            gram[i * n + j] = gram[j * n + i] = anb_dot(s->work + i * h, s->work + j * h, h);
}

static void analyse(AnbSuperposition *s, size_t e, const AnbMatrix *m)
{
    size_t n = s->features;
    double *gram = s->gram + e * n * n, *interference = s->interference + e * n * n, scale = rescaled(m, s->work);
    fill_gram(s, gram);
    for (size_t i = 0; i < n; i++) {
        double norm = sqrt(gram[i * n + i]), others = 0;
        for (size_t j = 0; j < n && norm > 0; j++) {
            double at = j == i ? 0 : gram[i * n + j] / norm;
            others += at * at;
            interference[i * n + j] = at * scale;
        }
        s->norm[e * n + i] = norm * scale;
        s->dimensionality[e * n + i] = norm > 0 ? norm * norm / (norm * norm + others) : 0;
        s->polysemanticity[e * n + i] = sqrt(others) * scale;
    }
    for (size_t i = 0; i < n * n; i++)
        gram[i] = gram[i] * scale * scale;
}

/* Shares of the squared norms, over the largest so that no square overflows. */
static void specialize(AnbSuperposition *s)
{
    size_t n = s->features;
    for (size_t i = 0; i < n; i++) {
        double largest = 0, sum = 0;
        for (size_t e = 0; e < s->n_experts; e++)
            largest = fmax(largest, s->norm[e * n + i]);
        for (size_t e = 0; e < s->n_experts && largest > 0; e++)
            sum += s->norm[e * n + i] / largest * (s->norm[e * n + i] / largest);
        for (size_t e = 0; e < s->n_experts && largest > 0; e++) {
            double share = s->norm[e * n + i] / largest;
            s->specialization[e * n + i] = share * share / sum;
        }
    }
}

static AnbSuperposition *make(size_t n, const AnbMatrix *m, const AnbAllocator *from, AnbError *error)
{
    if (check_matrices(n, m, error))
        return NULL;
    AnbSuperposition *s = allocate(n, m[0].rows, m[0].columns, from, error);
    for (size_t e = 0; s && e < n; e++) {
        s->expert[e] = e;
        analyse(s, e, &m[e]);
    }
    if (s)
        specialize(s);
    return s;
}

AnbSuperposition *anb_superposition_new(size_t n_experts, const AnbMatrix *matrices, AnbError *error)
{
    AnbModelOptions usual = anb_model_defaults();
    return make(n_experts, matrices, anb_allocator_of(&usual), error);
}

/* The node of a network below an expert, or NULL. */
static const AnbNode *network_below(const AnbNode *node)
{
    while (node && !node->type->network)
        node = anb_next_asked(node, ANB_CAN_SHOW);
    return node;
}

ptrdiff_t anb_superposition_feature_name(const AnbSuperposition *s, const StreamingLearner *model, size_t e, size_t i,
                                         const char *const *columns, char *out, size_t size)
{
    if (!s || !model || (!out && size > 0))
        return ANB_E_ARGUMENT;
    const AnbNode *moe = model->plan->moe;
    size_t n = moe ? moe->n_children : 1;
    const AnbNode *expert = e >= s->n_experts || s->expert[e] >= n ? NULL
                            : moe                                  ? &moe->children[s->expert[e]]
                                                                   : &model->plan->nodes[0];
    const AnbNode *node = expert ? network_below(expert) : NULL;
    if (!node || i >= node->n_features)
        return ANB_E_UNKNOWN;
    return anb_node_feature_name(model, node, i, columns, out, size);
}

/* The weights of the network below a node; where they are not kept as doubles only their shape, or a copy. */
static bool find_matrix(const StreamingLearner *model, const AnbNode *node, double *copy, AnbMatrix *out)
{
    AnbAsked at = anb_ask(node, anb_state_of(model, node), NULL, NULL);
    if (!anb_reach(&at, ANB_CAN_SHOW))
        return false;
    const AnbNetworkTable *network = at.node->type->network;
    network->matrix(at.node, at.state, out);
    if (!out->value && copy) {
        network->copy(at.node, at.state, copy);
        out->value = copy;
    }
    return true;
}

/* Networks of one shape and the nodes that they were found below. */
typedef struct Found {
    const StreamingLearner *model;
    const AnbNode *nodes;
    size_t n, cells; /* cells: of weights that are to be copied */
    AnbMatrix *m;
    size_t *expert;
} Found;

static void find_networks(Found *f, size_t n_nodes)
{
    for (size_t i = 0; i < n_nodes; i++) {
        AnbMatrix *m = &f->m[f->n];
        if (!find_matrix(f->model, &f->nodes[i], NULL, m) || m->rows != f->m[0].rows || m->columns != f->m[0].columns)
            continue;
        f->expert[f->n++] = i;
        f->cells += m->value ? 0 : m->rows * m->stride;
    }
}

static void copy_networks(const Found *f, double *copy)
{
    for (size_t e = 0; e < f->n; e++)
        if (!f->m[e].value) {
            find_matrix(f->model, &f->nodes[f->expert[e]], copy, &f->m[e]);
            copy += f->m[e].rows * f->m[e].stride;
        }
}

static AnbSuperposition *made_of(const Found *f, const AnbAllocator *from, AnbError *error)
{
    double *copy = f->cells > 0 ? from->alloc(f->cells * sizeof *copy, from->context) : NULL;
    if (f->cells > 0 && !copy) {
        anb_fail(error, ANB_E_MEMORY, "out of memory");
        return NULL;
    }
    copy_networks(f, copy);
    AnbSuperposition *s = make(f->n, f->m, from, error);
    for (size_t e = 0; s && e < f->n; e++)
        s->expert[e] = f->expert[e];
    if (copy)
        from->free(copy, from->context);
    return s;
}

AnbSuperposition *anb_superposition_of_model(const StreamingLearner *model, AnbError *error)
{
    if (!anb_given(model, "model", error))
        return NULL;
    const AnbNode *moe = model->plan->moe;
    Found f = {.model = model, .nodes = moe ? moe->children : &model->plan->nodes[0]};
    size_t n_nodes = moe ? moe->n_children : 1;
    const AnbAllocator *from = &model->plan->allocator;
    f.m = from->alloc(n_nodes * (sizeof(AnbMatrix) + sizeof(size_t)), from->context);
    if (!f.m) {
        anb_fail(error, ANB_E_MEMORY, "out of memory");
        return NULL;
    }
    f.expert = (size_t *)(f.m + n_nodes);
    find_networks(&f, n_nodes);
    AnbSuperposition *s = f.n > 0 ? made_of(&f, from, error) : NULL;
    if (f.n == 0)
        anb_fail(error, ANB_E_UNSUPPORTED, "the model holds no network");
    from->free(f.m, from->context);
    return s;
}

void anb_superposition_free(AnbSuperposition *s)
{
    if (!s)
        return;
    AnbAllocator allocator = s->allocator;
    allocator.free(s, allocator.context);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

size_t anb_superposition_experts(const AnbSuperposition *s)
{
    return s->n_experts;
}

size_t anb_superposition_features(const AnbSuperposition *s)
{
    return s->features;
}

size_t anb_superposition_hidden(const AnbSuperposition *s)
{
    return s->hidden;
}

size_t anb_superposition_expert(const AnbSuperposition *s, size_t e)
{
    return s->expert[e];
}

const double *anb_superposition_norms(const AnbSuperposition *s, size_t e)
{
    return s->norm + e * s->features;
}

const double *anb_superposition_dimensionality(const AnbSuperposition *s, size_t e)
{
    return s->dimensionality + e * s->features;
}

const double *anb_superposition_specialization(const AnbSuperposition *s, size_t e)
{
    return s->specialization + e * s->features;
}

const double *anb_superposition_polysemanticity(const AnbSuperposition *s, size_t e)
{
    return s->polysemanticity + e * s->features;
}

const double *anb_superposition_interference(const AnbSuperposition *s, size_t e)
{
    return s->interference + e * s->features * s->features;
}

const double *anb_superposition_gram(const AnbSuperposition *s, size_t e)
{
    return s->gram + e * s->features * s->features;
}

void anb_superposition_net_interference(const AnbSuperposition *s, size_t e, const double *presence, double *out)
{
    const double *interference = anb_superposition_interference(s, e);
    for (size_t i = 0; i < s->features; i++) {
        double sum = 0;
        for (size_t j = 0; j < s->features; j++) {
            double at = interference[i * s->features + j];
            sum += (presence ? presence[j] : 1) * at * at;
        }
        out[i] = sum;
    }
}

size_t anb_superposition_monosemantic(const AnbSuperposition *s, size_t e, size_t *feature, size_t n)
{
    const double *mixed = anb_superposition_polysemanticity(s, e), *norm = anb_superposition_norms(s, e);
    size_t held = 0;
    for (size_t i = 0; i < s->features && n > 0; i++) {
        if (norm[i] == 0 || (held == n && !(mixed[i] < mixed[feature[n - 1]])))
            continue;
        size_t at = held < n ? held++ : n - 1;
        for (; at > 0 && mixed[i] < mixed[feature[at - 1]]; at--)
            feature[at] = feature[at - 1];
        feature[at] = i;
    }
    return held;
}

static void weigh(const AnbSuperposition *s, const double *usage, double *out)
{
    for (size_t i = 0; i < s->features; i++) {
        out[i] = 0;
        for (size_t e = 0; e < s->n_experts; e++) {
            size_t at = e * s->features + i;
            out[i] += (usage ? usage[e] : s->specialization[at]) * s->dimensionality[at];
        }
    }
}

void anb_superposition_global_by_usage(const AnbSuperposition *s, const double *usage, double *out)
{
    weigh(s, usage, out);
}

void anb_superposition_global(const AnbSuperposition *s, double *out)
{
    weigh(s, NULL, out);
}

size_t anb_superposition_represented(const double *global, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += global[i] > .05;
    return count;
}
