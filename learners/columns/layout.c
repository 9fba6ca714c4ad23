#include "layout.h"
#include "dictionary.h"

static const AnbRuns all_numbers = {.count = 1, .n = {0}, .letter = {'n'}};

static const AnbRuns *runs_of(const AnbColumnsOptions *options)
{
    return options->kinds.count > 0 ? &options->kinds : &all_numbers;
}

static void count(AnbColumnsLayout *l, char letter, size_t n)
{
    l->columns += n;
    l->numbers += letter == 'n' || letter == 'k' ? n : 0;
    l->categories += letter == 'c' || letter == 'k' || letter == 't' ? n : 0;
    l->times += letter == 't' ? n : 0;
}

/* ---- the lists --------------------------------------------------------------------------------------------------- */

static const size_t LONG = 12; /* cells from which on a memcpy pays */

/* The next free place of each list; NULL while they are only counted. */
typedef struct Lists {
    AnbColumnsMove *next[ANB_LISTS];
    size_t n[ANB_LISTS];
} Lists;

static void add(Lists *lists, int which, size_t from, size_t to, size_t n)
{
    if (lists->next[which])
        *lists->next[which]++ = (AnbColumnsMove){(uint32_t)from, (uint32_t)to, (uint32_t)n};
    lists->n[which]++;
}

/* Moves the places on by n. */
static void add_run(Lists *lists, size_t from, size_t *to, size_t n)
{
    if (n >= LONG)
        add(lists, ANB_BLOCKS, from, *to, n);
    for (size_t j = 0; j < n && n < LONG; j++)
        add(lists, ANB_CELLS, from + j, *to + j, 1);
    *to += n;
}

static void list(const AnbColumnsOptions *options, size_t n_features, const AnbColumnsLayout *l, Lists *lists)
{
    const AnbRuns *runs = runs_of(options);
    size_t from = 0, number = 0, time = anb_columns_times(l), category = time + l->times;
    for (int i = 0; i < runs->count; i++) {
        size_t n = anb_runs_length(runs, i, n_features);
        char letter = runs->letter[i];
        if (letter == 'k')
            add(lists, ANB_CODES, 0, number, n);
        if (letter == 'n' || letter == 'k')
            add_run(lists, from, &number, n);
        if (letter == 'c' || letter == 'k')
            add_run(lists, from, &category, n);
        if (letter == 't')
            add_run(lists, from, &time, n);
        from += n;
    }
}

enum { MOST_THINNED = 5 };

AnbColumnsLayout anb_columns_layout(const AnbColumnsOptions *options, size_t n_features)
{
    const AnbRuns *runs = runs_of(options);
    AnbColumnsLayout l = {.n_sets = 1};
    Lists lists = {0};
    for (int i = 0; i < runs->count; i++)
        count(&l, runs->letter[i], anb_runs_length(runs, i, n_features));
    l.plain = l.numbers + ANB_CALENDAR * l.times;
    l.inputs = l.numbers + ANB_CIRCLES * l.times;
    l.width = l.plain + ANB_STATISTICS * l.categories;
    l.as_it_is = l.width == l.columns && l.numbers == l.columns;
    while (l.thinned < MOST_THINNED && (size_t)1 << l.thinned < l.inputs)
        l.thinned++;
    while (l.n_sets * ANB_SET < (size_t)options->slots)
        l.n_sets *= 2;
    list(options, n_features, &l, &lists);
    memcpy(l.n_moves, lists.n, sizeof l.n_moves);
    return l;
}

size_t anb_columns_moves(const AnbColumnsLayout *l)
{
    return l->n_moves[ANB_BLOCKS] + l->n_moves[ANB_CELLS] + l->n_moves[ANB_CODES];
}

void anb_columns_list(const AnbColumnsOptions *options, size_t n_features, const AnbColumnsLayout *l,
                      AnbColumnsMove *moves)
{
    Lists lists = {0};
    for (int i = 0; i < ANB_LISTS; moves += l->n_moves[i++])
        lists.next[i] = moves;
    list(options, n_features, l, &lists);
}

