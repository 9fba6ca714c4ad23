/* Loaded before a program: the clock on the wall stands still. */
#include <time.h>

time_t time(time_t *now)
{
    if (now)
        *now = 0;
    return 0;
}
