/*
 * The learners, and the options of each. An options struct starts from its anb_..._defaults(): 0 is a value.
 *
 * Weight classes: exact (weight 2 is two samples), scaled (the step is multiplied by the
 * weight over the running mean of the weights), unit (learns weight 1 only).
 *
 * Missing cells: tree, forest, sgbt and extra_trees route them by their cuts, additive has a value for them; the others take
 * what a scale above puts in their place, and without one a row that has any is rejected.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_LEARNERS_H
#define ANABRANCH_LEARNERS_H

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
/** Recursive least squares with exponential forgetting, safe in floating point. Weight class: scaled (and held against the prior
 * of `delta`: with all weights at .001 the first thousand samples are worth one). */
typedef struct AnbRlsOptions {
    size_t size;    /* of this struct; set by the defaults */
    double lambda;  /* 0.999; forgetting factor, (0, 1] */
    double delta;   /* 100; P starts as delta times the identity, > 0 */
    bool intercept; /* true; a constant feature */
    double walk;    /* 0; variance that the intercept's random walk adds a sample, >= 0 */
    bool adaptive;  /* false; lambda follows the error's ratio to its running mean */
    int unused;     /* not read; in the place of the padding of this struct in older releases */
    int precision; /* ANB_RLS_DOUBLE; AnbRlsPrecision; of P with more than 8 features: floats take half the memory and, from
                     * about 80 features on, less time; the errors are as with doubles. Cells below 1e-15 count as 0. Since 0.7 */
    /* 0; where the last five errors or so are this many times as large as usual, all that was learned before counts a hundredth: for
     * relations that change at once. 2 is a good value, 1,000 the largest; 0: never. Since 0.8 */
    double surprise;
    /* 0; what P starts as for the intercept, >= 0; 0: delta. With a small delta and a large level only the slopes stay near 0 at first.
     * Since 0.8 */
    double level;
} AnbRlsOptions;
ANB_API extern const StreamingLearnerType anb_rls;
ANB_DEFAULTS(AnbRlsOptions, anb_rls)

/** The running mean of the target. Cost: a few operations. Weight class: exact. */
ANB_API extern const StreamingLearnerType anb_mean;

/**
 * An additive model with pairs: a straight line and a curve for each feature, and a table of cells for each pair of features,
 * with edges at quantiles of what was seen. Each part has a factor, which grows while the part has the sign of the error
 * and shrinks otherwise. Learns curves and products of two features within hundreds of rows, at a fraction of a network's
 * cost. Should stand below a scale. Reads raw values, missing cells included. Memory: 2.7 KB a feature and 8 (cells + 1)^2 bytes a pair, 190 KB at 12 features. Weight class: scaled.
 * Since 0.4.
 */
typedef struct AnbAdditiveOptions {
    size_t size; /* of this struct; set by the defaults */
    int cells;   /* 16; bands of a feature in a table, 2 to 24 */
    int pairs; /* 6; tables a feature, at most: those of the strongest features where that is too few for all; 0 to 64 */
} AnbAdditiveOptions;
ANB_API extern const StreamingLearnerType anb_additive;
ANB_DEFAULTS(AnbAdditiveOptions, anb_additive)

/** The last target seen. Cost: a few operations. Weight class: exact. */
ANB_API extern const StreamingLearnerType anb_last;

/**
 * scale(child): online standardisation. The child's x is (x - centre)/spread of what came before, clipped to +-clip or, where the
 * child predicts better for it, to what the feature is known to reach; 0 where a cell is missing or far beyond that, and where
 * its feature was constant. Its raw is the row as given. What it says is clipped to the seen target range widened by 10 %; on
 * rows with a cell beyond `clip` that is passed on, to the range widened by twice its width on both sides, once predictions that
 * the child makes without a limit on such rows (of a mixture, those of its linear experts) have proved right. Cost: about 10 d
 * operations (moments by Welford 1962), and on rows with a cell beyond +-clip, except with `whole`, one more prediction of the child. Weight
 * class: scaled (the moments; the child as it is).
 */
