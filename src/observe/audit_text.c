/*
 * The rule language: a recursive descent that writes formulas as postfix.
 *
 *     text      = { statement ( ";" | newline ) }
 *     statement = name "=" "ramp" "(" operand "," number [ "," "slope" "=" number ] ")"
 *               | [ name "=" ] number "::" implies [ "!" ( "never" | implies ) ]
 *     operand   = [ number ( "+" | "-" ) ] name [ "[" number "]" ]
 *     implies   = or [ "->" implies ]      or = and { "|" and }      and = not { "&" not }
 *     not       = "~" not | "(" implies ")" | name
 */
#include "audit.h"
#include "diagnostics.h"
#include "src/text/words.h"
#include "src/numeric/elementary.h"
#include <anabranch/number.h>
#include <stdio.h>

typedef struct Reader {
    AnbRuleBook *book;
    const AnbDiagnostics *diagnostics;
    const char *text;
    size_t at, depth;
    AnbRule *rule;
    AnbFormula *into;
    AnbError *error;
    int code;
} Reader;

typedef struct Name {
    const char *text;
    size_t n, at;
} Name;

/* The first error stays. */
static bool fail(Reader *r, int code, size_t at, const char *what)
{
    if (r->code == 0) {
        r->code = anb_fail(r->error, code, "rules, byte %zu: %s", at, what);
        if (r->error)
            r->error->position = at;
    }
    return false;
}

