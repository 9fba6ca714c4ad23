/*
 * One model on several threads against the same on one: anb_train_one over one stream of 12 features, both replayed in
 * turns by new models, the minimum kept for each sample, since others on the machine only add. Then anb_predict_many.
 *
 *     threads [-t THREADS] [-n SAMPLES] [-r REPLAYS] [EXPRESSION ...]
 *
 * Prints microseconds a sample on one thread and on several, over the last half of the stream, and their ratio. Goal:
 * at least 1.6 for auto(budget=100) with two threads on two free cores.
 */
#include "count.h"
#include "random.h"
#include "replay.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>
#include <string.h>

enum { D = 12, BLOCK = 256 };

static size_t threads = 2, samples = 6000, replays = 8;

typedef struct Stream {
    double *x, *y;
} Stream;

static Stream make_stream(void)
{
    uint64_t seed = 5;
    Stream s = {malloc(samples * D * sizeof(double)), malloc(samples * sizeof(double))};
    for (size_t i = 0; s.x && s.y && i < samples; i++) {
        double *x = s.x + i * D;
        for (size_t j = 0; j < D; j++)
            x[j] = unit_of(&seed);
        s.y[i] = 10 * x[0] * x[1] + 20 * (x[2] - .5) * (x[2] - .5) + 5 * x[3] + x[4] + unit_of(&seed);
    }
    return s;
}

/* One replay: the least time of each sample, and of a block of predictions a row. Returns the last prediction. */
static double replay(const char *expression, const Stream *s, size_t n_threads, double *ns, double *many)
{
    AnbError error;
    double out[BLOCK];
    StreamingLearner *model = replay_model("threads", D, expression);
    if (anb_use_threads(model, n_threads, &error)) {
        fprintf(stderr, "threads: %s: %s\n", expression, error.message);
        exit(2);
    }
    double last = replay_rows(model, s->x, s->y, samples, ns);
    for (size_t i = 0; i < 40; i++) {
        double start = bench_now();
        anb_predict_many(model, s->x, BLOCK, out);
        double took = (bench_now() - start) / BLOCK;
        *many = took < *many ? took : *many;
    }
    anb_free(model);
    return last;
}

static double mean(const double *ns)
{
    double sum = 0;
    for (size_t i = samples / 2; i < samples; i++)
        sum += ns[i];
    return sum / (double)(samples - samples / 2) / 1000;
}

static int compare(const char *expression, const Stream *s)
{
    double *ns[2], many[2] = {1e18, 1e18}, last[2] = {0};
    for (int side = 0; side < 2; side++) {
        ns[side] = malloc(samples * sizeof(double));
        if (!ns[side])
            exit(2);
        for (size_t i = 0; i < samples; i++)
            ns[side][i] = 1e18;
    }
    for (size_t r = 0; r < 2 * replays; r++)
        last[r % 2] = replay(expression, s, r % 2 ? threads : 1, ns[r % 2], &many[r % 2]);
    double one = mean(ns[0]), several = mean(ns[1]);
    printf("%8.2f %8.2f %6.2f  %8.2f %8.2f %6.2f  %s  %s\n", one, several, one / several, many[0] / 1000,
           many[1] / 1000, many[0] / many[1], memcmp(&last[0], &last[1], sizeof *last) ? "OTHER BITS" : "", expression);
    bench_record("threads", expression, several, "us");
    free(ns[0]);
    free(ns[1]);
    return memcmp(&last[0], &last[1], sizeof *last) != 0;
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"auto(budget=100)", "auto(budget=50)", "auto", "auto(budget=5)", NULL};
    int first = 1, wrong = 0;
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
        bool of_samples = strcmp(argv[first], "-n") == 0, of_replays = strcmp(argv[first], "-r") == 0;
        size_t value = count_of(argv[first], argv[first + 1], of_samples ? 2 : of_replays ? 1 : 0);
        if (of_samples)
            samples = value;
        else if (of_replays)
            replays = value;
        else if (strcmp(argv[first], "-t") == 0)
            threads = value;
        else
            option_unknown(argv[first], "-t, -n and -r");
    }
    Stream s = make_stream();
    if (!s.x || !s.y)
        return 2;
    printf("us a sample: learning on 1 and on %zu threads, predicting %d at once\n", threads, BLOCK);
    const char *const *expressions = first < argc ? (const char *const *)argv + first : usual;
    for (; *expressions; expressions++)
        wrong |= compare(*expressions, &s);
    free(s.x);
    free(s.y);
    return wrong;
}
