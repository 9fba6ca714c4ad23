/*
 * Internals of the audit: predicates and rules, which the parser makes (audit_text.c); the logic (audit_logic.c); used
 * by the observer (audit.c).
 */
#ifndef ANB_OBSERVE_AUDIT_H
#define ANB_OBSERVE_AUDIT_H

#include "src/host/model.h"
#include <anabranch/audit.h>

enum { ANB_AUDIT_MAX = 64, ANB_AUDIT_NAME = 48, ANB_AUDIT_DEPTH = 32 };

/* base + sign * metric, on a ramp. */
typedef struct AnbPredicate {
    char name[ANB_AUDIT_NAME];
    int step;           /* an AnbAuditMetric, or -1 */
    AnbMetricId metric; /* of the diagnostics, where step is -1 */
    size_t expert;      /* which value of it */
    double base, sign, offset, slope;
    double factor;  /* exp(-0.1 slope) */
    AnbTruth truth; /* at the last step */
} AnbPredicate;

/* Codes of a formula in postfix: a predicate's index, or one of these. */
enum { ANB_OP_NOT = -1, ANB_OP_AND = -2, ANB_OP_OR = -3, ANB_OP_IMPLIES = -4 };

typedef struct AnbFormula {
    size_t n;
    signed char code[2 * ANB_AUDIT_MAX];
} AnbFormula;

typedef struct AnbRule {
    char name[ANB_AUDIT_NAME];
    double weight;
    AnbFormula formula, when; /* when: the condition behind `!` for an alarm; n = 0: none */
    bool never;               /* whether no alarm is raised */
    int above;                /* steps in a row with the lower bound at the alarm's level */
    bool alarmed;
} AnbRule;

typedef struct AnbRuleBook {
    size_t n_predicates, n_rules;
    AnbPredicate predicate[ANB_AUDIT_MAX];
    AnbRule rule[ANB_AUDIT_MAX];
} AnbRuleBook;

/* Adds the text's statements to a book; metrics are those of `diagnostics`. 0 or a code with its position. */
int anb_rules_parse(AnbRuleBook *book, const char *text, const AnbDiagnostics *diagnostics, AnbError *error);

/* An empty book with the default predicates, then `rules`; the default rules where that is NULL or has none. */
int anb_rules_make(AnbRuleBook *book, const char *rules, const AnbDiagnostics *diagnostics, AnbError *error);

/* [0, 1] where v is not a number; factor = exp(-0.1 slope). */
AnbTruth anb_ramp(double v, double offset, double slope, double factor);
AnbTruth anb_truth_and(AnbTruth a, AnbTruth b);
/* The truth of a formula, from the truths of the predicates. */
AnbTruth anb_formula_truth(const AnbRuleBook *book, const AnbFormula *formula);

#endif
