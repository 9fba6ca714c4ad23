/* The diagnostics' metrics of intervals: the interval of the row, and how often targets were inside. */
#include "diagnostics.h"

void anb_watch_intervals(AnbDiagnostics *d, const StreamingLearner *model, double y)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], anb_block(model), NULL, anb_scratch_kept(model));
    if (d->n_levels == 0 || !anb_reach(&at, ANB_CAN_BOUND))
        return;
    for (size_t i = 0; i < d->n_levels; i++) {
        AnbBounded *b = &d->bounded[i];
        if (at.node->type->interval->interval(at.node, at.state, at.scratch, d->level[i], &b->low, &b->high))
            continue;
        double width = anb_summable(b->high) - anb_summable(b->low);
        bool inside = y >= b->low && y <= b->high;
        b->inside += inside;
        b->weight = d->own.keep * b->weight + 1;
        b->coverage += (inside - b->coverage) / b->weight;
        if (!(b->high - b->low < (double)INFINITY))
            continue;
        b->width_weight = d->own.keep * b->width_weight + 1;
        b->width += (width - b->width) / b->width_weight;
    }
}

void anb_derive_intervals(AnbDiagnostics *d)
{
    for (size_t i = 0; i < d->n_levels; i++) {
        const AnbBounded *b = &d->bounded[i];
        d->values[d->offset[ANB_METRIC_INTERVAL_LOW] + i] = b->low;
        d->values[d->offset[ANB_METRIC_INTERVAL_HIGH] + i] = b->high;
        d->values[d->offset[ANB_METRIC_INTERVAL_COVERAGE] + i] = b->coverage;
        d->values[d->offset[ANB_METRIC_INTERVAL_COVERAGE_OVERALL] + i] = (double)b->inside / (double)d->own.samples;
        d->values[d->offset[ANB_METRIC_INTERVAL_WIDTH] + i] = b->width_weight > 0 ? b->width : ANB_NAN;
    }
}
