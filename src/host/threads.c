#include "threads.h"
#include "scheduler.h"
#include "model.h"
#include "src/text/given.h"
#include <anabranch/workers.h>
#include <stdlib.h>

struct AnbThreads {
    AnbTeam *team;
    AnbScheduler **scheduler;
    size_t n;
};

/* Where the node keeps its scheduler, or NULL. */
static AnbScheduler **place_of(const StreamingLearner *model, const AnbNode *node)
{
    const AnbField *fields = node->type->scratch;
    for (size_t i = 0; fields && fields[i].name; i++)
        if (fields[i].part == &anb_scheduler_part)
            return anb_scratch(node, anb_scratch_of(model, node), i);
    return NULL;
}

/* Sets the scheduler of every outermost node that can use one: a new one, or, for a node around a mixture, the
 * mixture's. False: out of memory. */
static bool give(const StreamingLearner *model, const AnbNode *node, AnbThreads *threads, AnbScheduler **around)
{
    AnbScheduler **place = place_of(model, node);
    if (!place) {
        bool fine = true;
        for (size_t i = 0; i < node->n_children && fine; i++)
            fine = give(model, &node->children[i], threads, NULL);
        return fine;
    }
    if (!node->type->mixture)
        return give(model, &node->children[0], threads, place);
    AnbScheduler *scheduler = *place = anb_scheduler_new(threads->team, node->n_children);
    if (scheduler)
        threads->scheduler[threads->n++] = scheduler;
    if (around)
        *around = scheduler;
    return scheduler;
}

static void take_back(const StreamingLearner *model)
{
    for (size_t i = 0; i < model->plan->n_nodes; i++) {
        AnbScheduler **place = place_of(model, &model->plan->nodes[i]);
        if (place)
            *place = NULL;
    }
}

void anb_threads_free(AnbThreads *threads)
{
    if (!threads)
        return;
    for (size_t i = 0; i < threads->n; i++)
        anb_scheduler_free(threads->scheduler[i]);
    anb_team_free(threads->team);
    free(threads->scheduler);
    free(threads);
}

/* As many schedulers as the model has nodes are enough. */
static AnbThreads *begin(const StreamingLearner *model, size_t n)
{
    AnbThreads *threads = calloc(1, sizeof *threads);
    if (!threads)
        return NULL;
    threads->scheduler = calloc(model->plan->n_nodes, sizeof(AnbScheduler *));
    threads->team = threads->scheduler ? anb_team_new(n) : NULL;
    if (threads->team && give(model, &model->plan->nodes[0], threads, NULL))
        return threads;
    take_back(model);
    anb_threads_free(threads);
    return NULL;
}

int anb_use_threads(StreamingLearner *model, size_t threads, AnbError *error)
{
    if (!anb_given(model, "model", error))
        return ANB_E_ARGUMENT;
    if (threads > ANB_POOL_THREADS_MAX)
        return anb_fail(error, ANB_E_ARGUMENT, "threads = %zu is outside [0, %d]", threads, ANB_POOL_THREADS_MAX);
    if (threads == 1 && !model->attached)
        return 0;
    AnbAttached *attached = anb_attach(model);
    if (!attached)
        return anb_fail(error, ANB_E_MEMORY, "out of memory");
    take_back(model);
    anb_threads_free(attached->threads);
    attached->threads = NULL;
    if (threads == 1)
        return 0;
    attached->threads = begin(model, threads);
    return attached->threads ? 0 : anb_fail(error, ANB_E_MEMORY, "no memory or threads for %zu", threads);
}
