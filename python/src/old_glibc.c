/*
 * What an extension that is built on a newer system needs to load on systems with glibc 2.28 as well:
 *
 * - stat and fstat by statx, which glibc has since 2.28; they themselves are functions of it only since 2.33;
 * - the functions of threads by the names and versions that they had in libpthread, before 2.32 and 2.34 moved them
 *   into libc. Newer ones have those names too, and in older ones the interpreter has loaded libpthread.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int fill(int folder, const char *path, int flags, struct stat64 *status)
{
    struct statx s;
    if (statx(folder, path, flags, STATX_BASIC_STATS, &s))
        return -1;
    memset(status, 0, sizeof *status);
    status->st_dev = makedev(s.stx_dev_major, s.stx_dev_minor);
    status->st_ino = s.stx_ino;
    status->st_mode = s.stx_mode;
    status->st_nlink = s.stx_nlink;
    status->st_uid = s.stx_uid;
    status->st_gid = s.stx_gid;
    status->st_rdev = makedev(s.stx_rdev_major, s.stx_rdev_minor);
    status->st_size = (long long)s.stx_size;
    status->st_blksize = s.stx_blksize;
    status->st_blocks = (long long)s.stx_blocks;
    status->st_mtime = s.stx_mtime.tv_sec;
    return 0;
}

int stat64(const char *restrict path, struct stat64 *restrict status)
{
    return fill(AT_FDCWD, path, 0, status);
}

int fstat64(int file, struct stat64 *status)
{
    return fill(file, "", AT_EMPTY_PATH, status);
}

#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))
#ifdef __x86_64__
#define FIRST "GLIBC_2.2.5"
#define CLOCKS "GLIBC_2.3.3"
#else
#define FIRST "GLIBC_2.17"
#define CLOCKS "GLIBC_2.17"
#endif

/* A function by another name that calls the version of old. */
#define BY_VERSION(version, name, parameters, arguments)                                                               \
    int old_##name parameters;                                                                                         \
    __asm__(".symver old_" #name "," #name "@" version);                                                               \
    int name parameters                                                                                                \
    {                                                                                                                  \
        return old_##name arguments;                                                                                   \
    }

BY_VERSION(FIRST, pthread_create,
           (pthread_t *restrict thread, const pthread_attr_t *restrict how, void *(*run)(void *), void *restrict with),
           (thread, how, run, with))
BY_VERSION(FIRST, pthread_attr_getstacksize, (const pthread_attr_t *restrict how, size_t *restrict size), (how, size))
BY_VERSION(FIRST, pthread_attr_setstacksize, (pthread_attr_t * how, size_t size), (how, size))
BY_VERSION(FIRST, pthread_join, (pthread_t thread, void **result), (thread, result))
BY_VERSION(FIRST, pthread_once, (pthread_once_t * once, void (*run)(void)), (once, run))
BY_VERSION(FIRST, pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))
BY_VERSION(FIRST, pthread_mutexattr_init, (pthread_mutexattr_t * how), (how))
BY_VERSION(FIRST, pthread_mutexattr_settype, (pthread_mutexattr_t * how, int kind), (how, kind))
BY_VERSION(FIRST, pthread_mutexattr_destroy, (pthread_mutexattr_t * how), (how))
BY_VERSION(CLOCKS, pthread_condattr_setclock, (pthread_condattr_t * how, clockid_t clock), (how, clock))
BY_VERSION(FIRST, pthread_sigmask, (int how, const sigset_t *restrict set, sigset_t *restrict old), (how, set, old))
#endif
