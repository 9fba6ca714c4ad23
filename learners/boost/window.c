/* A ring of rows with codes, remade in slices: see window.h. Costs are in half nanoseconds. */
#include "window.h"
#include "src/numeric/fields.h"
#include "src/numeric/places.h"

enum { SLICE_ROWS = 256, SORT_COST = 3, CODE_COST = 4, EDGES_COST = 2, GATHER_COST = 3, ROWS_A_BIN = 4 };

size_t anb_window_view(AnbWindowRoom room, void *memory, AnbWindowView *v)
{
    const uintptr_t base = (uintptr_t)memory;
    size_t end = 0;
    v->room = room;
    v->head = anb_place_in(base, &end, sizeof(AnbWindow));
    v->edges = anb_place_in(base, &end, room.features * sizeof(AnbFineEdges));
    v->value = anb_place_in(base, &end, room.features * room.rows * sizeof(float));
    v->codes = anb_place_in(base, &end, room.rows * (room.features + 1));
    return end;
}

void anb_window_init(const AnbWindowView *v)
{
    v->head->due = ANB_WINDOW_FIRST;
    for (size_t j = 0; j < v->room.features; j++)
        anb_fine_edges_init(&v->edges[j]);
}

static uint8_t *code_at(const AnbWindowView *v, size_t slot, size_t feature)
{
    return anb_window_block(v, slot / ANB_CUTS_BLOCK) + feature * ANB_CUTS_BLOCK + slot % ANB_CUTS_BLOCK;
}

size_t anb_window_push(const AnbWindowView *v, const float *row)
{
    size_t slot = v->head->pushed++ % v->room.rows;
    float *value = v->value + slot;
    anb_fine_kernels.cells(v->edges, row, v->room.features, ANB_CUTS_BLOCK, code_at(v, slot, 0));
    for (size_t j = 0; j < v->room.features; j++)
        value[j * v->room.rows] = row[j];
    return slot;
}

void anb_window_mark(const AnbWindowView *v)
{
    AnbWindow *h = v->head;
    size_t size = anb_window_live(v);
    h->first = h->pushed - size;
    h->gap = size / (ANB_EDGES + 1) + 1;
    h->arrivals = (uint32_t)((size - 1) / h->gap);
}

/* How many rows from the one of this index on share its arrival code, which is put in `code`. */
static uint64_t arrival_run(const AnbWindow *h, uint64_t index, uint8_t *code)
{
    if (index < h->first) {
        *code = ANB_FINE_MISSING;
        return h->first - index;
    }
    uint64_t step = (index - h->first) / h->gap;
    *code = (uint8_t)(ANB_FINE * (step < h->arrivals ? step : h->arrivals));
    return step < h->arrivals ? h->gap - (index - h->first) % h->gap : h->pushed - index;
}

/* Slots are in order of time, except after the newest one. */
void anb_window_arrivals(const AnbWindowView *v, size_t block)
{
    const AnbWindow *h = v->head;
    const size_t size = anb_window_size(v), newest = (h->pushed - 1) % v->room.rows;
    const size_t start = block * ANB_CUTS_BLOCK, end = start + ANB_CUTS_BLOCK < size ? start + ANB_CUTS_BLOCK : size;
    uint8_t *codes = code_at(v, start, v->room.features), code;
    for (size_t slot = start, next; slot < end; slot = next) {
        uint64_t run = arrival_run(h, anb_window_index(v, slot), &code);
        size_t stop = slot <= newest && newest < end ? newest + 1 : end;
        next = run < stop - slot ? slot + (size_t)run : stop;
        memset(codes + (slot - start), code, next - slot);
    }
}

float anb_window_threshold(const AnbWindowView *v, size_t column, size_t code, uint64_t origin)
{
    const AnbWindow *h = v->head;
    if (code >= (column < v->room.features ? v->edges[column].count : ANB_FINE * h->arrivals))
        return FLT_MAX; /* only missing cells are above */
    if (column < v->room.features)
        return v->edges[column].edge[code];
    return (float)((double)(h->first - origin + (anb_coarse((unsigned)code) + 1) * h->gap) - .5);
}

static AnbSorterRoom sorted_of(AnbWindow *h)
{
    return (AnbSorterRoom){h->sorted[0], ANB_WINDOW_SORTED};
}

/* Up to 1,024 present cells of the feature, at even steps through the ring. */
static uint32_t gather(const AnbWindowView *v)
{
    AnbWindow *h = v->head;
    const float *value = v->value + h->feature * v->room.rows;
    size_t size = anb_window_size(v), most = size < ANB_WINDOW_SORTED ? size : ANB_WINDOW_SORTED;
    size_t at = 0, rest = 0; /* i * size / most, and what the division leaves */
    uint32_t n = 0;
    for (size_t i = 0; i < most; i++) {
        float x = value[at];
        h->sorted[0][n] = x;
        n += x == x;
        rest += size % most;
        at += size / most + (rest >= most);
        rest -= rest >= most ? most : 0;
    }
    anb_sorter_start(&h->sorter, n);
    h->phase = ANB_WINDOW_SORT;
    return GATHER_COST * (uint32_t)most;
}

