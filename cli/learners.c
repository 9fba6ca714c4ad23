/* anabranch learners: lists learners and routers, from the types' tables. */
#include "cli.h"
#include "json.h"
#include "show.h"
#include <anabranch/anabranch.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

static const Option options[] = {{0, "features", "N", "number of features that sizes are printed for; default 10"},
                                 {0, "json", NULL, "print JSON on one line"},
                                 {0}};

/* The range of a parameter as text: "[0, 1)", "at least 0", or nothing. */
static void range_text(const AnbParam *p, char *out, size_t size)
{
    char low[ANB_NUMBER_SIZE], high[ANB_NUMBER_SIZE];
    bool numeric = p->kind == ANB_REAL || p->kind == ANB_COUNT || p->kind == ANB_LEVELS;
    *out = 0;
    if (p->kind == ANB_WORD) {
        size_t n = 0;
        for (const char *w = p->words; *w && n + 2 < size; w++) {
            out[n++] = (char)(*w == '|' ? ',' : *w);
            if (*w == '|')
                out[n++] = ' ';
        }
        out[n] = 0;
    }
    if (!numeric)
        return;
    snprintf(low, sizeof low, "%.10g", p->min);
    snprintf(high, sizeof high, "%.10g", p->max);
    bool no_top = p->max >= (p->kind == ANB_COUNT ? 2147483647.0 : 1e300);
    const char *more = p->open & ANB_OPEN_MIN ? ">" : ">=";
    if (no_top && p->min > -1e300)
        snprintf(out, size, "%s %s", more, low);
    else if (!no_top)
        snprintf(out, size, "%s %s, %s %s", more, low, p->open & ANB_OPEN_MAX ? "<" : "<=", high);
}

static void default_text(const AnbParam *p, char *out, size_t size)
{
    char number[ANB_NUMBER_SIZE];
    anb_number_format(p->fallback, number);
    if (p->kind == ANB_BOOL)
        snprintf(out, size, "%s", p->fallback != 0 ? "true" : "false");
    else if (p->kind == ANB_LEVELS)
        snprintf(out, size, "[%s]", p->words ? p->words : "");
    else if (p->kind == ANB_RUNS)
        snprintf(out, size, "\"\"");
    else if (p->kind == ANB_ROUTER)
        snprintf(out, size, "%s", p->words ? p->words : "linear");
    else if (p->kind == ANB_WORD) {
        const char *word = p->words;
        for (int i = (int)p->fallback; i > 0 && strchr(word, '|'); i--)
            word = strchr(word, '|') + 1;
        snprintf(out, size, "%.*s", (int)strcspn(word, "|"), word);
    } else
        snprintf(out, size, "%s", number);
}

static const char *weight_class(unsigned flags)
{
    return flags & ANB_WEIGHT_EXACT    ? "exact"
           : flags & ANB_WEIGHT_UNIT   ? "unit"
           : flags & ANB_WEIGHT_SCALED ? "scaled"
                                       : "";
}

/* The bytes of a model; 0 where it cannot be, or not with so many features. */
static size_t bytes_of(const char *expression, size_t features)
{
    size_t state;
    anb_parse_bytes(features, expression, NULL, &state, NULL);
    return state;
}

static size_t example_bytes(const StreamingLearnerType *type, size_t features)
{
    return type->example ? bytes_of(type->example, features) : 0;
}

/* Bytes of a model of the type with its default options; 0 for types that need children. */
static size_t default_bytes(const StreamingLearnerType *type, size_t features)
{
    return type->min_children > 0 ? 0 : bytes_of(type->name, features);
}

static void print_params(const StreamingLearnerType *type)
{
    if (!type->params || !type->params->name)
        return;
    printf("\n  %-22s %-14s %-30s %s\n", "option", "default", "range", "");
    for (const AnbParam *p = type->params; p->name; p++) {
        char range[200], fallback[80];
        range_text(p, range, sizeof range);
        default_text(p, fallback, sizeof fallback);
        printf("  %-22s %-14s %-30s %s\n", p->name, fallback, range, p->help ? p->help : "");
    }
}

