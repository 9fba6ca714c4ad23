/* Truth intervals, Lukasiewicz's connectives over them, and the default rules. */
#include "audit.h"
#include "src/numeric/elementary.h"

#define PREDICATES                                                                                                     \
    "high_routing_confidence = ramp(confidence, 0.35)\n"                                                               \
    "low_activation_entropy = ramp(1 - entropy, 0.4)\n"                                                                \
    "high_expert_imbalance = ramp(imbalance, 0.2)\n"                                                                   \
    "low_expert_imbalance = ramp(1 - imbalance, 0.5)\n"                                                                \
    "increasing_weight_magnitude = ramp(0.5 + weight_growth, 0.5)\n"                                                   \
    "stable_loss = ramp(1 - loss_change, 0.5)\n"                                                                       \
    "decreasing_loss = ramp(loss_falling, 0.4)\n"

#define RULES                                                                                                          \
    "expert_specialization = 0.85 :: high_routing_confidence & low_activation_entropy\n"                               \
    "load_imbalance = 0.75 :: high_expert_imbalance & increasing_weight_magnitude\n"                                   \
    "routing_stability = 0.80 :: high_routing_confidence & stable_loss\n"                                              \
    "learning_progress = 0.70 :: decreasing_loss & low_activation_entropy\n"                                           \
    "underutilized_experts = 0.65 :: ~low_activation_entropy & ~high_routing_confidence\n"                             \
    "healthy_specialization = 0.75 :: low_activation_entropy & ~high_expert_imbalance\n"

const char *anb_audit_rules(void)
{
    return PREDICATES RULES;
}

int anb_rules_make(AnbRuleBook *book, const char *rules, const AnbDiagnostics *diagnostics, AnbError *error)
{
    int code = anb_rules_parse(book, PREDICATES, diagnostics, error);
    if (!code && rules)
        code = anb_rules_parse(book, rules, diagnostics, error);
    return code || book->n_rules > 0 ? code : anb_rules_parse(book, RULES, diagnostics, error);
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

static AnbTruth and_of(AnbTruth a, AnbTruth b)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): as above */
    return (AnbTruth){clip(a.lower + b.lower - 1), clip(a.upper + b.upper - 1)};
}

static AnbTruth or_of(AnbTruth a, AnbTruth b)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): as above */
    return (AnbTruth){clip(a.lower + b.lower), clip(a.upper + b.upper)};
}

AnbTruth anb_rule_truth(const AnbRuleBook *book, const AnbRule *rule)
{
    AnbTruth stack[2 * ANB_AUDIT_MAX];
    size_t top = 0;
    for (size_t i = 0; i < rule->n; i++) {
        int code = (int)rule->code[i];
        if (code >= 0) {
            stack[top++] = book->predicate[code].truth;
            continue;
        }
        if (code == ANB_OP_NOT) {
            stack[top - 1] = not_of(stack[top - 1]);
            continue;
        }
        AnbTruth b = stack[--top], a = stack[top - 1];
        stack[top - 1] = code == ANB_OP_AND ? and_of(a, b) : or_of(code == ANB_OP_OR ? a : not_of(a), b);
    }
    return stack[0];
}
