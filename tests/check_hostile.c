/*
 * Streams that break naive arithmetic, through every type: predictions stay finite, within the seen range where the type
 * promises it, and the state one that its own check accepts. With ANB_LONG a million samples of each, 100,000 for types
 * slower than 5 us.
 */
#include "parts/math.h"
#include "suite.h"
#include "zoo.h"
#include <time.h>

enum { D = ZOO_FEATURES };

typedef struct Hostile {
    AnbRandom random;
    uint64_t t;
    double x[D], y;
} Hostile;

static double uniform(Hostile *h)
{
    return 2 * anb_random_uniform(&h->random) - 1;
}

static void plain(Hostile *h)
{
    for (int j = 0; j < D; j++)
        h->x[j] = uniform(h);
    h->y = h->x[0] + 2 * h->x[1] * h->x[2] + .1 * uniform(h);
}

static void collinear(Hostile *h)
{
    plain(h);
    h->x[1] = 2 * h->x[0];
    h->x[2] = h->x[0] + 1;
    h->x[3] = -h->x[0];
    h->x[4] = h->x[0] * 1e-9;
}

static void constant(Hostile *h)
{
    plain(h);
    h->x[1] = 3;
    h->x[2] = 0;
    h->x[3] = 1e6;
    h->x[4] = -7;
}

static void everything_constant(Hostile *h)
{
    for (int j = 0; j < D; j++)
        h->x[j] = j;
    h->y = 5;
}

static void scale_features(Hostile *h, double factor)
{
    plain(h);
    for (int j = 0; j < D; j++)
        h->x[j] *= factor;
}

static void huge(Hostile *h)
{
    scale_features(h, 1e150);
}

static void tiny(Hostile *h)
{
    scale_features(h, 1e-150);
}

static void denormal(Hostile *h)
{
    scale_features(h, 1e-310);
    h->y *= h->t % 2 ? 1e-310 : 1;
}

static void jumps(Hostile *h)
{
    plain(h);
    h->y += h->t / 200 % 2 ? 1e9 : 0;
}

static void large_targets(Hostile *h)
{
    plain(h);
    h->y *= h->t % 300 < 150 ? 1e12 : 1e-12;
}

static void two_points(Hostile *h)
{
    for (int j = 0; j < D; j++)
        h->x[j] = h->t % 2 ? 1 : -1;
    h->y = h->t % 2 ? 10 : -3;
}

static void heavy_tails(Hostile *h)
{
    plain(h);
    double a = anb_random_normal(&h->random), b = anb_random_normal(&h->random);
    h->y += a / (b != 0 ? b : 1);
    h->x[4] = anb_random_normal(&h->random) / (uniform(h) + 1e-9);
}

/* Every size there is, one after the other. */
static void any_size(Hostile *h)
{
    static const double factors[] = {1, 1e150, 1e-150, 1e-310, 1e9, 1e300, 1e-300};
    scale_features(h, factors[h->t / 50 % 7]);
    h->y *= h->t % 500 == 499 ? 1e100 : 1;
}

static const struct {
    const char *name;
    void (*next)(Hostile *);
} streams[] = {{"collinear", collinear}, {"constant", constant}, {"everything constant", everything_constant},
               {"huge", huge}, {"tiny", tiny}, {"denormal", denormal}, {"jumps", jumps},
               {"large targets", large_targets}, {"two points", two_points}, {"heavy tails", heavy_tails},
               {"any size", any_size}};

/* ---- one type, one stream -------------------------------------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static size_t length_for(size_t animal)
{
    if (!getenv("ANB_LONG"))
        return 1200;
    ZooStream s = zoo_stream(1, false);
    StreamingLearner *model = zoo_model(animal, NULL, NULL);
    zoo_train(model, &s, 2000);
    double start = seconds();
    zoo_train(model, &s, 2000);
    double each = (seconds() - start) / 2000;
    anb_free(model);
    return each > 5e-6 ? 100000 : 1000000;
}

/* The state has to pass the checks that a loaded one has to. */
static void check_state(const StreamingLearner *model, const char *where)
{
    AnbError error = {0};
    size_t size = anb_snapshot_size(model, NULL);
    unsigned char *bytes = malloc(size);
    ck_assert_int_eq(anb_snapshot_to_memory(model, NULL, bytes, size, NULL), 0);
    StreamingLearner *again = anb_load_memory(bytes, size, NULL, &error);
    ck_assert_msg(again != NULL, "%s: %s", where, error.message);
    anb_free(again);
    free(bytes);
}

static void run(size_t animal, size_t which, size_t n, bool clipped)
{
    char name[ZOO_TEXT], where[ZOO_TEXT * 2];
    Hostile h = {.t = 0};
    double low = 0, high = 0;
    StreamingLearner *model = zoo_model(animal, NULL, NULL);
    snprintf(where, sizeof where, "%s, %s", zoo_name(animal, name), streams[which].name);
    anb_random_seed(&h.random, 17);
    for (; h.t < n; h.t++) {
        streams[which].next(&h);
        double f = anb_train_one(model, h.x, h.y, 1), margin = .1 * (high - low) * (1 + 1e-9) + 1e-300;
        ck_assert_msg(f - f == 0, "%s: sample %zu: %g", where, (size_t)h.t, f);
        if (clipped && h.t > 0)
            ck_assert_msg(f >= low - margin && f <= high + margin, "%s: sample %zu: %g is outside %g .. %g", where,
                          (size_t)h.t, f, low, high);
        low = h.t == 0 || h.y < low ? h.y : low;
        high = h.t == 0 || h.y > high ? h.y : high;
        if (h.t % (n / 4) == 0)
            check_state(model, where);
    }
    check_state(model, where);
    ck_assert_uint_eq(anb_n_samples_seen(model), n);
    anb_free(model);
}

START_TEST(every_type_survives_hostile_streams)
{
    size_t animal = (size_t)_i, n = length_for(animal);
    bool clipped = animal >= zoo_learners() || anb_learner_types()[animal]->flags & ANB_CLIPPED;
    for (size_t s = 0; s < sizeof streams / sizeof *streams; s++)
        run(animal, s, n, clipped);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tests = case_of(suite, 3600);
    tcase_add_loop_test(tests, every_type_survives_hostile_streams, 0, (int)zoo_count());
    return suite;
}

CHECK_MAIN(suite)
