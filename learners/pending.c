/*
 * Rows that are kept until their labels come.
 *
 *     entries   a ring of 2 C ids with the status of each:  waiting, learned, evicted
 *     rows      for the newest C entries: the parts of the answer that are scored later, and x
 *     index     open addressing over the ids, one slot in two empty
 *
 * After C further rows a row without a label is evicted; its id is kept for another C rows, so that a late label can be
 * distinguished from one that never had a row.
 *
 * A row stores the prediction of its answer; with a node below that scores answers also sigma, scored, and limit and
 * asked of each of its levels.
 *
 * State: 2 C entries of 9 bytes; C rows of n_features + 1 doubles, or n_features + 3 + 2 a level; 4 to 8 C slots of 2
 * bytes, of 4 from a capacity of 32,768 on. Cost: O(1) look-ups.
 */
#include "pending_index.h"
#include "src/numeric/answer.h"
#include "src/numeric/fields.h"
#include "src/numeric/ring.h"
#include "src/text/field_reader.h"
#include <anabranch/pending.h>
#include <anabranch/reach.h>

typedef struct Pending {
    AnbRing ring; /* of 2 C entries */
    uint64_t waiting;
} Pending;

static const AnbParam params[] = {
    {"capacity", ANB_COUNT, offsetof(AnbPendingOptions, capacity), 240, 1, 1 << 20, 0, NULL, "rows kept at a time"},
    {0}};

/* ---- state ------------------------------------------------------------------------------------------------------- */

static const AnbField members[] = {
    {ANB_INNER(Pending, ring, AnbRing, anb_ring_fields)}, {ANB_MEMBER(Pending, waiting)}, {0}};

static size_t capacity(const AnbNode *self)
{
    return (size_t)((const AnbPendingOptions *)self->options)->capacity;
}

static size_t entries(const AnbNode *self)
{
    return 2 * capacity(self);
}

static size_t entries_used(const AnbNode *self, const void *state)
{
    return anb_ring_size(&((const Pending *)state)->ring, entries(self));
}

/* ---- what is kept of an answer ----------------------------------------------------------------------------------- */

/* How many levels of an answer the child scores; -1: it scores none, and only the prediction is stored. */
static int levels_kept(const AnbNode *self)
{
    const AnbNode *scores = anb_node_that_can(&self->children[0], ANB_CAN_RESCORE);
    const double *level;
    if (!scores)
        return -1;
    size_t n = scores->type->interval ? scores->type->interval->levels(scores, &level) : ANB_LEVELS_MAX;
    return n < ANB_LEVELS_MAX ? (int)n : ANB_LEVELS_MAX;
}

/* Doubles. */
static size_t answer_width(const AnbNode *self)
{
    int levels = levels_kept(self);
    return levels < 0 ? 1 : 3 + 2 * (size_t)levels;
}

static void pack(const AnbNode *self, const AnbAnswer *answer, double *kept)
{
    int n = levels_kept(self);
    kept[0] = answer->prediction;
    if (n < 0)
        return;
    kept[1] = answer->sigma;
    kept[2] = answer->scored;
    memcpy(kept + 3, answer->limit, (size_t)n * sizeof(double));
    memcpy(kept + 3 + n, answer->asked, (size_t)n * sizeof(double));
}

static AnbAnswer unpack(const AnbNode *self, const double *kept)
{
    int n = levels_kept(self);
    AnbAnswer answer = {.prediction = kept[0]};
    if (n < 0)
        return answer;
    answer.sigma = kept[1];
    answer.scored = kept[2];
    memcpy(answer.limit, kept + 3, (size_t)n * sizeof(double));
    memcpy(answer.asked, kept + 3 + n, (size_t)n * sizeof(double));
    return answer;
}

static size_t row_width(const AnbNode *self)
{
    return answer_width(self) + self->n_features;
}

