/*
 * The learners, and the options of each. Start an options struct from its anb_..._defaults(): a 0 in it is a value, not
 * the default. The number at the beginning of a member's comment is its default.
 *
 * Weight classes: exact (weight 2 has the effect of two samples), scaled (the step is multiplied by the weight over the
 * running mean of the weights), unit (learns only samples of weight 1).
 *
 * Missing cells: tree, forest, sgbt and extra_trees route them by their cuts, additive has a value for them. Other
 * learners need a scale above them, which replaces missing cells; without one a row with missing cells is rejected.
 *
 * Trees: trees.h, which this header includes. Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_LEARNERS_H
#define ANABRANCH_LEARNERS_H

#include <anabranch/trees.h>
#include <anabranch/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Stochastic gradient descent on a linear model. Cost: 2 d multiply-adds. Weight class: scaled. */
typedef struct AnbLinearOptions {
    size_t size;     /* of this struct; set by the defaults */
    double rate;     /* 0.01; step size, >= 0 */
    bool normalized; /* false; standardise y, clip the error to 4 sd, step 0.1 sqrt(min(d, 24) + 1) / (1 + |x|^2) */
    bool bounded;    /* true; a step never passes the target of its own row */
    double level;    /* 0.5; of ANB_LOSS_QUANTILE, (0, 1). Since 0.3 */
    int loss;        /* ANB_LOSS_SQUARED; AnbLossKind up to ANB_LOSS_QUANTILE. Since 0.3 */
} AnbLinearOptions;
ANB_API extern const StreamingLearnerType anb_linear;
ANB_DEFAULTS(AnbLinearOptions, anb_linear)

/** The type of the numbers in the matrix P of `rls`: double, or float. */
typedef enum AnbRlsPrecision { ANB_RLS_DOUBLE, ANB_RLS_SINGLE } AnbRlsPrecision;
/** Recursive least squares with exponential forgetting, numerically safe: P stays positive definite. Cost: (d + 1)^2
 * multiply-adds. Weight class: scaled (relative to the prior of `delta`: with all weights at .001 the first thousand
 * samples count as one). */
typedef struct AnbRlsOptions {
    size_t size;    /* of this struct; set by the defaults */
    double lambda;  /* 0.999; forgetting factor, (0, 1] */
    double delta;   /* 100; the initial P is delta times the identity, > 0 */
    bool intercept; /* true; a constant feature is added */
    double walk;    /* 0; variance of the intercept's random walk a sample, >= 0 */
    bool adaptive;  /* false; lambda follows the ratio of the error to its running mean */
    int unused;     /* not read; fills what was padding in older releases */
    /* ANB_RLS_DOUBLE; AnbRlsPrecision; of P with more than 8 features. Floats take half the memory and, from about 80
     * features on, less time; the errors are as with doubles. Cells below 1e-15 count as 0. Since 0.7 */
    int precision;
    /* 0; where about the last five errors are this many times as large as usual, earlier samples count a hundredth from
     * then on: for relations that change abruptly. 2 is a good value, 1,000 the largest; 0: never. Since 0.8 */
    double surprise;
    /* 0; the initial P of the intercept, >= 0; 0: delta. With a small delta and a large level only the slopes stay near
     * 0 at first. Since 0.8 */
    double level;
} AnbRlsOptions;
ANB_API extern const StreamingLearnerType anb_rls;
ANB_DEFAULTS(AnbRlsOptions, anb_rls)

/** Predicts the running mean of the target. Cost: a few operations. Weight class: exact. */
ANB_API extern const StreamingLearnerType anb_mean;

/**
 * An additive model with pairs: a straight line and a curve for each feature, and a table of cells for each pair of
 * features, with edges at quantiles of the values so far. Each part has a factor, which grows where the part has the
 * sign of the error and shrinks otherwise. Learns curves and products of two features within hundreds of rows, at a
 * fraction of a network's cost. Should stand below a scale. Reads raw values, missing cells included. Memory: 2.7 KB a
 * feature and 8 (cells + 1)^2 bytes a pair, 190 KB at 12 features. Weight class: scaled. Since 0.4.
 */
