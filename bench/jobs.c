#include "jobs.h"
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEAD = 64 }; /* bytes before the results: the counter */

bool jobs_take(Jobs *jobs, size_t *job)
{
    *job = atomic_fetch_add(jobs->next, 1);
    return *job < jobs->total;
}

bool jobs_run(Jobs *jobs, size_t total, size_t result_size, size_t processes, void (*work)(Jobs *, void *context),
              void *context)
{
    char *memory = mmap(NULL, HEAD + total * result_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    *jobs = (Jobs){total, (atomic_size_t *)memory, memory + HEAD};
    size_t started = 0;
    for (; started < processes; started++) {
        pid_t child = fork();
        if (child < 0)
            break;
        if (child == 0) {
            work(jobs, context);
            _exit(0);
        }
    }
    for (size_t i = 0; i < started; i++)
        wait(NULL);
    return started > 0;
}
