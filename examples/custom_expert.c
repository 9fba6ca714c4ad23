/*
 * A learner of one's own inside a mixture, registered nowhere: the median of the targets, by steps of a quantile's
 * sign.
 *
 *     m += rate * s * sign(y - m)      s the running mean of |y - m|
 */
#include <anabranch/anabranch.h>
#include <stdio.h>

typedef struct MedianOptions {
    double rate;
} MedianOptions;

typedef struct Median {
    double m, s, n;
} Median;

/* The state, member by member: from this follow its size, snapshots, equality and the checks after loading. */
static const AnbField members[] = {{ANB_MEMBER(Median, m), .must = ANB_FINITE},
                                   {ANB_MEMBER(Median, s), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Median, n), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {0}};
static const AnbField fields[] = {{ANB_STRUCT(Median, members)}, {0}};

static const AnbParam params[] = {{"rate", ANB_REAL, offsetof(MedianOptions, rate), .05, 0, 1, ANB_OPEN_MIN, NULL,
                                   "step, as a share of the mean error"},
                                  {0}};

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)self, (void)row, (void)scratch;
    return ((const Median *)state)->m;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const MedianOptions *o = self->options;
    Median *s = state;
    double error = y - s->m;
    (void)row, (void)scratch;
    s->n += weight;
    s->s += (fabs(error) - s->s) * weight / s->n;
    s->m += o->rate * s->s * weight * ((error > 0) - (error < 0));
}

static const StreamingLearnerType median = {
    .name = "median",
    .brief = "the running median of the target",
    .example = "median(rate=0.1)",
    .options_size = sizeof(MedianOptions),
    .params = params,
    .flags = ANB_TAKES_MISSING | ANB_WEIGHT_SCALED,
    .version = 1,
    .fields = fields,
    .predict = predict,
    .update = update,
};

int main(void)
{
    const StreamingLearnerType *const own[] = {&median, NULL};
    AnbModelOptions options = anb_model_defaults();
    AnbError error;
    options.types = own;
    StreamingLearner *model = anb_parse(1, "moe(median(rate=0.002, name=middle), linear, mean)", &options, &error);
    if (!model)
        return fprintf(stderr, "custom_expert: %s\n", error.message), 1;
    for (int i = 0; i < 5000; i++) {
        double x = i % 10 / 10.0,
               y = i % 50 == 0 ? 1000 : x; /* one outlier in fifty: the mean is far from the median */
        anb_train_one(model, &x, y, 1);
    }
    double f[3], x = .5;
    anb_expert_predictions(model, &x, f);
    for (size_t i = 0; i < 3; i++)
        printf("%-10s %8.3f\n", anb_expert_name(model, i), f[i]);
    anb_free(model);
    return f[0] > 0 && f[0] < 1 ? 0 : 1;
}