typedef struct AnbAdditiveOptions {
    size_t size; /* of this struct; set by the defaults */
    int cells;   /* 16; bands of a feature in a table, 2 to 24 */
    int pairs;   /* 6; at most this many tables a feature, 0 to 64; if too few for all pairs: the strongest features' */
} AnbAdditiveOptions;
ANB_API extern const StreamingLearnerType anb_additive;
ANB_DEFAULTS(AnbAdditiveOptions, anb_additive)

/** Predicts the last target. Cost: a few operations. Weight class: exact. */
ANB_API extern const StreamingLearnerType anb_last;

/**
 * scale(child): online standardisation. The child's x is (x - centre) / spread, with centre and spread of the earlier
 * rows, and its raw is the row as given. A standardised cell is clipped to +-clip or, where the child predicts better
 * with it, to the feature's reach, an estimate of how far its values extend. It is 0 for a missing cell, a cell far
 * beyond the reach, and a feature that was constant.
 *
 * The prediction is clipped to the seen target range widened by 10 %. On rows with a cell beyond `clip` that is passed
 * on it is clipped to that range widened by twice its width on both sides, once the child's unlimited predictions on
 * such rows (for a mixture, those of its linear experts) have had smaller errors.
 *
 * Cost: about 10 d operations (moments by Welford 1962), and on rows with a cell beyond +-clip, except with `whole`,
 * one more prediction of the child. Weight class: scaled (the moments; the child as it is).
 */
typedef struct AnbScaleOptions {
    size_t size; /* of this struct; set by the defaults */
    double clip; /* 4; standard deviations at which cells are clipped, 1 to 1000 */
    double far;  /* 2; a cell beyond this many times the feature's reach counts as missing, > 1 */
    /* true; cells beyond clip are passed on unclipped, or replaced by 0, where the child predicts better with that */
    bool tails;
    /* 1; replaces `far`, if larger, for features whose cells beyond clip are passed on, since such a feature may have
     * valid values beyond all earlier ones. 1 to 1e6; `auto` sets 8. Since 0.7 */
    double trust;
    /* false; cells beyond clip are passed on from the first row on, without comparing: for linear children, features
     * with long tails, and few wrong cells. Since 0.11 */
    bool whole;
} AnbScaleOptions;
ANB_API extern const StreamingLearnerType anb_scale;
ANB_DEFAULTS(AnbScaleOptions, anb_scale)

/**
 * columns(child, kinds="3n c 2t x"): converts rows of typed columns (schema.h) to rows of numbers for the child.
 *
 *     n  number or boolean   its value
 *     c  category            mean of its targets, their recent level, log of their count, effect
 *     k  code                its value (missing where it is no number), and the four numbers of a category
 *     t  time                sine and cosine of the hour, the weekday and the day of the year, days since the
 *                            first row, log of the seconds since the row before; the four numbers of the hour of the
 *                            week
 *     x  ignored             nothing
 *
 * The child's row, which is both its x and its raw, has all numbers and codes first, then the times, then the
 * statistics of categories and codes, then those of times. Statistics are of the rows learned before. The effect is the
 * coefficient of the category in a linear model of the numbers, the times and the other categories. The recent level is
 * a weighted mean of the category's last target, its faded mean and its smoothed mean; the weights follow from how well
 * each has predicted in that column. In models saved by release 0.2 it is the faded mean.
 *
 * The categories of a column are stored in a dictionary of `slots` entries; where it is full a new category replaces a
 * recently rare one. Missing cells are a category of their own.
 *
 * Weight class: scaled (the means are exact; the child as it is).
 */
typedef struct AnbColumnsOptions {
    size_t size;   /* of this struct; set by the defaults */
    AnbRuns kinds; /* none: all columns are numbers; else n_features letters in all */
    int slots;     /* 8192; entries of a column's dictionary, 8 to 2^24, rounded up to 8 times a power of two */
    double memory; /* 20; span of a category's faded mean, in its samples, >= 1 */
    double prior;  /* 10; samples at the mean of all targets that a category's mean starts from, >= 0 */
} AnbColumnsOptions;
ANB_API extern const StreamingLearnerType anb_columns;
ANB_DEFAULTS(AnbColumnsOptions, anb_columns)

