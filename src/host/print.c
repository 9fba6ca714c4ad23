/* The canonical expression of a plan's node: children, then every option that is not its default, then attributes. */
#include "expression.h"
#include "params.h"
#include <stdio.h>

typedef struct Printer {
    char *text;
    size_t size, at;
    bool full; /* defaults as well */
    bool open; /* a bracket has been written for the current node */
} Printer;

static void put(Printer *p, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++, p->at++)
        if (p->at + 1 < p->size)
            p->text[p->at] = text[i];
}

static void put_text(Printer *p, const char *text)
{
    put(p, text, strlen(text));
}

static void put_item(Printer *p, const char *key)
{
    put_text(p, p->open ? ", " : "(");
    p->open = true;
    put_text(p, key);
    put_text(p, key[0] ? "=" : "");
}

static void put_node(Printer *p, const AnbNode *node);

static void put_param(Printer *p, const AnbNode *node, const AnbParam *param)
{
    char value[ANB_RUNS_TEXT + 2];
    if (param->kind == ANB_ROUTER) {
        /* a default router with default options needs no word */
        Printer probe = {.size = 0};
        put_node(&probe, node->router);
        if (!p->full && anb_param_is_default(param, node->options) && probe.at == strlen(node->router->type->name))
            return;
        put_item(p, param->name);
        put_node(p, node->router);
        p->open = true;
        return;
    }
    if (!p->full && anb_param_is_default(param, node->options))
        return;
    put_item(p, param->name);
    put(p, value, anb_param_print(param, node->options, value, sizeof value));
}

static void put_node(Printer *p, const AnbNode *node)
{
    char number[16];
    p->open = false;
    put_text(p, node->type->name);
    for (size_t i = 0; i < node->n_children; i++) {
        put_item(p, "");
        put_node(p, &node->children[i]);
        p->open = true;
    }
    for (const AnbParam *q = node->type->params; q && q->name; q++)
        put_param(p, node, q);
    if (node->warmup > 0) {
        put_item(p, "warmup");
        put(p, number, (size_t)snprintf(number, sizeof number, "%d", node->warmup));
    }
    if (node->name) {
        put_item(p, "name");
        put_text(p, node->name);
    }
    put_text(p, p->open ? ")" : "");
}

size_t anb_expression_print(const AnbNode *node, bool full, char *text, size_t size)
{
    Printer p = {.text = text, .size = size, .full = full};
    put_node(&p, node);
    if (size > 0)
        text[p.at < size ? p.at : size - 1] = 0;
    return p.at;
}
