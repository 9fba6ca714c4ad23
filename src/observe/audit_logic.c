/* The metrics of a step by name, truth intervals and Lukasiewicz's connectives over them. */
#include "audit.h"
#include "src/numeric/elementary.h"

const char *anb_audit_metric_name(AnbAuditMetric metric)
{
    static const char *const names[] = {"confidence",    "entropy",     "imbalance",    "loss",
                                        "loss_trend",    "loss_change", "loss_falling", "weight_norm",
                                        "weight_growth", "idle",        "regret"};
    return (unsigned)metric < ANB_AUDIT_METRIC_COUNT ? names[metric] : NULL;
}

static double clip(double v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

/* The two sigmoids differ by a constant factor of their exponential: one exponential where that factor is a small
 * number. */
AnbTruth anb_ramp(double v, double offset, double slope, double factor)
{
    double a, b;
    if (fabs(slope) <= 100) {
        double e = anb_exp(-slope * (v - (offset + .05)));
        a = 1 / (1 + e);
        b = 1 / (1 + e * factor);
    } else {
        a = anb_sigmoid(slope * (v - (offset + .05)));
        b = anb_sigmoid(slope * (v - (offset - .05)));
    }
    if (isnan(a - b))
        return (AnbTruth){0, 1};
    return a < b ? (AnbTruth){a, b} : (AnbTruth){b, a};
}

static AnbTruth not_of(AnbTruth a)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): a checked rule finds what it takes */
    return (AnbTruth){1 - a.upper, 1 - a.lower};
}

AnbTruth anb_truth_and(AnbTruth a, AnbTruth b)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): as above */
    return (AnbTruth){clip(a.lower + b.lower - 1), clip(a.upper + b.upper - 1)};
}

static AnbTruth or_of(AnbTruth a, AnbTruth b)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): as above */
    return (AnbTruth){clip(a.lower + b.lower), clip(a.upper + b.upper)};
}

AnbTruth anb_formula_truth(const AnbRuleBook *book, const AnbFormula *formula)
{
    AnbTruth stack[2 * ANB_AUDIT_MAX];
    size_t top = 0;
    for (size_t i = 0; i < formula->n; i++) {
        int code = (int)formula->code[i];
        if (code >= 0) {
            stack[top++] = book->predicate[code].truth;
            continue;
        }
        if (code == ANB_OP_NOT) {
            stack[top - 1] = not_of(stack[top - 1]);
            continue;
        }
        AnbTruth b = stack[--top], a = stack[top - 1];
        stack[top - 1] = code == ANB_OP_AND ? anb_truth_and(a, b) : or_of(code == ANB_OP_OR ? a : not_of(a), b);
    }
    return stack[0];
}