/**
 * narrow(child, of="12y 2n"): the child sees only the columns of letter y, as x and as raw, unchanged. Seeds below it
 * are derived as if the child were the root, since anb_widen puts a model of fewer columns there. Cost: two copies of
 * the child's row. Weight class: scaled (the child as it is).
 */
typedef struct AnbNarrowOptions {
    size_t size; /* of this struct; set by the defaults */
    AnbRuns of;  /* none: every column; else n_features letters in all, at least one y */
} AnbNarrowOptions;
ANB_API extern const StreamingLearnerType anb_narrow;
ANB_DEFAULTS(AnbNarrowOptions, anb_narrow)

/** A mixture of experts behind a gate: moe.h. */
ANB_API extern const StreamingLearnerType anb_moe;

/**
 * residual(a, b): a learns the target, b the residual of a's unclipped prediction before learning; the prediction is
 * the sum of both. Cost: both children (boosting of residuals: Friedman 2001). Weight class: scaled (the children as
 * they are).
 */
ANB_API extern const StreamingLearnerType anb_residual;

/**
 * poly(child): the child's row is the features and half of each product of two of them (squares too), d (d + 3)/2 in
 * all; at most 24 features. With `least` > 0 only products of two relevant features are in use: the others have a share
 * of 0 in row->importance (row.h), and `mlp` leaves them out. A feature is relevant where there is evidence that the
 * target depends on it, or that the error of a linear model depends on one of its products. Features are tested every
 * 200 rows; they are clipped to +-5, products to +-8. Cost: d (d + 3)/2 multiplications, with `least` about ten times
 * as many and a linear model, and the child. Weight class: scaled (the child as it is).
 */
typedef struct AnbPolyOptions {
    size_t size; /* of this struct; set by the defaults */
    /* 0: all products are in use; else the number of standard errors that a feature's evidence must exceed, at most
     * 100. Since 0.8 */
    double least;
} AnbPolyOptions;
ANB_API extern const StreamingLearnerType anb_poly;
ANB_DEFAULTS(AnbPolyOptions, anb_poly)

/**
 * rff(child): the child's row is the features and random cosines of them (Rahimi & Recht 2007), so that a linear child
 * approximates a regression with a Gaussian kernel. Where shares of the features are given (row->importance), important
 * features are stretched first. Cost: `features` cosines of d products each, and the child. Weight class: scaled (the
 * child as it is).
 */
typedef struct AnbRffOptions {
    size_t size;      /* of this struct; set by the defaults */
    int features;     /* 150; random cosines, 1 to 4,096 */
    double bandwidth; /* 1; the kernel's width in standard deviations times sqrt(d), 0.001 to 1,000 */
    bool importance;  /* true; stretch each feature by sqrt(.9 d share + .02) where its share is given */
    uint64_t seed;    /* 0: derived from the model's; of the directions */
} AnbRffOptions;
ANB_API extern const StreamingLearnerType anb_rff;
ANB_DEFAULTS(AnbRffOptions, anb_rff)

/**
 * residual_ar(child): corrects the child's prediction by its residuals at the samples before. It uses past targets as
 * inputs: for streams whose targets are known by the time of the next row. With `last` it predicts what the child
 * predicts, to the bit, until its test finds that past targets help. Cost: about 1,600 instructions beside the child,
 * 1,800 with `last`. Weight class: scaled (the child as it is).
 */
typedef struct AnbResidualArOptions {
    size_t size; /* of this struct; set by the defaults */
    bool last;   /* false; the last target is an input too, and corrections start only once they have reduced errors */
} AnbResidualArOptions;
ANB_API extern const StreamingLearnerType anb_residual_ar;
ANB_DEFAULTS(AnbResidualArOptions, anb_residual_ar)

