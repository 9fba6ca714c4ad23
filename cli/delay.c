/* A binary heap by when the label is known, then by the row's number. */
#include "delay.h"
#include "cli.h"
#include <stdlib.h>
#include <string.h>

void delay_start(Delay *delay, size_t width)
{
    *delay = (Delay){.width = width};
}

void delay_end(Delay *delay)
{
    for (size_t i = 0; i < delay->n; i++)
        free(delay->heap[i].x);
    free(delay->heap);
    free(delay->spare);
    *delay = (Delay){0};
}

static bool before(const Delayed *a, const Delayed *b)
{
    return a->due != b->due ? a->due < b->due : a->row < b->row;
}

static bool make_room(Delay *delay)
{
    if (delay->n < delay->room)
        return true;
    size_t room = delay->room ? 2 * delay->room : 64;
    Delayed *more = room <= DELAYED_MOST ? realloc(delay->heap, room * sizeof *more) : NULL;
    if (!more)
        return false;
    delay->heap = more;
    delay->room = room;
    return true;
}

int delay_add(Delay *delay, uint64_t row, double due, const double *x, double y, double weight)
{
    double *copy = delay->spare ? delay->spare : malloc(delay->width * sizeof *copy);
    delay->spare = NULL;
    if (!copy || !make_room(delay)) {
        free(copy);
        return complain(BAD_DATA, "too many rows wait for their labels: %zu", delay->n);
    }
    memcpy(copy, x, delay->width * sizeof *copy);
    Delayed added = {due, row, y, weight, copy};
    size_t at = delay->n++;
    for (; at > 0 && before(&added, &delay->heap[(at - 1) / 2]); at = (at - 1) / 2)
        delay->heap[at] = delay->heap[(at - 1) / 2];
    delay->heap[at] = added;
    return 0;
}

bool delay_due(Delay *delay, double now, Delayed *out)
{
    if (delay->n == 0 || delay->heap[0].due > now)
        return false;
    *out = delay->heap[0];
    Delayed last = delay->heap[--delay->n];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < delay->n; at = child) {
        child += child + 1 < delay->n && before(&delay->heap[child + 1], &delay->heap[child]);
        if (!before(&delay->heap[child], &last))
            break;
        delay->heap[at] = delay->heap[child];
    }
    delay->heap[at] = last;
    free(delay->spare);
    delay->spare = out->x;
    return true;
}
