#define _GNU_SOURCE
#include "team.h"
#include "clock.h"
#include "forks.h"
#include "word_wait.h"
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { READS = 32 };                      /* of the word between two of the clock */
static const double IDLE_SPIN_NS = 20000; /* how long an idle thread polls */
static const double WAIT_SPIN_NS = 50000; /* how long a caller polls for the last thread to leave before it sleeps */
static const double FOLLOW = .5;          /* rate of the running mean of the gap between jobs */

typedef struct Thread {
    AnbTeam *team;
    pthread_t handle;
    size_t number; /* from 1 */
} Thread;

/* Members that several threads write in turns have cache lines of their own. */
struct AnbTeam {
    _Alignas(128) atomic_uint round; /* odd: open */
    atomic_uint sleepers;
    atomic_uint gap; /* ns between jobs, a running mean of the caller's */
    atomic_bool stop;
    AnbTeamJob job;
    void *context;
    _Alignas(128) atomic_uint inside;
    atomic_uint waiting; /* the caller sleeps until no thread is inside */
    _Alignas(128) Thread *thread;
    size_t n_threads; /* beside the caller */
    unsigned forks;
    double closed; /* when the last job ended */
};

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Polls a word until it is not, or is, `value`, for at most `ns`. Returns whether that happened. The reads are
 * sequentially consistent: a caller that closes a round and then finds no thread inside relies on later threads seeing
 * it closed. */
static bool spin(atomic_uint *word, unsigned value, bool until_equal, double ns)
{
    double start = 0;
    for (;;) {
        for (int i = 0; i < READS; i++) {
            if ((atomic_load(word) == value) == until_equal)
                return true;
            relax();
        }
        double t = anb_clock_ns();
        start = start > 0 ? start : t;
        if (t - start >= ns)
            return false;
    }
}

/* ---- the other threads ------------------------------------------------------------------------------------------- */

/* Returns once the round is another one than `seen`. */
static void await(Thread *thread, unsigned seen)
{
    AnbTeam *team = thread->team;
    if (atomic_load(&team->gap) < IDLE_SPIN_NS && spin(&team->round, seen, false, IDLE_SPIN_NS))
        return;
    atomic_fetch_add(&team->sleepers, 1);
    anb_word_wait(&team->round, seen);
    atomic_fetch_sub(&team->sleepers, 1);
}

static void go_inside(Thread *thread, unsigned round)
{
    AnbTeam *team = thread->team;
    atomic_fetch_add(&team->inside, 1);
    if (atomic_load(&team->round) == round)
        team->job(team->context, thread->number);
    atomic_fetch_sub(&team->inside, 1);
    if (atomic_load(&team->waiting))
        anb_word_wake(&team->inside);
}

static void *live(void *context)
{
    Thread *thread = context;
    AnbTeam *team = thread->team;
    unsigned seen = 0;
    for (;;) {
        await(thread, seen);
        if (atomic_load(&team->stop))
            return NULL;
        seen = atomic_load(&team->round);
        if (seen % 2)
            go_inside(thread, seen);
    }
}

/* ---- the caller -------------------------------------------------------------------------------------------------- */

static void wake(AnbTeam *team)
{
    if (atomic_load(&team->sleepers) > 0)
        anb_word_wake(&team->round);
}

/* Waits until no thread is inside. */
static void wait_for_all(AnbTeam *team)
{
    if (spin(&team->inside, 0, true, WAIT_SPIN_NS))
        return;
    atomic_store(&team->waiting, 1);
    for (unsigned left = atomic_load(&team->inside); left > 0; left = atomic_load(&team->inside))
        anb_word_wait(&team->inside, left);
    atomic_store(&team->waiting, 0);
}

/* Updates the mean gap; a long gap counts as at most four times the polling time. */
static void follow_gap(AnbTeam *team)
{
    double gap = anb_clock_ns() - team->closed, mean = atomic_load(&team->gap);
    gap = gap < 4 * IDLE_SPIN_NS ? gap : 4 * IDLE_SPIN_NS;
    atomic_store(&team->gap, (unsigned)(mean + FOLLOW * (gap - mean)));
}

void anb_team_run(AnbTeam *team, AnbTeamJob job, void *context)
{
    follow_gap(team);
    team->job = job;
    team->context = context;
    atomic_fetch_add(&team->round, 1);
    wake(team);
    job(context, 0);
    atomic_fetch_add(&team->round, 1);
    wait_for_all(team);
    team->closed = anb_clock_ns();
}

bool anb_team_awake(AnbTeam *team)
{
    return atomic_load_explicit(&team->sleepers, memory_order_relaxed) == 0;
}

bool anb_team_alone(const AnbTeam *team)
{
    return team->n_threads == 0 || team->forks != anb_forks();
}

size_t anb_team_size(const AnbTeam *team)
{
    return team->n_threads + 1;
}

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

/* Cores that this process may use. */
static size_t cores(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (size_t)CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (size_t)n : 1;
}

/* Starts a thread whose stack is large enough to predict many rows. Where the default is smaller, as with musl, it is
 * 1 MB. */
static int start_thread(Thread *thread)
{
    enum { ROOM = 1 << 20 };
    size_t size = 0;
    pthread_attr_t attributes;
    int code = pthread_attr_init(&attributes);
    if (code)
        return code;
    if (pthread_attr_getstacksize(&attributes, &size) == 0 && size < ROOM)
        pthread_attr_setstacksize(&attributes, ROOM);
    code = pthread_create(&thread->handle, &attributes, live, thread);
    pthread_attr_destroy(&attributes);
    return code;
}

static bool start(AnbTeam *team, size_t others)
{
    team->thread = calloc(others + 1, sizeof *team->thread);
    for (size_t i = 0; i < others && team->thread; i++) {
        team->thread[i] = (Thread){.team = team, .number = i + 1};
        if (start_thread(&team->thread[i]))
            return false;
        team->n_threads++;
    }
    return team->thread;
}

AnbTeam *anb_team_new(size_t threads)
{
    size_t n = threads ? threads : cores();
    AnbTeam *team = anb_forks_watch() ? NULL : aligned_alloc(_Alignof(AnbTeam), sizeof *team);
    if (!team)
        return NULL;
    *team = (AnbTeam){.forks = anb_forks()};
    if (start(team, (n < ANB_TEAM_MOST ? n : ANB_TEAM_MOST) - 1))
        return team;
    anb_team_free(team);
    return NULL;
}

static void stop(AnbTeam *team)
{
    atomic_store(&team->stop, true);
    atomic_fetch_add(&team->round, 2);
    anb_word_wake(&team->round);
    for (size_t i = 0; i < team->n_threads; i++)
        pthread_join(team->thread[i].handle, NULL);
}

void anb_team_free(AnbTeam *team)
{
    if (!team)
        return;
    if (team->forks == anb_forks())
        stop(team);
    free(team->thread);
    free(team);
}
