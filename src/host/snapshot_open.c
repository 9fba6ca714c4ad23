/*
 * Opening a snapshot. Its content is not trusted: the checksum is verified first, and every length is compared with the
 * bytes that are left before anything is read or allocated by it.
 */
#include "bytes.h"
#include "model.h"
#include "src/text/checksum.h"
#include "snapshot.h"

/* The caller's struct, followed by its data in the same piece of memory. */
typedef struct Opened {
    AnbSnapshot view;
    AnbAllocator allocator;
    void *owned; /* a file's bytes, or NULL */
} Opened;

typedef struct Cursor {
    const unsigned char *at, *end;
    bool bad; /* data ended too early or were invalid */
} Cursor;

static size_t left(const Cursor *c)
{
    return (size_t)(c->end - c->at);
}

static const unsigned char *get(Cursor *c, uint64_t n)
{
    const unsigned char *at = c->at;
    if (c->bad || n > left(c)) {
        c->bad = true;
        return NULL;
    }
    c->at += n;
    return at;
}

static uint32_t get_u32(Cursor *c)
{
    uint32_t value = 0;
    const unsigned char *at = get(c, 4);
    if (at)
        anb_copy_scalars(&value, at, 4, 1);
    return value;
}

static uint64_t get_u64(Cursor *c)
{
    uint64_t value = 0;
    const unsigned char *at = get(c, 8);
    if (at)
        anb_copy_scalars(&value, at, 8, 1);
    return value;
}

/* Terminated, without a 0 inside; never NULL. */
static const char *get_text(Cursor *c)
{
    uint64_t n = get_u32(c);
    const char *text = (const char *)get(c, n + 1);
    if (!text || strnlen(text, n + 1) != n) {
        c->bad = true;
        return "";
    }
    return text;
}

/* Reads a count of items of at least `least` bytes each; it is checked against the bytes left, which bounds the memory
 * that is allocated for them. */
static size_t get_count(Cursor *c, size_t least)
{
    uint32_t n = get_u32(c);
    if (n > left(c) / least)
        c->bad = true;
    return c->bad ? 0 : n;
}

/* ---- the head ---------------------------------------------------------------------------------------------------- */

static int check_head(const unsigned char *bytes, size_t size, AnbError *error)
{
    Cursor c = {bytes + sizeof anb_snapshot_magic, bytes + ANB_SNAPSHOT_HEAD, false};
    size_t magic = size < sizeof anb_snapshot_magic ? size : sizeof anb_snapshot_magic;
    if (memcmp(bytes, anb_snapshot_magic, magic) != 0)
        return anb_fail(error, ANB_E_FORMAT, "this is not a snapshot of anabranch");
    if (size < ANB_SNAPSHOT_HEAD)
        return anb_fail(error, ANB_E_TRUNCATED, "the snapshot ends after %zu bytes", size);
    uint32_t format = get_u32(&c), mark = get_u32(&c);
    uint64_t wanted = get_u64(&c);
    if (mark != ANB_SNAPSHOT_MARK)
        return anb_fail(error, ANB_E_FORMAT, "the snapshot's bytes are in another order");
    if (format != ANB_SNAPSHOT_FORMAT)
        return anb_fail(error, ANB_E_VERSION,
                        "format %lu of snapshots, and version %s knows %d: load it with the version that saved it",
                        (unsigned long)format, anb_version(), ANB_SNAPSHOT_FORMAT);
    if (size < wanted)
        return anb_fail(error, ANB_E_TRUNCATED, "the snapshot ends after %zu of %llu bytes", size,
                        (unsigned long long)wanted);
    if (size > wanted)
        return anb_fail(error, ANB_E_TRAILING, "%zu bytes of snapshot, and more behind them", (size_t)wanted);
    return 0;
}