/**
 * season(child): corrects the child's prediction by the target and the child's error one period earlier. The period, 2
 * to `longest` rows, is estimated while the stream runs. Until its test finds that the correction helps, it predicts
 * what the child predicts, to the bit. It uses past targets as inputs: for streams whose targets are known by the time
 * of the next row. Examples are a series with a daily, weekly or yearly period, or several units whose rows alternate.
 * Memory: 36 bytes a lag. Cost: 8 operations on floats a lag and about 400 instructions beside the child. Weight class:
 * scaled (the child as it is). Since 0.8.
 */
typedef struct AnbSeasonOptions {
    size_t size; /* of this struct; set by the defaults */
    int longest; /* 768; the longest period that is searched for, in rows, 2 to 4096 */
} AnbSeasonOptions;
ANB_API extern const StreamingLearnerType anb_season;
ANB_DEFAULTS(AnbSeasonOptions, anb_season)

/**
 * jumps(child): after a target far from the child's prediction, the next prediction is moved toward that target, the
 * farther the more often earlier jumps of this stream have lasted. So a change of level is followed in the next row,
 * and a single wrong target is not. On all other rows it predicts what the child predicts, to the bit. It uses past
 * targets as inputs: for streams whose targets are known by the time of the next row. Cost: about 60 instructions
 * beside the child. Weight class: scaled (weights affect only the child). Since 0.8.
 */
ANB_API extern const StreamingLearnerType anb_jumps;

/**
 * past(child): the child's row is the features followed by the last `lags` targets, the newest first, each as
 * (y - mean) / deviation of the targets so far, clipped to +-6; 0 for a target before the first. For streams whose
 * targets are known by the time of the next row. Cost: a copy of the row beside the child. Weight class: scaled (the
 * child as it is). Since 0.5.
 */
typedef struct AnbPastOptions {
    size_t size; /* of this struct; set by the defaults */
    int lags;    /* 1; number of past targets, 1 to 32 */
} AnbPastOptions;
ANB_API extern const StreamingLearnerType anb_past;
ANB_DEFAULTS(AnbPastOptions, anb_past)

/**
 * link(child, f=log): the child learns a function of the target, and its predictions are transformed back: for targets
 * that are positive (log), counts (log1p, sqrt), rates between 0 and 1 (logit), or not below 0 (positive: the target
 * unchanged). Every prediction is within the function's domain and the seen target range widened by 10 %. The bias of
 * the inverse (Duan 1983) is corrected from the errors in the target's units: a BOA weighs the plain inverse, a running
 * ratio, and a fitted shift and slope. A target outside of the domain counts as halfway between the bound and the
 * nearest target seen inside (log, logit), or as the bound (log1p, sqrt, positive). A mixture below it is in the
 * function's units. Cost: about 2,300 instructions beside the child. Weight class: scaled (the child as it is). Since
 * 0.3.
 */
typedef enum AnbLinkFunction {
    ANB_LINK_LOG,
    ANB_LINK_LOG1P,
    ANB_LINK_SQRT,
    ANB_LINK_LOGIT,
    ANB_LINK_POSITIVE
} AnbLinkFunction;
typedef struct AnbLinkOptions {
    size_t size; /* of this struct; set by the defaults */
    int f;       /* ANB_LINK_LOG; AnbLinkFunction */
} AnbLinkOptions;
ANB_API extern const StreamingLearnerType anb_link;
ANB_DEFAULTS(AnbLinkOptions, anb_link)

/**
 * sift(child): passes the child, usually a mixture, shares of the features (AnbRow.importance), which are exactly 0 for
 * irrelevant features. A feature is irrelevant where no learner below has evidence for it (AnbImportanceTable), and the
 * child's error is independent of it and of its products with one other feature. Tested every 200 rows from the 800th
 * on; a feature that becomes relevant is used again. Networks (`mlp`) leave out features with a share of 0; other
 * learners use all features. Up to 512 features. No options. Weight class: scaled (the child as it is). Cost: about d^2
 * / 2 operations beside the child, for d features. Since 0.7.
 */
ANB_API extern const StreamingLearnerType anb_sift;