typedef struct AnbScaleOptions {
    size_t size; /* of this struct; set by the defaults */
    double clip; /* 4; deviations at which a tail is cut at the latest, 1 to 1000 */
    double far;  /* 2; a value beyond so many times what the feature is known to reach counts as missing, > 1 */
    /* true; what lies beyond clip is passed on whole, or left out, where the child predicts better for it */
    bool tails;
    /* 1; used in place of `far`, where it is larger, for features whose tail is passed on: such a feature may well have values
     * beyond all earlier ones. 1 to 1e6; `auto` sets 8. Since 0.7 */
    double trust;
    /* false; all tails are passed on from the first row on, without trials: for linear children, where features have far tails and
     * few cells are wrong. Since 0.11 */
    bool whole;
} AnbScaleOptions;
ANB_API extern const StreamingLearnerType anb_scale;
ANB_DEFAULTS(AnbScaleOptions, anb_scale)

/**
 * columns(child, kinds="3n c 2t x"): rows of typed columns (schema.h) become rows of numbers for the child.
 *
 *     n  number or boolean   as it is
 *     c  category            mean of its targets, their recent level, log of their count, effect
 *     k  code                as it is (missing where it is no number), and what a category gives
 *     t  time                sine and cosine of the hour, the weekday and the day of the year, days since the first row,
 *                            log of the seconds since the row before; what a category gives, of the hour of the week
 *     x  ignored             nothing
 *
 * The child's row, which it sees as x and as raw, has all numbers and codes first, then the times, then the statistics
 * of categories and codes, then those of times. Statistics are of the rows learned before. The effect is what a category adds to a linear
 * model of the numbers, the times and the other categories. A column's categories lie in a dictionary of `slots`
 * entries; where it is full the one that has been rare lately gives way. Missing is a category of its own. The recent level is a mean of the
 * category's last target, its fading and its smoothed mean, weighed by how well each has predicted in that column; in
 * models saved by release 0.2 it stays the fading mean.
 *
 * Weight class: scaled (the means are exact; the child as it is).
 */
typedef struct AnbColumnsOptions {
    size_t size;   /* of this struct; set by the defaults */
    AnbRuns kinds; /* none: every column a number; together as many as there are features */
    int slots;     /* 8192; entries of a column's dictionary, 8 to 2^24, rounded up to 8 times a power of two */
    double memory; /* 20; samples of a category that its fading mean remembers, >= 1 */
    double prior;  /* 10; samples that a category's mean starts from the mean of all with, >= 0 */
} AnbColumnsOptions;
ANB_API extern const StreamingLearnerType anb_columns;
ANB_DEFAULTS(AnbColumnsOptions, anb_columns)

/**
 * narrow(child, of="12y 2n"): the child sees the columns of letter y alone, as x and as raw, cells as they are. Seeds below are as if
 * the child stood at the root: anb_widen puts a model of fewer columns there. Cost: two copies of the child's row. Weight
 * class: scaled (the child as it is).
 */
typedef struct AnbNarrowOptions {
    size_t size; /* of this struct; set by the defaults */
    AnbRuns of;  /* none: every column; together as many as there are features, one y at least */
} AnbNarrowOptions;
ANB_API extern const StreamingLearnerType anb_narrow;
ANB_DEFAULTS(AnbNarrowOptions, anb_narrow)

/** A mixture of experts behind a gate: moe.h. */
ANB_API extern const StreamingLearnerType anb_moe;

/**
 * residual(a, b): b learns what a's prediction, made before the answer and never clipped, left over; the sum predicts.
 * Beside b alone, not instead of it. Cost: both children (boosting of residuals: Friedman 2001). Weight class: scaled (the children as they are).
 */
ANB_API extern const StreamingLearnerType anb_residual;

/**
 * poly(child): the child's row is the features and the halves of their products, d (d + 3)/2 in all; at most 24 features. With
 * `least` > 0 only products of two features that count are in use: the others have a share of 0 in row->importance (row.h), and
 * `mlp` leaves them out. A feature counts where there is evidence that the target depends on it, or that the error of a linear
 * model depends on one of its products. Features are tested every 200 rows, and clipped to +-5, products to +-8. Cost: as many
 * multiplications, with `least` some ten times that and a linear model, and the child. Weight class: scaled (the child as it is).
 */
typedef struct AnbPolyOptions {
    size_t size; /* of this struct; set by the defaults */
    /* 0: all products are in use; else the evidence for a feature has to be this many standard errors; at most 100. Since 0.8 */
    double least;
} AnbPolyOptions;
ANB_API extern const StreamingLearnerType anb_poly;
ANB_DEFAULTS(AnbPolyOptions, anb_poly)

