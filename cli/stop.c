#include "stop.h"
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t requested;
static int ends[2] = {-1, -1};

/* The end of a terminal may send SIGHUP twice. */
static void on_signal(int number)
{
    requested = 1;
    signal(number, number == SIGHUP ? SIG_IGN : SIG_DFL);
    if (write(ends[1], "", 1) < 0)
        return; /* the flag is enough where nobody waits */
}

void stop_arm(void)
{
    if (pipe(ends))
        ends[0] = ends[1] = -1;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (signal(SIGHUP, on_signal) == SIG_IGN)
        signal(SIGHUP, SIG_IGN);
}

bool stop_requested(void)
{
    return requested;
}

int stop_descriptor(void)
{
    return ends[0];
}