/**
 * select(child, spare, most=20): for rows with many irrelevant features: the child sees only the selected features, at
 * most `most`. They are selected by forward selection among the features and their squares, and by tests of which
 * features, and products of two, the child's error depends on; with up to 96 features also products of three, since
 * 0.10. Child and spare are the same expression. One of them predicts. When the selection changes, the other one is
 * reset, learns the stored rows with the new features, and replaces the first one if its errors are smaller. Use it
 * below a `scale`. Up to 512 features. Weight class: scaled (the child as it is). Cost: 5 d^2 / 2 operations on floats
 * beside the child, for d features, and with up to 96 features d^3 / 24 more; up to eight times the child's own cost
 * more while the other one learns stored rows. Memory: 10 d^2 bytes, with up to 96 features 2 d^3 / 3 more, 8 d + 16
 * bytes a stored row, and both children. Since 0.8.
 */
typedef struct AnbSelectOptions {
    size_t size; /* of this struct; set by the defaults */
    int most;    /* 20; features that the child sees at most, 1 to 64 */
    int memory;  /* 1,000; rows stored, 100 to 1,048,576 */
} AnbSelectOptions;
ANB_API extern const StreamingLearnerType anb_select;
ANB_DEFAULTS(AnbSelectOptions, anb_select)

/**
 * guard(child, rival, ..): a BOA (Wintenberger 2017) weighs the child, the child shrunk toward the running mean, and
 * the mean, so that on a stream without signal the errors are hardly larger than those of the mean. Up to three rivals,
 * since 0.10: simple learners of the same rows. The prediction is then the weighted mean of the guarded child's and the
 * rivals' predictions, with weights from the errors of about the last 500 rows. Cost: a BOA of three beside the
 * children. Weight class: scaled (the children as they are).
 */
ANB_API extern const StreamingLearnerType anb_guard;

/**
 * Nearest neighbours in a window of rows: predicts by a plane, fitted to the neighbours by ridge regression, in a
 * metric learned from the slopes of the planes. Needs a scale above it. Memory: 6 (d + 1) + 8 bytes a row of the
 * window, 2 more where d is even; with `coarse` 4 (d + 1) + coarse + 8. Weight class: scaled (a row takes as many
 * places of the window as its weight is multiples of the mean weight, at most four).
 */
typedef struct AnbKnnOptions {
    size_t size; /* of this struct; set by the defaults */
    int window;  /* 1,000; samples stored, 2 to 1,048,576 */
    int k;       /* 0: max(24, 2 min(d, 24)); neighbours, to 1,024 */
    bool time;   /* true; the arrival index is a feature, so that recent rows are nearer where the target drifts */
    int unused;  /* not read; fills what was padding in older releases */
    /* 0; number of features, up to 24, by which 3 k candidate rows are found first; 4 suits a window of 8,000 rows; 0:
     * all rows are candidates. Since 0.8 */
    int coarse;
} AnbKnnOptions;
ANB_API extern const StreamingLearnerType anb_knn;
ANB_DEFAULTS(AnbKnnOptions, anb_knn)

/**
 * A network of one hidden layer, trained by Adam (Kingma & Ba 2015) or plain gradient descent on each sample and, with
 * replay, on earlier ones drawn at random. Its prediction is a weighted mean of the predictions by the newest weights
 * and by their running average; the weights follow from their recent errors. Needs a scale above it. Cost: about 4 (1 +
 * replay / every) d hidden multiply-adds. Weight class: scaled (the step, at most tenfold).
 */
