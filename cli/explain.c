/* anabranch explain: what each column adds to a saved model's prediction of every row. */
#include "cli.h"
#include "skipped.h"
#include "output.h"
#include "reading.h"
#include "saved.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Option options[] = {
    {'m', "model", "MODEL", "the saved model, whose columns are found by name"},
    {0, "background", "FILE", "the table whose rows predictions are compared with; default: FILE itself"},
    {0, "top", "K", "only the K columns that add most, with their names, and the sum of the rest"},
    {0, "experts", NULL, "after the columns, what each expert of the mixture adds: its weight times its prediction"},
    {0, "rows", "N", "rows of the background that are kept, at random; default 16"},
    {0, "pairs", "N", "random orders of the columns for each kept row; default 2"},
    {0, "seed", "N", "of the kept rows and the orders; default 1"},
    {0, "missing-columns", NULL, "a feature of the model without a column is missing in every row, no error"},
    {0}};

/* One run: a model, its explainer, and how lines are written. */
typedef struct Explaining {
    Saved saved;
    AnbExplainer *explainer;
    uint64_t top; /* 0: all columns */
    bool experts;
    double *x;
    size_t *order; /* of the columns by the size of what they add */
} Explaining;

static int make_explainer(Explaining *run, const Arguments *a)
{
    AnbExplainerOptions o = anb_explainer_defaults();
    uint64_t rows = (uint64_t)o.rows, pairs = (uint64_t)o.pairs;
    AnbError error;
    int status = count_option("rows", option_value(a, "rows"), 1, 65536, &rows);
    status = status ? status : count_option("pairs", option_value(a, "pairs"), 1, 1024, &pairs);
    status = status ? status : count_option("seed", option_value(a, "seed"), 0, UINT64_MAX, &o.seed);
    status = status ? status : count_option("top", option_value(a, "top"), 1, UINT32_MAX, &run->top);
    if (status)
        return status;
    o.rows = (int)rows;
    o.pairs = (int)pairs;
    o.span = (double)INFINITY;
    size_t n = anb_n_features(run->saved.model);
    run->top = run->top < n ? run->top : 0;
    run->experts = option_value(a, "experts") != NULL;
    run->explainer = anb_explainer_new(run->saved.model, &o, &error);
    run->x = malloc(n * sizeof *run->x);
    run->order = malloc(n * sizeof *run->order);
    if (!run->explainer || !run->x || !run->order)
        return complain(BAD_DATA, "%s", run->explainer ? "out of memory" : error.message);
    return 0;
}

/* Reads the background once; of its rows the explainer keeps some. */
static int keep_rows(Explaining *run, const Arguments *a, const char *path, RowsOptions columns)
{
    Rows rows = {0};
    columns.quiet = true;
    columns.bad_rows = NULL;
    int status = saved_rows(&run->saved, &rows, path, columns, false);
    while (!status && (status = rows_next(&rows, run->x, NULL)) == 0)
        anb_explainer_keep(run->explainer, run->x);
    status = status > 0 ? status : 0;
    if (!status && rows.read == 0)
        status = reading_nothing(BAD_DATA, &rows, a, " to explain against: --background FILE names others");
    else if (!status && anb_explainer_rows(run->explainer) == 0)
        status = complain(BAD_DATA, "%s: no row that the model can take: of %llu each has infinite or missing cells",
                          path, (unsigned long long)rows.read);
    int closed = rows_close(&rows);
    return status ? status : closed;
}

static void put_name(const char *before, const char *name)
{
    fputs(before, stdout);
    csv_put(stdout, name, strlen(name));
}

static void put_value(double value)
{
    char text[ANB_NUMBER_SIZE];
    anb_number_format(value, text);
    printf(",%s", isnan(value) ? "" : text);
}

static void put_header(const Explaining *run, const Rows *rows)
{
    char name[300];
    printf("prediction,base,error");
    for (uint64_t k = 1; k <= run->top; k++)
        printf(",column_%llu,adds_%llu", (unsigned long long)k, (unsigned long long)k);
    for (size_t j = 0; run->top == 0 && j < rows->n_features; j++)
        put_name(",", rows->names[j]);
    fputs(run->top ? ",rest" : "", stdout);
    for (size_t i = 0; run->experts && anb_expert_name(run->saved.model, i); i++) {
        snprintf(name, sizeof name, "expert.%s", anb_expert_name(run->saved.model, i));
        put_name(",", name);
    }
    for (size_t i = 0; i < rows->n_kept; i++)
        put_name(",", rows->table.names[rows->kept[i]]);
    putchar('\n');
}

