/* Saving in the background: a copy of the model, and a thread that writes it. */
#include "forks.h"
#include "model.h"
#include "snapshot.h"
#include <anabranch/snapshot.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct AnbSaving {
    pthread_t thread;
    bool threaded;
    unsigned forks; /* when the thread was started */
    atomic_bool done;
    StreamingLearner *copy;
    AnbSnapshotExtras extras;
    char *path;
    AnbError error;
    int code;
    void *memory; /* of path and extras */
};

/* ---- copying extras ---------------------------------------------------------------------------------------------- */

/* Memory that is used up from its start; `memory` NULL: bytes are only counted. */
typedef struct Room {
    char *memory;
    size_t used;
} Room;

static void *room_for(Room *room, size_t size)
{
    void *at = room->memory ? room->memory + room->used : NULL;
    room->used += (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    return at;
}

static void *copied(Room *room, const void *bytes, size_t size)
{
    void *at = room_for(room, size);
    if (at && size > 0)
        memcpy(at, bytes, size);
    return at;
}

static char *copied_text(Room *room, const char *text)
{
    return text ? copied(room, text, strlen(text) + 1) : NULL;
}

static void copy_names(Room *room, const AnbSnapshotExtras *from, size_t n, AnbSnapshotExtras *to)
{
    if (!from->features)
        return;
    const char **names = room_for(room, n * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        char *name = copied_text(room, from->features[i]);
        if (names)
            names[i] = name;
    }
    to->features = names;
}

static void copy_notes(Room *room, const AnbSnapshotExtras *from, AnbSnapshotExtras *to)
{
    AnbNote *notes = room_for(room, from->n_notes * sizeof *notes);
    for (size_t i = 0; i < from->n_notes; i++) {
        const AnbNote *note = &from->notes[i];
        AnbNote own = {copied_text(room, note->key), copied(room, note->value, note->size), note->size};
        if (notes)
            notes[i] = own;
    }
    to->notes = notes;
    to->n_notes = from->n_notes;
}

static void copy_all(AnbSaving *saving, Room *room, const AnbSnapshotExtras *extras, size_t n_features,
                     const char *path)
{
    saving->path = copied_text(room, path);
    saving->extras = (AnbSnapshotExtras){.target = copied_text(room, extras->target)};
    copy_names(room, extras, n_features, &saving->extras);
    copy_notes(room, extras, &saving->extras);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void *write_copy(void *context)
{
    AnbSaving *saving = context;
    saving->code = anb_save(saving->copy, &saving->extras, saving->path, &saving->error);
    atomic_store(&saving->done, true);
    return NULL;
}

static AnbSaving *begin(const StreamingLearner *model, const AnbSnapshotExtras *extras, const char *path,
                        AnbError *error)
{
    Room count = {NULL, 0};
    AnbSaving *saving = calloc(1, sizeof *saving);
    if (saving) {
        copy_all(saving, &count, extras, anb_n_features(model), path);
        saving->memory = malloc(count.used);
    }
    if (!saving || !saving->memory) {
        free(saving);
        anb_fail(error, ANB_E_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    copy_all(saving, &(Room){saving->memory, 0}, extras, anb_n_features(model), path);
    return saving;
}

AnbSaving *anb_save_aside(const StreamingLearner *model, const AnbSnapshotExtras *extras, const char *path,
                          AnbError *error)
{
    static const AnbSnapshotExtras none;
    extras = extras ? extras : &none;
    if (!path) {
        anb_fail(error, ANB_E_ARGUMENT, "no path to save to");
        return NULL;
    }
    AnbSaving *saving = anb_extras_check(model, extras, error) ? NULL : begin(model, extras, path, error);
    if (!saving)
        return NULL;
    saving->copy = anb_clone(model, error);
    if (!saving->copy) {
        anb_name_file(error, path);
        free(saving->memory);
        free(saving);
        return NULL;
    }
    saving->threaded = !anb_forks_watch() && pthread_create(&saving->thread, NULL, write_copy, saving) == 0;
    saving->forks = anb_forks();
    if (!saving->threaded)
        write_copy(saving);
    return saving;
}

/* Whether the thread belongs to the process that this one was forked from. */
static bool is_parents(const AnbSaving *saving)
{
    return saving->threaded && saving->forks != anb_forks();
}

bool anb_saving_done(const AnbSaving *saving)
{
    return atomic_load(&saving->done) || is_parents(saving);
}

int anb_saving_end(AnbSaving *saving, AnbError *error)
{
    if (!saving)
        return 0;
    if (is_parents(saving)) {
        if (!atomic_load(&saving->done))
            saving->code = anb_fail(&saving->error, ANB_E_UNSUPPORTED,
                                    "%.160s: the process that this one was forked of saves there", saving->path);
    } else if (saving->threaded)
        pthread_join(saving->thread, NULL);
    int code = saving->code;
    if (code && error)
        *error = saving->error;
    anb_free(saving->copy);
    free(saving->memory);
    free(saving);
    return code;
}
