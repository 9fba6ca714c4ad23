/*
 * Feeds a CSV stream of numbers (the last column is the target) to a mixture and prints what can be seen of every
 * hundredth sample:
 *
 *     anabranch generate friedman --drift gra -n 2000 | build/examples/example_stream_csv
 *
 * For real files, with quotes, missing cells and other delimiters, use the program: anabranch eval.
 */
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 256, LINE_MAX_BYTES = 65536 };

/* The numbers of a line; returns how many, 0 where a cell is not one. */
static int read_row(const char *line, double *cells)
{
    int n = 0;
    for (const char *at = line; n < COLUMNS_MAX; at++) {
        int used = anb_number_parse(at, strcspn(at, ",\r\n"), &cells[n]);
        if (used < 0)
            return 0;
        n++;
        at += used;
        if (*at != ',')
            return n;
    }
    return 0;
}

static StreamingLearner *make(int n_features)
{
    AnbRlsOptions quick = anb_rls_defaults();
    quick.lambda = 0.99;
    const AnbExpert experts[] = {{.type = &anb_linear},
                                 {.type = &anb_rls},
                                 {.type = &anb_rls, .options = &quick, .name = "rls_quick"},
                                 {.type = &anb_mean}};
    const AnbExpert moe = {.type = &anb_moe, .children = experts, .n_children = 4};
    const AnbExpert scale = {.type = &anb_scale, .children = &moe, .n_children = 1};
    return anb_new((size_t)n_features, &scale, NULL, NULL);
}

static void print_sample(const StreamingLearner *model)
{
    AnbMixture m;
    anb_mixture(model, &m);
    printf("%8llu %10.4f %10.4f %8.3f %8.3f  ", (unsigned long long)m.samples, m.prediction, m.target, m.disagreement,
           m.gate_entropy);
    for (size_t a = 0; a < m.n_active; a++)
        printf(" %s %.2f", anb_expert_name(model, m.active[a]), m.weight[m.active[a]]);
    printf("\n");
}

int main(void)
{
    static char line[LINE_MAX_BYTES];
    double cells[COLUMNS_MAX];
    StreamingLearner *model = NULL;
    int columns = 0;
    if (!fgets(line, sizeof line, stdin))
        return fprintf(stderr, "stream_csv: an empty stream\n"), 1;
    printf("%8s %10s %10s %8s %8s   experts\n", "sample", "prediction", "target", "spread", "entropy");
    while (fgets(line, sizeof line, stdin)) {
        int n = read_row(line, cells);
        if (!model && n >= 2)
            model = make((columns = n) - 1);
        if (!model || n != columns) {
            anb_free(model);
            return fprintf(stderr, "stream_csv: a row that is not %d numbers\n", columns), 1;
        }
        anb_train_one(model, cells, cells[n - 1], 1);
        if (anb_n_samples_seen(model) % 100 == 0)
            print_sample(model);
    }
    anb_free(model);
    return 0;
}
