/* Checks of pointers that a caller passes. */
#ifndef ANB_TEXT_GIVEN_H
#define ANB_TEXT_GIVEN_H

#include <anabranch/type.h>

/* Whether a pointer is not NULL; else fills the error with ANB_E_ARGUMENT and the missing argument's name. */
static inline bool anb_given(const void *pointer, const char *what, AnbError *error)
{
    if (!pointer)
        anb_fail(error, ANB_E_ARGUMENT, "no %s: NULL was given", what);
    return pointer != NULL;
}

/* Whether an allocator, or none, can be used: 0, or ANB_E_ARGUMENT. */
static inline int anb_allocator_check(const AnbAllocator *allocator, AnbError *error)
{
    bool whole = !allocator || (allocator->alloc && allocator->free);
    return whole ? 0 : anb_fail(error, ANB_E_ARGUMENT, "the allocator lacks alloc or free");
}

#endif
