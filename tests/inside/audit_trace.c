/*
 * Writes what the audit saw and what it said, one line a step, for audit_oracle.py. Each step is of `period` samples:
 *
 *     K, period, then for every sample: y, prediction, p[K]; then the gate's weights; then metrics, [L, U] of each rule
 */
#include "../numbers.h"
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <stdlib.h>

enum { D = 4 };

static void put(double value)
{
    printf(" %.17g", value);
}

static void put_weights(const StreamingLearner *model)
{
    AnbGateWeights w;
    if (anb_gate_weights(model, &w))
        return;
    printf(" %zu", w.d == 0 ? w.k : w.k * w.d);
    for (size_t i = 0; i < w.k; i++) {
        for (size_t j = 0; j < w.d; j++)
            put(w.weight[i * w.stride + j]);
        if (w.d == 0)
            put(w.bias[i]);
    }
}

static void put_step(const AnbAudit *audit)
{
    AnbAuditStep step = anb_audit_step(audit, 0);
    for (int i = 0; i < ANB_AUDIT_METRIC_COUNT; i++)
        put(step.metric[i]);
    for (size_t i = 0; i < anb_audit_n_rules(audit); i++) {
        put(step.rule[i].lower);
        put(step.rule[i].upper);
        put(anb_audit_severity(audit, i));
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return EXIT_FAILURE;
    AnbAuditOptions options = anb_audit_defaults();
    AnbError error;
    uint64_t seed = 17;
    options.period = atoi(argv[2]);
    StreamingLearner *model = anb_parse(D, argv[1], NULL, &error);
    AnbAudit *audit = model ? anb_audit_new(model, NULL, NULL, &options, &error) : NULL;
    if (!audit) {
        fprintf(stderr, "%s\n", error.message);
        return EXIT_FAILURE;
    }
    for (int step = atoi(argv[3]); step > 0; step--) {
        AnbMixture m;
        for (int i = 0; i < options.period; i++) {
            double x[D] = {noise(&seed), noise(&seed), noise(&seed), noise(&seed)}, shift = step % 1000 < 500 ? 3 : -2;
            double y = shift * x[0] + x[1] * x[2] + 0.1 * noise(&seed), f = anb_train_one(model, x, y, 1);
            anb_observe(anb_audit_observer(audit), model, x, y, f);
            anb_mixture(model, &m);
            if (i == 0)
                printf("%zu %d", m.k, options.period);
            put(y);
            put(f);
            for (size_t k = 0; k < m.k; k++)
                put(m.probability[k]);
        }
        put_weights(model);
        put_step(audit);
    }
    anb_audit_free(audit);
    anb_free(model);
    return EXIT_SUCCESS;
}