typedef enum AnbMlpOptimizer { ANB_MLP_ADAM, ANB_MLP_SGD } AnbMlpOptimizer;
typedef enum AnbMlpActivation {
    ANB_MLP_RELU,
    ANB_MLP_LEAKY,
    ANB_MLP_GELU,
    ANB_MLP_SWIGLU,
    ANB_MLP_GEGLU,
    ANB_MLP_HARDGELU /* c u with c = .4 u + .5, clipped to [0, 1]: near gelu, in less time. Since 0.19 */
} AnbMlpActivation;
/** The type of a network's numbers: double, or float. */
typedef enum AnbMlpPrecision { ANB_MLP_DOUBLE, ANB_MLP_SINGLE } AnbMlpPrecision;
typedef struct AnbMlpOptions {
    size_t size;     /* of this struct; set by the defaults */
    int hidden;      /* 16; units, 1 to 4,096 */
    int replay;      /* 0; earlier samples learned again with each step, 0 to 64 */
    int memory;      /* 4,000; samples that replay draws from, 1 to 1,048,576 */
    int activation;  /* ANB_MLP_LEAKY; AnbMlpActivation */
    int optimizer;   /* ANB_MLP_ADAM; AnbMlpOptimizer */
    double rate;     /* 0.01; step size, 0 to 1; falls as 1/sqrt(1 + t/5000) */
    double momentum; /* 0; Adam's discount of the mean gradient (beta_1; 0.9 in the paper), [0, 1) */
    uint64_t seed;   /* 0: derived from the model's; of the weights, of replay and of dropout */
    double dropout;  /* 0; chance that a hidden unit is left out of the step of one row, [0, 1). Since 0.2 */
    double level;    /* 0.5; of ANB_LOSS_QUANTILE, (0, 1). Since 0.3 */
    int loss;        /* ANB_LOSS_SQUARED; AnbLossKind up to ANB_LOSS_QUANTILE. Since 0.3 */
    int unused;      /* not read; fills what was padding in older releases */
    int precision;   /* ANB_MLP_DOUBLE; AnbMlpPrecision; floats take about half the memory and time. Since 0.6 */
    int unused_too;  /* not read; fills what was padding in older releases */
    /* 1; rows that share a step, 1 to 16; the first 2,000, and as many after a change of concept, have one each, with
     * half of the replay, and a row that moves the target far has one at once. Since 0.17 */
    int every;
} AnbMlpOptions;
ANB_API extern const StreamingLearnerType anb_mlp;
ANB_DEFAULTS(AnbMlpOptions, anb_mlp)

/* A network's feature-by-hidden weights: `rows` rows (features) of `columns` doubles (hidden units), `stride` doubles
 * apart; for a gated network those of the ungated path. Owned by the model; they change as it learns. */
struct AnbMatrix {
    size_t rows, columns, stride;
    const double *value;
};

/**
 * auto: a preset: a mixture behind a scale, chosen for a budget and the number of features. It is replaced by that
 * expression while the model is made: anb_expression prints the mixture, and snapshots and logs contain it. Weight
 * class: that of the mixture, scaled.
 */
typedef struct AnbAutoOptions {
    size_t size; /* of this struct; set by the defaults */
    int budget;  /* 20; microseconds a sample on one core at 12 features: 1, 2, 5, 20, 50 or 100; other values count as
                  * the next lower one */
    /* true; past targets are inputs as well, by residual_ar, season and jumps around the mixture, each of which acts
     * only once it has reduced errors. Not used below pending, nor with AnbModelOptions.late. Set it to false where
     * rows are predicted before the targets of the rows before them are known. */
    bool lags;
} AnbAutoOptions;
ANB_API extern const StreamingLearnerType anb_auto;
ANB_DEFAULTS(AnbAutoOptions, anb_auto)

/**
 * refine(mixture, learner, ...): up to 7 learners learn the residual of the mixture's prediction. They see the row and
 * the differences between the experts' predictions and the mixture's, d + K features (two more with `last`). A
 * discounted BOA weighs the mixture alone and the mixture plus each of them. Weight class: scaled (the children as they
 * are).
 */
typedef struct AnbRefineOptions {
    size_t size;     /* of this struct; set by the defaults */
    double discount; /* 0.999; of the gate over the stages, (0, 1] */
    bool last;       /* false; the mixture's error at the row before, and that row's target, are features. Since 0.5 */
} AnbRefineOptions;
ANB_API extern const StreamingLearnerType anb_refine;
ANB_DEFAULTS(AnbRefineOptions, anb_refine)

#ifdef __cplusplus
}
#endif
#endif