void anb_columns_split(const AnbColumnsLayout *l, const AnbColumnsMove *moves, const double *x, double *work)
{
    const AnbColumnsMove *m = moves;
    for (const AnbColumnsMove *end = m + l->n_moves[ANB_BLOCKS]; m < end; m++)
        memcpy(work + m->to, x + m->from, m->n * sizeof *x);
    for (const AnbColumnsMove *end = m + l->n_moves[ANB_CELLS]; m < end; m++)
        work[m->to] = x[m->from];
    for (const AnbColumnsMove *end = m + l->n_moves[ANB_CODES]; m < end; m++)
        for (double *code = work + m->to, *last = code + m->n; code < last; code++)
            *code = *code < 0x1p52 ? *code : ANB_NAN; /* a text has no size */
}

/* ---- importances ------------------------------------------------------------------------------------------------- */

static double sum(const double *from, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += from[i];
    return s;
}

void anb_columns_join(const AnbColumnsOptions *options, size_t n_features, const double *shares, double *out)
{
    const AnbRuns *runs = runs_of(options);
    AnbColumnsLayout l = anb_columns_layout(options, n_features);
    const double *times = shares + l.numbers, *categories = shares + l.plain;
    const double *hours = categories + ANB_STATISTICS * (l.categories - l.times);
    for (int i = 0; i < runs->count; i++) {
        char letter = runs->letter[i];
        for (size_t n = anb_runs_length(runs, i, n_features); n > 0; n--, out++) {
            *out = letter == 'n' || letter == 'k' ? *shares++ : 0;
            if (letter == 't') {
                *out += sum(times, ANB_CALENDAR) + sum(hours, ANB_STATISTICS);
                times += ANB_CALENDAR;
                hours += ANB_STATISTICS;
            } else if (letter == 'c' || letter == 'k') {
                *out += sum(categories, ANB_STATISTICS);
                categories += ANB_STATISTICS;
            }
        }
    }
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* The n-th column whose kind is one of the letters. */
static size_t nth_column(const AnbColumnsOptions *options, size_t n_features, const char *letters, size_t n)
{
    const AnbRuns *runs = runs_of(options);
    size_t column = 0;
    for (int i = 0; i < runs->count; i++) {
        size_t length = anb_runs_length(runs, i, n_features);
        if (strchr(letters, runs->letter[i])) {
            if (n < length)
                return column + n;
            n -= length;
        }
        column += length;
    }
    return column;
}

void anb_columns_source(const AnbColumnsOptions *options, size_t n_features, size_t i, AnbFeatureSource *source)
{
    static const char *const calendar[ANB_CALENDAR] = {"hour-sine", "hour-cosine", "weekday-sine", "weekday-cosine",
                                                       "year-sine", "year-cosine", "days",         "gap"};
    static const char *const statistics[2][ANB_STATISTICS] = {
        {"mean", "recent", "log-count", "effect"},
        {"hour-of-week-mean", "hour-of-week-recent", "hour-of-week-log-count", "hour-of-week-effect"}};
    AnbColumnsLayout l = anb_columns_layout(options, n_features);
    *source = (AnbFeatureSource){.n = 1};
    if (i < l.numbers) {
        source->column[0] = nth_column(options, n_features, "nk", i);
        return;
    }
    bool time = i < l.plain;
    size_t each = time ? ANB_CALENDAR : ANB_STATISTICS, at = i - (time ? l.numbers : l.plain), which = at / each;
    bool hour = !time && which >= l.categories - l.times;
    source->part = time ? calendar[at % each] : statistics[hour][at % each];
    source->column[0] =
        nth_column(options, n_features, time || hour ? "t" : "ck", hour ? which - (l.categories - l.times) : which);
}

size_t anb_columns_dictionary(const AnbColumnsOptions *options, size_t n_features, size_t column)
{
    AnbColumnsLayout l = anb_columns_layout(options, n_features);
    for (size_t c = 0; c < l.categories; c++) {
        AnbFeatureSource source;
        anb_columns_source(options, n_features, l.plain + c * ANB_STATISTICS, &source);
        if (source.column[0] == column)
            return c;
    }
    return SIZE_MAX;
}
