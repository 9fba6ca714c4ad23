/* Any text as rules: refused with a position inside it, or rules whose truth is an interval within [0, 1] whatever
 * comes. */
#include "fuzz.h"
#include <anabranch/audit.h>

static void observe(StreamingLearner *model, AnbAudit *audit, const uint8_t *data, size_t size)
{
    Bytes b = {data, data + size};
    for (int t = 0; t < 200; t++) {
        double x[2] = {fuzz_double(&b), t % 7}, y = b.at < b.end ? fuzz_double(&b) : t % 3;
        double f = anb_train_one(model, x, y, 1);
        anb_observe(anb_audit_observer(audit), model, x, y, f);
    }
    for (size_t i = 0; i < anb_audit_n_rules(audit); i++) {
        AnbTruth truth = anb_audit_truth(audit, i);
        double severity = anb_audit_severity(audit, i);
        FUZZ_ASSERT(truth.lower >= 0 && truth.lower <= truth.upper && truth.upper <= 1, "%s: %g to %g",
                    anb_audit_rule_name(audit, i), truth.lower, truth.upper);
        FUZZ_ASSERT(severity >= 0 && severity <= 1, "%s: %g", anb_audit_rule_name(audit, i), severity);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(2, "moe(linear, mean, last)", NULL, NULL);
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    AnbAudit *audit = anb_audit_new(model, NULL, text, NULL, &error);
    if (audit)
        observe(model, audit, data, size);
    else {
        FUZZ_ASSERT(error.code < 0 && error.message[0], "no reason");
        FUZZ_ASSERT(error.position <= strlen(text), "position %zu of %zu", error.position, strlen(text));
    }
    anb_audit_free(audit);
    anb_free(model);
    free(text);
    return 0;
}
