/*
 * Random calls in any order on a model of any type, with hostile numbers: what the contract says of one call holds
 * after every history of them.
 */
#include "fuzz.h"
#include "tests/zoo.h"

enum { CALLS = 400 };

typedef struct Play {
    Bytes bytes;
    StreamingLearner *model;
    AnbReader *reader;
    double x[ZOO_FEATURES];
} Play;

static void next_row(Play *p)
{
    for (size_t j = 0; j < ZOO_FEATURES; j++)
        p->x[j] = fuzz_double(&p->bytes);
}

static uint64_t refused(const AnbCounters *c)
{
    return c->rejected_features + c->rejected_target + c->rejected_weight;
}

/* Either rejected, counted and NaN, or a finite number. */
static void judge(const Play *p, double f, uint64_t before, uint64_t after)
{
    FUZZ_ASSERT(after - before <= 1, "%s: counted twice", anb_expression(p->model));
    FUZZ_ASSERT(after > before ? f != f : fuzz_finite(f), "%s: said %g", anb_expression(p->model), f);
}

static void train(Play *p, double weight)
{
    const AnbCounters *c = anb_counters(p->model);
    double y = fuzz_double(&p->bytes);
    uint64_t before = refused(c);
    double f = anb_predict(p->model, p->x);
    judge(p, f, before, refused(c));
    before = refused(c);
    double g = anb_train_one(p->model, p->x, y, weight);
    judge(p, g, before, refused(c));
    FUZZ_ASSERT(g != g || memcmp(&f, &g, sizeof f) == 0, "%s: predict %g, train_one %g", anb_expression(p->model), f,
                g);
}

static void train_plainly(Play *p, size_t n)
{
    ZooStream s = zoo_stream(fuzz_byte(&p->bytes) + 1u, true);
    zoo_train(p->model, &s, n);
}

static void replace(Play *p, StreamingLearner *model)
{
    FUZZ_ASSERT(model && anb_equal(model, p->model), "%s: a copy differs", anb_expression(p->model));
    anb_free(p->model);
    p->model = model;
}

static void save_and_load(Play *p)
{
    AnbError error = {0};
    size_t size = anb_snapshot_size(p->model, NULL);
    uint8_t *bytes = malloc(size);
    FUZZ_ASSERT(anb_snapshot_to_memory(p->model, NULL, bytes, size, NULL) == 0, "%s", anb_expression(p->model));
    StreamingLearner *loaded = anb_load_memory(bytes, size, NULL, &error);
    FUZZ_ASSERT(loaded, "%s: %s", anb_expression(p->model), error.message);
    replace(p, loaded);
    free(bytes);
}

static void ask(Play *p)
{
    AnbMixture mixture;
    double f[64];
    double a = anb_predict(p->model, p->x), b = anb_predict_with(p->model, p->reader, p->x);
    FUZZ_ASSERT(memcmp(&a, &b, sizeof a) == 0, "%s: a reader says %g, not %g", anb_expression(p->model), b, a);
    if (anb_mixture(p->model, &mixture) == 0 && mixture.k <= 64) {
        anb_routing_probabilities(p->model, p->x, f);
        anb_expert_predictions(p->model, p->x, f);
        anb_expert_disagreement(p->model, p->x);
    }
}

/* Many rows at once say what each alone does, some with a hostile cell. */
static void ask_many(Play *p)
{
    enum { ROWS = 40 };
    double x[ROWS * ZOO_FEATURES], f[ROWS];
    ZooStream s = zoo_stream(fuzz_byte(&p->bytes) + 1u, true);
    for (size_t i = 0; i < ROWS; i++) {
        zoo_next(&s);
        memcpy(x + i * ZOO_FEATURES, s.x, sizeof s.x);
        if (fuzz_byte(&p->bytes) % 4 == 1)
            x[i * ZOO_FEATURES + i % ZOO_FEATURES] = fuzz_double(&p->bytes);
    }
    anb_predict_many(p->model, x, ROWS, f);
    for (size_t i = 0; i < ROWS; i++) {
        double alone = anb_predict(p->model, x + i * ZOO_FEATURES);
        FUZZ_ASSERT(memcmp(&alone, &f[i], sizeof alone) == 0, "%s: row %zu of many %g, alone %g",
                    anb_expression(p->model), i, f[i], alone);
    }
}

static void call(Play *p)
{
    static const double weights[] = {0, 2, 1e-3, 1e6, -1, INFINITY, ANB_NAN, 1};
    unsigned what = fuzz_byte(&p->bytes);
    switch (what % 16) {
    case 0:
        ask(p);
        break;
    case 1:
        replace(p, anb_clone(p->model, NULL));
        break;
    case 2:
        save_and_load(p);
        break;
    case 3:
        anb_reset(p->model);
        break;
    case 4:
        train_plainly(p, what);
        break;
    case 5:
        train(p, weights[what / 16 % 8]);
        break;
    case 6:
        train(p, 1);
        break;
    case 7:
        ask_many(p);
        break;
    default:
        next_row(p);
        train(p, 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Play p = {.bytes = {data, data + size}};
    AnbModelOptions options = anb_model_defaults();
    size_t animal = fuzz_byte(&p.bytes) % zoo_count();
    options.seed = fuzz_byte(&p.bytes);
    p.model = zoo_model(animal, &options, NULL);
    p.reader = anb_reader_new(p.model, NULL);
    for (int i = 0; i < CALLS && p.bytes.at < p.bytes.end; i++)
        call(&p);
    anb_reader_free(p.reader);
    anb_free(p.model);
    return 0;
}
