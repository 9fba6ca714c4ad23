#define _GNU_SOURCE
#include "listen.h"
#include "cli.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
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
static bool bind_ip(const Listening *p)
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
    bool bound = bind(p->descriptor, at->ai_addr, at->ai_addrlen) == 0;
    freeaddrinfo(at);
    return bound;
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

/* A socket that nobody listens to was left by a process that was killed. */
static int remove_left_over(const Listening *p)
{
    struct sockaddr_un at = file_of(p);
    struct stat there;
    if (lstat(p->path, &there) != 0)
        return 0;
    if (!S_ISSOCK(there.st_mode))
        return complain(BAD_DATA, "%s: a file that is no socket lies there", p->path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int why = connect(probe, (struct sockaddr *)&at, sizeof at) ? errno : 0;
    close(probe);
    if (why == ECONNREFUSED)
        why = unlink(p->path) ? errno : ENOENT;
    if (why == ENOENT)
        return 0;
    return complain(BAD_DATA, "%s: cannot listen there: %s", p->path,
                    why == 0 || why == EAGAIN ? "another process does" : strerror(why));
}

/* Nobody gets in before it listens, so the mode is there in time. */
static bool bind_file(Listening *p)
{
    struct sockaddr_un at = file_of(p);
    if (bind(p->descriptor, (struct sockaddr *)&at, sizeof at) != 0)
        return false;
    return (p->mode == 0 || chmod(p->path, (mode_t)p->mode) == 0) && lstat(p->path, &p->file) == 0;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

int listening_check(const Listening *p)
{
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

int listening_start(Listening *p)
{
    int family = p->path ? AF_UNIX : strchr(p->address, ':') ? AF_INET6 : AF_INET;
    int status = p->path ? remove_left_over(p) : 0;
    if (status)
        return status;
    p->descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool bound = p->descriptor >= 0 && (p->path ? bind_file(p) : bind_ip(p));
    if (!bound || listen(p->descriptor, SOMAXCONN) != 0) {
        if (p->path)
            return complain(BAD_DATA, "%s: cannot listen there: %s", p->path, strerror(errno));
        return complain(BAD_DATA, "%s, port %u: cannot listen there: %s", p->address, (unsigned)p->port,
                        strerror(errno));
    }
    if (p->path)
        snprintf(p->name, sizeof p->name, "unix:%s", p->path);
    else
        name_ip(p);
    return 0;
}

void listening_end(const Listening *p)
{
    struct stat now;
    if (p->path && lstat(p->path, &now) == 0 && now.st_ino == p->file.st_ino && now.st_dev == p->file.st_dev)
        unlink(p->path);
}