/**
 * rff(child): the child's row is the features and random cosines of them (Rahimi & Recht 2007), so that a linear child
 * learns what a Gaussian kernel would. Inside a mixture that knows which features matter, those are stretched first.
 * Cost: `features` cosines of d products each, and the child. Weight class: scaled (the child as it is).
 */
typedef struct AnbRffOptions {
    size_t size;      /* of this struct; set by the defaults */
    int features;     /* 150; random cosines, 1 to 4,096 */
    double bandwidth; /* 1; the kernel's width in standard deviations times sqrt(d), 0.001 to 1,000 */
    bool importance;  /* true; stretch each feature by sqrt(.9 d share + .02) where its share is known */
    uint64_t seed;    /* 0: derived from the model's; of the directions */
} AnbRffOptions;
ANB_API extern const StreamingLearnerType anb_rff;
ANB_DEFAULTS(AnbRffOptions, anb_rff)

/**
 * residual_ar(child): corrects the child by what it left over at the samples before. It uses past targets as inputs: for
 * streams whose targets are known by the time of the next row. With `last` it is the child to the bit until its test
 * finds that the past helps. Cost: some 1,600 instructions beside the child, 1,800 with `last`. Weight class: scaled (the child as it is).
 */
typedef struct AnbResidualArOptions {
    size_t size; /* of this struct; set by the defaults */
    bool last; /* false; the last target is on offer as well, and nothing is corrected before that has shown to help */
} AnbResidualArOptions;
ANB_API extern const StreamingLearnerType anb_residual_ar;
ANB_DEFAULTS(AnbResidualArOptions, anb_residual_ar)

/**
 * season(child): corrects the child by the target and the child's error of a period ago. The period, 2 to `longest` rows, is
 * searched for as the stream runs. Until its test finds that the correction helps, it predicts what the child predicts, to the
 * bit. It uses past targets as inputs: for streams whose targets are known by the time of the next row. A stream can be a series
 * with a day, a week or a year in it, or several units whose rows take turns. Memory: 36 bytes a lag. Cost: 8 operations on
 * floats a lag and some 400 instructions beside the child. Weight class: scaled (the child as it is). Since 0.8.
 */
typedef struct AnbSeasonOptions {
    size_t size; /* of this struct; set by the defaults */
    int longest; /* 768; the longest period that is searched for, in rows, 2 to 4096 */
} AnbSeasonOptions;
ANB_API extern const StreamingLearnerType anb_season;
ANB_DEFAULTS(AnbSeasonOptions, anb_season)

/**
 * jumps(child): after a target that is far from what the child predicted, the next prediction goes toward that target, the
 * farther the more often such jumps have stayed before in this stream. So a level that changes is followed in the next row, and a
 * wrong number is not. On all other rows it predicts what the child predicts, to the bit. It uses past targets as inputs: for
 * streams whose targets are known by the time of the next row. Cost: some 60 instructions beside the child. Weight class: scaled
 * (weights count for the child alone). Since 0.8.
 */
ANB_API extern const StreamingLearnerType anb_jumps;

/**
 * past(child): the child's row is the features and behind them the last `lags` targets, the newest first, each as
 * (y - mean) / deviation of the targets so far, within +-6; 0 while it is not known. For streams whose targets are known by
 * the time of the next row.
 * Cost: a copy of the row beside the child. Weight class: scaled (the child as it is). Since 0.5.
 */
typedef struct AnbPastOptions {
    size_t size; /* of this struct; set by the defaults */
    int lags;    /* 1; targets before this row's, 1 to 32 */
} AnbPastOptions;
ANB_API extern const StreamingLearnerType anb_past;
ANB_DEFAULTS(AnbPastOptions, anb_past)

/**
 * link(child, f=log): the child learns a function of the target, and what it says is carried back: for targets that are
 * positive (log), counts (log1p, sqrt), rates between 0 and 1 (logit), or not below 0 (positive: the target as it is).
 * Every prediction is within the function's range and the seen target range widened by 10 %. The bias of the way back
 * is corrected by the errors of the targets: a running ratio and a fitted shift and slope, mixed with the plain inverse
 * by a BOA. A target out of the range counts as halfway between the bound and the nearest one seen inside (log, logit)
 * or as the bound (log1p, sqrt, positive). A mixture below it is in the function's units. Cost: some 2,300 instructions
 * beside the child. Weight class: scaled (the child as it is). Duan 1983 on the bias. Since 0.3.
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
 * sift(child): passes the child, usually a mixture, shares of the features (AnbRow.importance), which are exactly 0 for irrelevant
 * ones: those for which no learner below has evidence (AnbImportanceTable), and of which the child's error is independent, as well as
 * of their products with one other feature. Tested every 200 rows from the 800th on; a feature that becomes relevant is used
 * again. Networks (`mlp`) leave out features of share 0; other learners use all features. Up to 512 features. No options. Weight
 * class: scaled (the child as it is). Cost: about d^2 / 2 operations beside the child, for d features. Since 0.7.
 */