/* What presets are shown with. */
static const char *const presets[] = {"auto(budget=1)",  "auto(budget=2)",  "auto(budget=5)",
                                      "auto(budget=20)", "auto(budget=50)", "auto(budget=100)"};

/* The model that the i-th shown preset of a type stands for; NULL where it is of another type or cannot be. */
static StreamingLearner *expanded(const StreamingLearnerType *type, size_t i, size_t features)
{
    size_t length = strlen(type->name);
    bool own = type->expand && strncmp(presets[i], type->name, length) == 0 && presets[i][length] == '(';
    return own ? anb_parse(features, presets[i], NULL, NULL) : NULL;
}

static void print_expansions(const StreamingLearnerType *type, size_t features)
{
    char bytes[SHOW_SIZE];
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        StreamingLearner *model = expanded(type, i, features);
        if (model)
            printf("\n  %s at %zu features, %s\n    %s\n", presets[i], features,
                   show_bytes(anb_state_bytes(model), bytes), anb_expression(model));
        anb_free(model);
    }
}

static void print_type(const StreamingLearnerType *type, bool router, size_t features)
{
    char bytes[SHOW_SIZE];
    printf("%s%s: %s\n", type->name, router ? " (a router)" : "", type->brief);
    if (type->example) {
        printf("\n  example    %s\n", type->example);
        size_t usual = router ? 0 : default_bytes(type, features);
        size_t example = router ? 0 : bytes_of(type->example, features);
        if (usual)
            printf("  state      %s at %zu features by its defaults\n", show_bytes(usual, bytes), features);
        if (example)
            printf("  %-10s %s at %zu features as in the example\n", usual ? "" : "state", show_bytes(example, bytes),
                   features);
    }
    if (*weight_class(type->flags))
        printf("  weights    %s\n", weight_class(type->flags));
    if (type->max_children)
        printf("  children   %u to %u\n", type->min_children, type->max_children);
    print_params(type);
    print_expansions(type, features);
}

static void json_params(Json *json, const StreamingLearnerType *type)
{
    json_open(json, "options", '[');
    for (const AnbParam *p = type->params; p && p->name; p++) {
        char fallback[80];
        default_text(p, fallback, sizeof fallback);
        json_open(json, NULL, '{');
        json_text(json, "name", p->name);
        json_text(json, "default", fallback);
        if (p->kind == ANB_WORD && p->words)
            json_text(json, "words", p->words);
        if (p->kind == ANB_REAL || p->kind == ANB_COUNT || p->kind == ANB_LEVELS) {
            json_number(json, "min", p->min);
            json_bool(json, "min_allowed", !(p->open & ANB_OPEN_MIN));
            json_number(json, "max", p->max);
            json_bool(json, "max_allowed", !(p->open & ANB_OPEN_MAX));
        }
        json_text(json, "help", p->help ? p->help : "");
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void json_expansions(Json *json, const StreamingLearnerType *type, size_t features)
{
    if (!type->expand)
        return;
    json_open(json, "stands_for", '[');
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        StreamingLearner *model = expanded(type, i, features);
        if (model) {
            json_open(json, NULL, '{');
            json_text(json, "preset", presets[i]);
            json_text(json, "expression", anb_expression(model));
            json_close(json, '}');
        }
        anb_free(model);
    }
    json_close(json, ']');
}

static void json_type(Json *json, const StreamingLearnerType *type, bool router, size_t features)
{
    size_t bytes = router ? 0 : example_bytes(type, features), usual = router ? 0 : default_bytes(type, features);
    json_open(json, NULL, '{');
    json_text(json, "name", type->name);
    json_text(json, "kind", router ? "router" : "learner");
    json_text(json, "brief", type->brief);
    json_text(json, "example", type->example ? type->example : "");
    json_text(json, "weights", weight_class(type->flags));
    json_count(json, "min_children", type->min_children);
    json_count(json, "max_children", type->max_children);
    json_number(json, "state_bytes", usual ? (double)usual : ANB_NAN);
    json_number(json, "example_state_bytes", bytes ? (double)bytes : ANB_NAN);
    json_params(json, type);
    json_expansions(json, type, features);
    json_close(json, '}');
}

static void show_type(Json *json, const StreamingLearnerType *type, bool router, size_t features)
{
    if (json)
        json_type(json, type, router, features);
    else
        print_type(type, router, features);
}

/* Shows every type by that name, of now or of an earlier version; NULL: all of them. */
static bool show_types(const char *name, size_t features, Json *json)
{
    const StreamingLearnerType *learner = name ? anb_learner_find(name, strlen(name)) : NULL;
    const AnbRouterType *router = name ? anb_router_find(name, strlen(name)) : NULL;
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        if (!name || *type == learner)
            show_type(json, *type, false, features);
    for (const AnbRouterType *const *type = anb_router_types(); *type; type++)
        if (!name || *type == router)
            show_type(json, &(*type)->type, true, features);
    return !name || learner || router;
}

static void list(size_t features)
{
    char bytes[SHOW_SIZE];
    printf("%-12s %12s  %s\n", "learner", "state", "");
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++) {
        bool wants = (*type)->min_children > 0;
        size_t size = wants ? example_bytes(*type, features) : default_bytes(*type, features);
        printf("%-12s %12s%c %s\n", (*type)->name, size ? show_bytes(size, bytes) : "-", size && wants ? '*' : ' ',
               (*type)->brief);
    }
    printf("\n%-12s %12s  %s\n", "router", "", "");
    for (const AnbRouterType *const *type = anb_router_types(); *type; type++)
        printf("%-12s %12s  %s\n", (*type)->type.name, "", (*type)->type.brief);
    printf("\nThe state is that by a type's defaults at %zu features; * wants children: that of its example.\n"
           "`anabranch learners NAME` shows more, `anabranch learners EXPRESSION` the size of any other model.\n",
           features);
}

