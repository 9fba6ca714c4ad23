/*
 * A recursive descent parser. A value is kept as text until its param is known:
 *
 *     expression = name [ "(" [ item { "," item } ] ")" ]
 *     item       = key "=" value | expression
 *     value      = number | word | expression | "[" number { "," number } "]" | '"' text '"'
 */
#include "expression.h"
#include "params.h"
#include "plan.h"
#include "unknown.h"
#include <stdio.h>

enum { PARAMS_MAX = 64, CHILDREN_MAX = 4096 };

typedef struct Span {
    const char *at;
    size_t n;
} Span;

/* A key that is not the type's: given to its router once that has been parsed. */
typedef struct Forwarded {
    Span key, value;
} Forwarded;

typedef struct Parser {
    AnbArena *arena;
    const char *text, *at;
    const StreamingLearnerType *const *types;
    AnbError *error;
    int depth;
    const StreamingLearnerType *above; /* whose item is read; NULL at the root */
} Parser;

typedef struct Children {
    struct Children *next;
    AnbExpert expert;
} Children;

/* The state of the expression that is being parsed. */
typedef struct Reading {
    const StreamingLearnerType *type;
    void *options;
    AnbExpert *expert;
    const AnbParam *router; /* the type's ROUTER param, or NULL */
    uint64_t seen;          /* params that have been set, by index */
    bool seen_warmup, seen_name;
    Children *first, **last;
    size_t n_forwarded;
    Forwarded forwarded[PARAMS_MAX];
} Reading;

static int fail_at(Parser *p, const char *at, int code, const char *what, Span word)
{
    if (p->error) {
        anb_fail(p->error, code, "%s%s%.*s%s", what, word.n ? " '" : "", (int)(word.n < 60 ? word.n : 60),
                 word.n ? word.at : "", word.n ? "'" : "");
        p->error->position = (size_t)(at - p->text);
    }
    return code;
}

static int unknown_option(Parser *p, const char *what, Span key, const StreamingLearnerType *type)
{
    fail_at(p, key.at, ANB_E_UNKNOWN, what, key);
    anb_known_options(p->error, "", type);
    return ANB_E_UNKNOWN;
}

static int out_of_memory(Parser *p)
{
    return fail_at(p, p->at, ANB_E_MEMORY, "out of memory", (Span){0});
}

/* Adds the position to an error from a param's parser. */
static int explained(Parser *p, const char *at, int code)
{
    if (code && p->error)
        p->error->position = (size_t)(at - p->text);
    return code;
}

static void skip_blanks(Parser *p)
{
    p->at += strspn(p->at, " \t\r\n");
}

