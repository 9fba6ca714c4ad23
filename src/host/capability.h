/* Checks that a type's tables of capabilities are complete; the way in by its direct table. */
#ifndef ANB_HOST_CAPABILITY_H
#define ANB_HOST_CAPABILITY_H

#include <anabranch/type.h>

/* 0, or ANB_E_ARGUMENT with the table's name. */
int anb_check_tables(const StreamingLearnerType *type, AnbError *error);
/* Likewise of a router, with gate, mix and learn. */
int anb_check_router_tables(const AnbRouterType *router, AnbError *error);

/* The type of AnbDirectTable.predict_or. */
typedef double (*AnbLook)(const AnbNode *self, const void *state, const double *x, AnbFallback fallback);
/* predict_or of a root's direct table, or a function that does the same where the type has none; direct may be NULL. */
AnbLook anb_look_of(const StreamingLearnerType *type, const AnbDirectTable *direct);

#endif
