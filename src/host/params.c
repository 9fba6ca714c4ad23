#include "params.h"
#include "src/text/sized.h"
#include "src/text/given.h"
#include "src/text/words.h"
#include <anabranch/learner.h>
#include <anabranch/number.h>
#include <stdio.h>

const AnbParam *anb_params_find(const StreamingLearnerType *type, const char *name, size_t n)
{
    for (const AnbParam *p = type->params; p && p->name; p++)
        if (anb_same_word(p->name, name, n))
            return p;
    return NULL;
}

/* The n-th word of a|b|c, and its length; NULL behind the last. */
static const char *word_at(const AnbParam *param, int index, size_t *length)
{
    const char *word = param->words;
    for (; index > 0 && word; index--) {
        word = strchr(word, '|');
        word = word ? word + 1 : NULL;
    }
    if (word)
        *length = strcspn(word, "|");
    return index < 0 ? NULL : word;
}

/* ---- one option, where its offset says --------------------------------------------------------------------------- */

static void *slot(const AnbParam *p, void *options)
{
    return (char *)options + p->offset;
}

static const void *slot_const(const AnbParam *p, const void *options)
{
    return (const char *)options + p->offset;
}

static double number_of(const AnbParam *p, const void *options)
{
    const void *at = slot_const(p, options);
    switch (p->kind) {
    case ANB_REAL:
        return *(const double *)at;
    case ANB_COUNT:
    case ANB_WORD:
        return *(const int *)at;
    case ANB_BOOL:
        return *(const bool *)at;
    default:
        return 0;
    }
}

static int parse_levels(const char *text, size_t n, AnbLevels *levels)
{
    size_t at = 0;
    levels->count = 0;
    while (at < n) {
        double value;
        at += strspn(text + at, " \t\r\n");
        int used = anb_number_parse(text + at, n - at, &value);
        if (used <= 0 || levels->count == ANB_LEVELS_MAX)
            return -1;
        levels->value[levels->count++] = value;
        at += (size_t)used;
        at += strspn(text + at, " \t\r\n");
        if (at < n && text[at++] != ',')
            return -1;
    }
    return levels->count > 0 ? 0 : -1;
}

static void set_default(const AnbParam *p, void *options)
{
    void *at = slot(p, options);
    switch (p->kind) {
    case ANB_REAL:
        *(double *)at = p->fallback;
        break;
    case ANB_COUNT:
    case ANB_WORD:
        *(int *)at = (int)p->fallback;
        break;
    case ANB_BOOL:
        *(bool *)at = p->fallback != 0;
        break;
    case ANB_SEED:
        *(uint64_t *)at = (uint64_t)p->fallback;
        break;
    case ANB_LEVELS:
        parse_levels(p->words, strlen(p->words), at);
        break;
    case ANB_RUNS:
        *(AnbRuns *)at = (AnbRuns){0};
        break;
    case ANB_ROUTER:
        *(AnbRouterChoice *)at = (AnbRouterChoice){anb_router_find(p->words, strlen(p->words)), NULL};
        break;
    }
}

static size_t bytes_of(AnbParamKind kind)
{
    switch (kind) {
    case ANB_COUNT:
    case ANB_WORD:
        return sizeof(int);
    case ANB_BOOL:
        return sizeof(bool);
    case ANB_LEVELS:
        return sizeof(AnbLevels);
    case ANB_RUNS:
        return sizeof(AnbRuns);
    case ANB_ROUTER:
        return sizeof(AnbRouterChoice);
    default:
        return sizeof(double);
    }
}

void anb_options_defaults(const StreamingLearnerType *type, void *options, size_t size)
{
    memset(options, 0, size);
    if (type->flags & ANB_SIZED_OPTIONS && size >= sizeof size)
        memcpy(options, &size, sizeof size);
    for (const AnbParam *p = type->params; p && p->name; p++)
        if (p->offset + bytes_of(p->kind) <= size)
            set_default(p, options);
}

