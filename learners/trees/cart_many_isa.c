/* The loops of cart_many.h, compiled once per instruction set. */
#include "cart_many.h"
#include "src/simd/lanes_turn.h"
#include <string.h>

/* Where a row goes at an inner node. */
LANES_INLINE const AnbCartNode *below(const AnbCartNode *nodes, const AnbCartNode *node, const double *raw)
{
    const double v = raw[node->feature];
    const bool right = !(v <= node->threshold) & !((v != v) & (node->missing_left != 0));
    return nodes + node->child + right;
}

/* Writes the leaf of each row and the sum of the corrections from the root to it. Each turn moves all rows that are
 * under way down by one node. The branch at a leaf is predicted: were the list of rows made without it, the next turn's
 * reads would wait until this turn's nodes have come from memory. */
static void walk(const AnbCartNode *nodes, const AnbRows *rows, double correction[][ANB_CART_RATES], uint32_t *leaf)
{
    const AnbCartNode *at[ANB_ROWS];
    uint32_t under_way[ANB_ROWS];
    for (size_t i = 0; i < rows->n; i++) {
        at[i] = nodes;
        under_way[i] = (uint32_t)i;
    }
    memset(correction, 0, rows->n * sizeof *correction);
    for (size_t n = rows->n, left; n > 0; n = left) {
        left = 0;
        for (size_t k = 0; k < n; k++) {
            const size_t i = under_way[k];
            const AnbCartNode *node = at[i];
            for (int r = 0; r < ANB_CART_RATES; r++)
                correction[i][r] += node->correction[r];
            if (node->child == 0) {
                leaf[i] = node->leaf;
                continue;
            }
            at[i] = below(nodes, node, rows->raw + i * rows->raw_stride);
            under_way[left++] = (uint32_t)i;
        }
    }
}

/* The first members of AnbCartLeaf, of eight leaves. */
typedef struct Leaves {
    Lanes count, mean, prior, low, high, mean_error, model_error, model_count;
} Leaves;

_Static_assert(offsetof(AnbCartLeaf, model_count) == (LANES - 1) * sizeof(double), "those eight are the first");

LANES_INLINE Leaves leaves_at(const AnbCartLeaf *const leaf[LANES])
{
    Lanes in[LANES], out[LANES];
    for (size_t l = 0; l < LANES; l++)
        in[l] = lanes_load(&leaf[l]->count);
    lanes_turn(in, out);
    return (Leaves){out[0], out[1], out[2], out[3], out[4], out[5], out[6], out[7]};
}

/* anb_leaf_mean */
LANES_INLINE Lanes mean_of(const Leaves *l)
{
    Lanes share = lanes_div(l->count, lanes_add(l->count, lanes_all(ANB_LEAF_SHRINK)));
    return lanes_add(l->prior, lanes_mul(lanes_sub(l->mean, l->prior), share));
}

/* The models' predictions, within the targets that the leaves have seen. */
LANES_INLINE Lanes bounded(const Leaves *l, Lanes mean, Lanes value)
{
    Lanes within = lanes_where_above(value, l->high, l->high, lanes_where_above(l->low, value, l->low, value));
    return lanes_where_above(l->low, l->high, mean, lanes_where_number(value, within, mean));
}

/* Both by their faded squared errors. */
LANES_INLINE Lanes weighed(const Leaves *l, Lanes mean, Lanes model)
{
    const Lanes one = lanes_all(1);
    Lanes sum = lanes_add(l->mean_error, l->model_error), a = lanes_div(l->model_error, sum), b = lanes_sub(one, a);
    Lanes b2 = lanes_mul(b, b), share = lanes_div(b2, lanes_add(lanes_mul(a, a), b2));
    return lanes_where_above(sum, lanes_zero(), lanes_add(mean, lanes_mul(lanes_sub(model, mean), share)), mean);
}

/* The linear models of eight leaves, each of its row. */
LANES_INLINE Lanes models_of(const double *const w[LANES], const double *const x[LANES], size_t d)
{
    Lanes p[LANES];
    double constant[LANES];
    for (size_t l = 0; l < LANES; l++) {
        p[l] = lanes_product(w[l], x[l], d);
        constant[l] = w[l][d];
    }
    return lanes_add(lanes_sum8(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]), lanes_load(constant));
}

/* anb_leaf_predict of eight rows from `first` on; behind the last one that again. */
LANES_INLINE Lanes answers(const AnbCartPlan *plan, AnbCart *tree, const AnbRows *rows, size_t first,
                           const uint32_t *index)
{
    const AnbCartLeaf *leaf[LANES];
    const double *w[LANES], *x[LANES];
    for (size_t l = 0; l < LANES; l++) {
        size_t i = first + l < rows->n ? first + l : rows->n - 1;
        leaf[l] = anb_cart_leaf(plan, tree, index[i]);
        w[l] = anb_cart_model(plan, tree, index[i]);
        x[l] = rows->x + i * rows->x_stride;
    }
    const Leaves l = leaves_at(leaf);
    Lanes mean = mean_of(&l), model = plan->stride > 0 ? models_of(w, x, plan->features) : mean;
    model = bounded(&l, mean, model);
    return plan->leaf == ANB_LEAVES_LINEAR ? model : weighed(&l, mean, model);
}

static void reach(const AnbCartPlan *plan, const AnbCart *cart, const AnbRows *rows, AnbReachedRows *out)
{
    AnbCart *tree = anb_view_of(cart);
    uint32_t leaf[ANB_ROWS];
    walk(anb_cart_nodes(plan, tree), rows, out->correction, leaf);
    for (size_t i = 0; i < rows->n; i += LANES)
        lanes_store(out->value + i, answers(plan, tree, rows, i, leaf));
}

const AnbCartManyKernels ANB_PER_ISA(anb_cart_many_kernels) = {.reach = reach};

ANB_ISA_REGISTER(AnbCartManyKernels, anb_cart_many_kernels)