static int check_sum(const unsigned char *bytes, size_t size, AnbError *error)
{
    AnbChecksum sum;
    Cursor end = {bytes + size - 4, bytes + size, false};
    if (size < ANB_SNAPSHOT_HEAD + 4)
        return anb_fail(error, ANB_E_FORMAT, "the snapshot holds nothing");
    anb_checksum_init(&sum);
    anb_checksum_add(&sum, bytes, size - 4);
    if (sum.value != get_u32(&end))
        return anb_fail(error, ANB_E_CHECKSUM, "the snapshot is damaged: its checksum does not match");
    return 0;
}

/* ---- the body ---------------------------------------------------------------------------------------------------- */

/* The lists are walked twice: counted, then filled into one piece of memory. */
typedef struct Lists {
    size_t features, notes, nodes, sources;
    const char **feature;
    AnbNote *note;
    AnbSnapshotNode *node;
    AnbSnapshotSource *source;
} Lists;

static void read_features(Cursor *c, Lists *l, AnbSnapshot *view)
{
    l->features = get_count(c, 5);
    c->bad |= l->features != 0 && l->features != view->n_features;
    for (size_t i = 0; i < l->features && !c->bad; i++) {
        const char *name = get_text(c);
        if (l->feature)
            l->feature[i] = name;
    }
    view->extras.features = l->features ? l->feature : NULL;
    view->extras.target = get_text(c);
    if (!view->extras.target[0])
        view->extras.target = NULL;
}

static void read_notes(Cursor *c, Lists *l)
{
    l->notes = get_count(c, 10);
    c->bad |= l->notes > ANB_SNAPSHOT_NOTES_MAX;
    for (size_t i = 0; i < l->notes && !c->bad; i++) {
        AnbNote note = {.key = get_text(c)};
        note.size = get_u32(c);
        note.value = get(c, (uint64_t)note.size + 1);
        c->bad |= !note.key[0] || (note.value && ((const char *)note.value)[note.size] != 0);
        if (l->note)
            l->note[i] = note;
    }
}

static void read_nodes(Cursor *c, Lists *l)
{
    l->nodes = get_count(c, 17);
    for (size_t i = 0; i < l->nodes && !c->bad; i++) {
        AnbSnapshotNode node = {.type = get_text(c)};
        node.version = get_u32(c);
        uint64_t size = get_u64(c);
        node.fields = get(c, size);
        node.size = (size_t)size;
        if (l->node)
            l->node[i] = node;
    }
    c->bad |= l->nodes == 0;
}

/* Reads the sources, which only snapshots of models with sources have. */
static void read_sources(Cursor *c, Lists *l)
{
    if (c->bad || c->at == c->end)
        return;
    l->sources = get_count(c, 13);
    c->bad |= l->sources == 0 || l->sources > ANB_SOURCES_MAX;
    for (size_t i = 0; i < l->sources && !c->bad; i++) {
        AnbSnapshotSource source = {.name = get_text(c)};
        source.next = get_u64(c);
        if (l->source)
            l->source[i] = source;
    }
    c->bad |= c->at != c->end;
}

static void read_counters(Cursor *c, AnbCounters *counters)
{
    uint64_t values[ANB_SNAPSHOT_COUNTERS] = {0};
    size_t n = get_count(c, 8);
    c->bad |= n > ANB_SNAPSHOT_COUNTERS;
    for (size_t i = 0; i < n && !c->bad; i++)
        values[i] = get_u64(c);
    memcpy(counters, values, sizeof values);
}

static void read_body(Cursor *c, AnbSnapshot *view, Lists *lists)
{
    view->library = get_text(c);
    view->expression = get_text(c);
    view->n_features = (size_t)get_u64(c);
    view->seed = get_u64(c);
    read_counters(c, &view->counters);
    read_features(c, lists, view);
    read_notes(c, lists);
    read_nodes(c, lists);
    read_sources(c, lists);
}

static Cursor body_of(const unsigned char *bytes, size_t size)
{
    return (Cursor){bytes + ANB_SNAPSHOT_HEAD, bytes + size - 4, false};
}

