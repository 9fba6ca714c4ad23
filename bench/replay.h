/* A model made once for each replay of a stream, and the least time that each of its samples took. */
#ifndef ANB_BENCH_REPLAY_H
#define ANB_BENCH_REPLAY_H

#include "harness.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>

/* Ends the program with the reason where the expression is refused. */
static inline StreamingLearner *replay_model(const char *program, size_t d, const char *expression)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(d, expression, NULL, &error);
    if (!model) {
        fprintf(stderr, "%s: %s: %s\n", program, expression, error.message);
        exit(2);
    }
    return model;
}

/* Learns n rows; ns[i] falls to what sample i took. Returns the last prediction. */
static inline double replay_rows(StreamingLearner *model, const double *x, const double *y, size_t n, double *ns)
{
    size_t d = anb_n_features(model);
    double last = 0;
    for (size_t i = 0; i < n; i++) {
        double start = bench_now();
        last = anb_train_one(model, x + i * d, y[i], 1);
        double took = bench_now() - start;
        ns[i] = took < ns[i] ? took : ns[i];
    }
    return last;
}

#endif