ANB_API extern const StreamingLearnerType anb_sift;

/**
 * select(child, spare, most=20): for rows with many irrelevant features: the child sees only the features that count, `most` at
 * most. These are found by forward selection among the features and their squares, and by tests of which features, and products
 * of two, the child's error depends on; up to 96 features also products of three, since 0.10. Child and spare are the same expression.
 * One of them predicts; when other features count, the other one is reset, learns the remembered rows with these features, and takes
 * the first one's place if its errors are smaller. Use it below a `scale`. Up to 512 features. Weight class: scaled (the child as it
 * is). Cost: 5 d^2 / 2 operations on floats beside the child, for d features, and up to 96 of them d^3 / 24 more; that of the child
 * up to eight times more while the other one learns remembered rows. Memory: 10 d^2 bytes, up to 96 features 2 d^3 / 3 more, 8 d + 16
 * bytes a row remembered, both children. Since 0.8.
 */
typedef struct AnbSelectOptions {
    size_t size; /* of this struct; set by the defaults */
    int most;    /* 20; features that the child sees at most, 1 to 64 */
    int memory;  /* 1,000; rows remembered, 100 to 1,048,576 */
} AnbSelectOptions;
ANB_API extern const StreamingLearnerType anb_select;
ANB_DEFAULTS(AnbSelectOptions, anb_select)

/**
 * guard(child, rival, ..): weighs the child, the child shrunk toward the running mean, and the mean, so that on a stream without
 * signal it is hardly worse than the mean. Up to three rivals, since 0.10: simple learners of the same rows. The answer is the mean of what is said
 * for the child and what they say, by the evidence of some 500 rows at most. Cost: a BOA of three beside the children
 * (Wintenberger 2017). Weight class: scaled (the children as they are).
 */
ANB_API extern const StreamingLearnerType anb_guard;

/**
 * Nearest neighbours in a window of rows, by a metric that it learns from the slopes of the planes it fits, and a ridge
 * plane through them. Wants a scale above it. Memory: 6 (d + 1) + 8 bytes a row of the window and little more; with
 * `coarse`, of which a window of 8,000 rows wants 4, 4 (d + 1) + 2 coarse + 8. Weight class: scaled (a row takes as many places in the
 * window as its weight has mean weights, four at most).
 */
typedef struct AnbKnnOptions {
    size_t size; /* of this struct; set by the defaults */
    int window;  /* 1,000; samples remembered, 2 to 1,048,576 */
    int k;       /* 0: max(24, 2 min(d, 24)); neighbours, to 1,024 */
    bool time; /* true; the arrival index is one more feature, so that near also means recent where the target drifts */
    int unused; /* not read; in the place of the padding of this struct in older releases */
    int coarse; /* 0; the features, up to 24, by which 3 k rows are found that the k are chosen from; 0: all rows are. Since 0.8 */
} AnbKnnOptions;
ANB_API extern const StreamingLearnerType anb_knn;
ANB_DEFAULTS(AnbKnnOptions, anb_knn)

/**
 * A network of one hidden layer, learned by Adam or plain descent from each sample and, with replay, from earlier ones
 * drawn at random. Its prediction weighs the newest weights against their running average by what was right lately.
 * Wants a scale above it. Cost: about 4 (1 + replay) d hidden multiply-adds (Adam: Kingma & Ba 2015). Weight class: scaled
 * (the step, by ten at most).
 */
