/* Predictions of many rows, in blocks for types that take several at once. */
#include "model.h"
#include "src/simd/kernels.h"

enum { BLOCKS = 8 }; /* of ANB_ROWS rows */

/* Rows as the caller gave them. */
static AnbRows rows_of(const AnbPlan *plan, const double *x, size_t n, AnbCounters *counters)
{
    size_t d = plan->nodes[0].n_features;
    return (AnbRows){x, x, n, d, d, NULL, counters};
}

/* How many of the first rows the model accepts; the next one, if any, is rejected and counted. */
static size_t accepted(const AnbPlan *plan, const AnbRows *rows)
{
    uint64_t missing;
    if (anb_nonfinite(rows->x, rows->n * rows->x_stride) == 0)
        return rows->n;
    for (size_t i = 0; i < rows->n; i++) {
        const double *x = rows->x + i * rows->x_stride;
        if (anb_nonfinite(x, rows->x_stride) != 0 && anb_refuses_row(plan, x, rows->counters, &missing))
            return i;
    }
    return rows->n;
}

/* Rows that the root predicts at once. */
static size_t at_once(const AnbPlan *plan)
{
    return plan->nodes[0].type->flags & ANB_ANY_ROWS ? BLOCKS * ANB_ROWS : ANB_ROWS;
}

/* Predicts by the direct table; NaN where that cannot tell whether the row is finite. */
static void look(const AnbPlan *plan, const unsigned char *block, const AnbRows *all, double *out)
{
    const size_t most = at_once(plan);
    for (size_t at = 0; at < all->n; at += most) {
        AnbRows rows = anb_rows_part(all, at, most);
        plan->direct->predict_many(plan->nodes, block, &rows, out + at);
    }
}

static void predict_block(const AnbPlan *plan, const unsigned char *block, double *scratch, const AnbRows *rows,
                          double *out)
{
    for (size_t at = 0; at < rows->n;) {
        AnbRows rest = anb_rows_part(rows, at, rows->n);
        size_t n = rest.n = accepted(plan, &rest);
        if (n > 0)
            anb_node_predict_many(plan->nodes, block, &rest, scratch, out + at);
        at += n;
        if (at < rows->n)
            out[at++] = ANB_NAN;
    }
}

/* Predicts up to BLOCKS blocks by the direct table, and blocks with a NaN from it again with checks. */
static void predict_blocks(const AnbPlan *plan, const unsigned char *block, double *scratch, const AnbRows *all,
                           double *out)
{
    if (plan->direct)
        look(plan, block, all, out);
    if (plan->direct && anb_nonfinite(out, all->n) == 0)
        return;
    const size_t most = plan->direct ? ANB_ROWS : at_once(plan);
    for (size_t at = 0; at < all->n; at += most) {
        AnbRows rows = anb_rows_part(all, at, most);
        if (!plan->direct || anb_nonfinite(out + at, rows.n) != 0)
            predict_block(plan, block, scratch, &rows, out + at);
    }
}

static void predict_all(const AnbPlan *plan, const unsigned char *block, double *scratch, AnbCounters *counters,
                        const double *x, size_t n, double *out)
{
    size_t d = plan->nodes[0].n_features, most = BLOCKS * ANB_ROWS;
    for (size_t at = 0; at < n; at += most) {
        AnbRows rows = rows_of(plan, x + at * d, n - at < most ? n - at : most, counters);
        predict_blocks(plan, block, scratch, &rows, out + at);
    }
}

void anb_predict_many(StreamingLearner *model, const double *x, size_t n, double *out)
{
    AnbRoom room;
    predict_all(model->plan, anb_block(model), anb_scratch_in(model, &room), &model->counters, x, n, out);
}

void anb_predict_many_with(const StreamingLearner *model, AnbReader *reader, const double *x, size_t n, double *out)
{
    if (reader->plan == model->plan || anb_plans_fit(reader->plan, model->plan))
        predict_all(model->plan, anb_block(model), reader->scratch, &reader->counters, x, n, out);
    else
        for (size_t i = 0; i < n; i++)
            out[i] = ANB_NAN;
}