static size_t slots(const AnbNode *self)
{
    size_t n = 4;
    while (n < 4 * capacity(self))
        n *= 2;
    return n;
}

static size_t rows_size(const AnbNode *self, const AnbField *field)
{
    (void)field;
    return capacity(self) * row_width(self) * sizeof(double);
}

/* Whether 16 bits hold every entry's number, counted from 1. */
static bool is_narrow(const AnbNode *self)
{
    return entries(self) <= UINT16_MAX;
}

static size_t index_size(const AnbNode *self, const AnbField *field)
{
    (void)field;
    return slots(self) * (is_narrow(self) ? sizeof(uint16_t) : sizeof(uint32_t));
}

static void rows_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor);
static void index_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor);

static const AnbPart rows_part = {rows_size, rows_visit, NULL}, index_part = {index_size, index_visit, NULL};

/* ID and FATE of the entries; ROWS: answer and x of the newest half of them; INDEX: entry + 1, or 0. */
enum { HEAD, ID, FATE, ROWS, INDEX };
static const AnbField fields[] = {[HEAD] = {ANB_STRUCT(Pending, members)},
                                  [ID] = {.name = "id", .kind = ANB_U64, .count = entries, .used = entries_used},
                                  [FATE] = {.name = "fate", .kind = ANB_U8, .count = entries, .used = entries_used},
                                  [ROWS] = {.name = "rows", .part = &rows_part},
                                  [INDEX] = {.name = "index", .part = &index_part},
                                  {0}};

typedef struct Parts {
    size_t c, width;
    uint64_t *id;
    uint8_t *fate;
    double *rows;
    AnbPendingIndex index;
} Parts;

static Parts parts_of(const AnbNode *self, const void *state)
{
    void *at = anb_view_of(state), *index = anb_field(self, at, INDEX);
    uint64_t *id = anb_field(self, at, ID);
    return (Parts){.c = capacity(self),
                   .width = row_width(self),
                   .id = id,
                   .fate = anb_field(self, at, FATE),
                   .rows = anb_field(self, at, ROWS),
                   .index = {slots(self), id, is_narrow(self) ? index : NULL, is_narrow(self) ? NULL : index}};
}

static int check(const AnbNode *self, AnbError *error)
{
    return self->parent ? anb_fail(error, ANB_E_ARGUMENT, "pending stands only at the root") : 0;
}

/* ---- keeping and finding ----------------------------------------------------------------------------------------- */

static double *row_of(const Parts *p, size_t entry)
{
    return p->rows + entry % p->c * p->width;
}

static void evict(Pending *s, const Parts *p, size_t entry)
{
    if (p->fate[entry] == ANB_PENDING_WAITING) {
        p->fate[entry] = ANB_PENDING_EVICTED;
        s->waiting--;
    }
}

static void keep(const AnbNode *self, void *state, const AnbRow *row, uint64_t id, double prediction, double *scratch)
{
    Pending *s = state;
    Parts p = parts_of(self, state);
    AnbAnswer answer = {.prediction = prediction};
    AnbAsked at = anb_child_asked(self, 0, state, row, scratch);
    if (anb_reach(&at, ANB_CAN_RESCORE))
        at.node->type->answer->given(at.node, at.scratch, &answer);
    size_t old = anb_pending_slot(&p.index, id);
    if (anb_pending_at(&p.index, old)) {
        evict(s, &p, anb_pending_at(&p.index, old) - 1);
        anb_pending_remove(&p.index, old);
    }
    bool full = s->ring.pushed >= 2 * p.c;
    size_t entry = anb_ring_push(&s->ring, 2 * p.c);
    if (full)
        anb_pending_forget(&p.index, entry);
    if (s->ring.pushed > p.c)
        evict(s, &p, (entry + p.c) % (2 * p.c)); /* its row's memory is reused */
    p.id[entry] = id;
    p.fate[entry] = ANB_PENDING_WAITING;
    anb_pending_set(&p.index, anb_pending_slot(&p.index, id), (uint32_t)entry + 1);
    s->waiting++;
    double *kept = row_of(&p, entry);
    pack(self, &answer, kept);
    memcpy(kept + answer_width(self), row->raw, self->n_features * sizeof(double));
}