typedef enum AnbMlpOptimizer { ANB_MLP_ADAM, ANB_MLP_SGD } AnbMlpOptimizer;
typedef enum AnbMlpActivation {
    ANB_MLP_RELU,
    ANB_MLP_LEAKY,
    ANB_MLP_GELU,
    ANB_MLP_SWIGLU,
    ANB_MLP_GEGLU
} AnbMlpActivation;
/** The type of a network's numbers: double, or float. */
typedef enum AnbMlpPrecision { ANB_MLP_DOUBLE, ANB_MLP_SINGLE } AnbMlpPrecision;
typedef struct AnbMlpOptions {
    size_t size;     /* of this struct; set by the defaults */
    int hidden;      /* 16; units, 1 to 4,096 */
    int replay;      /* 0; earlier samples learned again a step, 0 to 64 */
    int memory;      /* 4,000; samples that replay draws from, 1 to 1,048,576 */
    int activation;  /* ANB_MLP_LEAKY; AnbMlpActivation */
    int optimizer;   /* ANB_MLP_ADAM; AnbMlpOptimizer */
    double rate;     /* 0.01; step size, 0 to 1; falls as 1/sqrt(1 + t/5000) */
    double momentum; /* 0; Adam's discount of the mean gradient, 0.9 in the textbook, [0, 1) */
    uint64_t seed;   /* 0: derived from the model's; of the weights, of replay and of dropout */
    double dropout;  /* 0; chance that a hidden unit is left out of the step of one row, [0, 1). Since 0.2 */
    double level;    /* 0.5; of ANB_LOSS_QUANTILE, (0, 1). Since 0.3 */
    int loss;        /* ANB_LOSS_SQUARED; AnbLossKind up to ANB_LOSS_QUANTILE. Since 0.3 */
    int unused;      /* not read; in the place of the padding of this struct in older releases */
    int precision; /* ANB_MLP_DOUBLE; AnbMlpPrecision; floats: about half the memory and time; errors are as with doubles. Since 0.6 */
} AnbMlpOptions;
ANB_API extern const StreamingLearnerType anb_mlp;
ANB_DEFAULTS(AnbMlpOptions, anb_mlp)

/* A network's feature-by-hidden weights, `rows` of `columns` doubles, `stride` doubles
 * apart; of a gated network the ungated path's. Owned by the model; they change as it learns. */
struct AnbMatrix {
    size_t rows, columns, stride;
    const double *value;
};

/**
 * auto: a preset. It stands for a mixture behind a scale, chosen for a budget and the number of features, and is
 * replaced by it while the model is made: anb_expression prints the mixture, and snapshots and logs keep that. Weight
 * class: that of the mixture, scaled.
 */
typedef struct AnbAutoOptions {
    size_t size; /* of this struct; set by the defaults */
    int budget;  /* 20; microseconds a sample on one core at 12 features: 1, 2, 5, 20, 50 or 100, others count as the
                 * lower one */
    /* true; past targets are inputs as well (residual_ar, season and jumps around the mixture), each only where it has been shown to
     * help. Not below pending, nor with AnbModelOptions.late. Set it to false where rows far ahead are predicted. */
    bool lags;
} AnbAutoOptions;
ANB_API extern const StreamingLearnerType anb_auto;
ANB_DEFAULTS(AnbAutoOptions, anb_auto)

/** What the leaves of a tree predict by: the words of `leaf`. */
typedef enum AnbLeaves { ANB_LEAVES_ADAPTIVE, ANB_LEAVES_MEAN, ANB_LEAVES_LINEAR, ANB_LEAVES_RLS } AnbLeaves;

/**
 * An incremental regression tree of at most 999 nodes; where it drifts another one replaces it. Thresholds are on the
 * raw features and route missing cells; leaf models read x. Predicts within the seen target range widened by 10 %.
 * Weight class: scaled (counts, histograms and steps are multiplied; a correction never goes beyond the target).
 */
typedef struct AnbTreeOptions {
    size_t size; /* of this struct; set by the defaults */
    int leaf; /* ANB_LEAVES_ADAPTIVE; AnbLeaves: a constant and a linear model weighed by their errors, mean, linear, or rls: an RLS in
                      each growing leaf */
    uint64_t seed; /* 0: derived from the model's */
} AnbTreeOptions;
ANB_API extern const StreamingLearnerType anb_tree;
ANB_DEFAULTS(AnbTreeOptions, anb_tree)

/**
 * A forest of incremental trees with random weights and features, which correct each other and are replaced where they
 * drift. Reads rows as a tree does and predicts within the same bounds. Weight class: scaled, as a tree's.
 */
