/*
 * Sorting up to 1,024 numbers a slice at a time: runs of 8 by insertion, then merges of 8, 16, 32 ... between two
 * buffers. The state may be copied at any point; the order of the slices never changes.
 */
#ifndef ANB_LEARNERS_BOOST_SORTER_H
#define ANB_LEARNERS_BOOST_SORTER_H

#include <anabranch/type.h>

enum { ANB_SORTER_MOST = 1024 };

typedef struct AnbSorter {
    uint32_t n;      /* numbers, up to ANB_SORTER_MOST */
    uint32_t run;    /* length of the sorted runs in buffer `from`; 0: none yet */
    uint32_t cursor; /* numbers of this pass that are done */
    uint32_t from;   /* the buffer that is read: 0 or 1 */
    double buffer[2][ANB_SORTER_MOST];
} AnbSorter;

/* n finite numbers were put into buffer[0]. */
void anb_sorter_start(AnbSorter *sorter, uint32_t n);

/* Whether all is sorted, in buffer[from]. */
static inline bool anb_sorter_done(const AnbSorter *sorter)
{
    return sorter->n <= sorter->run;
}

/* One slice: some 256 numbers of one pass. Returns how many were moved; 0 where all is sorted. */
uint32_t anb_sorter_slice(AnbSorter *sorter);

void anb_sorter_visit(AnbSorter *sorter, AnbVisitor *visitor);
/* Whether a state that was read from a file can be gone on with. */
bool anb_sorter_valid(const AnbSorter *sorter);

#endif
