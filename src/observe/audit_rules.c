/* The default predicates and rules, and the rule book to which a caller's text is added. */
#include "audit.h"

#define PREDICATES                                                                                                     \
    "high_routing_confidence = ramp(confidence, 0.35)\n"                                                               \
    "low_activation_entropy = ramp(1 - entropy, 0.4)\n"                                                                \
    "high_expert_imbalance = ramp(imbalance, 0.2)\n"                                                                   \
    "low_expert_imbalance = ramp(1 - imbalance, 0.5)\n"                                                                \
    "increasing_weight_magnitude = ramp(0.5 + weight_growth, 0.5)\n"                                                   \
    "stable_loss = ramp(1 - loss_change, 0.5)\n"                                                                       \
    "decreasing_loss = ramp(loss_falling, 0.4)\n"                                                                      \
    "idle_experts = ramp(idle, 0.05, slope=60)\n"                                                                      \
    "costly_gate = ramp(regret, 0.1, slope=60)\n"

#define RULES                                                                                                          \
    "expert_specialization = 0.85 :: high_routing_confidence & low_activation_entropy ! never\n"                       \
    "load_imbalance = 0.75 :: high_expert_imbalance & increasing_weight_magnitude ! idle_experts\n"                    \
    "routing_stability = 0.80 :: high_routing_confidence & stable_loss ! never\n"                                      \
    "learning_progress = 0.70 :: decreasing_loss & low_activation_entropy ! never\n"                                   \
    "underutilized_experts = 0.65 :: ~low_activation_entropy & ~high_routing_confidence ! costly_gate\n"               \
    "healthy_specialization = 0.75 :: low_activation_entropy & ~high_expert_imbalance ! never\n"

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
