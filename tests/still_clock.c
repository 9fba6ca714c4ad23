/* Loaded before a program: the clock on the wall as time() tells it stands still, and as clock_gettime() tells it is a
 * day ahead of the system's, as if the system's had been set back since. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

time_t time(time_t *now)
{
    if (now)
        *now = 0;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int code = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += 86400;
    return code;
}