int anb_options_take(const StreamingLearnerType *type, const void *given, void *own, AnbError *error)
{
    anb_options_defaults(type, own, type->options_size);
    if (given && type->flags & ANB_SIZED_OPTIONS)
        return anb_sized_take(type->name, own, type->options_size, given, error);
    if (given)
        memcpy(own, given, type->options_size);
    return 0;
}

/* ---- children -------------------------------------------------------------------------------------------------- */

int anb_check_children(const AnbExpert *expert, AnbError *error)
{
    unsigned least = expert->type->min_children, most = expert->type->max_children;
    if (expert->n_children >= least && expert->n_children <= most)
        return expert->n_children == 0 || anb_given(expert->children, "children", error) ? 0 : ANB_E_ARGUMENT;
    if (most == 0)
        return anb_fail(error, ANB_E_ARGUMENT, "%s takes no children, not %zu", expert->type->name, expert->n_children);
    if (least == most)
        return anb_fail(error, ANB_E_ARGUMENT, "%s takes %u %s, not %zu", expert->type->name, least,
                        least == 1 ? "child" : "children", expert->n_children);
    return anb_fail(error, ANB_E_ARGUMENT, "%s takes %u to %u children, not %zu", expert->type->name, least, most,
                    expert->n_children);
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

static bool inside(const AnbParam *p, double value)
{
    bool above = p->open & ANB_OPEN_MIN ? value > p->min : value >= p->min;
    bool below = p->open & ANB_OPEN_MAX ? value < p->max : value <= p->max;
    return above && below; /* a NaN is neither */
}

static int refuse(const StreamingLearnerType *type, const AnbParam *p, double value, AnbError *error)
{
    char given[32], low[32], high[32];
    anb_number_format(value, given);
    anb_number_format(p->min, low);
    anb_number_format(p->max, high);
    if (p->max >= 1e300)
        return anb_fail(error, ANB_E_ARGUMENT, "%s: %s = %s, which has to be %s %s", type->name, p->name, given,
                        p->open & ANB_OPEN_MIN ? "above" : "at least", low);
    return anb_fail(error, ANB_E_ARGUMENT, "%s: %s = %s is outside %c%s, %s%c", type->name, p->name, given,
                    p->open & ANB_OPEN_MIN ? '(' : '[', low, high, p->open & ANB_OPEN_MAX ? ')' : ']');
}

static int check_levels(const StreamingLearnerType *type, const AnbParam *p, const AnbLevels *levels, AnbError *error)
{
    if (levels->count < 1 || levels->count > ANB_LEVELS_MAX)
        return anb_fail(error, ANB_E_ARGUMENT, "%s: %s takes 1 to %d values", type->name, p->name, ANB_LEVELS_MAX);
    for (int i = 0; i < levels->count; i++)
        if (!inside(p, levels->value[i]))
            return refuse(type, p, levels->value[i], error);
    return 0;
}

static int check_runs(const StreamingLearnerType *type, const AnbParam *p, const AnbRuns *runs, AnbError *error)
{
    bool fine = runs->count >= 0 && runs->count <= ANB_RUNS_MAX;
    int rests = 0;
    for (int i = 0; i < runs->count && fine; i++) {
        fine = runs->letter[i] && strchr(p->words, runs->letter[i]) && runs->n[i] <= ANB_RUNS_LETTERS;
        rests += runs->n[i] == 0;
    }
    if (fine && rests <= 1)
        return 0;
    return anb_fail(error, ANB_E_ARGUMENT, "%s: %s takes up to %d runs of the letters %s, one of them '*' at most",
                    type->name, p->name, ANB_RUNS_MAX, p->words);
}

static int check_one(const StreamingLearnerType *type, const AnbParam *p, const void *options, AnbError *error)
{
    size_t length;
    double value = number_of(p, options);
    switch (p->kind) {
    case ANB_REAL:
    case ANB_COUNT:
        return inside(p, value) ? 0 : refuse(type, p, value, error);
    case ANB_WORD:
        if (word_at(p, (int)value, &length))
            return 0;
        return anb_fail(error, ANB_E_ARGUMENT, "%s: %s is none of %s", type->name, p->name, p->words);
    case ANB_LEVELS:
        return check_levels(type, p, slot_const(p, options), error);
    case ANB_RUNS:
        return check_runs(type, p, slot_const(p, options), error);
    case ANB_ROUTER: {
        const AnbRouterChoice *choice = slot_const(p, options);
        if (!choice->type)
            return anb_fail(error, ANB_E_ARGUMENT, "%s: %s names no router", type->name, p->name);
        return choice->options ? anb_params_check(&choice->type->type, choice->options, error) : 0;
    }
    default:
        return 0;
    }
}

static int check_distinct(const StreamingLearnerType *type, const AnbParam *p, const AnbLevels *levels, AnbError *error)
{
    char text[32];
    for (int i = 0; i < levels->count; i++)
        for (int j = 0; j < i; j++)
            if (levels->value[i] == levels->value[j]) {
                anb_number_format(levels->value[i], text);
                return anb_fail(error, ANB_E_ARGUMENT, "%s: %s holds %s twice", type->name, p->name, text);
            }
    return 0;
}

int anb_params_distinct(const StreamingLearnerType *type, const void *options, AnbError *error)
{
    int code = 0;
    for (const AnbParam *p = type->params; p && p->name && !code; p++)
        code = p->kind == ANB_LEVELS ? check_distinct(type, p, slot_const(p, options), error) : 0;
    return code;
}

int anb_params_check(const StreamingLearnerType *type, const void *options, AnbError *error)
{
    for (const AnbParam *p = type->params; p && p->name; p++) {
        int code = check_one(type, p, options, error);
        if (code)
            return code;
    }
    return 0;
}

/* ---- from text --------------------------------------------------------------------------------------------------- */

static int mismatch(const StreamingLearnerType *type, const AnbParam *p, const char *text, size_t n, const char *wanted,
                    AnbError *error)
{
    return anb_fail(error, ANB_E_SYNTAX, "%s: %s takes %s, not '%.*s'", type->name, p->name, wanted,
                    (int)(n < 40 ? n : 40), text);
}

static int parse_seed(const char *text, size_t n, uint64_t *seed)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (text[i] < '0' || text[i] > '9' || value > (UINT64_MAX - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    *seed = value;
    return n > 0 ? 0 : -1;
}

static int parse_word(const AnbParam *p, const char *text, size_t n, int *index)
{
    const char *word;
    size_t length;
    for (int i = 0; (word = word_at(p, i, &length)); i++)
        if (length == n && memcmp(word, text, n) == 0) {
            *index = i;
            return 0;
        }
    return -1;
}

static bool is_text(const char *text, size_t n, const char *wanted)
{
    return n == strlen(wanted) && memcmp(text, wanted, n) == 0;
}

static int parse_number(const StreamingLearnerType *type, const AnbParam *p, const char *text, size_t n, void *options,
                        AnbError *error)
{
    double value;
    if (anb_number_parse(text, n, &value) != (int)n)
        return mismatch(type, p, text, n, "a number", error);
    if (!inside(p, value))
        return refuse(type, p, value, error);
    if (p->kind == ANB_REAL)
        *(double *)slot(p, options) = value;
    else if (value == (int)value)
        *(int *)slot(p, options) = (int)value;
    else
        return mismatch(type, p, text, n, "a whole number", error);
    return 0;
}

static int parse_runs(const StreamingLearnerType *type, const AnbParam *p, const char *text, size_t n, AnbRuns *runs,
                      AnbError *error)
{
    bool quoted = n >= 2 && text[0] == '"' && text[n - 1] == '"';
    int code = quoted ? anb_runs_parse(text + 1, n - 2, p->words, runs) : ANB_E_SYNTAX;
    if (code == ANB_E_LIMIT)
        return anb_fail(error, code, "%s: %s has more than %d runs of letters", type->name, p->name, ANB_RUNS_MAX);
    char wanted[80];
    snprintf(wanted, sizeof wanted, "numbers and the letters %s in quotes, like \"3%.1s\"", p->words, p->words);
    return code ? mismatch(type, p, text, n, wanted, error) : check_runs(type, p, runs, error);
}

int anb_param_parse(const StreamingLearnerType *type, const AnbParam *p, const char *text, size_t n, void *options,
                    AnbError *error)
{
    void *at = slot(p, options);
    switch (p->kind) {
    case ANB_REAL:
    case ANB_COUNT:
        return parse_number(type, p, text, n, options, error);
    case ANB_BOOL:
        *(bool *)at = is_text(text, n, "true") || is_text(text, n, "1");
        if (!*(bool *)at && !is_text(text, n, "false") && !is_text(text, n, "0"))
            return mismatch(type, p, text, n, "true or false", error);
        return 0;
    case ANB_WORD:
        return parse_word(p, text, n, at) ? mismatch(type, p, text, n, p->words, error) : 0;
    case ANB_SEED:
        return parse_seed(text, n, at) ? mismatch(type, p, text, n, "a whole number below 2^64", error) : 0;
    case ANB_LEVELS:
        if (n < 2 || text[0] != '[' || text[n - 1] != ']' || parse_levels(text + 1, n - 2, at))
            return mismatch(type, p, text, n, "a list of up to 8 numbers in brackets", error);
        return check_levels(type, p, at, error);
    case ANB_RUNS:
        return parse_runs(type, p, text, n, at, error);
    default:
        return mismatch(type, p, text, n, "a router", error);
    }
}

/* ---- to text ----------------------------------------------------------------------------------------------------- */

bool anb_param_is_default(const AnbParam *p, const void *options)
{
    if (p->kind == ANB_SEED)
        return *(const uint64_t *)slot_const(p, options) == (uint64_t)p->fallback;
    if (p->kind == ANB_LEVELS) {
        const AnbLevels *given = slot_const(p, options);
        AnbLevels usual;
        parse_levels(p->words, strlen(p->words), &usual);
        return given->count == usual.count &&
               memcmp(given->value, usual.value, (size_t)usual.count * sizeof(double)) == 0;
    }
    if (p->kind == ANB_RUNS)
        return ((const AnbRuns *)slot_const(p, options))->count == 0;
    if (p->kind == ANB_ROUTER) {
        const AnbRouterChoice *choice = slot_const(p, options);
        return strcmp(choice->type->type.name, p->words) == 0;
    }
    return number_of(p, options) == p->fallback;
}

static size_t print_levels(const AnbLevels *levels, char *text, size_t size)
{
    size_t at = 0;
    for (int i = 0; i < levels->count; i++) {
        char number[32];
        anb_number_format(levels->value[i], number);
        at += (size_t)snprintf(text + at, size - at, "%s%s", i == 0 ? "[" : ", ", number);
    }
    return at + (size_t)snprintf(text + at, size - at, "]");
}

static size_t print_runs(const AnbRuns *runs, char *text, size_t size)
{
    char own[ANB_RUNS_TEXT];
    anb_runs_format(runs, own);
    return (size_t)snprintf(text, size, "\"%s\"", own);
}

size_t anb_param_print(const AnbParam *p, const void *options, char *text, size_t size)
{
    char number[32];
    size_t length = 0;
    switch (p->kind) {
    case ANB_BOOL:
        return (size_t)snprintf(text, size, "%s", number_of(p, options) != 0 ? "true" : "false");
    case ANB_WORD: {
        const char *word = word_at(p, (int)number_of(p, options), &length);
        return (size_t)snprintf(text, size, "%.*s", (int)length, word);
    }
    case ANB_SEED:
        return (size_t)snprintf(text, size, "%llu", (unsigned long long)*(const uint64_t *)slot_const(p, options));
    case ANB_LEVELS:
        return print_levels(slot_const(p, options), text, size);
    case ANB_RUNS:
        return print_runs(slot_const(p, options), text, size);
    case ANB_ROUTER:
        return (size_t)snprintf(text, size, "%s", ((const AnbRouterChoice *)slot_const(p, options))->type->type.name);
    default:
        anb_number_format(number_of(p, options), number);
        return (size_t)snprintf(text, size, "%s", number);
    }
}
