#define _GNU_SOURCE
#include "listen.h"
#include "cli.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- addresses --------------------------------------------------------------------------------------------------- */

/* An IP, of IPv6 with or without brackets and with its zone where it has one. NULL: it is none. */
static struct addrinfo *look_up(const Listening *p)
{
    char host[128], port[8];
    size_t n = strlen(p->address);
    bool bracketed = n > 2 && p->address[0] == '[' && p->address[n - 1] == ']';
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? n - 2 : n), p->address + bracketed);
    snprintf(port, sizeof port, "%u", (unsigned)p->port);
    wanted.ai_family = strchr(host, ':') ? AF_INET6 : AF_INET;
    struct in_addr whole; /* getaddrinfo takes 1.2.3 as well */
    if (wanted.ai_family == AF_INET && inet_pton(AF_INET, host, &whole) != 1)
        return NULL;
    return getaddrinfo(host, port, &wanted, &found) ? NULL : found;
}

/* At :: those who come by IPv4 are served as well. */
static bool listen_ip(const Listening *p)
{
    struct addrinfo *at = look_up(p);
    int yes = 1, no = 0;
    if (!at) {
        errno = ENOMEM; /* the address was checked before */
        return false;
    }
    setsockopt(p->descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (at->ai_family == AF_INET6)
        setsockopt(p->descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    bool listens = bind(p->descriptor, at->ai_addr, at->ai_addrlen) == 0 && listen(p->descriptor, SOMAXCONN) == 0;
    freeaddrinfo(at);
    return listens;
}

static void name_ip(Listening *p)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    char host[128] = "", port[8] = "";
    getsockname(p->descriptor, (struct sockaddr *)&at, &n);
    getnameinfo((struct sockaddr *)&at, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    bool colons = at.ss_family == AF_INET6;
    snprintf(p->name, sizeof p->name, "http://%s%s%s:%s", colons ? "[" : "", host, colons ? "]" : "", port);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static struct sockaddr_un file_of(const Listening *p)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", p->path);
    return at;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

typedef struct Lock {
    char path[SOCKET_PATH + 8];
} Lock;

static Lock lock_of(const Listening *p)
{
    Lock lock;
    snprintf(lock.path, sizeof lock.path, "%s.lock", p->path);
    return lock;
}

/* Services start and end at a path one at a time: each locks the file PATH.lock, and removes that file before it
 * releases the lock. The file may be removed between its opening and its locking, so the name is looked up again.
 * Returns the descriptor; -1 with errno, EAGAIN where another service has the lock. */
static int lock_take(const Listening *p, int how)
{
    const Lock lock = lock_of(p);
    struct stat mine, named;
    for (;;) {
        int fd = open(lock.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0)
            return -1;
        int why = flock(fd, how) || fstat(fd, &mine) ? errno : 0;
        if (!why && lstat(lock.path, &named) == 0 && same_file(&mine, &named))
            return fd;
        close(fd);
        errno = why;
        if (why)
            return -1;
    }
}

static void lock_release(const Listening *p, int held)
{
    unlink(lock_of(p).path);
    close(held);
}

/* Removes a socket to which no process listens: a process that was killed left it. False with errno: EAGAIN where a
 * process listens, ENOTSOCK where the file is no socket. */
static bool remove_left_over(const Listening *p)
{
    struct sockaddr_un at = file_of(p);
    struct stat there;
    if (lstat(p->path, &there) != 0)
        return true;
    errno = ENOTSOCK;
    if (!S_ISSOCK(there.st_mode))
        return false;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int why = connect(probe, (struct sockaddr *)&at, sizeof at) ? errno : EAGAIN;
    close(probe);
    if (why == ECONNREFUSED)
        why = unlink(p->path) ? errno : ENOENT;
    errno = why;
    return why == ENOENT;
}

/* The mode is set before it listens, so no client connects before that. */
static bool listen_file(Listening *p)
{
    struct sockaddr_un at = file_of(p);
    int held = lock_take(p, LOCK_EX | LOCK_NB);
    if (held < 0)
        return false;
    bool listens = remove_left_over(p) && bind(p->descriptor, (struct sockaddr *)&at, sizeof at) == 0 &&
                   (p->mode == 0 || chmod(p->path, (mode_t)p->mode) == 0) && lstat(p->path, &p->file) == 0 &&
                   listen(p->descriptor, SOMAXCONN) == 0;
    int why = errno;
    lock_release(p, held);
    errno = why;
    return listens;
}

/* ---- from systemd ------------------------------------------------------------------------------------------------ */

enum { FIRST_PASSED = 3 };

/* As sd_listen_fds(3): they are for the process LISTEN_PID. */
unsigned listening_passed(void)
{
    const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
    return pid && n && strtoll(pid, NULL, 10) == getpid() ? (unsigned)strtoul(n, NULL, 10) : 0;
}

static bool is_listening(int descriptor)
{
    int yes = 0, type = 0;
    socklen_t n = sizeof yes, m = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 && yes &&
           getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_STREAM;
}

static void take_passed(Listening *p)
{
    struct sockaddr_un at = {0};
    socklen_t n = sizeof at;
    p->descriptor = FIRST_PASSED;
    fcntl(p->descriptor, F_SETFD, FD_CLOEXEC);
    fcntl(p->descriptor, F_SETFL, fcntl(p->descriptor, F_GETFL) | O_NONBLOCK);
    getsockname(p->descriptor, (struct sockaddr *)&at, &n);
    const bool abstract = !at.sun_path[0]; /* it has no file */
    if (at.sun_family == AF_UNIX)
        snprintf(p->name, sizeof p->name, "unix:%s%.*s", abstract ? "@" : "", (int)sizeof at.sun_path - abstract,
                 at.sun_path + abstract);
    else
        name_ip(p);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

int listening_check(const Listening *p)
{
    if (p->passed > 1)
        return complain(BAD_USE, "LISTEN_FDS passes %u sockets, and one is served", p->passed);
    if (p->passed)
        return is_listening(FIRST_PASSED)
                   ? 0
                   : complain(BAD_USE, "what LISTEN_FDS passes is no stream socket that listens");
    struct addrinfo *at = p->path ? NULL : look_up(p);
    if (p->path && (!*p->path || strlen(p->path) >= SOCKET_PATH))
        return complain(BAD_USE, "--socket takes the path of a file of 1 to %d bytes, not \"%s\"", SOCKET_PATH - 1,
                        p->path);
    if (!p->path && !at)
        return complain(BAD_USE, "--address takes an IPv4 or IPv6 address, not \"%s\"", p->address);
    if (at)
        freeaddrinfo(at);
    return 0;
}

static int cannot(const Listening *p)
{
    const char *why = errno == EAGAIN ? "another process does" : strerror(errno);
    if (p->path && errno == ENOTSOCK)
        return complain(BAD_DATA, "%s: a file that is no socket lies there", p->path);
    if (p->path)
        return complain(BAD_DATA, "%s: cannot listen there: %s", p->path, why);
    return complain(BAD_DATA, "%s, port %u: cannot listen there: %s", p->address, (unsigned)p->port, why);
}

int listening_start(Listening *p)
{
    int family = p->path ? AF_UNIX : strchr(p->address, ':') ? AF_INET6 : AF_INET;
    if (p->passed)
        return take_passed(p), 0;
    p->descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->descriptor < 0 || !(p->path ? listen_file(p) : listen_ip(p)))
        return cannot(p);
    if (p->path)
        snprintf(p->name, sizeof p->name, "unix:%s", p->path);
    else
        name_ip(p);
    return 0;
}

/* While it listens no other service takes the path, and no other file gets the inode number. */
void listening_end(const Listening *p)
{
    struct stat now;
    int held = p->path ? lock_take(p, LOCK_EX) : -1;
    if (held < 0)
        return;
    if (lstat(p->path, &now) == 0 && same_file(&now, &p->file))
        unlink(p->path);
    lock_release(p, held);
}
