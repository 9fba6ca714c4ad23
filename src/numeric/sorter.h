/*
 * Sorting a slice at a time: runs of 8 by insertion, then merges of 8, 16, 32 ... between two buffers, which are the
 * owner's and lie one behind the other. The state may be copied at any point; the order of the slices never changes.
 */
#ifndef ANB_NUMERIC_SORTER_H
#define ANB_NUMERIC_SORTER_H

#include <anabranch/type.h>

typedef struct AnbSorter {
    uint32_t n;      /* numbers, up to the buffers' room */
    uint32_t run;    /* length of the sorted runs in buffer `from`; 0: none yet */
    uint32_t cursor; /* numbers of this pass that are done */
    uint32_t from;   /* the buffer that is read: 0 or 1 */
} AnbSorter;

/* Two buffers of `room` numbers. */
typedef struct AnbSorterRoom {
    double *buffer;
    uint32_t room;
} AnbSorterRoom;

/* n finite numbers were put into the first buffer. */
void anb_sorter_start(AnbSorter *sorter, uint32_t n);

/* Whether all is sorted, in the buffer `from`. */
static inline bool anb_sorter_done(const AnbSorter *sorter)
{
    return sorter->n <= sorter->run;
}

static inline double *anb_sorter_buffer(const AnbSorterRoom *room, uint32_t which)
{
    return room->buffer + (size_t)which * room->room;
}

/* One slice: some 256 numbers of one pass, or the merge of a pair of runs up to `most` numbers of it, 256 or more.
 * Returns how many were moved; 0 where all is sorted. */
uint32_t anb_sorter_slice(AnbSorter *sorter, const AnbSorterRoom *room, uint32_t most);

void anb_sorter_visit(AnbSorter *sorter, const AnbSorterRoom *room, AnbVisitor *visitor);
/* Whether a state that was read from a file can be gone on with by slices of so many numbers. */
bool anb_sorter_valid(const AnbSorter *sorter, uint32_t room, uint32_t most);

#endif
