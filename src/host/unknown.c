/* Unknown words of an expression: what is added to error messages. */
#include "unknown.h"
#include "params.h"
#include <stdio.h>
#include <string.h>

/* A message that has no room for all of it ends in "..". */
static void add(AnbError *error, const char *format, const char *word)
{
    size_t n = strlen(error->message), room = sizeof error->message - n;
    if ((size_t)snprintf(error->message + n, room, format, word) >= room)
        memcpy(error->message + sizeof error->message - 3, "..", 3);
}

void anb_unknown_learner(AnbError *error, const char *word, size_t n, const StreamingLearnerType *above)
{
    if (!error)
        return;
    const AnbRouterType *router = anb_router_find(word, n);
    const AnbParam *option = above ? anb_params_find(above, word, n) : NULL;
    if (router)
        add(error, "; it is a router: moe(.., router=%s)", router->type.name);
    else if (option)
        add(error, "; it is an option: %s=VALUE", option->name);
}

void anb_known_options(AnbError *error, const char *what, const StreamingLearnerType *type)
{
    if (!error)
        return;
    add(error, "; %s", what);
    add(error, "%s has", type->name);
    for (const AnbParam *p = type->params; p && p->name; p++)
        add(error, p == type->params ? " %s" : ", %s", p->name);
    if (!type->params || !type->params->name)
        add(error, "%s", " none");
}
