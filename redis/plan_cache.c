/*
 * Plans in use: a hash table of lists of models with the same expression. A new model uses the plan of an existing
 * equal one, so that a million equal models share one plan. One lock guards all of it, since the server may free models
 * in background threads.
 */
#include "plan_cache.h"
#include "model.h"
#include "statistics.h"
#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Model **table; /* open addressing; each slot one model of its ring */
static size_t n_slots;
static _Atomic uint64_t n_rings, n_models; /* changed under the lock, read without it */
static uint64_t salt;                      /* so that clients cannot choose models that share a slot */

static uint64_t mixed(uint64_t h)
{
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

/* The seed, where models of one expression differ by it; else 0. */
static uint64_t seed_of(const StreamingLearner *learner)
{
    return anb_reads_seed(learner) ? anb_seed(learner) : 0;
}

static uint64_t hash_of(const StreamingLearner *learner)
{
    uint64_t h = mixed(mixed(salt ^ seed_of(learner)) + anb_n_features(learner));
    for (const char *at = anb_expression(learner); *at; at++)
        h = (h ^ (unsigned char)*at) * 1099511628211u;
    return mixed(h);
}

static bool alike(const Model *a, const Model *b)
{
    return seed_of(a->learner) == seed_of(b->learner) && anb_n_features(a->learner) == anb_n_features(b->learner) &&
           strcmp(anb_expression(a->learner), anb_expression(b->learner)) == 0;
}

/* The slot of the ring of equal models, or the empty slot where it would be inserted. Slots are probed one by one. */
static Model **find(const Model *model)
{
    size_t at = hash_of(model->learner) & (n_slots - 1);
    while (table[at] && !alike(table[at], model))
        at = (at + 1) & (n_slots - 1);
    return &table[at];
}

static void grow(void)
{
    Model **old = table;
    size_t old_slots = n_slots;
    n_slots = old_slots ? 2 * old_slots : 64;
    salt = salt ? salt : mixed(anb_now_ns() ^ (uintptr_t)&lock);
    table = RedisModule_Alloc(n_slots * sizeof *table);
    memset(table, 0, n_slots * sizeof *table);
    for (size_t i = 0; i < old_slots; i++)
        if (old[i])
            *find(old[i]) = old[i];
    RedisModule_Free(old);
}

void anb_plan_cache_add(Model *model)
{
    pthread_mutex_lock(&lock);
    if (2 * (n_rings + 1) > n_slots)
        grow();
    Model **ring = find(model);
    if (*ring) {
        anb_share_plan(model->learner, (*ring)->learner);
        model->next = *ring;
        model->previous = (*ring)->previous;
        model->previous->next = model->next->previous = model;
    } else {
        *ring = model->next = model->previous = model;
        n_rings++;
    }
    n_models++;
    pthread_mutex_unlock(&lock);
}

/* Moves later entries of the same run of slots up, so that no search ends at the freed slot. */
static void close_hole(Model **hole)
{
    size_t at = (size_t)(hole - table);
    *hole = NULL;
    for (at = (at + 1) & (n_slots - 1); table[at]; at = (at + 1) & (n_slots - 1)) {
        Model *moved = table[at];
        table[at] = NULL;
        *find(moved) = moved;
    }
}

void anb_plan_cache_remove(Model *model)
{
    pthread_mutex_lock(&lock);
    Model **ring = find(model);
    if (model->next == model) {
        close_hole(ring);
        n_rings--;
    } else {
        model->next->previous = model->previous;
        model->previous->next = model->next;
        *ring = *ring == model ? model->next : *ring;
    }
    n_models--;
    pthread_mutex_unlock(&lock);
}

/* Under the lock, since other threads read this model's learner while they search. */
StreamingLearner *anb_plan_cache_swap(Model *model, StreamingLearner *learner)
{
    pthread_mutex_lock(&lock);
    StreamingLearner *old = model->learner;
    model->learner = learner;
    pthread_mutex_unlock(&lock);
    return old;
}

Model *anb_plan_cache_relocate(Model *model, AnbMove move, void *context)
{
    pthread_mutex_lock(&lock);
    Model **ring = find(model);
    bool alone = model->next == model, first = *ring == model;
    model->learner = anb_relocate(model->learner, move, context);
    Model *now = move(model, context);
    if (now) {
        now->next = alone ? now : now->next;
        now->previous = alone ? now : now->previous;
        now->next->previous = now->previous->next = now;
        *ring = first ? now : *ring;
        model = now;
    }
    pthread_mutex_unlock(&lock);
    return model;
}

bool anb_plan_cache_alone(const Model *model)
{
    pthread_mutex_lock(&lock);
    bool alone = model->next == model;
    pthread_mutex_unlock(&lock);
    return alone;
}

uint64_t anb_plan_cache_models(void)
{
    return n_models;
}

uint64_t anb_plan_cache_plans(void)
{
    return n_rings;
}