static int show_expression(const char *text, size_t features, Json *json)
{
    AnbError error = {0};
    char bytes[SHOW_SIZE];
    StreamingLearner *model = anb_parse(features, text, NULL, &error);
    if (!model)
        return complain_of_expression(&error, text);
    if (json) {
        json_open(json, NULL, '{');
        json_text(json, "learner", anb_expression(model));
        json_count(json, "features", features);
        json_count(json, "state_bytes", anb_state_bytes(model));
        json_count(json, "total_bytes", anb_total_bytes(model));
        json_close(json, '}');
    } else {
        printf("learner   %s\nfeatures  %zu\n", anb_expression(model), features);
        printf("state     %s (what a copy costs)\n", show_bytes(anb_state_bytes(model), bytes));
        printf("total     %s\n", show_bytes(anb_total_bytes(model), bytes));
    }
    anb_free(model);
    return 0;
}

static int run_learners(const Arguments *a)
{
    uint64_t features = 10;
    Json json = {stdout, false}, *as_json = option_value(a, "json") ? &json : NULL;
    const char *what = a->operands ? a->operand[0] : NULL;
    int status = count_option("features", option_value(a, "features"), 1, 1 << 20, &features);
    if (status)
        return status;
    if (!what && !as_json) {
        list(features);
        return 0;
    }
    bool is_expression = what && what[strspn(what, "abcdefghijklmnopqrstuvwxyz_0123456789")];
    if (!is_expression && as_json)
        json_open(&json, NULL, '[');
    if (is_expression)
        status = show_expression(what, features, as_json);
    else if (!show_types(what, features, as_json))
        return complain(BAD_USE, "there is no learner and no router \"%s\"; see `anabranch learners`", what);
    if (!is_expression && as_json)
        json_close(&json, ']');
    if (as_json && !status)
        putchar('\n');
    return status;
}

const Command command_learners = {"learners",
                                  "list the learners, or show one of them or an expression in detail",
                                  "[NAME|EXPR]",
                                  options,
                                  0,
                                  1,
                                  run_learners,
                                  NULL};