static AnbSnapshot *fill(const unsigned char *bytes, size_t size, const AnbAllocator *allocator, AnbError *error)
{
    AnbSnapshot view = {.bytes = size, .format = ANB_SNAPSHOT_FORMAT};
    Lists lists = {0};
    Cursor c = body_of(bytes, size);
    read_body(&c, &view, &lists);
    if (c.bad) {
        anb_fail(error, ANB_E_FORMAT, "the snapshot is not made as one: what it says of its parts does not fit");
        return NULL;
    }
    size_t room = sizeof(Opened) + lists.nodes * sizeof *lists.node + lists.notes * sizeof *lists.note +
                  lists.features * sizeof *lists.feature + lists.sources * sizeof *lists.source;
    Opened *opened = allocator->alloc(room, allocator->context);
    if (!opened) {
        anb_fail(error, ANB_E_MEMORY, "out of memory");
        return NULL;
    }
    lists.node = (AnbSnapshotNode *)(opened + 1);
    lists.note = (AnbNote *)(lists.node + lists.nodes);
    lists.source = (AnbSnapshotSource *)(lists.note + lists.notes);
    lists.feature = (const char **)(lists.source + lists.sources);
    c = body_of(bytes, size);
    read_body(&c, &view, &lists);
    view.nodes = lists.node;
    view.n_nodes = lists.nodes;
    view.sources = lists.source;
    view.n_sources = lists.sources;
    view.extras.notes = lists.note;
    view.extras.n_notes = lists.notes;
    *opened = (Opened){.view = view, .allocator = *allocator};
    return &opened->view;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* As anb_snapshot_open; takes over `owned`, memory of the allocator or NULL, also where it fails. */
static AnbSnapshot *open_owned(const void *bytes, size_t size, void *owned, const AnbModelOptions *options,
                               AnbError *error)
{
    const AnbAllocator *allocator = anb_allocator_of(options);
    AnbSnapshot *view = NULL;
    if (size > options->max_bytes)
        anb_fail(error, ANB_E_LIMIT, "a snapshot of %zu bytes is over the limit of %zu (max_bytes)", size,
                 options->max_bytes);
    else if (!check_head(bytes, size, error) && !check_sum(bytes, size, error))
        view = fill(bytes, size, allocator, error);
    if (view)
        ((Opened *)view)->owned = owned;
    else if (owned)
        allocator->free(owned, allocator->context);
    return view;
}

AnbSnapshot *anb_snapshot_open(const void *bytes, size_t size, const AnbModelOptions *options, AnbError *error)
{
    AnbModelOptions own;
    if (!bytes) {
        anb_fail(error, ANB_E_ARGUMENT, "no bytes to load from");
        return NULL;
    }
    return anb_model_options_take(options, &own, error) ? NULL : open_owned(bytes, size, NULL, &own, error);
}

AnbSnapshot *anb_snapshot_read(const char *path, const AnbModelOptions *options, AnbError *error)
{
    AnbModelOptions own;
    unsigned char *bytes;
    size_t size;
    if (!path || !*path) {
        anb_fail(error, path ? ANB_E_IO : ANB_E_ARGUMENT, "no path to load from");
        return NULL;
    }
    if (anb_model_options_take(options, &own, error) ||
        anb_read_file(path, anb_allocator_of(&own), own.max_bytes, &bytes, &size, error))
        return NULL;
    AnbSnapshot *snapshot = open_owned(bytes, size, bytes, &own, error);
    if (!snapshot)
        anb_name_file(error, path);
    return snapshot;
}

void anb_snapshot_close(AnbSnapshot *snapshot)
{
    if (!snapshot)
        return;
    Opened *opened = (Opened *)snapshot;
    AnbAllocator allocator = opened->allocator;
    if (opened->owned)
        allocator.free(opened->owned, allocator.context);
    allocator.free(opened, allocator.context);
}

const char *anb_snapshot_note(const AnbSnapshot *snapshot, const char *key)
{
    for (size_t i = 0; key && i < snapshot->extras.n_notes; i++)
        if (strcmp(snapshot->extras.notes[i].key, key) == 0)
            return snapshot->extras.notes[i].value;
    return NULL;
}