static void begin_coding(AnbWindow *h)
{
    h->cursor = 0;
    h->phase = ANB_WINDOW_CODE;
}

static uint32_t sort(const AnbWindowView *v)
{
    AnbWindow *h = v->head;
    AnbSorterRoom room = sorted_of(h);
    uint32_t n = h->sorter.n;
    if (!anb_sorter_done(&h->sorter))
        return SORT_COST * anb_sorter_slice(&h->sorter, &room, SLICE_ROWS);
    anb_fine_edges_make(&v->edges[h->feature], h->sorted[h->sorter.from], n, n / ROWS_A_BIN);
    begin_coding(h);
    return EDGES_COST * n;
}

static void finish(const AnbWindowView *v)
{
    AnbWindow *h = v->head;
    h->feature = 0;
    while (h->due <= h->pushed && h->due < v->room.rows)
        h->due *= 2;
    if (h->due <= h->pushed)
        h->due += ((h->pushed - h->due) / v->room.rows + 1) * v->room.rows;
}

static uint32_t block_end(uint32_t slot, uint32_t end)
{
    uint32_t next = (slot / ANB_CUTS_BLOCK + 1) * ANB_CUTS_BLOCK;
    return next < end ? next : end;
}

static uint32_t code(const AnbWindowView *v)
{
    AnbWindow *h = v->head;
    const AnbFineEdges *edges = &v->edges[h->feature];
    const float *value = v->value + h->feature * v->room.rows;
    uint32_t size = (uint32_t)anb_window_size(v), start = h->cursor;
    uint32_t end = size - start < SLICE_ROWS ? size : start + SLICE_ROWS;
    for (uint32_t slot = start; slot < end;) {
        uint32_t stop = block_end(slot, end);
        anb_fine_kernels.column(edges, value + slot, stop - slot, code_at(v, slot, h->feature));
        slot = stop;
    }
    h->cursor = end;
    uint32_t cost = CODE_COST * (end - start);
    if (end < size)
        return cost;
    h->phase = ANB_WINDOW_IDLE;
    if (++h->feature == v->room.features)
        finish(v);
    return cost;
}

uint32_t anb_window_slice(const AnbWindowView *v)
{
    switch (v->head->phase) {
    case ANB_WINDOW_SORT:
        return sort(v);
    case ANB_WINDOW_CODE:
        return code(v);
    default:
        return gather(v);
    }
}

static const AnbField head[] = {{ANB_MEMBER(AnbWindow, pushed)}, {ANB_MEMBER(AnbWindow, due)},
                                {ANB_MEMBER(AnbWindow, from)},   {ANB_MEMBER(AnbWindow, first)},
                                {ANB_MEMBER(AnbWindow, gap)},    {ANB_MEMBER(AnbWindow, arrivals)},
                                {ANB_MEMBER(AnbWindow, phase)},  {ANB_MEMBER(AnbWindow, feature)},
                                {ANB_MEMBER(AnbWindow, cursor)}, {0}};

void anb_window_visit(const AnbWindowView *v, AnbVisitor *visitor)
{
    AnbWindow *h = v->head;
    anb_struct_visit(head, h, visitor);
    AnbSorterRoom room = sorted_of(h);
    if (h->phase == ANB_WINDOW_SORT)
        anb_sorter_visit(&h->sorter, &room, visitor);
    size_t size = anb_window_size(v), blocks = anb_window_blocks(v);
    for (size_t j = 0; j < v->room.features; j++) {
        anb_fine_edges_visit(&v->edges[j], visitor);
        anb_visit(visitor, "value", v->value + j * v->room.rows, ANB_F32, size);
    }
    anb_visit(visitor, "codes", v->codes, ANB_U8, blocks * (v->room.features + 1) * ANB_CUTS_BLOCK);
    if (!anb_visits_since(visitor, 4))
        anb_fine_codes(v->codes, blocks * (v->room.features + 1) * ANB_CUTS_BLOCK);
}

bool anb_window_valid(const AnbWindowView *v)
{
    const AnbWindow *h = v->head;
    size_t size = anb_window_size(v);
    bool fine = h->pushed >> 62 == 0 && h->due > 0 && h->phase <= ANB_WINDOW_CODE && h->feature < v->room.features;
    fine = fine && h->cursor <= size && h->arrivals <= ANB_EDGES;
    fine = fine && h->from <= h->pushed && (h->gap == 0 || h->first < h->pushed);
    if (h->phase == ANB_WINDOW_SORT)
        fine = fine && anb_sorter_valid(&h->sorter, ANB_WINDOW_SORTED, SLICE_ROWS);
    return fine;
}