static bool accept(Parser *p, char c)
{
    skip_blanks(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static Span read_name(Parser *p)
{
    skip_blanks(p);
    Span name = {p->at, 0};
    if (is_letter(*p->at))
        while (is_word(p->at[name.n]))
            name.n++;
    p->at += name.n;
    return name;
}

/* The bytes of a value up to the comma or bracket that ends it, trailing blanks cut. */
static Span read_value(Parser *p)
{
    int depth = 0;
    skip_blanks(p);
    Span value = {p->at, 0};
    bool quoted = false;
    for (; *p->at; p->at++) {
        quoted ^= *p->at == '"';
        if (quoted)
            continue;
        if (depth == 0 && (*p->at == ',' || *p->at == ')'))
            break;
        depth += (*p->at == '(' || *p->at == '[') - (*p->at == ')' || *p->at == ']');
    }
    value.n = (size_t)(p->at - value.at);
    while (value.n > 0 && strchr(" \t\r\n", value.at[value.n - 1]))
        value.n--;
    return value;
}

/* One of the caller's own types by its name, or NULL. A router has neither predict nor update nor expand. */
static const StreamingLearnerType *find_own(const Parser *p, Span name, bool router)
{
    for (const StreamingLearnerType *const *own = p->types; own && *own; own++) {
        const StreamingLearnerType *type = *own;
        bool routes = !type->predict && !type->update && !type->expand;
        if (routes == router && type->name && strlen(type->name) == name.n && memcmp(type->name, name.at, name.n) == 0)
            return type;
    }
    return NULL;
}

/* The caller's own types come before the library's. */
static const StreamingLearnerType *find_type(const Parser *p, Span name)
{
    const StreamingLearnerType *own = find_own(p, name, false);
    return own ? own : anb_learner_find(name.at, name.n);
}

static const AnbRouterType *find_router(const Parser *p, Span name)
{
    const StreamingLearnerType *own = find_own(p, name, true);
    return own ? (const AnbRouterType *)own : anb_router_find(name.at, name.n);
}

static const AnbParam *router_param(const StreamingLearnerType *type)
{
    for (const AnbParam *q = type->params; q && q->name; q++)
        if (q->kind == ANB_ROUTER)
            return q;
    return NULL;
}

static int parse_expression(Parser *p, AnbExpert *expert);

/* ---- items ------------------------------------------------------------------------------------------------------- */

static bool is_attribute(Span key, const char *name)
{
    return key.n == strlen(name) && memcmp(key.at, name, key.n) == 0;
}

static int set_warmup(Parser *p, Reading *r, Span key, Span value)
{
    static const AnbParam warmup = {.name = "warmup", .kind = ANB_COUNT, .max = ANB_WARMUP_MAX};
    if (r->seen_warmup)
        return fail_at(p, key.at, ANB_E_SYNTAX, "a repeated key", key);
    r->seen_warmup = true;
    return explained(p, value.at, anb_param_parse(r->type, &warmup, value.at, value.n, &r->expert->warmup, p->error));
}

static int set_name(Parser *p, Reading *r, Span key, Span value)
{
    bool fine = value.n > 0 && value.n <= ANB_NAME_MAX && !r->seen_name;
    for (size_t i = 0; i < value.n; i++)
        fine = fine && is_word(value.at[i]);
    if (!fine)
        return fail_at(p, key.at, ANB_E_SYNTAX,
                       r->seen_name ? "a repeated key" : "a name is 1 to 64 of a-z, 0-9 and _, not",
                       r->seen_name ? key : value);
    r->seen_name = true;
    r->expert->name = anb_arena_text(p->arena, value.at, value.n);
    return r->expert->name ? 0 : out_of_memory(p);
}

/* An expression without children whose type is a router. */
static int parse_router(Parser *p, Reading *r)
{
    AnbRouterChoice *choice = (AnbRouterChoice *)((char *)r->options + r->router->offset);
    skip_blanks(p);
    const char *start = p->at;
    Span name = read_name(p);
    const AnbRouterType *router = find_router(p, name);
    if (!router)
        return fail_at(p, start, ANB_E_UNKNOWN, "an unknown router", name);
    void *options = anb_arena_take(p->arena, router->type.options_size);
    if (!options)
        return out_of_memory(p);
    anb_options_defaults(&router->type, options, router->type.options_size);
    *choice = (AnbRouterChoice){router, options};
    if (!accept(p, '('))
        return 0;
    uint64_t seen = 0;
    while (!accept(p, ')')) {
        if (seen && !accept(p, ','))
            return fail_at(p, p->at, ANB_E_SYNTAX, "expected ',' or ')'", (Span){0});
        Span key = read_name(p);
        if (key.n == 0 || !accept(p, '='))
            return fail_at(p, p->at, ANB_E_SYNTAX, "a router takes key=value only", (Span){0});
        const AnbParam *param = anb_params_find(&router->type, key.at, key.n);
        if (!param)
            return unknown_option(p, "the router has no option", key, &router->type);
        if (seen >> (param - router->type.params) & 1)
            return fail_at(p, key.at, ANB_E_SYNTAX, "a repeated key", key);
        seen |= (uint64_t)1 << (param - router->type.params);
        Span value = read_value(p);
        int code = anb_param_parse(&router->type, param, value.at, value.n, options, p->error);
        if (code)
            return explained(p, value.at, code);
    }
    return 0;
}

static int forward(Parser *p, Reading *r, Span key, Span value)
{
    for (size_t i = 0; i < r->n_forwarded; i++)
        if (r->forwarded[i].key.n == key.n && memcmp(r->forwarded[i].key.at, key.at, key.n) == 0)
            return fail_at(p, key.at, ANB_E_SYNTAX, "a repeated key", key);
    if (!r->router || r->n_forwarded == PARAMS_MAX)
        return unknown_option(p, "an unknown key", key, r->type);
    r->forwarded[r->n_forwarded++] = (Forwarded){key, value};
    return 0;
}

static int parse_keyed(Parser *p, Reading *r, Span key)
{
    const AnbParam *param = anb_params_find(r->type, key.at, key.n);
    if (!param && is_attribute(key, "warmup"))
        return set_warmup(p, r, key, read_value(p));
    if (!param && is_attribute(key, "name"))
        return set_name(p, r, key, read_value(p));
    if (!param)
        return forward(p, r, key, read_value(p));
    if (r->seen >> (param - r->type->params) & 1)
        return fail_at(p, key.at, ANB_E_SYNTAX, "a repeated key", key);
    r->seen |= (uint64_t)1 << (param - r->type->params);
    if (param->kind == ANB_ROUTER)
        return parse_router(p, r);
    Span value = read_value(p);
    return explained(p, value.at, anb_param_parse(r->type, param, value.at, value.n, r->options, p->error));
}

static int parse_child(Parser *p, Reading *r)
{
    Children *child = anb_arena_take(p->arena, sizeof *child);
    if (!child)
        return out_of_memory(p);
    *r->last = child;
    r->last = &child->next;
    if (++r->expert->n_children > CHILDREN_MAX)
        return fail_at(p, p->at, ANB_E_LIMIT, "more than 4096 children", (Span){0});
    p->above = r->type;
    return parse_expression(p, &child->expert);
}

static int parse_item(Parser *p, Reading *r)
{
    skip_blanks(p);
    const char *start = p->at;
    Span name = read_name(p);
    if (name.n == 0)
        return fail_at(p, p->at, ANB_E_SYNTAX, *p->at ? "expected a name here" : "the text ends too early", (Span){0});
    if (accept(p, '='))
        return parse_keyed(p, r, name);
    p->at = start;
    return parse_child(p, r);
}

/* ---- an expression ----------------------------------------------------------------------------------------------- */

static int deliver_forwarded(Parser *p, Reading *r)
{
    if (r->n_forwarded == 0)
        return 0;
    AnbRouterChoice *choice = (AnbRouterChoice *)((char *)r->options + r->router->offset);
    const StreamingLearnerType *type = &choice->type->type;
    void *options = anb_arena_take(p->arena, type->options_size);
    if (!options)
        return out_of_memory(p);
    if (choice->options)
        memcpy(options, choice->options, type->options_size);
    else
        anb_options_defaults(type, options, type->options_size);
    choice->options = options;
    for (size_t i = 0; i < r->n_forwarded; i++) {
        Forwarded *f = &r->forwarded[i];
        const AnbParam *param = anb_params_find(type, f->key.at, f->key.n);
        if (!param) {
            char what[96];
            snprintf(what, sizeof what, "neither %s nor its router has an option", r->type->name);
            unknown_option(p, what, f->key, r->type);
            anb_known_options(p->error, "the router ", type);
            return ANB_E_UNKNOWN;
        }
        int code = anb_param_parse(type, param, f->value.at, f->value.n, options, p->error);
        if (code)
            return explained(p, f->value.at, code);
    }
    return 0;
}

static int gather_children(Parser *p, Reading *r)
{
    AnbExpert *children = anb_arena_take(p->arena, r->expert->n_children * sizeof *children);
    if (!children)
        return out_of_memory(p);
    size_t i = 0;
    for (Children *c = r->first; c; c = c->next)
        children[i++] = c->expert;
    r->expert->children = children;
    return 0;
}

static int parse_items(Parser *p, Reading *r)
{
    for (bool first = true; !accept(p, ')'); first = false) {
        if (!first && !accept(p, ','))
            return fail_at(p, p->at, ANB_E_SYNTAX, *p->at ? "expected ',' or ')'" : "the text ends too early",
                           (Span){0});
        int code = parse_item(p, r);
        if (code)
            return code;
    }
    return 0;
}

static int parse_expression(Parser *p, AnbExpert *expert)
{
    if (++p->depth > ANB_DEPTH_MAX)
        return fail_at(p, p->at, ANB_E_LIMIT, "more than 32 deep", (Span){0});
    Span name = read_name(p);
    if (name.n == 0)
        return fail_at(p, p->at, ANB_E_SYNTAX, "expected the name of a learner, in lower case", (Span){0});
    const StreamingLearnerType *type = find_type(p, name);
    if (!type) {
        fail_at(p, name.at, ANB_E_UNKNOWN, "an unknown learner", name);
        anb_unknown_learner(p->error, name.at, name.n, p->above);
        return ANB_E_UNKNOWN;
    }
    void *options = anb_arena_take(p->arena, type->options_size);
    if (!options)
        return out_of_memory(p);
    anb_options_defaults(type, options, type->options_size);
    *expert = (AnbExpert){.type = type, .options = options};
    Reading r = {.type = type, .options = options, .expert = expert, .router = router_param(type)};
    r.last = &r.first;
    int code = accept(p, '(') ? parse_items(p, &r) : 0;
    if (!code)
        code = deliver_forwarded(p, &r);
    if (!code)
        code = gather_children(p, &r);
    if (!code)
        code = explained(p, name.at, anb_check_children(expert, p->error));
    p->depth--;
    return code;
}

AnbExpert *anb_expression_parse(AnbArena *arena, const char *text, size_t limit,
                                const StreamingLearnerType *const *types, AnbError *error)
{
    Parser p = {.arena = arena, .text = text, .at = text, .types = types, .error = error};
    if (strnlen(text, limit + 1) > limit) {
        fail_at(&p, text + limit, ANB_E_LIMIT, "an expression is at most 64 KiB", (Span){0});
        return NULL;
    }
    AnbExpert *root = anb_arena_take(arena, sizeof *root);
    if (!root) {
        out_of_memory(&p);
        return NULL;
    }
    if (parse_expression(&p, root))
        return NULL;
    skip_blanks(&p);
    if (*p.at) {
        fail_at(&p, p.at, ANB_E_SYNTAX, "text behind the end of the expression", (Span){0});
        return NULL;
    }
    return root;
}
