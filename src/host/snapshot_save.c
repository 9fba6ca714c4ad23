/* Writing a snapshot: one pass that counts, one that writes; the layout is in snapshot.h. */
#include "bytes.h"
#include "model.h"
#include "src/text/checksum.h"
#include "snapshot.h"
#include "src/text/given.h"

enum { PIECE = 16384 };

typedef struct Sink {
    AnbVisitor visitor;
    AnbWrite write; /* NULL: only counts */
    void *context;
    uint64_t total;
    int code;
    size_t used;
    AnbChecksum sum;
    unsigned char piece[PIECE];
} Sink;

static void flush(Sink *s)
{
    if (s->used > 0 && !s->code) {
        int code = s->write(s->context, s->piece, s->used);
        s->code = code > 0 ? ANB_E_IO : code;
    }
    s->used = 0;
}

static void put(Sink *s, const void *bytes, size_t n)
{
    s->total += n;
    if (!s->write || n == 0)
        return;
    anb_checksum_add(&s->sum, bytes, n);
    for (const unsigned char *p = bytes; n > 0 && !s->code;) {
        size_t part = n < PIECE - s->used ? n : PIECE - s->used;
        memcpy(s->piece + s->used, p, part);
        s->used += part;
        p += part;
        n -= part;
        if (s->used == PIECE)
            flush(s);
    }
}

static void put_u32(Sink *s, uint32_t value)
{
    unsigned char bytes[4];
    anb_copy_scalars(bytes, &value, 4, 1);
    put(s, bytes, 4);
}

static void put_u64(Sink *s, uint64_t value)
{
    unsigned char bytes[8];
    anb_copy_scalars(bytes, &value, 8, 1);
    put(s, bytes, 8);
}

