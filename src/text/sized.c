#include "sized.h"
#include <anabranch/type.h>

int anb_sized_take(const char *what, void *own, size_t size, const void *given, AnbError *error)
{
    size_t theirs;
    memcpy(&theirs, given, sizeof theirs);
    if (theirs <= sizeof theirs)
        return anb_fail(error, ANB_E_ARGUMENT,
                        "%s: its options have no size: start them from the function that returns the defaults", what);
    if (theirs > size)
        return anb_fail(error, ANB_E_ARGUMENT,
                        "%s: its options have %zu bytes and this version of the library knows %zu: they do not start "
                        "from the defaults, or are of a newer version",
                        what, theirs, size);
    memcpy(own, given, theirs);
    memcpy(own, &size, sizeof size);
    return 0;
}

void anb_sized_give(const void *defaults, size_t size, void *out, size_t theirs)
{
    memset(out, 0, theirs);
    memcpy(out, defaults, theirs < size ? theirs : size);
    memcpy(out, &theirs, sizeof theirs);
}