static int fate_of(const AnbNode *self, const void *state, uint64_t id)
{
    Parts p = parts_of(self, state);
    uint32_t found = anb_pending_at(&p.index, anb_pending_slot(&p.index, id));
    return found ? (int)p.fate[found - 1] : ANB_PENDING_UNKNOWN;
}

static const double *find(const AnbNode *self, const void *state, uint64_t id, AnbCounters *counters, AnbAnswer *then)
{
    Parts p = parts_of(self, state);
    int fate = fate_of(self, state, id);
    counters->labels_unknown += fate == ANB_PENDING_UNKNOWN;
    counters->labels_repeated += fate == ANB_PENDING_LEARNED;
    counters->labels_evicted += fate == ANB_PENDING_EVICTED;
    if (fate != ANB_PENDING_WAITING)
        return NULL;
    const double *kept = row_of(&p, anb_pending_at(&p.index, anb_pending_slot(&p.index, id)) - 1);
    *then = unpack(self, kept);
    return kept + answer_width(self);
}

static void learned(const AnbNode *self, void *state, uint64_t id)
{
    Pending *s = state;
    Parts p = parts_of(self, state);
    p.fate[anb_pending_at(&p.index, anb_pending_slot(&p.index, id)) - 1] = ANB_PENDING_LEARNED;
    s->waiting--;
}

static size_t count(const AnbNode *self, const void *state)
{
    (void)self;
    return (size_t)((const Pending *)state)->waiting;
}

/* ---- the type ---------------------------------------------------------------------------------------------------- */

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    return anb_child_predict(self, 0, state, row, scratch);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    anb_child_update(self, 0, state, row, y, weight, scratch);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    return anb_child_step(self, 0, state, row, y, weight, scratch);
}

static const AnbWrapperTable wrapper = {0};
static const AnbShapleyTable shapley = {anb_split_first};
static const AnbWaitingTable rows = {keep, find, learned, fate_of, count};

/* Visits the rows without a label; the others are not saved. */
static void rows_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    Parts p = parts_of(self, state);
    size_t n = entries_used(self, state);
    (void)field, (void)part;
    for (size_t i = 0; i < n; i++)
        if (p.fate[i] == ANB_PENDING_WAITING)
            anb_visit(visitor, "row", row_of(&p, i), ANB_F64, p.width);
}

static void index_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    (void)field, (void)state;
    anb_visit(visitor, "index", part, is_narrow(self) ? ANB_U16 : ANB_U32, slots(self));
}

/* Rows of versions 1 and 2. In version 1 a row had prediction and sigma of the answer, in version 2 all of it, whatever
 * the child; what version 1 lacks is marked as unknown. Fates and the index were wider. */
static void read_older_row(const AnbNode *self, unsigned from, double *row, AnbVisitor *visitor)
{
    AnbAnswer answer = {.scored = -1};
    size_t all = sizeof answer / sizeof(double);
    anb_visit(visitor, "answer", &answer, ANB_F64, from == 1 ? 2 : all);
    pack(self, &answer, row);
    anb_visit(visitor, "x", row + answer_width(self), ANB_F64, self->n_features);
}