static void put_text(Sink *s, const char *text)
{
    size_t n = strlen(text);
    put_u32(s, (uint32_t)n);
    put(s, text, n + 1);
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* The size of a node's fields in bytes, and whether all of them lie in its state. */
typedef struct Count {
    AnbVisitor visitor;
    const AnbNode *node;
    const void *state;
    uint64_t bytes;
    bool astray;
} Count;

static void count_field(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Count *c = (Count *)visitor;
    size_t size = anb_scalar_bytes(kind) * count;
    c->bytes += size;
    c->astray |= !c->node->type->clear && !anb_field_inside(c->node, c->state, data, size);
}

static void count_value(AnbVisitor *visitor, void *data, const void *value, AnbScalar kind, size_t count)
{
    (void)value;
    count_field(visitor, data, kind, count);
}

static void put_value(AnbVisitor *visitor, void *data, const void *value, AnbScalar kind, size_t count)
{
    Sink *s = (Sink *)visitor;
    size_t width = anb_scalar_bytes(kind);
    (void)data;
    if (anb_is_little_endian()) {
        put(s, value, width * count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned char bytes[8];
        anb_copy_scalars(bytes, (const unsigned char *)value + i * width, width, 1);
        put(s, bytes, width);
    }
}

static void put_field(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    put_value(visitor, data, data, kind, count);
}

/* Visitors get fields as writable memory; saving changes no value in it. */
static void put_node(Sink *s, const AnbNode *node, void *state)
{
    Count count = {.visitor = {count_field, count_value}, .node = node, .state = state};
    size_t parts = node->n_children + (node->router != NULL);
    anb_visit_own(node, state, &count.visitor);
    if (count.astray || (node->type->clear && !(node->type->fields && node->type->upgrade)))
        s->code = ANB_E_UNSUPPORTED;
    put_text(s, node->type->name);
    put_u32(s, node->type->version);
    put_u64(s, count.bytes);
    if (!s->write)
        s->total += count.bytes;
    else if (!s->code)
        anb_visit_own(node, state, &s->visitor);
    for (size_t i = 0; i < parts; i++)
        put_node(s, &node->children[i], anb_child_state(&node->children[i], state));
}

/* ---- the container ----------------------------------------------------------------------------------------------- */

static void put_counters(Sink *s, const AnbCounters *counters)
{
    uint64_t values[ANB_SNAPSHOT_COUNTERS];
    memcpy(values, counters, sizeof values);
    put_u32(s, ANB_SNAPSHOT_COUNTERS);
    for (size_t i = 0; i < ANB_SNAPSHOT_COUNTERS; i++)
        put_u64(s, values[i]);
}

static void put_note(Sink *s, const char *key, const void *value, size_t size)
{
    put_text(s, key);
    put_u32(s, (uint32_t)size);
    put(s, value, size);
    put(s, "", 1);
}

static bool has_note(const AnbSnapshotExtras *extras, const char *key)
{
    for (size_t i = 0; i < extras->n_notes; i++)
        if (strcmp(extras->notes[i].key, key) == 0)
            return true;
    return false;
}

/* The caller's extras, and the model's schema where it has one: its names unless the caller has others, its text as a
 * note. */
static void put_extras(Sink *s, const StreamingLearner *model, const AnbSnapshotExtras *extras)
{
    const AnbSchema *schema = anb_schema_of(model);
    size_t n = extras->features || schema ? anb_n_features(model) : 0;
    put_u32(s, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        put_text(s, extras->features ? extras->features[i] : anb_schema_columns(schema)[i].name);
    put_text(s, extras->target ? extras->target : "");
    bool more = schema && !has_note(extras, ANB_SCHEMA_NOTE);
    put_u32(s, (uint32_t)(extras->n_notes + more));
    for (size_t i = 0; i < extras->n_notes; i++)
        put_note(s, extras->notes[i].key, extras->notes[i].value, extras->notes[i].size);
    if (more)
        put_note(s, ANB_SCHEMA_NOTE, anb_schema_text(schema), strlen(anb_schema_text(schema)));
}

/* Only where there are any: other snapshots stay as they were. */
static void put_sources(Sink *s, const StreamingLearner *model)
{
    const AnbSource *source;
    size_t n = anb_sources(model, &source);
    if (n > 0)
        put_u32(s, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        put_text(s, source[i].name);
        put_u64(s, source[i].next);
    }
}

static void put_all(Sink *s, const StreamingLearner *model, const AnbSnapshotExtras *extras, uint64_t size)
{
    const AnbPlan *plan = model->plan;
    put(s, anb_snapshot_magic, sizeof anb_snapshot_magic);
    put_u32(s, ANB_SNAPSHOT_FORMAT);
    put_u32(s, ANB_SNAPSHOT_MARK);
    put_u64(s, size);
    put_text(s, anb_version());
    put_text(s, plan->full_expression);
    put_u64(s, plan->nodes[0].n_features);
    put_u64(s, anb_seed_of(model));
    put_counters(s, &model->counters);
    put_extras(s, model, extras);
    put_u32(s, (uint32_t)plan->n_nodes);
    put_node(s, &plan->nodes[0], anb_block(model));
    put_sources(s, model);
    put_u32(s, s->sum.value);
}

int anb_extras_check(const StreamingLearner *model, const AnbSnapshotExtras *extras, AnbError *error)
{
    if (!anb_given(model, "model", error) || (extras->n_notes > 0 && !anb_given(extras->notes, "notes", error)))
        return ANB_E_ARGUMENT;
    if (extras->n_notes > ANB_SNAPSHOT_NOTES_MAX - (anb_schema_of(model) != NULL))
        return anb_fail(error, ANB_E_ARGUMENT, "%zu notes; %d are possible", extras->n_notes, ANB_SNAPSHOT_NOTES_MAX);
    for (size_t i = 0; i < extras->n_notes; i++) {
        const AnbNote *note = &extras->notes[i];
        if (!note->key || !note->key[0] || note->size > UINT32_MAX || (note->size > 0 && !note->value))
            return anb_fail(error, ANB_E_ARGUMENT, "note %zu has no key or no value", i);
    }
    for (size_t i = 0; extras->features && i < anb_n_features(model); i++)
        if (!extras->features[i])
            return anb_fail(error, ANB_E_ARGUMENT, "feature %zu has no name", i);
    return 0;
}

static const AnbSnapshotExtras none = {0};

size_t anb_snapshot_size(const StreamingLearner *model, const AnbSnapshotExtras *extras)
{
    Sink count = {.write = NULL};
    extras = extras ? extras : &none;
    if (anb_extras_check(model, extras, NULL))
        return 0;
    put_all(&count, model, extras, 0);
    return count.code ? 0 : (size_t)count.total;
}

int anb_snapshot_write(const StreamingLearner *model, const AnbSnapshotExtras *extras, AnbWrite write, void *context,
                       AnbError *error)
{
    Sink s = {.visitor = {put_field, put_value}, .write = write, .context = context};
    extras = extras ? extras : &none;
    int code = anb_extras_check(model, extras, error);
    if (code)
        return code;
    if (!write)
        return anb_fail(error, ANB_E_ARGUMENT, "no function to write a snapshot with");
    size_t size = anb_snapshot_size(model, extras);
    if (size == 0)
        return anb_fail(error, ANB_E_UNSUPPORTED,
                        "a learner of this model cannot be saved: it owns pointers, or shows "
                        "fields that are not in its state");
    anb_checksum_init(&s.sum);
    put_all(&s, model, extras, size);
    flush(&s);
    return s.code ? anb_fail(error, s.code, "the snapshot could not be written") : 0;
}

/* ---- to memory --------------------------------------------------------------------------------------------------- */

typedef struct Target {
    unsigned char *at;
    size_t left;
} Target;

static int to_memory(void *context, const void *bytes, size_t size)
{
    Target *target = context;
    if (size > target->left)
        return ANB_E_LIMIT;
    memcpy(target->at, bytes, size);
    target->at += size;
    target->left -= size;
    return 0;
}

int anb_snapshot_to_memory(const StreamingLearner *model, const AnbSnapshotExtras *extras, void *out, size_t size,
                           AnbError *error)
{
    Target target = {out, size};
    if (!anb_given(out, "memory to save to", error))
        return ANB_E_ARGUMENT;
    int code = anb_snapshot_write(model, extras, to_memory, &target, error);
    if (code == ANB_E_LIMIT)
        return anb_fail(error, code, "the snapshot does not fit in %zu bytes", size);
    return code;
}
