/* A mixture with awkward names, its metrics as Prometheus text, for prometheus_test.py. */
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <stdlib.h>

static int print(void *context, const void *text, size_t size)
{
    return fwrite(text, 1, size, context) == size ? 0 : ANB_E_IO;
}

int main(void)
{
    StreamingLearner *model = anb_parse(2, "moe(linear, mean, last, mean)", NULL, NULL);
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
    for (int t = 0; t < 100; t++) {
        double x[2] = {t % 7, t % 5}, y = x[0] - x[1];
        anb_observe(anb_diagnostics_observer(d), model, x, y, anb_train_one(model, x, y, 1));
    }
    anb_expert_pool_set_name(anb_diagnostics_pool(d), 1, "a \"b\" \\ c\nd");
    anb_expert_pool_set_name(anb_diagnostics_pool(d), 2, "twin");
    anb_expert_pool_set_name(anb_diagnostics_pool(d), 3, "twin");
    int code = anb_metrics_prometheus(model, d, print, stdout);
    printf("# JSON ");
    anb_diagnostics_json(d, NULL, false, print, stdout);
    anb_diagnostics_free(d);
    anb_free(model);
    return code ? EXIT_FAILURE : EXIT_SUCCESS;
}
