/*
 * A rule audit: checks whether a mixture specialises, balances its load, is stable and learns. The rules are formulas
 * of an interval logic over metrics of a window of samples. Each rule has a truth interval [lower, upper] and a
 * severity.
 *
 *     AnbAudit *audit = anb_audit_new(model, NULL, NULL, NULL, NULL);
 *     double before = anb_train_one(model, x, y, 1);
 *     anb_observe(anb_audit_observer(audit), model, x, y, before);
 *     if (anb_audit_severity(audit, 0) > 0.7)
 *         fprintf(stderr, "%s\n", anb_audit_rule_name(audit, 0));
 *     anb_audit_free(audit);
 *
 * The language of rules. Statements end at the end of a line or at a `;`; a comment runs from # to the end of the line:
 *
 *     low_margin  = ramp(gate_margin, 0.2, slope=-12)            a predicate: on a metric, its offset, its slope (12)
 *     off_balance = ramp(1 - expert_load[2], 0.8)                [constant + or -] metric; [i]: of expert i
 *     torn        = 0.6 :: low_margin & ~high_expert_imbalance   a rule: its weight in (0, 1], its formula
 *     0.5 :: low_margin -> (stable_loss | decreasing_loss)       a rule without a name is rule_<n>, counted from 0
 *     waste = 0.7 :: torn ! idle_experts                         its alarm also needs the formula behind the `!`
 *     good = 0.8 :: stable_loss ! never                          its alarm is never raised
 *
 * Formulas hold names of predicates, parentheses, and ~ & | -> from the strongest binding to the weakest; -> associates
 * to the right. A metric is one of AnbAuditMetric by its name (anb_audit_metric_name). With diagnostics it may also be
 * any scalar of metrics.h, or, with [i], a metric of expert i. Where a value is absent its predicate is [0, 1]:
 * unknown.
 *
 * ramp(v, offset, slope=s) is the interval between sigmoid(s (v - (offset + 0.05))) and sigmoid(s (v - (offset -
 * 0.05))). Connectives are Lukasiewicz', on both bounds: ~[L, U] = [1 - U, 1 - L], a & b = max(0, a + b - 1),
 * a | b = min(1, a + b), a -> b = ~a | b.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_AUDIT_H
#define ANABRANCH_AUDIT_H

#include <anabranch/diagnostics.h>
#include <anabranch/learner.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How true something is: at least lower, at most upper; 0 <= lower <= upper <= 1. */
typedef struct AnbTruth {
    double lower, upper;
} AnbTruth;

/** The metrics of a step, over its `period` samples; p are the gate's probabilities, warmup penalties applied. */
typedef enum AnbAuditMetric {
    ANB_AUDIT_CONFIDENCE,    /* mean of the largest p */
    ANB_AUDIT_ENTROPY,       /* mean of H(p) / ln K */
    ANB_AUDIT_IMBALANCE,     /* population deviation, over the experts, of the shares of samples whose largest p is
                              * theirs, divided by 0.5 */
    ANB_AUDIT_LOSS,          /* root mean square of the errors made before learning */
    ANB_AUDIT_LOSS_TREND,    /* mean first difference of the last `window` losses; 0 until there are window + 1 */
    ANB_AUDIT_LOSS_CHANGE,   /* window |loss_trend| / mean of the last window losses */
    ANB_AUDIT_LOSS_FALLING,  /* 1 where loss_trend < 0, else 0 */
    ANB_AUDIT_WEIGHT_NORM,   /* Euclidean norm of the gate's weights; of the log-weights where it has no others */
    ANB_AUDIT_WEIGHT_GROWTH, /* growth of that norm over the last `window` steps, divided by it; 0 until there are */
    ANB_AUDIT_IDLE,   /* share of the experts that took part in no sample of the last `window` steps; 0 until there
                              * are. Since 0.3 */
    ANB_AUDIT_REGRET, /* 1 - e / E, not below 0: of the experts that took part in a quarter of the samples at least, the
                              * best one's root mean square error over its samples by the mixture's over the same, both
                              * fading by 1 / window a step. Since 0.3 */
    ANB_AUDIT_METRIC_COUNT
} AnbAuditMetric;

/** Called when an alarm is raised and when it ends. An alarm is raised where the lower bound of the rule, or of
 * (rule & condition) with a condition behind its `!`, has been at the level or above for `alarm_steps` steps. It ends
 * at the first step below the level. Of the default rules two raise alarms: load_imbalance where experts are idle, and
 * underutilized_experts where the mixture's errors are larger than those of one of its experts. */