/* A name that nothing has. */
static bool fail_unknown(Reader *r, const Name *name, const char *what)
{
    char text[80];
    snprintf(text, sizeof text, "no such %s: '%.*s'", what, (int)(name->n < 48 ? name->n : 48), name->text);
    return fail(r, ANB_E_UNKNOWN, name->at, text);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static void skip_blanks(Reader *r)
{
    while (r->text[r->at] == ' ' || r->text[r->at] == '\t' || r->text[r->at] == '\r')
        r->at++;
}

static bool take(Reader *r, const char *token)
{
    skip_blanks(r);
    size_t n = strlen(token);
    if (strncmp(r->text + r->at, token, n) != 0)
        return false;
    r->at += n;
    return true;
}

static bool need(Reader *r, const char *token)
{
    char what[48];
    if (take(r, token))
        return true;
    snprintf(what, sizeof what, "`%s` is missing", token);
    return fail(r, ANB_E_SYNTAX, r->at, what);
}

static bool name_byte(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return letter || (!first && c >= '0' && c <= '9');
}

static bool read_name(Reader *r, Name *name)
{
    skip_blanks(r);
    *name = (Name){r->text + r->at, 0, r->at};
    while (name_byte(name->text[name->n], name->n == 0))
        name->n++;
    r->at += name->n;
    if (name->n == 0)
        return fail(r, ANB_E_SYNTAX, r->at, "a name is missing");
    return name->n < ANB_AUDIT_NAME ? true : fail(r, ANB_E_LIMIT, name->at, "a name is longer than 47 bytes");
}

static bool read_number(Reader *r, double *value)
{
    skip_blanks(r);
    int n = anb_number_parse(r->text + r->at, strspn(r->text + r->at, "+-.0123456789eE"), value);
    if (n < 0 || *value - *value != 0)
        return fail(r, ANB_E_SYNTAX, r->at, "a number is missing");
    r->at += (size_t)n;
    return true;
}

static bool same(const Name *name, const char *text)
{
    return anb_same_word(text, name->text, name->n);
}

static int find_predicate(const AnbRuleBook *book, const Name *name)
{
    for (size_t i = 0; i < book->n_predicates; i++)
        if (same(name, book->predicate[i].name))
            return (int)i;
    return -1;
}

/* ---- formulas ---------------------------------------------------------------------------------------------------- */

static bool read_implies(Reader *r);

static bool emit(Reader *r, int code)
{
    if (r->into->n == sizeof r->into->code)
        return fail(r, ANB_E_LIMIT, r->at, "a formula has more than 128 parts");
    r->into->code[r->into->n++] = (signed char)code;
    return true;
}

static bool read_atom(Reader *r)
{
    Name name;
    if (take(r, "("))
        return read_implies(r) && need(r, ")");
    if (!read_name(r, &name))
        return false;
    int i = find_predicate(r->book, &name);
    return i < 0 ? fail_unknown(r, &name, "predicate") : emit(r, i);
}

static bool read_not(Reader *r)
{
    bool odd = false;
    while (take(r, "~"))
        odd = !odd;
    return read_atom(r) && (!odd || emit(r, ANB_OP_NOT));
}

static bool read_and(Reader *r)
{
    if (!read_not(r))
        return false;
    while (take(r, "&"))
        if (!read_not(r) || !emit(r, ANB_OP_AND))
            return false;
    return true;
}

static bool read_or(Reader *r)
{
    if (!read_and(r))
        return false;
    while (take(r, "|"))
        if (!read_and(r) || !emit(r, ANB_OP_OR))
            return false;
    return true;
}

static bool read_implies(Reader *r)
{
    if (++r->depth > ANB_AUDIT_DEPTH)
        return fail(r, ANB_E_LIMIT, r->at, "a formula is nested deeper than 32");
    bool fine = read_or(r);
    if (fine && take(r, "->"))
        fine = read_implies(r) && emit(r, ANB_OP_IMPLIES);
    r->depth--;
    return fine;
}

/* ---- statements -------------------------------------------------------------------------------------------------- */

static bool metric_of_step(AnbPredicate *p, const Name *name)
{
    for (int i = 0; i < ANB_AUDIT_METRIC_COUNT; i++)
        if (same(name, anb_audit_metric_name((AnbAuditMetric)i)))
            p->step = i;
    return p->step >= 0;
}

static bool read_metric(Reader *r, AnbPredicate *p)
{
    Name name;
    double expert = 0;
    if (!read_name(r, &name))
        return false;
    p->step = -1;
    if (metric_of_step(p, &name))
        return true;
    int id = anb_metric_find(name.text, name.n);
    if (id < 0)
        return fail_unknown(r, &name, "metric");
    if (!r->diagnostics)
        return fail(r, ANB_E_UNSUPPORTED, name.at, "this metric needs the diagnostics of the model");
    AnbMetricShape shape = anb_metrics()[id].shape;
    bool indexed = take(r, "[");
    if (indexed && !(read_number(r, &expert) && need(r, "]")))
        return false;
    if (shape == ANB_OF_PAIR || shape == ANB_OF_LEVEL || shape == ANB_OF_FEATURE)
        return fail(r, ANB_E_UNSUPPORTED, name.at, "rules read metrics of the model, the mixture and its experts");
    if (indexed != (shape == ANB_OF_EXPERT))
        return fail(r, ANB_E_SYNTAX, name.at, "a metric of experts needs [i], others take none");
    if (!(expert >= 0 && expert == floor(expert) && expert < (double)(indexed ? r->diagnostics->k : 1)))
        return fail(r, ANB_E_ARGUMENT, name.at, "no such expert");
    p->metric = (AnbMetricId)id;
    p->expert = (size_t)expert;
    return true;
}

static bool read_operand(Reader *r, AnbPredicate *p)
{
    double base;
    skip_blanks(r);
    p->base = 0;
    p->sign = 1;
    if (name_byte(r->text[r->at], true))
        return read_metric(r, p);
    if (!read_number(r, &base))
        return false;
    p->base = base;
    p->sign = take(r, "-") ? -1 : 1;
    return (p->sign < 0 || need(r, "+")) && read_metric(r, p);
}

static bool read_ramp(Reader *r, AnbPredicate *p)
{
    p->slope = 12;
    if (!(need(r, "(") && read_operand(r, p) && need(r, ",") && read_number(r, &p->offset)))
        return false;
    if (take(r, ",") && !(need(r, "slope") && need(r, "=") && read_number(r, &p->slope)))
        return false;
    p->factor = anb_exp(-.1 * p->slope);
    return need(r, ")");
}

static bool read_predicate(Reader *r, const Name *name)
{
    AnbRuleBook *book = r->book;
    AnbPredicate p = {.truth = {0, 1}};
    int at = find_predicate(book, name);
    if (at < 0 && book->n_predicates == ANB_AUDIT_MAX)
        return fail(r, ANB_E_LIMIT, name->at, "more than 64 predicates");
    memcpy(p.name, name->text, name->n);
    if (!read_ramp(r, &p))
        return false;
    book->predicate[at < 0 ? book->n_predicates++ : (size_t)at] = p;
    return true;
}

static bool read_formula(Reader *r, AnbFormula *into)
{
    r->depth = 0;
    r->into = into;
    return read_implies(r);
}

/* What an alarm needs as well. */
static bool read_alarm(Reader *r)
{
    Name name;
    if (!take(r, "!"))
        return true;
    skip_blanks(r);
    size_t start = r->at;
    r->rule->never = name_byte(r->text[r->at], true) && read_name(r, &name) && same(&name, "never");
    if (r->rule->never)
        return true;
    r->at = start;
    return read_formula(r, &r->rule->when);
}

static bool read_rule(Reader *r, const Name *name)
{
    AnbRuleBook *book = r->book;
    size_t start = r->at;
    if (book->n_rules == ANB_AUDIT_MAX)
        return fail(r, ANB_E_LIMIT, r->at, "more than 64 rules");
    r->rule = &book->rule[book->n_rules];
    memset(r->rule, 0, sizeof *r->rule);
    if (name)
        memcpy(r->rule->name, name->text, name->n);
    else
        snprintf(r->rule->name, sizeof r->rule->name, "rule_%zu", book->n_rules);
    for (size_t i = 0; i < book->n_rules; i++)
        if (strcmp(book->rule[i].name, r->rule->name) == 0)
            return fail(r, ANB_E_SYNTAX, name ? name->at : start, "two rules have the same name");
    skip_blanks(r);
    start = r->at;
    if (!read_number(r, &r->rule->weight))
        return false;
    if (!(r->rule->weight > 0 && r->rule->weight <= 1))
        return fail(r, ANB_E_ARGUMENT, start, "a weight is outside (0, 1]");
    if (!need(r, "::") || !read_formula(r, &r->rule->formula) || !read_alarm(r))
        return false;
    book->n_rules++;
    return true;
}

static bool read_statement(Reader *r)
{
    Name name, next;
    if (!name_byte(r->text[r->at], true))
        return read_rule(r, NULL);
    if (!read_name(r, &name) || !need(r, "="))
        return false;
    skip_blanks(r);
    if (!name_byte(r->text[r->at], true))
        return read_rule(r, &name);
    if (!read_name(r, &next))
        return false;
    return same(&next, "ramp") ? read_predicate(r, &name)
                               : fail(r, ANB_E_SYNTAX, next.at, "ramp(...) or a weight is missing");
}

static void skip_between(Reader *r)
{
    for (;; r->at++) {
        skip_blanks(r);
        if (r->text[r->at] == '#')
            while (r->text[r->at + 1] && r->text[r->at + 1] != '\n')
                r->at++;
        else if (r->text[r->at] != ';' && r->text[r->at] != '\n')
            return;
    }
}

int anb_rules_parse(AnbRuleBook *book, const char *text, const AnbDiagnostics *diagnostics, AnbError *error)
{
    Reader r = {.book = book, .diagnostics = diagnostics, .text = text, .error = error};
    if (strlen(text) > 65536)
        fail(&r, ANB_E_LIMIT, 65536, "longer than 64 KiB");
    for (skip_between(&r); r.code == 0 && text[r.at]; skip_between(&r)) {
        if (!read_statement(&r))
            break;
        skip_blanks(&r);
        if (!strchr(";\n#", text[r.at]))
            fail(&r, ANB_E_SYNTAX, r.at, "the statement should end here");
    }
    return r.code;
}
