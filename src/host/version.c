#include <anabranch/learner.h>

const char *anb_version(void)
{
    return ANB_VERSION;
}