typedef void (*AnbAlarm)(void *context, const AnbAudit *audit, size_t rule, bool raised);

typedef struct AnbAuditOptions {
    size_t size;        /* of this struct; set by the defaults */
    int period;         /* 32; samples a step, >= 1 */
    int window;         /* 10; steps of the loss's trend and the weights' growth, 2 to 1,000 */
    int history;        /* 512; steps that are kept, 1 to 1,000,000 */
    double alarm_level; /* 0.8; of a rule's lower bound, (0, 1] */
    int alarm_steps;    /* 5; >= 1 */
    AnbAlarm alarm;     /* NULL; called from anb_observe */
    void *context;      /* of alarm */
} AnbAuditOptions;
/** Fills the first `size` bytes of the defaults: what anb_audit_defaults calls. */
ANB_API void anb_audit_options_init(AnbAuditOptions *options, size_t size);
static inline AnbAuditOptions anb_audit_defaults(void)
{
    AnbAuditOptions options;
    anb_audit_options_init(&options, sizeof options);
    return options;
}

/**
 * Makes an audit of a model's first mixture.
 *
 * @param model        the model, or any clone of it; its allocator is used
 * @param diagnostics  the observer whose metrics the text names, owned by the caller and outliving the audit; or NULL
 * @param rules        predicates and rules, at most 64 KiB, 64 of each; the nine predicates of anb_audit_rules() are
 *                     predefined and may be redefined; NULL, or a text without rules: the six rules of
 *                     anb_audit_rules()
 * @param options      NULL: the defaults
 * @param error        why it was refused and at which byte of rules, or NULL
 * @return             the audit, owned by the caller (anb_audit_free), or NULL
 */
ANB_API AnbAudit *anb_audit_new(const StreamingLearner *model, AnbDiagnostics *diagnostics, const char *rules,
                                const AnbAuditOptions *options, AnbError *error);
/** NULL is fine. */
ANB_API void anb_audit_free(AnbAudit *audit);

/** The default predicates and rules, as text. */
ANB_API const char *anb_audit_rules(void);

/** The observer to feed (anb_observe), owned by the audit; every `period` samples make a step. It passes each sample on
 * to the diagnostics that it reads, unless they have observed the sample already. Cost: K logarithms a sample, and for
 * a step the gate's weights and two exponentials a predicate. Never allocates. */
ANB_API AnbObserver *anb_audit_observer(AnbAudit *audit);

/** Deletes all steps; the rules stay. */
ANB_API void anb_audit_reset(AnbAudit *audit);

/* ---- reading --------------------------------------------------------------------------------------------------- */

ANB_API size_t anb_audit_n_rules(const AnbAudit *audit);
/** The name (valid as long as the audit), the weight, in (0, 1], and whether the alarm is raised, of rule
 * i < anb_audit_n_rules. For an i out of range, here and below: NULL, 0, false, and a truth of [0, 1]. */
ANB_API const char *anb_audit_rule_name(const AnbAudit *audit, size_t i);
ANB_API double anb_audit_rule_weight(const AnbAudit *audit, size_t i);
ANB_API bool anb_audit_alarmed(const AnbAudit *audit, size_t i);

/** Truth of rule i at the last step; [0, 1] before the first one. */
ANB_API AnbTruth anb_audit_truth(const AnbAudit *audit, size_t i);
/** weight (lower + upper) / 2 of rule i at the last step; 0 before the first one. */
ANB_API double anb_audit_severity(const AnbAudit *audit, size_t i);
/** Truth of a predicate at the last step; [0, 1] for an unknown one. */
ANB_API AnbTruth anb_audit_predicate(const AnbAudit *audit, const char *name);

/** "confidence", "entropy" ...; NULL out of range. */
ANB_API const char *anb_audit_metric_name(AnbAuditMetric metric);

/** One step of the history. Its arrays are valid until the next update. */
typedef struct AnbAuditStep {
    uint64_t samples;     /* observed up to its end */
    const double *metric; /* ANB_AUDIT_METRIC_COUNT values */
    const AnbTruth *rule; /* anb_audit_n_rules of them */
} AnbAuditStep;

/** Steps made since creation or the last reset, and how many of them are still in the history. */
ANB_API uint64_t anb_audit_steps(const AnbAudit *audit);
ANB_API size_t anb_audit_history(const AnbAudit *audit);
/** A step by its age: 0 is the newest; back < anb_audit_history. */
ANB_API AnbAuditStep anb_audit_step(const AnbAudit *audit, size_t back);

#ifdef __cplusplus
}
#endif
#endif
