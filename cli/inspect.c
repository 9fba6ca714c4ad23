/* anabranch inspect: what is in a snapshot. */
#include "categories.h"
#include "cli.h"
#include "json.h"
#include "saved.h"
#include "show.h"
#include <stdio.h>
#include <string.h>

static const Option options[] = {
    {0, "json", NULL, "one JSON object on one line"},
    {0, "categories", "K", "also the K most frequent categories of each column, and their effects on the target"},
    {0}};

static const struct {
    const char *name;
    size_t offset;
} counters[] = {
#define COUNTER(name)                                                                                                  \
    {                                                                                                                  \
#name, offsetof(AnbCounters, name)                                                                             \
    }
    COUNTER(trained),       COUNTER(rejected_features), COUNTER(rejected_target), COUNTER(rejected_weight),
    COUNTER(missing_cells), COUNTER(restarts),          COUNTER(weight_skipped),  COUNTER(resets),
    COUNTER(drifts),        COUNTER(labels_unknown),    COUNTER(labels_repeated), COUNTER(labels_evicted),
#undef COUNTER
};
enum { N_COUNTERS = sizeof counters / sizeof *counters };

static uint64_t count_of(const AnbCounters *all, size_t i)
{
    return *(const uint64_t *)((const char *)all + counters[i].offset);
}

/* Whether a note is text that can be shown. */
static bool is_text(const AnbNote *note)
{
    const unsigned char *p = note->value;
    for (size_t i = 0; i < note->size; i++)
        if (p[i] < ' ' || p[i] > '~')
            return false;
    return true;
}

/* ---- as JSON ----------------------------------------------------------------------------------------------------- */

static void json_lists(Json *json, const AnbSnapshot *s)
{
    json_open(json, "feature_names", '[');
    for (size_t i = 0; s->extras.features && i < s->n_features; i++)
        json_text(json, NULL, s->extras.features[i]);
    json_close(json, ']');
    json_open(json, "counters", '{');
    for (size_t i = 0; i < N_COUNTERS; i++)
        json_count(json, counters[i].name, count_of(&s->counters, i));
    json_close(json, '}');
    json_open(json, "notes", '{');
    for (size_t i = 0; i < s->extras.n_notes; i++)
        json_text(json, s->extras.notes[i].key, is_text(&s->extras.notes[i]) ? s->extras.notes[i].value : "(bytes)");
    json_close(json, '}');
    json_open(json, "sources", '{');
    for (size_t i = 0; i < s->n_sources; i++)
        json_count(json, s->sources[i].name, s->sources[i].next - 1);
    json_close(json, '}');
    json_open(json, "nodes", '[');
    for (size_t i = 0; i < s->n_nodes; i++) {
        json_open(json, NULL, '{');
        json_text(json, "type", s->nodes[i].type);
        json_count(json, "version", s->nodes[i].version);
        json_count(json, "bytes", s->nodes[i].size);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void print_json(const Saved *saved, size_t k)
{
    const AnbSnapshot *s = saved->snapshot;
    Json json = {stdout, false};
    json_open(&json, NULL, '{');
    json_text(&json, "learner", anb_expression(saved->model));
    json_count(&json, "features", s->n_features);
    if (s->extras.target)
        json_text(&json, "target", s->extras.target);
    json_count(&json, "seed", s->seed);
    json_count(&json, "n", s->counters.trained);
    json_count(&json, "bytes", s->bytes);
    json_count(&json, "state_bytes", anb_state_bytes(saved->model));
    json_count(&json, "format", s->format);
    json_text(&json, "library", s->library);
    json_lists(&json, s);
    if (k > 0)
        categories_json(&json, &(Categories){saved->model, saved->schema, saved->categories}, k);
    json_close(&json, '}');
    putchar('\n');
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

/* Prints a name from a file without control characters. */
static void print_safely(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        putchar(*p < ' ' || *p == 127 ? '?' : *p);
}

static void print_features(const AnbSnapshot *s)
{
    printf("features          %zu", s->n_features);
    for (size_t i = 0; s->extras.features && i < s->n_features && i < 100; i++) {
        fputs(i == 0 ? ": " : ", ", stdout);
        print_safely(s->extras.features[i]);
    }
    puts(s->extras.features && s->n_features > 100 ? ", ..." : "");
    if (s->extras.target) {
        fputs("target            ", stdout);
        print_safely(s->extras.target);
        putchar('\n');
    }
}

static bool has_note(const AnbSnapshot *s, const char *key)
{
    for (size_t i = 0; i < s->extras.n_notes; i++)
        if (strcmp(s->extras.notes[i].key, key) == 0)
            return true;
    return false;
}

/* Notes that are shown otherwise: texts of categories (--categories), and the schema of typed models. */
static bool is_shown_elsewhere(const AnbSnapshot *s, const char *key)
{
    return strcmp(key, "categories") == 0 || (strcmp(key, "schema") == 0 && has_note(s, "anabranch.schema"));
}

static void print_notes(const AnbSnapshot *s)
{
    char size[SHOW_SIZE];
    for (size_t i = 0; i < s->extras.n_notes; i++) {
        const AnbNote *note = &s->extras.notes[i];
        if (is_shown_elsewhere(s, note->key))
            continue;
        fputs("note              ", stdout);
        print_safely(note->key);
        printf(" = %s\n", is_text(note) ? (const char *)note->value : show_bytes(note->size, size));
    }
}

static void print_sources(const AnbSnapshot *s)
{
    for (size_t i = 0; i < s->n_sources; i++) {
        fputs("source            ", stdout);
        print_safely(s->sources[i].name);
        printf(" learned up to %llu\n", (unsigned long long)s->sources[i].next - 1);
    }
}

static void print_text(const Saved *saved, size_t k)
{
    const AnbSnapshot *s = saved->snapshot;
    char a[SHOW_SIZE], b[SHOW_SIZE];
    printf("learner           %s\n", anb_expression(saved->model));
    print_features(s);
    printf("seed              %llu\n", (unsigned long long)s->seed);
    printf("snapshot          %s, format %u, by anabranch ", show_bytes(s->bytes, a), s->format);
    print_safely(s->library);
    printf("\nstate             %s\n", show_bytes(anb_state_bytes(saved->model), b));
    for (size_t i = 0; i < N_COUNTERS; i++)
        if (i == 0 || count_of(&s->counters, i) > 0)
            printf("%-18s%s\n", counters[i].name, show_count(count_of(&s->counters, i), a));
    print_notes(s);
    print_sources(s);
    printf("\n%-20s %10s %14s\n", "part", "layout", "bytes");
    for (size_t i = 0; i < s->n_nodes; i++)
        printf("%-20s %10u %14s\n", s->nodes[i].type, s->nodes[i].version, show_count(s->nodes[i].size, a));
    if (k > 0)
        categories_print(stdout, &(Categories){saved->model, saved->schema, saved->categories}, k);
}

static int run_inspect(const Arguments *a)
{
    Saved saved = {0};
    uint64_t k = 0;
    int status = count_option("categories", option_value(a, "categories"), 1, UINT32_MAX, &k);
    status = status ? status : saved_open(&saved, a->operand[0]);
    if (!status)
        option_value(a, "json") ? print_json(&saved, k) : print_text(&saved, k);
    saved_close(&saved);
    return status;
}

static void more_help(void)
{
    printf("\nThe model is loaded and checked as any user would do it; exit status 1 where the file is damaged.\n");
}

const Command command_inspect = {
    "inspect", "show what a saved model contains, and check it", "MODEL", options, 1, 1, run_inspect, more_help};
