/* Checks that a type's tables of capabilities are complete. */
#ifndef ANB_HOST_CAPABILITY_H
#define ANB_HOST_CAPABILITY_H

#include <anabranch/type.h>

/* 0, or ANB_E_ARGUMENT with the table's name. */
int anb_check_tables(const StreamingLearnerType *type, AnbError *error);
/* Likewise of a router, with gate, mix and learn. */
int anb_check_router_tables(const AnbRouterType *router, AnbError *error);

#endif