static int upgrade(const AnbNode *self, unsigned from, const unsigned char *bytes, size_t size, void *state)
{
    AnbFieldReader reader = anb_field_reader(bytes, size);
    AnbVisitor *visitor = &reader.visitor;
    Parts p = parts_of(self, state);
    anb_struct_visit(members, state, visitor);
    size_t n = entries_used(self, state);
    anb_visit(visitor, "id", p.id, ANB_U64, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t fate = 0;
        anb_visit(visitor, "fate", &fate, ANB_U64, 1);
        p.fate[i] = fate <= ANB_PENDING_EVICTED ? (uint8_t)fate : ANB_PENDING_UNKNOWN; /* refused by validate */
    }
    for (size_t i = 0; i < n; i++)
        if (p.fate[i] == ANB_PENDING_WAITING)
            read_older_row(self, from, row_of(&p, i), visitor);
    for (size_t i = 0; i < p.index.slots; i++) {
        uint32_t entry = 0;
        anb_visit(visitor, "index", &entry, ANB_U32, 1);
        anb_pending_set(&p.index, i, entry <= 2 * p.c ? entry : 0);
    }
    return anb_fields_end(&reader);
}

/* Whether entry i still has its row. */
static bool has_row(const Pending *s, const Parts *p, size_t i)
{
    size_t newest = anb_ring_back(&s->ring, 2 * p->c, 0);
    return (newest + 2 * p->c - i) % (2 * p->c) < p->c;
}

/* Whether the answer and the cells are finite, apart from missing cells: whether the model takes those is checked when
 * the row is learned. */
static bool valid_row(const AnbNode *self, const double *row)
{
    const AnbAnswer answer = unpack(self, row);
    bool fine = anb_answer_valid(&answer);
    for (size_t j = answer_width(self); j < row_width(self); j++)
        fine = fine && !isinf(row[j]);
    return fine;
}

static bool valid_entries(const AnbNode *self, const Pending *s, const Parts *p, size_t n)
{
    size_t waiting = 0;
    for (size_t i = 0; i < n; i++) {
        if (p->fate[i] < ANB_PENDING_WAITING || p->fate[i] > ANB_PENDING_EVICTED)
            return false;
        bool waits = p->fate[i] == ANB_PENDING_WAITING;
        if (waits && !(has_row(s, p, i) && valid_row(self, row_of(p, i))))
            return false;
        waiting += waits;
    }
    return waiting == s->waiting;
}

/* A slot in two is empty, so that every search ends; every slot is found by its entry's id, so that it is freed with
 * the entry; and every entry that waits is found. */
static bool valid_index(const Parts *p, size_t n)
{
    size_t held = 0;
    for (size_t i = 0; i < p->index.slots; i++) {
        if (anb_pending_at(&p->index, i) > n)
            return false;
        held += anb_pending_at(&p->index, i) != 0;
    }
    if (held > n)
        return false;
    for (size_t i = 0; i < p->index.slots; i++)
        if (anb_pending_at(&p->index, i) && anb_pending_slot(&p->index, p->id[anb_pending_at(&p->index, i) - 1]) != i)
            return false;
    for (size_t i = 0; i < n; i++)
        if (p->fate[i] == ANB_PENDING_WAITING &&
            anb_pending_at(&p->index, anb_pending_slot(&p->index, p->id[i])) != i + 1)
            return false;
    return true;
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Pending *s = state;
    Parts p = parts_of(self, state);
    size_t n = anb_ring_size(&s->ring, 2 * p.c);
    bool fine = anb_ring_valid(&s->ring) && valid_entries(self, s, &p, n) && valid_index(&p, n);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "pending: an index that does not fit its rows, or a row not finite");
}

const StreamingLearnerType anb_pending = {
    .name = "pending",
    .brief = "keeps rows until their labels come",
    .example = "pending(interval(scale(linear)), capacity=16)",
    .options_size = sizeof(AnbPendingOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_WEIGHT_SCALED | ANB_ROOT_ONLY,
    .version = 3, /* 2: whole answers; 3: only the parts of an answer that the child scores, narrower fates and index */
    .min_children = 1,
    .max_children = 1,
    .check = check,
    .fields = fields,
    .predict = predict,
    .update = update,
    .step = step,
    .wrapper = &wrapper,
    .shapley = &shapley,
    .waiting = &rows,
    .validate = validate,
    .upgrade = upgrade,
};