typedef struct AnbForestOptions {
    size_t size;   /* of this struct; set by the defaults */
    int trees;     /* 10; 1 to 200; as many more may grow behind them */
    int leaf;      /* ANB_LEAVES_ADAPTIVE; AnbLeaves, as a tree's */
    uint64_t seed; /* 0: derived from the model's */
} AnbForestOptions;
ANB_API extern const StreamingLearnerType anb_forest;
ANB_DEFAULTS(AnbForestOptions, anb_forest)

/**
 * Extremely randomised trees over a window of the last rows, one always under way; every row joins each tree at once.
 * Remembers every row of the window. Memory: (trees + 1)(72 / leaf + 4) + 4 d + 16 bytes a row of the window. Cost:
 * twice `trees` walks of about log2(window / leaf) steps, and `budget`. Reads raw values, missing cells included. Weight
 * class: scaled (exact in means). Geurts, Ernst & Wehenkel 2006. Since 0.2.
 */
typedef struct AnbExtraTreesOptions {
    size_t size;   /* of this struct; set by the defaults */
    int window;    /* 8,192; rows remembered, 16 to 1,048,576, rounded up to a power of two */
    int trees;     /* 15; 1 to 1,024 */
    int leaf;      /* 2; rows in a leaf at least, 1 to 16 */
    int cuts;      /* 8; random pairs of feature and threshold that a node tries, 1 to 16 */
    int budget;    /* 2,000; work on the next tree that a sample pays for, in units of about 3 ns */
    bool time;     /* true; the arrival number is one more feature */
    uint64_t seed; /* 0: derived from the model's; of the cuts */
} AnbExtraTreesOptions;
ANB_API extern const StreamingLearnerType anb_extra_trees;
ANB_DEFAULTS(AnbExtraTreesOptions, anb_extra_trees)

/**
 * refine(mixture, learner, ...): learners, up to 7, that see the row and where the mixture's experts stand around its
 * prediction, d + K features (two more with `last`), learn what it leaves over; a discounted BOA weighs the mixture alone and with each of
 * them. Weight class: scaled (the children as they are).
 */
typedef struct AnbRefineOptions {
    size_t size;     /* of this struct; set by the defaults */
    double discount; /* 0.999; of the gate over the stages, (0, 1] */
    bool last;       /* false; the mixture's error at the row before and that row's target are features. Since 0.5 */
} AnbRefineOptions;
ANB_API extern const StreamingLearnerType anb_refine;
ANB_DEFAULTS(AnbRefineOptions, anb_refine)

/**
 * Gradient boosted trees over a window of the last samples: without end, the oldest tree gives way to a new one grown
 * on what all of them leave; between fits the leaves follow each sample and replay earlier ones. The work is spread
 * evenly over the samples; an abrupt drift makes it forget what lies behind (counted in drifts). Reads raw values,
 * missing cells included. A light one: window 2048, trees 40, depth 4, rate .15, budget 1500. Memory: some 1 MB at the
 * defaults and 12 features. Weight class: scaled (the steps, and how often a row stands in the window: four times at
 * most).
 */
typedef struct AnbSgbtOptions {
    size_t size;   /* of this struct; set by the defaults */
    int window;    /* 4096; samples that trees are fitted to, 64 to 65,536, rounded up to a multiple of 64 */
    int trees;     /* 100; 1 to 1,024 */
    int depth;     /* 5; cuts from root to leaf, 1 to 8 */
    double rate;   /* 0.08; share of the residual that a tree takes, 0 to 1; the fewer trees, the more */
    double budget; /* 4000; work that a sample pays for, in units of about half a nanosecond, from 1 */
    double eta; /* 0.3; largest step of the leaves between fits, 0 to 1: with the squared loss divided by up to 6 where
                      leaves follow noise */
    double replay; /* 4; samples of the window that the leaves learn again a sample, 0 to 64 */
    uint64_t seed; /* 0: derived from the model's; of the rows and columns that trees are shown */
    double level;  /* 0.5; of ANB_LOSS_QUANTILE, (0, 1). Since 0.3 */
    int loss;      /* ANB_LOSS_SQUARED; AnbLossKind up to ANB_LOSS_QUANTILE; others do without the fast part of leaves.
                      Since 0.3 */
} AnbSgbtOptions;
ANB_API extern const StreamingLearnerType anb_sgbt;
ANB_DEFAULTS(AnbSgbtOptions, anb_sgbt)

#ifdef __cplusplus
}
#endif
#endif