/* The first `top` of the order are the columns that add most, the earlier one of equals. */
static void find_top(const Explaining *run, const AnbExplanation *why)
{
    for (size_t j = 0; j < why->n_features; j++)
        run->order[j] = j;
    for (size_t k = 0; k < run->top; k++)
        for (size_t j = k + 1; j < why->n_features; j++) {
            size_t a = run->order[k], b = run->order[j];
            double more = fabs(why->phi[b]) - fabs(why->phi[a]);
            if (more > 0 || (more == 0 && b < a)) {
                run->order[k] = b;
                run->order[j] = a;
            }
        }
}

static void put_columns(const Explaining *run, const Rows *rows, const AnbExplanation *why)
{
    double rest = 0;
    for (size_t j = 0; run->top == 0 && j < why->n_features; j++)
        put_value(why->phi[j]);
    if (run->top == 0)
        return;
    find_top(run, why);
    for (size_t k = 0; k < why->n_features; k++)
        if (k < run->top) {
            put_name(",", rows->names[run->order[k]]);
            put_value(why->phi[run->order[k]]);
        } else
            rest += why->phi[run->order[k]];
    put_value(rest);
}

/* A row that the model rejects has no numbers. */
static void put_line(const Explaining *run, const Rows *rows, const AnbExplanation *why)
{
    double error = 0;
    size_t columns = run->top ? 2 * run->top + 1 : rows->n_features;
    for (size_t j = 0; why && j < why->n_features; j++)
        error = fmax(error, why->error[j]);
    if (why) {
        char text[ANB_NUMBER_SIZE];
        anb_number_format(why->prediction, text);
        fputs(text, stdout);
        put_value(why->base);
        put_value(why->n_features && isnan(why->error[0]) ? ANB_NAN : error);
        put_columns(run, rows, why);
    } else
        fputs("nan,,", stdout);
    for (size_t j = 0; !why && j < columns; j++)
        putchar(',');
    for (size_t i = 0; run->experts && anb_expert_name(run->saved.model, i); i++)
        put_value(why ? why->expert[i] : ANB_NAN);
    for (size_t i = 0; i < rows->n_kept; i++) {
        Cell cell = rows_kept(rows, i);
        putchar(',');
        csv_put(stdout, cell.text, cell.size);
    }
    putchar('\n');
}

static int explain_rows(Explaining *run, const Arguments *a, const char *path, RowsOptions columns)
{
    Rows rows = {0};
    AnbExplanation why;
    int status = saved_rows(&run->saved, &rows, path, columns, false);
    if (!status)
        put_header(run, &rows);
    while (!status && (status = rows_next(&rows, run->x, NULL)) == 0) {
        bool fine = anb_explain(run->explainer, run->saved.model, run->x, &why) == 0;
        put_line(run, &rows, fine ? &why : NULL);
        if (!rows_ready(&rows))
            fflush(stdout);
    }
    if (status < 0 && rows.read == 0)
        reading_nothing(0, &rows, a, "");
    reading_summary(&rows);
    int skipped = rows_close(&rows);
    return status > 0 ? status : skipped;
}

static int run_explain(const Arguments *a)
{
    Explaining run = {0};
    const char *file = a->operand[0], *model = option_value(a, "model"), *background = option_value(a, "background");
    RowsOptions columns = {.missing_columns = option_value(a, "missing-columns") != NULL};
    if (!model)
        return complain(BAD_USE, "explain: -m MODEL is missing");
    if (!background && strcmp(file, "-") == 0)
        return complain(BAD_USE, "explain: standard input can be read once only: --background FILE says what its rows "
                                 "are explained against");
    int status =
        outputs_apart((const char *[]){option_value(a, "bad-rows")}, 1, (const char *[]){file, model, background}, 3);
    status = status ? status : reading_options(a, &columns);
    status = status ? status : saved_open(&run.saved, model);
    status = status ? status : make_explainer(&run, a);
    status = status ? status : keep_rows(&run, a, background ? background : file, columns);
    status = status ? status : explain_rows(&run, a, file, columns);
    anb_explainer_free(run.explainer);
    free(run.x);
    free(run.order);
    saved_close(&run.saved);
    return status;
}

static void more_help(void)
{
    printf("\nPrints the header and a line a row: the prediction; the base, which is the mean prediction of the kept "
           "rows; the\n"
           "largest standard error of the numbers that follow, 0 where they are exact; and what each column adds. "
           "Base and columns\n"
           "sum to the prediction. A rejected row is nan with empty cells. docs/explaining.md says what the numbers "
           "mean.\n");
    reading_help();
}

const Command command_explain = {"explain",
                                 "what each column adds to a saved model's predictions",
                                 "FILE|-",
                                 options,
                                 1,
                                 1,
                                 run_explain,
                                 more_help,
                                 reading_table};
